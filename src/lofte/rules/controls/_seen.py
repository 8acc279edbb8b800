"""What a browser saw on a visit, and what the policy declares about it: values that several controls judge.

A visit is made by `probes.instruments.visit`; here it is only data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Phase = Literal["before", "rejected", "accepted", "withdrawn"]

CHROMIUM_LIFE_CAP_S = 400 * 86400  # Chromium shortens longer lives; a raw Set-Cookie line tells the true one


@dataclass(frozen=True, slots=True)
class Stored:
    """One thing found on the visitor's device.

    ``lifetime_s`` is None for the session and for storage without an end; ``kinds`` are the kinds of data its value holds.
    """

    name: str
    storage: Literal["cookie", "local", "session", "indexeddb"]
    host: str
    party: Literal["first", "third"]
    lifetime_s: int | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """One market's page in one phase of consent. ``asked`` are third-party hosts a request went out to; ``unequal`` says in what
    the button that rejects was less than the one that accepts, where both were on the page; ``early`` what Google's tags were told
    before they were told what is allowed (Consent Mode).
    """

    market: str
    phase: Phase
    stored: tuple[Stored, ...] = ()
    asked: tuple[str, ...] = ()
    unequal: tuple[str, ...] = ()
    early: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CookieDeclared:
    """One line of the cookie list as it applies in one market. ``name`` may hold * for a varying part."""

    name: str
    storage: str
    party: str
    purpose: str
    necessary: bool
    lifetime_s: int | None
    host: str = ""
    tag: str = ""
    data: tuple[str, ...] = ()

    def covers(self, stored: Stored) -> bool:
        if (self.storage, self.party) != (stored.storage, stored.party) or not fnmatchcase(stored.name, self.name):
            return False
        return self.party == "first" or not self.host or f".{stored.host}".endswith(f".{self.host}")


@dataclass(frozen=True, slots=True)
class TagDeclared:
    """Something a page may load: its purpose and the host patterns it uses."""

    id: str
    purpose: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Visits as a newcomer in every market, beside what is declared there.

    ``expected`` are the markets that had to be visited; ``instrument_sees`` is False when the browser
    missed the request and cookies that were planted to test it.
    """

    expected: tuple[str, ...]
    visits: tuple[Visit, ...]
    cookies: Mapping[str, tuple[CookieDeclared, ...]]
    tags: tuple[TagDeclared, ...]
    instrument_sees: bool = True

    def in_phase(self, *phases: Phase) -> tuple[Visit, ...]:
        return tuple(visit for visit in self.visits if visit.phase in phases)

    def unseen(self, *phases: Phase) -> list[str]:
        """Markets that were not visited in every one of these phases."""
        seen = {(visit.market, visit.phase) for visit in self.visits}
        return [market for market in self.expected if any((market, phase) not in seen for phase in phases)]

    def declared(self, market: str, stored: Stored) -> CookieDeclared | None:
        return next((line for line in self.cookies.get(market, ()) if line.covers(stored)), None)

    def tags_of(self, host: str) -> list[TagDeclared]:
        """The declared tags that use a host; none for a host nobody declared."""
        return [tag for tag in self.tags if any(host_matches(host, pattern) for pattern in tag.hosts)]


def host_matches(host: str, pattern: str) -> bool:
    """Whether a host falls under a declared pattern; ``*.`` covers everything below the domain, not the domain itself."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def at_market(found: Iterable[tuple[str, str]]) -> list[str]:
    """Findings for a reason's slot: ``_ga (SE, NO)``."""
    by_name: dict[str, set[str]] = {}
    for market, name in found:
        by_name.setdefault(name, set()).add(market)
    return [f"{name} ({', '.join(sorted(markets))})" for name, markets in sorted(by_name.items())]


@dataclass(frozen=True, slots=True)
class Page:
    """A page, mail or receipt that had to show certain texts; ``lacks`` are those it does not show."""

    address: str
    lacks: tuple[str, ...] = ()


def lacking(pages: Iterable[Page]) -> list[str]:
    """For a reason's slot: ``/lofte/policy/se/sv/: +46 8 568 901 00``."""
    return [f"{page.address}: {', '.join(page.lacks)}" for page in pages if page.lacks]
