"""The catalogue: what everybody's tags load, keep and send, so that a policy need not be written from memory.

Data in YAML beside this file, an entry a file, with its words in `lofte/locales/<locale>/known.yaml`. A policy takes an entry by
name (`known: ga4`, see `rules.known.filling`); `check` compares what a policy says itself with it. Pure.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from lofte.rules.frames import names_host
from lofte.rules.model import ConsentType, Frame, HostPattern, Id, Period, Policy, System, Tag

_PROVIDERS = "providers"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Provider(_Entry):
    """Who receives what a tag sends. ``takes_to`` are the countries outside the EEA the data is known to reach."""

    name: str
    role: Literal["processor", "controller", "joint_controller"]
    country: str
    takes_to: tuple[str, ...]
    privacy_url: str
    optout_url: str


class KnownCookie(_Entry):
    """``when`` is what must happen before it is kept at all, and ``purpose`` the kind of purpose it can serve."""

    name: str
    storage: Literal["cookie", "local", "session", "indexeddb"] = "cookie"
    party: Literal["first", "third"]
    lifetime: Period | Literal["session", "persistent"]
    data: tuple[Id, ...] = ()
    host: str | None = None
    http_only: bool = False
    path: str = "/"
    purpose: Literal["necessary", "functional", "preferences"] | None = None
    when: Literal["login", "locked_page", "comments"] | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.storage, self.name, self.host or ""


class Known(_Entry):
    """One entry. ``own_ends`` says that whoever gets the data may use it for ends of its own.

    ``known_by`` are domains: a tag with a host at or under one of them is this. ``google`` are the types of Consent Mode it
    obeys, None where it does not know Consent Mode; ``meta`` says that it is told through ``fbq``.
    """

    name: str
    kind: Literal["statistics", "tag_manager", "advertising", "video", "cms"]
    provider: str | None = None
    own_ends: bool
    google: tuple[ConsentType, ...] | None = None
    meta: bool = False
    optout: str | None = None
    known_by: tuple[str, ...] = ()
    hosts: tuple[HostPattern, ...]
    data: tuple[Id, ...] = ()
    frames: tuple[Frame, ...] = ()
    cookies: Mapping[Id, KnownCookie] = Field(default_factory=dict)

    def explains(self, host: str) -> bool:
        """Whether a host, or a pattern of hosts, is at or under a domain of this entry."""
        bare = host.removeprefix("*.").partition(":")[0].lower()
        return any(bare == domain or bare.endswith(f".{domain}") for domain in self.known_by)


@cache
def catalogue() -> Mapping[Id, Known]:
    """Every entry, by name."""
    return MappingProxyType({name: Known.model_validate(content) for name, content in _read() if name != _PROVIDERS})


@cache
def providers() -> Mapping[str, Provider]:
    content = dict(_read())[_PROVIDERS]
    return MappingProxyType({name: Provider.model_validate(each) for name, each in content.items()})


def known_as(tag: Tag) -> list[Id]:
    """What a tag of a policy is: the entry it names, or those its hosts give away. A tag may bundle several."""
    if tag.known is not None:
        return [tag.known] if tag.known in catalogue() else []
    return [name for name, entry in catalogue().items() if any(entry.explains(host) for host in tag.hosts)]


def known_system(system: System) -> Id | None:
    if system.known is not None:
        return system.known if system.known in catalogue() else None
    return next(
        (
            name
            for name, entry in catalogue().items()
            if entry.kind == system.kind == "cms" and entry.name == system.name
        ),
        None,
    )


def explained(host: str) -> list[Id]:
    """The entries a bare host belongs to: what an undeclared host that was met probably is."""
    return [name for name, entry in catalogue().items() if entry.explains(host)]


def is_covered(policy: Policy, host: str) -> bool:
    """Whether some tag of the policy declares a host; for a pattern, whether it or one of its hosts is declared."""
    patterns = [pattern for tag in policy.tags.values() for pattern in tag.hosts]
    if host.startswith("*."):
        return any(
            pattern == host or names_host(host, pattern.removeprefix("*.").partition(":")[0]) for pattern in patterns
        )
    return any(names_host(pattern, host) for pattern in patterns)


def _read() -> Iterator[tuple[str, Any]]:
    for item in sorted(files("lofte.rules.known").iterdir(), key=lambda each: each.name):
        if item.name.endswith(".yaml"):
            yield item.name.removesuffix(".yaml"), YAML(typ="safe", pure=True).load(item.read_text(encoding="utf-8"))
