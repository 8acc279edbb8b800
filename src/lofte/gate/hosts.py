"""Which host a URL in a page leads to, read the way browsers read it (WHATWG URL)."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from urllib.parse import unquote

from publicsuffixlist import PublicSuffixList

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_NETWORK = frozenset(("http", "https", "ws", "wss", "ftp"))
_CONTROLS = "".join(map(chr, range(33)))
_DEFAULT_PORTS = frozenset(("80", "443"))
_NO_BREAKS = str.maketrans("", "", "\t\n\r")


def host_of(url: str) -> str | None:
    """``host`` or ``host:port`` in lower case when the URL names one; None for relative and non-network URLs.

    Browsers forgive much, so this does too: backslashes, breaks inside, missing or extra slashes, user names, escapes.
    A host that cannot be read comes back as it stands: nobody declared it, so it is held.
    """
    text = url.strip(_CONTROLS).translate(_NO_BREAKS)
    scheme = _SCHEME.match(text)
    if scheme:
        if scheme.group(1).lower() not in _NETWORK:
            return None
        text = text[scheme.end() :]
    elif text[:1] not in ("/", "\\") or text[1:2] not in ("/", "\\"):
        return None
    authority = re.split(r"[/\\?#]", text.lstrip("/\\"), maxsplit=1)[0]
    return normal_host(authority.rpartition("@")[2])


def normal_host(host: str) -> str:
    name, _, port = unquote(host).lower().partition(":")
    name = name.rstrip(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            name = name.encode("unicode_escape").decode()
    return f"{name}:{port}" if port and port not in _DEFAULT_PORTS else name


def bare(host: str) -> str:
    """The host name without its port."""
    return host.partition(":")[0]


def matches(host: str, pattern: str) -> bool:
    """Whether a declared pattern names this host. ``*.example.com`` covers sub-domains only; ports do not count."""
    name = bare(host)
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern


def normal_hosts(hosts: Iterable[str]) -> frozenset[str]:
    return frozenset(map(normal_host, hosts))


@cache
def _suffixes() -> PublicSuffixList:
    """The list as it was when the library was installed: no network."""
    return PublicSuffixList()


@lru_cache(maxsize=4096)
def site_of(host: str) -> str:
    """The registrable domain: `example.co.uk` of `www.example.co.uk:80`. Empty for addresses, single names, public suffixes."""
    name = bare(host)
    if not re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", name) or name.rpartition(".")[2].isdigit():
        return ""
    return str(_suffixes().privatesuffix(name) or "")


@lru_cache(maxsize=4096)
def shared_site(host: str, declared: frozenset[str]) -> str:
    """The site a choice made at ``host`` counts for, when the policy names another of its hosts; empty: this host alone."""
    site = site_of(host)
    return site if site and any(site_of(other) == site and other != bare(host) for other in declared) else ""
