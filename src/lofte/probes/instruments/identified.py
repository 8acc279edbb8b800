"""A visitor who can be recognised: says yes, types who they are, and every request that leaves is read for it.

The person is made up anew each round. Several controls read the same visit, each for its own tags.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote_plus

from lofte.features.rights import residue
from lofte.features.rights.scan import Needle
from lofte.probes.instruments import browser
from lofte.probes.instruments.newcomers import declared_host, pages_of
from lofte.probes.world import World
from lofte.rules.controls.no_identifiers_in_tags import Leak, Told
from lofte.rules.model import DataField

_KINDS = {"email": "email", "name": "name", "phone": "phone", "ip": "ip"}
_HERE = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class _Visit:
    sees: bool
    typed: int
    said: tuple[tuple[str, str], ...]
    """Host as declared, and everything that was sent to it."""
    who: dict[str, str]


def told(world: World, tags: Iterable[str] = ()) -> Told:
    """What the hosts of these tags (none named: of all) were told."""
    seen = world.once("identified", lambda: _visit(world))
    declared, wanted = world.published.policy.tags, set(tags)
    patterns = [host for key, tag in declared.items() if not wanted or key in wanted for host in tag.hosts]
    said = [(host, content) for host, content in seen.said if any(fnmatchcase(host, one) for one in patterns)]
    leaks = tuple(dict.fromkeys(_leaks(said, seen.who)))
    return Told(seen.sees, seen.typed, Counter(host for host, _ in said), leaks)


def _visit(world: World) -> _Visit:
    mark = secrets.token_hex(5)
    who = {
        "email": f"visitor-{mark}@{world.canary_domain}",
        "name": f"Visitor {mark.capitalize()}",
        "phone": f"+4684{secrets.randbelow(10**7):07}",
    }
    tasks = [
        {
            "task": "identified",
            "market": key,
            "locale": world.published.policy.markets[key].locales[0],
            "pages": [*pages_of(world, key), f"/news/{key.lower()}/{world.published.policy.markets[key].locales[0]}/"],
            "who": who,
        }
        for key in world.visited_markets
    ]
    seen: dict[str, Any] = browser.run(world, tasks)
    said = tuple((declared_host(world, host), content) for one in seen["results"] for host, content in one["said"])
    return _Visit(seen["sees"], sum(one["typed"] for one in seen["results"]), said, who)


def _leaks(said: Iterable[tuple[str, str]], who: dict[str, str]) -> Iterator[Leak]:
    wanted = [(field, one) for field, value in who.items() for one in _needles(field, value)]
    for host, content in said:
        data, lowered = content.encode(), content.lower().encode()
        for field, one in wanted:
            if one.data in data or (one.any_case and one.data.lower() in lowered):
                yield Leak(host, field, one.form)
        if any(address in unquote_plus(content) for address in _HERE):
            yield Leak(host, "ip", "raw")


def _needles(field: str, value: str) -> list[Needle]:
    shape = DataField(kind=_KINDS[field], category="contact")
    return [one for one in residue.needles([(field, value)], {field: shape}) if one.form not in ("index", "handle")]
