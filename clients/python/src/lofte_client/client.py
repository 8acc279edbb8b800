"""The questions, one HTTP call each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from email.message import Message
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from lofte_client.errors import BadQuestion, LofteError, OutOfScope, TooOften, Unauthorised, Unavailable
from lofte_client.nouns import Decision, Person

_LARGEST_ANSWER = 64 * 1024  # bytes; an answer is about 500
_AT_HOME = ("localhost", "127.0.0.1", "::1")


class _StayHere(HTTPRedirectHandler):
    """A token is shown to the address it was made for and to no other."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Message, newurl: str) -> None:
        return None


class Lofte:
    """One installation, asked with one token. Safe to share between threads; keeps nothing.

    ``language`` is the language of the reasons: sv, nb, fi, en-GB, en-US. Raises ValueError for an address that would send the
    token in the clear (plain http to another machine).
    """

    def __init__(self, address: str, token: str, *, timeout_s: float = 10.0, language: str = "en-GB") -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address begins with https://")
        if parts.scheme == "http" and parts.hostname not in _AT_HOME and not parts.hostname.endswith(".localhost"):
            raise ValueError("the token would be sent in the clear; use https")
        self._url = f"{address.rstrip('/')}/api/decide"
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Language": language,
            "User-Agent": "lofte-client/0.1 (Python)",
        }
        self._timeout_s = timeout_s
        self._opener = build_opener(_StayHere)

    def may_use(
        self, purpose: str, fields: Iterable[str], *, person: Person | None = None, market: str = ""
    ) -> Decision:
        """May these fields be worked with for this purpose?"""
        return self._ask({"act": "use", "purpose": purpose, "fields": list(fields), "market": market}, person)

    def may_send(
        self, purpose: str, fields: Iterable[str], *, person: Person | None = None, market: str = ""
    ) -> Decision:
        """May the person be written to for this purpose, with these fields?"""
        return self._ask({"act": "send", "purpose": purpose, "fields": list(fields), "market": market}, person)

    def may_share(
        self, recipient: str, purpose: str, fields: Iterable[str], *,
        person: Person | None = None, market: str = "", country: str = "",
    ) -> Decision:  # fmt: skip
        """May these fields leave to a recipient of the policy? Without a country every one it takes data to is asked."""
        question = {"act": "share", "purpose": purpose, "fields": list(fields), "market": market}
        return self._ask(question | {"recipient": recipient, "country": country}, person)

    def _ask(self, question: Mapping[str, Any], person: Person | None) -> Decision:
        sent = {name: value for name, value in question.items() if value}
        if person is not None:
            sent["person"] = person.as_sent()
        body = json.dumps(sent).encode()
        request = Request(self._url, body, self._headers, method="POST")  # noqa: S310  # http(s) only, see __init__
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return Decision.read(_json(answer.read(_LARGEST_ANSWER + 1)))
        except HTTPError as error:
            with error:
                raise _refused(error.code, error.headers, error.read(_LARGEST_ANSWER)) from None
        except (URLError, OSError) as error:
            raise Unavailable(f"the installation was not reached ({type(error).__name__})") from None


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body) if len(body) <= _LARGEST_ANSWER else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable("the answer is not readable")
    return found


def _refused(status: int, headers: Message, body: bytes) -> LofteError:
    """The problem document as an exception; whatever cannot be read is unavailable."""
    try:
        told = _json(body)
    except LofteError:
        told = {}
    detail = str(told.get("detail") or f"the installation answered {status}")
    said = {"status": status, "code": str(told.get("title", "")), "way_out": str(told.get("way_out", ""))}
    kind: type[LofteError] = {401: Unauthorised, 403: OutOfScope, 429: TooOften}.get(
        status, BadQuestion if 400 <= status < 500 else Unavailable
    )
    refused = kind(detail, **said)  # type: ignore[arg-type]  # the three words above
    if isinstance(refused, TooOften) and (wait := headers.get("Retry-After", "")).isdecimal():
        refused.retry_after_s = float(wait)
    return refused
