"""By which bytes somebody could be recognised: those that are sure to be in whatever holds a needle of theirs.

Of texts their beginning, which they share with their escaped forms; of hashes and handles their end. `rights.crowd` looks for them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lofte.features.rights import scan
from lofte.features.rights.scan import Needle

WINDOW, SHORT = 8, 5  # bytes looked for at once; of patterns with fewer than eight
SIZE = 2 * WINDOW + 1
_GAPS = [bytes([gap]) for gap in range(WINDOW + 1)]
_FAR = _GAPS[WINDOW]


class Marks(NamedTuple):
    """Of one person, `SIZE` bytes each: eight, how far on the next eight are, and those; or fewer than eight."""

    long: bytes
    short: bytes


def marks_of(needles: Iterable[Needle]) -> Marks:
    """Raises ValueError for a needle too short to be looked for among many."""
    known: set[bytes] = set()
    for needle in needles:
        _, data, any_case = needle
        if not any_case:
            known.add(_pair(data[-2 * WINDOW :].lower()))
        elif data.isascii():
            known.add(_pair(data[: 2 * WINDOW].lower()))
        else:  # one of its patterns is in whatever holds it, in small ASCII letters
            known.update([_pair(each[: 2 * WINDOW]) for each in scan.patterns(needle)])
    few = {each for each in known if len(each) < SIZE}
    short = (each.ljust(WINDOW, b"\0") for each in few)
    return Marks(b"".join(known - few), b"".join(each + b"\0" + each for each in short))


def _pair(data: bytes) -> bytes:
    if len(data) == 2 * WINDOW:
        return data[:WINDOW] + _FAR + data[WINDOW:]
    if len(data) >= WINDOW:
        gap = len(data) - WINDOW
        return data[:WINDOW] + _GAPS[gap] + data[gap:]
    if len(data) < SHORT:
        raise ValueError("a pattern too short to be looked for among many")
    return data[:SHORT]
