"""The cookies of the content system are declared: by name, by purpose and with a lifetime that is long enough.

Each connected site says itself what it may keep; the newcomers' browser (`cookies_as_declared`) sees what it does keep.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import CookieDeclared, Stored, at_market

_LOGIN = "login"
_FREE = frozenset({_LOGIN, "functional"})  # every other kind, comments too, only with consent


@dataclass(frozen=True, slots=True)
class SiteCookie:
    """What a site may keep. ``lifetime_s`` is None for the session; ``is_held``: undeclared, and the plugin lets none out."""

    name: str
    kind: str
    storage: str = "cookie"
    lifetime_s: int | None = None
    is_life_known: bool = True
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class CmsSite:
    """One connected site's answer."""

    system: str
    version: str
    is_gated: bool
    cookies: tuple[SiteCookie, ...]


@dataclass(frozen=True, slots=True)
class CmsCookies:
    """``silent`` are connected sites that gave no answer, and why; ``declared`` the cookie list of each market."""

    sites: tuple[CmsSite, ...]
    silent: Mapping[str, str]
    declared: Mapping[str, tuple[CookieDeclared, ...]]


def _judge(seen: CmsCookies, parameters: Mapping[str, Any]) -> Verdict:
    """``system`` is the system that must be connected."""
    for reason, is_wrong in _WRONGS:
        found = [(market, one.name) for market, one, line in _pairs(seen) if is_wrong(one, line)]
        if found:
            return broken(reason, found=listed(at_market(found)))
    wanted = str(parameters.get("system", "wordpress"))
    if wanted not in {*seen.silent, *(site.system for site in seen.sites)}:
        return unproved("not-connected", system=wanted)
    if seen.silent:
        return unproved("silent", found=listed(f"{system}: {cause}" for system, cause in seen.silent.items()))
    if ungated := [site.system for site in seen.sites if not site.is_gated]:
        return unproved("ungated", systems=listed(ungated))
    if unknown := {one.name for _, one, _ in _pairs(seen) if not one.is_life_known}:
        return unproved("lifetime-unknown", found=listed(unknown))
    names = {(site.system, one.name) for site in seen.sites for one in site.cookies if not one.is_held}
    if not names or not seen.declared:
        return unproved("silent", found=listed(site.system for site in seen.sites))
    versions = listed({site.version for site in seen.sites})
    return kept(names=len(names), sites=len(seen.sites), versions=versions)


def _pairs(seen: CmsCookies) -> Iterator[tuple[str, SiteCookie, CookieDeclared | None]]:
    """Everything a site may let out, in each market, with the line that declares it there."""
    for market, lines in seen.declared.items():
        for site in seen.sites:
            for one in site.cookies:
                if not one.is_held:
                    yield market, one, _line(lines, one)


def _line(lines: tuple[CookieDeclared, ...], one: SiteCookie) -> CookieDeclared | None:
    """The closest one: `comment_author_email_*` and not `comment_author_*`."""
    stored = Stored(one.name, one.storage, "", "first")  # type: ignore[arg-type]  # an unknown storage is covered by no line
    return max((line for line in lines if line.covers(stored)), key=lambda line: len(line.name), default=None)


def _lives_longer(one: SiteCookie, line: CookieDeclared | None) -> bool:
    if line is None or one.storage != "cookie" or one.lifetime_s is None:
        return False
    return line.lifetime_s is None or one.lifetime_s > line.lifetime_s


_WRONGS: tuple[tuple[str, Callable[[SiteCookie, CookieDeclared | None], bool]], ...] = (
    ("undeclared", lambda one, line: line is None),
    ("without-consent", lambda one, line: line is not None and line.necessary and one.kind not in _FREE),
    ("login-by-consent", lambda one, line: line is not None and not line.necessary and one.kind == _LOGIN),
    ("longer", _lives_longer),
)


CONTROL = Control(
    id="cms_cookies_declared",
    law=("ePrivacy 5(3)",),
    fresh_for=timedelta(days=7),
    needs=frozenset({"publication", "site"}),
    judge=_judge,
)
