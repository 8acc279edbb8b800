"""Every edition speaks its language everywhere: site, policy, banner, cookie list, choices, interface and mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class Editions:
    """``missing`` are pairs of locale and the thing that locale lacks; ``checked`` counts the things looked at."""

    locales: tuple[str, ...]
    checked: int
    missing: tuple[tuple[str, str], ...] = ()


def _judge(seen: Editions, parameters: Mapping[str, Any]) -> Verdict:
    if seen.missing:
        return broken("lacking", what=listed(f"{locale}: {what}" for locale, what in seen.missing))
    unseen = [locale for locale in parameters.get("locales", ()) if locale not in seen.locales]
    if unseen:
        return broken("no-edition", locales=listed(unseen))
    if not seen.locales or not seen.checked:
        return unproved("nothing-seen")
    return kept(locales=listed(seen.locales), checked=seen.checked)


CONTROL = Control(
    id="locales_complete",
    law=("GDPR 12(1)",),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "publication"}),
    judge=_judge,
)
