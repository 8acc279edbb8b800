"""The file a person downloads fits its published schema and holds everything the register holds about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lofte.rules.control import Control, Verdict, broken, kept, listed, unproved


@dataclass(frozen=True, slots=True)
class ExportWalk:
    """The canary's download.

    ``errors`` are places that do not fit the schema; ``lacking`` the data held and not in it.
    """

    downloaded: bool
    entries: int
    errors: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


def _judge(seen: ExportWalk, parameters: Mapping[str, Any]) -> Verdict:
    if not seen.downloaded:
        return broken("no-file")
    if seen.errors:
        return broken("not-valid", places=listed(seen.errors))
    if seen.lacking:
        return broken("incomplete", parts=listed(seen.lacking))
    if not seen.entries:
        return unproved("empty")
    return kept(entries=seen.entries)


CONTROL = Control(
    id="export_machine_readable",
    law=("GDPR 20(1)", "GDPR 15(3)"),
    fresh_for=timedelta(days=2),
    needs=frozenset({"site", "register"}),
    judge=_judge,
)
