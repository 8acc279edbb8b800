"""From a policy directory to the bytes of a publication. Pure: the same files, day and predecessor, the same bytes.

The digest names everything frozen. It is the SHA-256 of the canonical list of all files and their hashes, taken while
the digest itself reads as zeros and the moment of publication is left blank, together with the digest before it; so
nothing can change in a page, a word or a promise without the name changing. `recomputed_digest` does it again from
the frozen files.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lofte.kernel.canonical import canonical_bytes, sha256_hex
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES, room_words
from lofte.rules.diff import diff
from lofte.rules.model import Basis, Locale, Policy
from lofte.rules.pages.banner import banner
from lofte.rules.pages.changes import changes_page
from lofte.rules.pages.cookies import cookies_page
from lofte.rules.pages.edition import Edition, editions
from lofte.rules.pages.policy import policy_page
from lofte.rules.pages.preferences import preferences
from lofte.rules.published import Paragraph, Published
from lofte.rules.source import Source

_ZEROS = "0" * 64


@dataclass(frozen=True, slots=True)
class Compiled:
    """A publication ready to be frozen: logical name to bytes, and what `policy.json` says."""

    files: Mapping[str, bytes]
    published: Published


def compile_policy(source: Source, at: datetime, previous: Published | None = None) -> Compiled:
    """All files of a publication made at an instant. Raises Problem when the source holds no readable policy.

    Run `check` first: what it lets through compiles.
    """
    blank = assemble(source, at.date())
    before = previous.digest if previous else ""
    digest = _digest(_render(blank, at.date(), previous), before)
    published = blank.model_copy(update={"digest": digest, "published_at": rfc3339(at)})
    return Compiled(_render(published, at.date(), previous), published)


def recomputed_digest(files: Mapping[str, bytes], previous: str = "") -> str:
    """The digest that frozen files should bear: blank out the digest and the moment, and hash."""
    content = json.loads(files["policy.json"])
    digest = content["digest"].encode()
    blanked = {name: body.replace(digest, _ZEROS.encode()) for name, body in files.items()}
    blanked["policy.json"] = _json_bytes({**content, "digest": _ZEROS, "published_at": ""})
    return _digest(blanked, previous)


def assemble(source: Source, at: date) -> Published:
    """A policy as the running system sees it, not yet named: its digest reads as zeros."""
    if source.policy is None:
        raise Problem("policy.unreadable", "the directory holds no readable policy", way_out="Run `lofte check`.")
    policy = source.policy
    words = {locale: _plain(source, locale) for locale in policy.locales()}
    texts = {
        locale: tuple(
            Paragraph(key=block.key, promises=block.promises, markets=block.markets, markdown=block.markdown.strip())
            for block in source.texts.get(locale, ())
        )
        for locale in policy.locales()
    }
    bare = Published(
        version=policy.version, digest=_ZEROS, published_at="", policy=policy, words=words, wordings={}, texts=texts
    )  # fmt: skip
    return bare.model_copy(update={"wordings": _wordings(bare, at)})


def _plain(source: Source, locale: Locale) -> dict[str, Any]:
    tree = source.words.get(locale)
    return dict(tree.content) if tree is not None and isinstance(tree.content, dict) else {}


def _wordings(published: Published, at: date) -> dict[str, str]:
    """The hash of what people are shown, by market, locale and thing shown."""
    found: dict[str, str] = {}
    for edition in editions(published, at):
        tail = f"{edition.market_id}/{edition.locale}"
        asked = _asked_words(edition)
        found[f"{tail}/banner"] = _hash({"shown": "banner", **asked})
        found[f"{tail}/preferences"] = _hash({"shown": "preferences", **asked})
        found[f"{tail}/frame"] = _hash({"shown": "frame", **asked})
        found[f"{tail}/policy"] = _hash(_policy_words(edition))
        for key, form in published.policy.forms.items():
            if not form.markets or edition.market_id in form.markets:
                found[f"{tail}/form.{key}"] = _hash(_form_words(edition, key))
                found |= {f"{tail}/box.{key}.{box}": _hash(said) for box, said in _box_words(edition, key)}
    return found


def _asked_words(edition: Edition) -> dict[str, Any]:
    words = edition.published.words.get(edition.locale, {})
    models = edition.policy.browser_purposes(edition.market_id)
    said = words.get("purposes", {})
    return {
        "banner": words.get("banner", {}),
        "purposes": [[key, model.value, said.get(key, {})] for key, model in models.items()],
    }


def _policy_words(edition: Edition) -> list[Any]:
    values = {name: value.text for name, value in edition.values.items()}
    return [[item.key, list(item.promises), item.markdown] for item in edition.paragraphs()] + [values]


def _form_words(edition: Edition, key: str) -> list[Any]:
    words = edition.published.words.get(edition.locale, {})
    form = edition.policy.forms[key]
    fields = [[item.field, item.required, words.get("fields", {}).get(item.field, "")] for item in form.fields]
    purpose = words.get("purposes", {}).get(form.purpose, {})
    return [key, form.purpose, words.get("forms", {}).get(key, {}), fields, purpose]


def _box_words(edition: Edition, key: str) -> Iterator[tuple[str, Any]]:
    """The consent words of a form by ``<purpose>-<channel>``: that of its own purpose, and those of the boxes beside it."""
    words, form = edition.published.words.get(edition.locale, {}), edition.policy.forms[key]
    said = words.get("forms", {}).get(key, {})
    if edition.policy.purposes[form.purpose].basis is Basis.CONSENT:
        yield f"{form.purpose}-email", ["box", form.purpose, "email", said.get("consent", "")]
    for box in form.boxes:
        name = f"{box.purpose}-{box.channel}"
        yield name, ["box", box.purpose, box.channel, said.get("boxes", {}).get(name, "")]


def _hash(value: Any) -> str:
    return sha256_hex(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


# Files


def _render(published: Published, at: date, previous: Published | None) -> dict[str, bytes]:
    difference = diff(previous, published) if previous else None
    files = {"policy.json": _policy_json(published), "verdict-words.json": verdict_words(published.policy)}
    for edition in editions(published, at):
        tail = f"{edition.market_id}/{edition.locale}"
        files[f"{tail}/policy.html"] = policy_page(edition)
        files[f"{tail}/cookies.html"] = cookies_page(edition)
        files[f"{tail}/changes.html"] = changes_page(edition, difference, previous)
        files[f"{tail}/banner.html"] = banner(published, edition.market_id, edition.locale)
        files[f"{tail}/preferences.html"] = preferences(published, edition.market_id, edition.locale)
    return {name: body for name, body in files.items() if body}


def _policy_json(published: Published) -> bytes:
    return _json_bytes(published.model_dump(mode="json", by_alias=True))


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def verdict_words(policy: Policy) -> bytes:
    """The words for verdicts in each locale, with ``{at}`` left as a slot in ``proved``."""
    spoken = {
        locale: {
            key.removeprefix("verdict."): text
            for key, text in room_words(locale, "policy").items()
            if key.startswith("verdict.")
        }
        for locale in policy.locales()
        if locale in LOCALES
    }
    return _json_bytes(spoken)


def _digest(files: Mapping[str, bytes], previous: str) -> str:
    hashes = {name: sha256_hex(body) for name, body in files.items()}
    return sha256_hex(canonical_bytes({"files": hashes, "previous": previous}))
