"""What outsiders check: receipts for who holds their code, evidence for facts without a person, the log itself.

Every read of the store runs on a worker thread; the loop never waits for a disk.
"""

import json
from asyncio import to_thread
from collections.abc import Mapping
from html import escape
from typing import Any

from lofte.edge.answers import (
    HTML,
    IMMUTABLE,
    JSON,
    TEXT,
    Header,
    Send,
    answer,
    json_bytes,
    page_headers,
)  # fmt: skip
from lofte.edge.layout import moment, page, rows, told
from lofte.edge.requests import Request, preferred_locale
from lofte.edge.subject import Codes
from lofte.evidence.log import Log, Opened
from lofte.evidence.publications import Publication, Shelf
from lofte.evidence.receipt_page import receipt_page, receipt_page_policy
from lofte.evidence.tiles import parse_tile_path
from lofte.gate.choice import Choice
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES, room_words, say
from lofte.rules.control import Status, Verdict
from lofte.rules.controls import reason, words_of
from lofte.rules.model import Audience
from lofte.rules.published import Published

WITHOUT_A_PERSON = frozenset(("verdict", "publication", "erasure"))
_LONGEST_HISTORY = 50
_OCTETS = b"application/octet-stream"
_LARGEST_INDEX = 2**53


class Proofs:
    def __init__(self, log: Log, shelf: Shelf, codes: Codes) -> None:
        self._log, self._shelf, self._codes = log, shelf, codes

    async def receipt(self, request: Request, send: Send, rest: str) -> int:
        """`<index>?code=` is JSON, `<index>.html?code=` a page that verifies itself. A wrong code finds nothing."""
        number, _, ending = rest.partition(".")
        index = _index(number)
        if ending not in ("", "html") or not self._codes.opens(index, request.query("code")):
            raise _missing()
        found = await to_thread(self._log.receipt, index)
        private: list[Header] = [(b"cache-control", b"private, no-store")]
        if ending == "html":
            locale = self._locale(request, found)
            body = await to_thread(receipt_page, found, locale, self._purposes(locale), self._contact(found))
            headers = [*private, (b"content-security-policy", receipt_page_policy().encode())]
            await answer(send, 200, body, HTML, headers, request.is_head)
        else:
            name = f'attachment; filename="lofte-receipt-{index}.json"'.encode()
            headers = [*private, (b"content-disposition", name)]
            await answer(send, 200, json_bytes(found), JSON, headers, request.is_head)
        return 200

    async def evidence(self, request: Request, send: Send, rest: str) -> int:
        """One fact without a person: a readable page, or by `Accept: application/json` the sealed receipt."""
        index = _index(rest)
        try:
            opened = await to_thread(self._log.opened, index)
        except Problem:
            raise _missing() from None
        if not self._is_public(opened):
            raise _missing()
        found = await to_thread(self._log.sealed_receipt, index)
        cache: list[Header] = [(b"cache-control", b"public, max-age=60"), (b"vary", b"accept, accept-language")]
        if (request.wants_json() and not request.prefers_html()) or request.query("format") == "json":
            await answer(send, 200, json_bytes(found), JSON, cache, request.is_head)
        else:
            body = evidence_page(found, self._locale(request, found), self._shelf.current().published)
            await answer(send, 200, body, HTML, [*cache, *page_headers()], request.is_head)
        return 200

    async def log(self, request: Request, send: Send, rest: str) -> int:
        """`checkpoint`, `key`, and `tile/...` as C2SP tlog-tiles lays them out."""
        if rest == "checkpoint":
            return await self._log_file(request, send, self._log.checkpoint().encode(), TEXT, b"public, max-age=2")
        if rest == "key":
            return await self._log_file(request, send, f"{self._log.vkey()}\n".encode(), TEXT, b"public, max-age=3600")
        kind, _, path = rest.partition("/")
        try:
            if kind != "tile":
                raise ValueError
            level, index, width = parse_tile_path(path)
        except ValueError:
            raise _missing() from None
        read = (self._log.bundle, index, width) if level is None else (self._log.tile, level, index, width)
        return await self._log_file(request, send, await to_thread(*read), _OCTETS, IMMUTABLE)

    async def history(self, choice: Choice | None, publication: Publication, locale: str) -> str:
        """The decisions of this browser, newest first, each with its receipt, as HTML; found by the signed cookie."""
        if choice is None:
            return ""
        found = await to_thread(self._decisions, choice)
        items = "".join(self._decision(index, fact, publication, locale) for index, fact in found)
        lead = f"<h2>{told(locale, 'history.title')}</h2><p>{told(locale, 'history.lead')}</p>"
        return f'<section id="lofte-history" data-lofte="history">{lead}<ol reversed>{items}</ol></section>'

    def _decisions(self, choice: Choice) -> list[tuple[int, Mapping[str, Any]]]:
        """Walks from the newest decision to the one before it, as long as they are the same subject's."""
        found: list[tuple[int, Mapping[str, Any]]] = []
        index: int | None = choice.index
        while index is not None and len(found) < _LONGEST_HISTORY:
            try:
                opened = self._log.opened(index)
            except Problem:
                break
            who = json.loads(opened.who) if opened.who else {}
            if opened.kind != "consent" or who.get("subject") != choice.subject:
                break
            found.append((index, json.loads(opened.fact)))
            before = who.get("previous")
            index = before if type(before) is int and before < index else None
        return found

    def _decision(self, index: int, fact: Mapping[str, Any], publication: Publication, locale: str) -> str:
        named = {purpose: _purpose(publication, locale, purpose) for purpose in sorted(fact["choices"])}
        allowed = [name for purpose, name in named.items() if fact["choices"][purpose]]
        refused = [name for purpose, name in named.items() if not fact["choices"][purpose]]
        words = [
            say(
                locale,
                f"edge.history.{'withdrawn' if fact['action'] == 'withdraw' else 'decided'}",
                at=moment(locale, fact["at"]),
            )
        ]
        words += [say(locale, "edge.history.allowed", purposes=", ".join(allowed))] if allowed else []
        words += [say(locale, "edge.history.refused", purposes=", ".join(refused))] if refused else []
        address = f"/lofte/receipt/{index}.html?code={self._codes.of(index)}"
        receipt = told(locale, "history.receipt", index=index)
        return f'<li>{escape(" ".join(words))} <a href="{address}">{receipt}</a></li>'

    def _is_public(self, opened: Opened) -> bool:
        if opened.kind not in WITHOUT_A_PERSON:
            return False
        if opened.kind != "verdict":
            return True
        return self._shelf.current().published.policy.verdicts_visible_to is Audience.PUBLIC

    def _contact(self, receipt: Mapping[str, Any]) -> list[str]:
        """Whom to ask about a receipt (P48): the contact of the market it was made in."""
        policy = self._shelf.current().published.policy
        market = policy.markets.get(receipt["fact"]["payload"].get("market", ""))
        controller = policy.controllers[market.controller] if market else next(iter(policy.controllers.values()))
        return [controller.name, controller.email, controller.phone, *controller.post]

    def _purposes(self, locale: str) -> dict[str, str]:
        """The names of the purposes, for reading only."""
        words = self._shelf.current().published.words.get(locale, {}).get("purposes", {})
        return {key: parts["name"] for key, parts in words.items()}

    def _locale(self, request: Request, receipt: Mapping[str, Any]) -> str:
        """What the address asks for, else the language the fact was made in, else the reader's."""
        asked = request.query("locale") or receipt.get("fact", {}).get("payload", {}).get("locale", "")
        return asked if asked in LOCALES else preferred_locale(request.headers.get(b"accept-language", b""), LOCALES)

    async def _log_file(self, request: Request, send: Send, body: bytes, kind: bytes, cache: bytes) -> int:
        headers: list[Header] = [(b"cache-control", cache), (b"access-control-allow-origin", b"*")]
        await answer(send, 200, body, kind, headers, request.is_head)
        return 200


