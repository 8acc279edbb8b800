"""The public pages of every edition, fetched once a round as a visitor without a browser."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from urllib.parse import urljoin, urlsplit

from lofte.probes.instruments import html
from lofte.probes.instruments.visitor import Seen, Visitor
from lofte.probes.world import World
from lofte.rules.controls._seen import Page
from lofte.rules.values import Value, inline_values

_SLOT = re.compile(rb"<!--lofte:[^>]*-->")


def fetch(world: World, address: str) -> Seen:
    """A page as somebody without cookies gets it; once a round."""
    return world.once(f"page:{address}", lambda: Visitor(world.base_url).get(address))


def walk(world: World, most: int) -> tuple[str, ...]:
    """Addresses of the site's own pages, from each edition's front page along the links that stay inside the edition."""
    return world.once(f"walk:{most}", lambda: tuple(_walk(world, most)))


def _walk(world: World, most: int) -> Iterator[str]:
    starts = [market.path.rstrip("/") + "/" for market in world.published.policy.markets.values()]
    waiting, known = list(starts), set(starts)
    own, given = urlsplit(world.base_url).netloc, 0
    while waiting and given < most:
        address = waiting.pop(0)
        seen = fetch(world, address)
        if seen.status != 200 or "html" not in seen.headers.get("content-type", "html"):
            continue
        given += 1
        yield address
        for link in seen.page.links:
            parts = urlsplit(urljoin(seen.url, link))
            if parts.netloc == own and parts.path not in known and any(parts.path.startswith(one) for one in starts):
                known.add(parts.path)
                waiting.append(parts.path)


def address_of(kind: str, market: str, locale: str) -> str:
    """Where an edition's page of a kind (policy, cookies, preferences) is served."""
    return f"/lofte/{kind}/{market.lower()}/{locale}/"


def each(world: World, kind: str, lacks: Callable[[str, str, Seen], Iterable[str]]) -> tuple[Page, ...]:
    """Every edition's page of a kind, with what it lacks; one that does not answer lacks everything."""
    pages = []
    for market, locale in world.editions():
        address = address_of(kind, market, locale)
        seen = fetch(world, address)
        missing = lacks(market, locale, seen) if seen.status == 200 else [f"{seen.status}"]
        pages.append(Page(address, tuple(missing)))
    return tuple(pages)


def linking(world: World, addresses: Sequence[str]) -> tuple[Page, ...]:
    """Every edition's policy and settings, where recipients are named: what each lacks of these links."""

    def lacks(market: str, locale: str, seen: Seen) -> list[str]:
        return [address for address in addresses if address not in seen.page.links]

    return (*each(world, "policy", lacks), *each(world, "preferences", lacks)) if addresses else ()


def not_in(text: str, wanted: Iterable[str]) -> list[str]:
    """Which of the wanted texts a page does not show, white space and typographic quotes apart."""
    shown = _even(text)
    return [one for one in wanted if one and _even(one) not in shown]


def values_of(world: World, market: str, locale: str) -> Mapping[str, Value]:
    """The values an edition's text is bound to: contact, authority, periods, lists."""
    return inline_values(world.published.policy, market, locale, world.now().astimezone(UTC).date())


def clauses(seen: Seen, promise: str) -> str:
    """The words of the page's blocks that are bound to a promise; empty when there is no such block."""
    blocks = re.findall(r'<section class="block[^"]*"[^>]*>(.*?)</section>', seen.markup, re.DOTALL)
    bound = [one for one in blocks if re.search(rf'(id="{promise}"|href="#{promise}")', one)]
    said = [found.group(1) for one in bound if (found := re.search(r'<div class="said">(.*?)</div>', one, re.DOTALL))]
    return html.read(" ".join(said)).text


def is_frozen(served: bytes, frozen: bytes) -> bool:
    """Whether a served page is the frozen one, byte for byte, but for what stands in its slots."""
    pieces, at = _SLOT.split(frozen), 0
    for number, piece in enumerate(pieces):
        found = served.find(piece, at)
        if found < 0 or (number == 0 and found):
            return False
        at = found + len(piece)
    return at == len(served) or not pieces[-1]


def _even(text: str) -> str:
    return html.squeezed(text).replace("’", "'").replace("\u2011", "-")
