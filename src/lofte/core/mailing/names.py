"""What the domain name system says, asked through a door that tests and simulations can replace.

A name that does not exist, or has no such record, is an empty answer. No answer at all is `Unanswered`, neither yes nor no.
"""

import time
from typing import Any, Protocol

import dns.exception
import dns.resolver
import dns.reversename


class Unanswered(Exception):  # noqa: N818  # not an error of ours: nobody said anything
    """No server answered in time, or it could not."""


class Names(Protocol):
    """What is asked. Names come without a dot at their end, in small letters."""

    def texts(self, name: str) -> tuple[str, ...]: ...
    def addresses(self, name: str, version: int) -> tuple[str, ...]: ...
    def mail_servers(self, name: str) -> tuple[tuple[int, str], ...]: ...
    def names_of(self, address: str) -> tuple[str, ...]: ...


class Dns:
    """The real one, over the resolvers of this machine. All questions together take ``patience_s`` at most."""

    def __init__(self, patience_s: float = 15, resolver: dns.resolver.Resolver | None = None) -> None:
        self._resolver = resolver
        self._until = time.monotonic() + patience_s

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(b"".join(each.strings).decode("utf-8", "replace") for each in self._ask(name, "TXT"))

    def addresses(self, name: str, version: int) -> tuple[str, ...]:
        return tuple(each.address for each in self._ask(name, "A" if version == 4 else "AAAA"))

    def mail_servers(self, name: str) -> tuple[tuple[int, str], ...]:
        return tuple(sorted((each.preference, _plain(each.exchange)) for each in self._ask(name, "MX")))

    def names_of(self, address: str) -> tuple[str, ...]:
        return tuple(_plain(each.target) for each in self._ask(dns.reversename.from_address(address), "PTR"))

    def _ask(self, name: Any, kind: str) -> list[Any]:
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unanswered
        try:
            self._resolver = self._resolver or dns.resolver.Resolver()
            return list(self._resolver.resolve(name, kind, lifetime=min(left, 4.0), search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise Unanswered from error


def _plain(name: Any) -> str:
    return str(name).rstrip(".").lower()
