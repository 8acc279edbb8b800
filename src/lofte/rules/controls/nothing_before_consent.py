"""A newcomer's browser keeps nothing but the necessary and talks to nobody else, until the newcomer says yes; also
after a no, which is as easy to say.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Newcomers, Visit, at_market

__all__ = ["CONTROL", "Newcomers"]


def _judge(seen: Newcomers, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.instrument_sees:
        return unproved("blind")
    before, after_no = seen.in_phase("before"), seen.in_phase("rejected")
    for reason, found in (
        ("asked-before", _asked(before)),
        ("stored-before", _unnecessary(seen, before)),
        ("unequal", at_market((visit.market, what) for visit in before for what in visit.unequal)),
        ("asked-after-no", _asked(after_no)),
        ("stored-after-no", _unnecessary(seen, after_no)),
    ):
        if found:
            return broken(reason, found=listed(found))
    if unseen := seen.unseen("before", "rejected"):
        return unproved("unseen", markets=listed(unseen))
    return kept(markets=listed(seen.expected))


def _asked(visits: tuple[Visit, ...]) -> list[str]:
    return at_market((visit.market, host) for visit in visits for host in visit.asked)


def _unnecessary(seen: Newcomers, visits: tuple[Visit, ...]) -> list[str]:
    """Things kept on the device that no line of the cookie list declares necessary in that market."""
    return at_market(
        (visit.market, item.name)
        for visit in visits
        for item in visit.stored
        if not any(line.necessary and line.covers(item) for line in seen.cookies.get(visit.market, ()))
    )


CONTROL = Control(
    id="nothing_before_consent",
    law=("ePrivacy 5(3)", "GDPR 4(11)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"browser"}),
    judge=_judge,
)
