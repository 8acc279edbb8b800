"""Every market follows a law pack whose values are cited, checked lately and not expired, and the running system obeys it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved

LONGEST_CHECK_DAYS = 365  # a legal value nobody looked at for a year is not known to be the law


@dataclass(frozen=True, slots=True)
class PackSeen:
    """One market's law pack. ``checked_days`` is the age of the value that was looked at longest ago."""

    market: str
    law: str
    values: int
    uncited: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    checked_days: int = 0


@dataclass(frozen=True, slots=True)
class LawPacks:
    """``without`` are markets that have no pack; ``ignored`` is where the running system does otherwise than the market's pack."""

    packs: tuple[PackSeen, ...]
    without: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def _judge(seen: LawPacks, parameters: Mapping[str, Any]) -> Verdict:
    if seen.without:
        return broken("no-pack", markets=listed(seen.without))
    if expired := [f"{pack.law}: {value}" for pack in seen.packs for value in pack.expired]:
        return broken("expired", values=listed(expired))
    if uncited := [f"{pack.law}: {value}" for pack in seen.packs for value in pack.uncited]:
        return broken("uncited", values=listed(uncited))
    if seen.ignored:
        return broken("ignored", places=listed(seen.ignored))
    limit = int(parameters.get("check_days", LONGEST_CHECK_DAYS))
    if old := [pack.law for pack in seen.packs if pack.checked_days > limit]:
        return broken("unchecked", laws=listed(old), days=limit)
    if not seen.packs:
        return unproved("no-markets")
    return kept(laws=listed(pack.law for pack in seen.packs), values=sum(pack.values for pack in seen.packs))


CONTROL = Control(
    id="law_pack_current",
    law=("GDPR 24(1)", "GDPR 5(2)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"publication", "register"}),
    judge=_judge,
)
