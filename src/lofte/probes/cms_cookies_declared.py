"""Asks every connected WordPress what it may keep in a browser, beside what the publication declares."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte import connectors
from lofte.connectors.wordpress.client import WordPress
from lofte.core import systems
from lofte.kernel.problems import Problem
from lofte.probes.instruments.newcomers import declared_cookies
from lofte.probes.probe import Probe
from lofte.probes.world import World
from lofte.rules.controls.cms_cookies_declared import CmsCookies, CmsSite, SiteCookie


def _gather(world: World, parameters: Mapping[str, Any]) -> CmsCookies:
    sites, silent = [], {}
    for system in systems.names():
        try:
            connector = systems.get(system)
            if isinstance(connector, WordPress):
                sites.append(_asked(system, connector))
        except Problem as problem:
            if system == parameters.get("system") or connectors.kind_of(world.home, system) == "wordpress":
                silent[system] = problem.code
    declared = {market: declared_cookies(world, market) for market in world.published.policy.markets}
    return CmsCookies(tuple(sites), silent, declared)


def _asked(system: str, site: WordPress) -> CmsSite:
    said = site.cookies()
    cookies = tuple(
        SiteCookie(one.name, one.kind, one.storage, one.seconds, one.life != "unknown", one.is_held)
        for one in said.cookies
    )
    return CmsSite(system, f"WordPress {said.version} ({said.plugin})", said.is_gated, cookies)


PROBE = Probe("cms_cookies_declared", every=timedelta(hours=24), gather=_gather)
