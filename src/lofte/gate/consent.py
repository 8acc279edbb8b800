"""What one visitor's choice lets happen: decided from the publication alone, before a byte of the page is sent."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lofte.gate.choice import Choice
from lofte.gate.hosts import bare, matches, normal_host, normal_hosts, shared_site
from lofte.rules.model import Cookie, MarketId, StorageModel
from lofte.rules.published import Published


@dataclass(frozen=True, slots=True)
class Ruling:
    """May this host be contacted? ``purposes`` are those it is declared for; none means nobody declared it."""

    allowed: bool
    host: str
    purposes: tuple[str, ...] = ()
    own: bool = False


class Declarations:
    """A publication made ready for asking: hosts, cookies and storage models of one market."""

    def __init__(self, published: Published, market: MarketId, host_map: Mapping[str, str]) -> None:
        """``host_map`` names stand-ins: host as seen in pages -> declared host it stands for."""
        policy = published.policy
        self.policy = policy
        self.market = market
        self.digest = published.digest
        self.domains = _domains(published)
        self.models: Mapping[str, StorageModel] = policy.browser_purposes(market)
        self.patterns = [(host.lower(), tag.purpose) for tag in policy.tags.values() for host in tag.hosts]
        self.host_map = {normal_host(seen): meant.lower() for seen, meant in host_map.items()}
        self.first_party = [cookie for cookie in policy.cookies.values() if cookie.party == "first"]
        self.cookies = [(_pattern(cookie.name), cookie) for cookie in self.first_party if cookie.storage == "cookie"]
        self.necessary = frozenset(key for key, model in self.models.items() if model is StorageModel.NECESSARY)

    def purposes_of_host(self, host: str) -> tuple[str, ...]:
        meant = self.host_map.get(host) or self.host_map.get(bare(host)) or bare(host)
        return tuple(dict.fromkeys(purpose for pattern, purpose in self.patterns if matches(meant, pattern)))

    def cookie(self, name: str) -> Cookie | None:
        return next((cookie for pattern, cookie in self.cookies if pattern.fullmatch(name)), None)

    def allowed(self, choice: Choice | None, *, gpc: bool, asked_anew: frozenset[str] = frozenset()) -> frozenset[str]:
        """The purposes that may run. An explicit choice wins over the signal; its absence is never consent.

        Sec-GPC without a choice is an objection to everything that would otherwise run until somebody objects
        (C.R.S. 6-1-1306(1)(a)(IV); 4 CCR 904-3, rule 5.08).
        """
        if choice is None:
            unasked = {StorageModel.NECESSARY, StorageModel.EXEMPT_WITH_OBJECTION}
            unasked |= set() if gpc else {StorageModel.OPT_OUT}
            return frozenset(key for key, model in self.models.items() if model in unasked)
        granted = choice.granted - asked_anew
        return frozenset(k for k, model in self.models.items() if model is StorageModel.NECESSARY or k in granted)


@dataclass
class ConsentState:
    """One set of allowed purposes in one market: everything about it that does not change between requests."""

    declarations: Declarations
    allowed: frozenset[str]
    own_hosts: frozenset[str]
    _rulings: dict[str, Ruling] = field(default_factory=dict)

    def ruling(self, host: str, page_host: str) -> Ruling:
        if host == page_host or host in self.own_hosts:
            return Ruling(True, host, own=True)
        known = self._rulings.get(host)
        if known is None:
            purposes = self.declarations.purposes_of_host(host)
            # A host declared for two purposes loads only when both are allowed: the request cannot tell them apart.
            known = Ruling(bool(purposes) and self.allowed.issuperset(purposes), host, purposes)
            if len(self._rulings) < 4096:  # pages may name any host; memory may not grow with them
                self._rulings[host] = known
        return known

    def may_keep(self, cookie: Cookie) -> bool:
        return cookie.purpose in self.allowed

    @cached_property
    def hosts(self) -> list[str]:
        """CSP host sources of everything allowed, stand-ins with any port."""
        declared = [host for host, _ in self.declarations.patterns if self._all_allowed(host)]
        stand_ins = [f"{seen}:*" for seen in self.declarations.host_map if self.ruling(seen, "").allowed]
        return sorted({*declared, *stand_ins})

    def _all_allowed(self, host: str) -> bool:
        plain = host.replace("*.", "any.", 1)
        return self.allowed.issuperset(self.declarations.purposes_of_host(plain))

    @property
    def holds_everything(self) -> bool:
        return not self.hosts


def site_of_choice(published: Published, host: str) -> str:
    """The site all of whose hosts share the choice made at one of them; empty where a host is alone."""
    return shared_site(host, _domains(published))


def _domains(published: Published) -> frozenset[str]:
    return frozenset(domain for market in published.policy.markets.values() for domain in market.domains)


def own_hosts(hosts: Iterable[str]) -> frozenset[str]:
    return normal_hosts(hosts)


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name).replace(r"\*", ".*"))
