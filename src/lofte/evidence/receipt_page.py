"""The receipt as one HTML file that a person can keep and open: it verifies itself in the browser, with no network.

Doors call `receipt_page`; whoever serves the page may send `receipt_page_policy()` as its header as well. Without script
the page still says in words what was recorded. Only the page's own script and style may run, by their hashes.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from lofte.evidence.commitment import read_entry
from lofte.evidence.proof import Proof
from lofte.kernel.canonical import canonical_bytes
from lofte.rules.catalogue import room_words, say

_SCRIPTS = ("sha2.js", "ed25519.js", "verify.js", "show.js")
_SLOT = re.compile(r"\{\{([a-z_:.]+)\}\}")
_FIRST = ("event", "action", "purpose", "choices", "at", "market", "locale", "method")


def receipt_page(
    receipt: Mapping[str, Any], locale: str, names: Mapping[str, str] | None = None, contact: Sequence[str] = ()
) -> bytes:
    """The page. `names` gives purposes their names in this locale (from the publication); they are not part of the proof.
    `contact` are the lines of the data-protection contact, so that whoever keeps the page knows whom to ask.

    Raises KeyError for a locale without words.
    """
    words = room_words(locale, "receipt")
    who = receipt.get("who")
    slots = {
        "locale": locale,
        "csp": receipt_page_policy(),
        "style": _style(),
        "script": _script(),
        "index": str(receipt["index"]),
        "kind": words.get(f"kind.{receipt['kind']}", receipt["kind"]),
        "facts": _rows(receipt["fact"]["payload"], words, names or {}),
        "who": _rows(who["payload"], words, {}) if who else "",
        "who_said": words["who.open" if who else "who.sealed" if _has_sealed_who(receipt) else "who.none"],
        "raw": json.dumps(receipt, ensure_ascii=False, indent=2),
        "receipt": _as_data(receipt),
        "words": _as_data(dict(words)),
        "names": _as_data(dict(names or {})),
        "contact": _contact(locale, contact),
    }

    def fill(found: re.Match[str]) -> str:
        name = found.group(1)
        if name.startswith("word:"):
            return escape(words[name.removeprefix("word:")])
        return slots[name] if name in _READY else escape(slots[name])

    return _SLOT.sub(fill, _asset("receipt.html")).encode()


_READY = frozenset({"style", "script", "facts", "who", "receipt", "words", "names", "contact"})
"""Slots that are markup, code or data already."""


@cache
def receipt_page_policy() -> str:
    """The Content-Security-Policy of the page: nothing is fetched, and only its own script and style run."""
    return (
        f"default-src 'none'; script-src '{_hash(_script())}'; style-src '{_hash(_style())}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


@cache
def _script() -> str:
    # One function around all: nothing of the page is reachable by name from outside.
    return '"use strict";\n(() => {\n' + "\n".join(map(_asset, _SCRIPTS)) + "})();\n"


@cache
def _style() -> str:
    return _asset("receipt.css")


def _asset(name: str) -> str:
    return (files("lofte.evidence") / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _as_data(value: Any) -> str:
    """JSON inside a script element, where only `<` could end it or open a comment."""
    return canonical_bytes(value).decode().replace("<", "\\u003c")


def _contact(locale: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    title = escape(say(locale, "policy.contact.title"))
    return f"<footer><h2>{title}</h2><address>{'<br>'.join(map(escape, lines))}</address></footer>"


def _has_sealed_who(receipt: Mapping[str, Any]) -> bool:
    """By the entry in the proof's extra line, unproved; the script says it again once it has verified it."""
    try:
        entry = Proof.parse(receipt["proof"]).extra
        return entry is not None and read_entry(entry)["who"] is not None
    except ValueError:
        return False


def _rows(value: Mapping[str, Any], words: Mapping[str, str], names: Mapping[str, str]) -> str:
    ordered = sorted(value, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    return "".join(
        f"<dt>{escape(words.get(f'field.{name}', name))}</dt><dd>{_readable(name, value[name], words, names)}</dd>"
        for name in ordered
    )


def _readable(name: str, value: Any, words: Mapping[str, str], names: Mapping[str, str]) -> str:
    match value:
        case dict() if name == "choices":
            return _choices(value, words, names)
        case bool():
            return escape(words["value.yes" if value else "value.no"])
        case str():
            return escape(words.get(f"value.{name}.{value}") or names.get(value, value))
        case _:
            return f"<code>{escape(json.dumps(value, ensure_ascii=False))}</code>"


def _choices(value: Mapping[str, Any], words: Mapping[str, str], names: Mapping[str, str]) -> str:
    items = "".join(
        f'<li class="{state}"><span class="verdict">{escape(words[f"value.{state}"])}</span> '
        f"{escape(names.get(purpose, purpose))}</li>"
        for purpose, state in ((purpose, "granted" if granted else "refused") for purpose, granted in value.items())
    )
    return f'<ul class="choices">{items}</ul>'
