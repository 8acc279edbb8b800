"""Newcomers in every market, by a real browser, beside what the publication declares.

Several controls judge the same visits.
"""

from datetime import timedelta

from lofte.probes.instruments import browser
from lofte.probes.world import World
from lofte.rules.controls._seen import CookieDeclared, Newcomers, Stored, TagDeclared, Visit
from lofte.rules.model import Cookie, StorageModel

_DAYS = {"Y": 366, "M": 31, "W": 7, "D": 1}
_SECONDS = {"H": 3600, "M": 60, "S": 1}


def newcomers(world: World) -> Newcomers:
    """The visits of this round; made once, whoever asks first."""
    return world.once("newcomers", lambda: _visit(world))


def _visit(world: World) -> Newcomers:
    policy = world.published.policy
    tasks = [
        {
            "task": "newcomer",
            "market": key,
            "locale": policy.markets[key].locales[0],
            "pages": pages_of(world, key),
            "preferences": f"{preferences_of(world, key)}?back={home_of(world, key)}",
        }
        for key in world.visited_markets
    ]
    seen = browser.run(world, tasks)
    visits = tuple(_as_visit(world, one) for result in seen["results"] for one in result)
    return Newcomers(
        expected=world.visited_markets,
        visits=visits,
        cookies={key: declared_cookies(world, key) for key in world.visited_markets},
        tags=tuple(TagDeclared(key, tag.purpose, tuple(tag.hosts)) for key, tag in policy.tags.items()),
        instrument_sees=seen["sees"],
    )


def home_of(world: World, market: str) -> str:
    return world.published.policy.markets[market].path.rstrip("/") + "/"


def preferences_of(world: World, market: str) -> str:
    return f"/lofte/preferences/{market.lower()}/{world.published.policy.markets[market].locales[0]}/"


def pages_of(world: World, market: str) -> list[str]:
    """Where a newcomer of a market goes: the front page of the edition, then the policy it links to."""
    locale = world.published.policy.markets[market].locales[0]
    return [home_of(world, market), f"/lofte/policy/{market.lower()}/{locale}/"]


def declared_cookies(world: World, market: str) -> tuple[CookieDeclared, ...]:
    models = world.published.policy.browser_purposes(market)
    return tuple(
        CookieDeclared(
            name=cookie.name,
            storage=cookie.storage,
            party=cookie.party,
            purpose=cookie.purpose,
            necessary=models.get(cookie.purpose) is StorageModel.NECESSARY,
            lifetime_s=longest_s(cookie),
            host=cookie.host or "",
            tag=cookie.tag or "",
            data=tuple(cookie.data),
        )
        for cookie in world.published.policy.cookies.values()
    )


def longest_s(cookie: Cookie) -> int | None:
    """The longest a declared lifetime can be in seconds; None for the session and for what has no end."""
    if cookie.lifetime in (None, "session", "persistent"):
        return None
    date, _, time = str(cookie.lifetime)[1:].partition("T")
    total = timedelta()
    for text, units in ((date, _DAYS), (time, _SECONDS)):
        number = ""
        for letter in text:
            if letter.isdigit():
                number += letter
            else:
                amount = int(number) * units[letter]
                total += timedelta(days=amount) if units is _DAYS else timedelta(seconds=amount)
                number = ""
    return int(total.total_seconds())


def declared_host(world: World, host: str) -> str:
    """The host a stand-in of the demonstration stands for; any other as it is."""
    return world.host_map.get(host, host)


def _as_visit(world: World, seen: dict[str, object]) -> Visit:
    stored = tuple(
        Stored(
            one["name"],
            one["storage"],
            declared_host(world, one["host"]),
            one["party"],
            one["lifetime_s"],
            tuple(one["kinds"]),
        )
        for one in seen["stored"]  # type: ignore[attr-defined]  # the script's answer, see browser_visits
    )
    asked = tuple(declared_host(world, host) for host in seen["asked"])  # type: ignore[attr-defined]
    unequal, early = tuple(seen["unequal"]), tuple(seen["early"])  # type: ignore[arg-type, var-annotated]  # as above
    return Visit(seen["market"], seen["phase"], stored, asked, unequal, early)  # type: ignore[arg-type]