def evidence_page(receipt: Mapping[str, Any], locale: str, published: Published) -> bytes:
    """The fact in words, its place in the log, and the proof to check it by."""
    kind, index, fact = receipt["kind"], receipt["index"], receipt["fact"]["payload"]
    entry = [
        (say(locale, "edge.evidence.index"), str(index)),
        (say(locale, "edge.evidence.kind"), say(locale, f"edge.kind.{kind}")),
    ]
    if receipt["policy"]:
        entry.append((say(locale, "edge.evidence.policy"), receipt["policy"]))
    named = _verdict_in_words(fact, locale, published) if kind == "verdict" else None
    named = named or [(_field(locale, name), _value(locale, value)) for name, value in _flat(fact) if name != "event"]
    name = f"lofte-evidence-{index}.json"
    raw = f'<a class="button" href="/lofte/evidence/{index}?format=json" download="{name}">'
    proof = escape(receipt["proof"])
    body = (
        f"<p>{told(locale, 'evidence.lead')}</p>{rows([*named, *entry])}"
        f"<p>{raw}{told(locale, 'evidence.download')}</a></p>"
        f"<details><summary>{told(locale, 'evidence.proof')}</summary><pre>{proof}</pre></details>"
    )
    return page(locale, say(locale, "edge.evidence.title", kind=say(locale, f"edge.kind.{kind}"), index=index), body)


def _verdict_in_words(fact: Mapping[str, Any], locale: str, published: Published) -> list[tuple[str, str]] | None:
    """Promise, what was checked, outcome and why, as the control itself says it; None for a control no longer known."""
    try:
        control = words_of(fact["control"])[locale]
        verdict = Verdict(Status(fact["status"]), fact["reason"], fact.get("facts", {}))
        why = reason(fact["control"], verdict, locale)
        title = published.words.get(locale, {}).get("promises", {}).get(fact["promise"], {}).get("title", "")
    except (KeyError, ValueError, FileNotFoundError):
        return None
    return [
        (_field(locale, "promise"), f"{fact['promise']}: {title}" if title else fact["promise"]),
        (_field(locale, "status"), say(locale, f"edge.verdict.{fact['status']}")),
        (_field(locale, "reason"), why),
        (_field(locale, "at"), moment(locale, fact["at"])),
        (_field(locale, "control"), control.name),
        (_field(locale, "asserts"), control.asserts),
    ]


def _flat(value: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, part in value.items():
        found += _flat(part, f"{before}{name}.") if isinstance(part, dict) else [(f"{before}{name}", part)]
    return found


def _field(locale: str, name: str) -> str:
    return room_words(locale, "edge").get(f"field.{name}", name)


def _value(locale: str, value: Any) -> str:
    if isinstance(value, bool):
        return say(locale, "edge.yes" if value else "edge.no")
    if isinstance(value, list):
        return ", ".join(_value(locale, item) for item in value)
    if isinstance(value, str) and len(value) == 20 and value.endswith("Z"):
        try:
            return moment(locale, value)
        except ValueError:
            return value
    words = room_words(locale, "edge").get(f"verdict.{value}") if isinstance(value, str) else None
    return words or ("–" if value is None else str(value))


def _purpose(publication: Publication, locale: str, purpose: str) -> str:
    try:
        return publication.published.word(locale, "purposes", purpose, "name")
    except Problem:
        return purpose  # an earlier version's purpose, since removed


def _index(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16 or (number := int(text)) >= _LARGEST_INDEX:
        raise _missing()
    return number


def _missing() -> Problem:
    return Problem("evidence.not-found", "there is nothing here", status=404)
