"""Withdrawal on the visitor's device: which Set-Cookie lines remove what the policy declared, HttpOnly or not.

A browser removes a cookie only when name, path and domain are the ones it was set with, so each declared cookie is
expired for the host alone and, when the browser sent it, for every parent domain it could have been set on.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lofte.evidence.publications import Publication
from lofte.gate.choice import NAME, SHOWN
from lofte.rules.model import StorageModel

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_MOST_LINES = 120  # proxies in front refuse answers with more header bytes than some 8 to 16 kB


class _Declared(NamedTuple):
    name: str
    purpose: str
    path: str
    pattern: re.Pattern[str]


class Expiry:
    """For one publication."""

    def __init__(self, publication: Publication) -> None:
        policy = publication.published.policy
        own = [cookie for cookie in policy.cookies.values() if cookie.party == "first"]
        self._cookies = [
            _Declared(cookie.name, cookie.purpose, cookie.path, _pattern(cookie.name))
            for cookie in own
            if cookie.storage == "cookie" and cookie.name not in (NAME, SHOWN)
        ]
        self._stored = {
            market: _may_clear_storage([cookie.purpose for cookie in own if cookie.storage != "cookie"], models)
            for market in policy.markets
            if (models := policy.browser_purposes(market)) is not None
        }

    def of_refused(self, refused: frozenset[str], cookie_header: bytes, host: str, secure: bool) -> list[str]:
        """The lines for what the browser shows us of purposes it now refuses."""
        sent = _names(cookie_header)
        found = [
            cookie._replace(name=name)
            for cookie in self._cookies
            if cookie.purpose in refused
            for name in sorted(sent)
            if cookie.pattern.fullmatch(name)
        ]
        return list(_lines(found, sent, host, secure))[:_MOST_LINES]

    def of_withdrawal(self, refused: frozenset[str], cookie_header: bytes, host: str, secure: bool) -> list[str]:
        """The lines for everything declared, also what the browser does not show us here (another path)."""
        exact = [cookie for cookie in self._cookies if cookie.purpose in refused and "*" not in cookie.name]
        lines = [*self.of_refused(refused, cookie_header, host, secure), *_lines(exact, frozenset(), host, secure)]
        return list(dict.fromkeys(lines))[:_MOST_LINES]

    def may_clear_storage(self, market: str) -> bool:
        """Whether `Clear-Site-Data: "storage"` hits only what was withdrawn: something declared, nothing necessary."""
        return self._stored.get(market, False)


def _may_clear_storage(purposes: list[str], models: dict[str, StorageModel]) -> bool:
    return bool(purposes) and all(
        purpose in models and models[purpose] is not StorageModel.NECESSARY for purpose in purposes
    )


def _lines(cookies: Iterable[_Declared], sent: frozenset[str], host: str, secure: bool) -> Iterator[str]:
    for cookie in cookies:
        forced = secure or cookie.name.startswith(("__Secure-", "__Host-"))
        ending = "; Secure" if forced else ""
        gone = f"{cookie.name}=; Path={cookie.path}; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
        yield gone + ending
        if cookie.name not in sent:
            continue
        for domain in _domains(host):
            yield f"{gone}; Domain={domain}{ending}"
        if secure:
            yield f"{gone}; Secure; Partitioned"


def _domains(host: str) -> list[str]:
    """The host and its parents of at least two labels; browsers ignore those that are public suffixes."""
    if not _HOST.fullmatch(host) or host.replace(".", "").isdigit():
        return []
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def _pattern(name: str) -> re.Pattern[str]:
    """A declared name, where ``*`` stands for a varying part."""
    return re.compile(re.escape(name).replace(r"\*", ".*"))


def _names(cookie_header: bytes) -> frozenset[str]:
    names = (pair.partition("=")[0].strip() for pair in cookie_header.decode("latin-1").split(";"))
    return frozenset(name for name in names if _COOKIE_NAME.fullmatch(name))
