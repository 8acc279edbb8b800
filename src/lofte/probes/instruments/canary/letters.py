"""What stands in the letters canaries get: headers, signature, and whether anything in them tells who reads."""

import re
from collections.abc import Iterable, Mapping

import dkim
from django.conf import settings

from lofte.core.mailing import signing
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.mailbox import Letter
from lofte.probes.world import World

_LOADED = re.compile(
    r"""<(?:img|iframe|script|link|source|embed|object|input|video|audio)\b[^>]*?\b(?:src|href|data|poster|srcset)\s*=\s*["']?(https?:[^"'\s>]+)"""
    r"""|\b(?:background\s*=\s*["']?|url\(\s*["']?)(https?:[^"'\s)>]+)""",
    re.IGNORECASE,
)
_FOLLOWED = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*["']?(https?:[^"'\s>]+)""", re.IGNORECASE)
_WAY_OUT = "/unsubscribe/"


def keep(canary: Canary) -> None:
    """What came to it in this round, for whoever reads letters; its mailbox is emptied."""
    kept(canary.world).extend((canary.market, letter) for letter in canary.mailbox.letters_to(canary.address))
    canary.mailbox.forget(canary.address)


def kept(world: World) -> list[tuple[str, Letter]]:
    """Every letter that canaries of this round got and are done with, with the market."""
    found: list[tuple[str, Letter]] = world.once("letters-kept", list)
    return found


def names_its_list(canary: Canary, letter: Letter) -> bool:
    return bool(canary.mailbox.source(letter).get("List-Id"))


def is_signed(canary: Canary, letter: Letter) -> bool | None:
    """Whether the signature holds and covers the way out (RFC 8058, section 4); None where no key is set."""
    if settings.LOFTE_DKIM is None:
        return None
    selector, domain = settings.LOFTE_DKIM
    record = signing.record_of(signing.key_file(settings.LOFTE_HOME, selector, domain)).encode("ascii")
    raw, name = canary.mailbox.raw(letter), f"{selector}._domainkey.{domain}."

    def look_up(asked: bytes, timeout: int = 5) -> bytes | None:
        return record if asked.decode("ascii") == name else None

    try:
        holds = bool(dkim.verify(raw, dnsfunc=look_up))
    except dkim.DKIMException:
        return False
    return holds and _covered(canary, letter) >= {"list-unsubscribe", "list-unsubscribe-post"}


def _covered(canary: Canary, letter: Letter) -> set[str]:
    """The headers the signature names."""
    said = re.sub(r"\s", "", str(canary.mailbox.source(letter).get("DKIM-Signature", "")))
    tags = dict(each.partition("=")[::2] for each in said.split(";"))
    return set(tags.get("h", "").lower().split(":"))


# --- who reads ------------------------------------------------------------------------------------------------------


def loaded(letter: Letter) -> list[str]:
    """The hosts a mail program asks when the letter is opened. What canaries write holds nothing to load."""
    found = (one or other for one, other in _LOADED.findall(letter.html))
    return sorted({address.split("/")[2] for address in found})


def leads_past(letter: Letter, written: str) -> bool:
    """Whether a link that was ``written`` into the letter leads anywhere else."""
    return written not in _FOLLOWED.findall(letter.html)


def tells_readers_apart(copies: Iterable[Letter]) -> bool:
    """Whether copies of one letter in one language differ in a link, the way out apart."""
    return len({tuple(one for one in _FOLLOWED.findall(copy.html) if _WAY_OUT not in one) for copy in copies}) > 1


def opened_by(letters: Mapping[str, list[Letter]]) -> tuple[str, ...]:
    """Markets whose letters load something when they are opened, with the hosts asked."""
    found = {market: sorted({host for one in some for host in loaded(one)}) for market, some in letters.items()}
    return tuple(f"{market}: {', '.join(hosts)}" for market, hosts in sorted(found.items()) if hosts)


def followed_in(letters: Mapping[str, list[Letter]], written: str, *, may_count: bool) -> tuple[str, ...]:
    """Markets whose letters lead their links past a counter that the policy has not, or that tells readers apart."""
    return tuple(
        market for market, some in sorted(letters.items())
        if tells_readers_apart(some) or (not may_count and any(leads_past(one, written) for one in some))
    )  # fmt: skip
