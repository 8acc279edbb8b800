"""Looks for tens of thousands of people at once: some bytes of each pattern are known, and data is asked for all of them together.

Whoever none of whose known bytes are anywhere is nowhere. Who is not cleared so is a suspect, and is searched for exactly, as one
of few (`scan.Wanted`). Memory is some thousand bytes a person; the time does not depend on how many they are.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lofte.features.rights import scan
from lofte.features.rights.marks import SHORT, SIZE, WINDOW, Marks
from lofte.features.rights.scan import Columns, Row

SUSPECT = "suspect"
_LAYOUT = np.dtype([("first", "<u8"), ("gap", "u1"), ("second", "<u8")])
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: neighbours end up far from each other
_BITS_A_MARK = 64
_BUFFER = 1 << 20
_STRETCH = 1 << 14  # numbers worked on at once: what is made of them stays in the processor's nearest memory
_BIT_OF = np.left_shift(np.uint8(1), np.arange(8, dtype=np.uint8))
_THREE, _SEVEN = np.uint64(3), np.uint64(7)


class _Long:
    """The known bytes of all longer patterns, as numbers: eight, and eight more some bytes further on, with whose they are.

    A table of bits says no to nearly all that are not the first eight of any.
    """

    def __init__(self, windows: bytearray, counts: "array[int]") -> None:
        """Of `SIZE` bytes each, one after the other; of each owner in turn so many."""
        found = np.frombuffer(windows, dtype=_LAYOUT)
        owners = np.repeat(np.arange(len(counts), dtype=np.uint32), np.frombuffer(counts, dtype=np.uint32))
        order = np.argsort(found["first"])
        self._first = found["first"][order]
        self._gap, self._second, self._owners = found["gap"][order], found["second"][order], owners[order]
        bits = max(16, int(len(found) * _BITS_A_MARK).bit_length() - 1)
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << (bits - 3), dtype=np.uint8)
        places = (self._first * _SPREAD) >> self._shift
        np.bitwise_or.at(self._table, places >> _THREE, _BIT_OF[places & _SEVEN])

    def owners_in(self, data: bytes) -> set[int]:
        """Whose known bytes are in the data, which goes on `WINDOW` bytes longer than what is asked about."""
        found: set[int] = set()
        scratch = _Scratch()
        for start in range(WINDOW):
            values = np.frombuffer(data, dtype="<u8", count=(len(data) - start) // WINDOW, offset=start)
            for place in range(0, len(values), _STRETCH):
                some = values[place : place + _STRETCH]
                could = self._could(some, scratch)
                if len(could):
                    found |= self._of(data, some[could], start + WINDOW * (could + place))
        return found

    def _could(self, values: NDArray[np.uint64], scratch: "_Scratch") -> NDArray[np.intp]:
        """Which of these could be the first eight of any. Makes nothing new but the answer: that would cost more."""
        places, bytes_of, there, bits = scratch.of(len(values))
        np.multiply(values, _SPREAD, out=places)
        np.right_shift(places, self._shift, out=places)
        np.right_shift(places, _THREE, out=bytes_of)
        np.take(self._table, bytes_of.view(np.int64), out=there, mode="clip")
        np.bitwise_and(places, _SEVEN, out=places)
        np.take(_BIT_OF, places.view(np.int64), out=bits, mode="clip")
        np.bitwise_and(there, bits, out=there)
        return np.flatnonzero(there)

    def _of(self, data: bytes, values: NDArray[np.uint64], places: NDArray[np.intp]) -> set[int]:
        found = set()
        left = np.searchsorted(self._first, values, side="left")
        right = np.searchsorted(self._first, values, side="right")
        known = left < right
        for here, first, last in zip(places[known], left[known], right[known], strict=True):
            for mark in range(int(first), int(last)):
                there = int(here) + int(self._gap[mark])
                if int.from_bytes(data[there : there + WINDOW], "little") == int(self._second[mark]):
                    found.add(int(self._owners[mark]))
        return found


class _Scratch:
    """Room for what is worked out of one stretch, used again for the next."""

    def __init__(self) -> None:
        self._numbers = np.empty((2, _STRETCH), np.uint64)
        self._bytes = np.empty((2, _STRETCH), np.uint8)

    def of(self, count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint8], NDArray[np.uint8]]:
        return self._numbers[0, :count], self._numbers[1, :count], self._bytes[0, :count], self._bytes[1, :count]


class _Short:
    """The known bytes of the few patterns with less than eight."""

    def __init__(self, windows: bytearray, counts: "array[int]") -> None:
        """As of `_Long`."""
        of: dict[bytes, set[int]] = {}
        starts = range(0, len(windows), SIZE)
        owners = np.repeat(np.arange(len(counts)), np.frombuffer(counts, dtype=np.uint32))
        for start, owner in zip(starts, owners, strict=True):
            of.setdefault(bytes(windows[start : start + SHORT]), set()).add(int(owner))
        self._owners = list(of.values())
        self._automaton = scan.automaton(of)

    def owners_in(self, data: bytes) -> set[int]:
        found = {match[0] for match in self._automaton.find_matches_as_indexes(data, overlapping=True)}
        return {owner for place in found for owner in self._owners[place]}


class Crowd:
    """Any number of people, each with a key of the caller and their marks. Made once, then only read."""

    def __init__(self, people: Iterable[tuple[str, Marks]]) -> None:
        self._keys: list[str] = []
        long, longs, short, shorts = bytearray(), array("I"), bytearray(), array("I")
        self.longest = WINDOW
        for key, marks in people:
            self._keys.append(key)
            long += marks.long
            longs.append(len(marks.long) // SIZE)
            short += marks.short
            shorts.append(len(marks.short) // SIZE)
        self._all = [*([_Long(long, longs)] if long else ()), *([_Short(short, shorts)] if short else ())]
        self._worker = ThreadPoolExecutor(2, "residue")

    def __len__(self) -> int:
        return len(self._keys)

    def close(self) -> None:
        self._worker.shutdown(cancel_futures=True)

    def may_hold(self, data: bytes) -> bool:
        return True

    def held(self, value: bytes) -> set[tuple[str, str]]:
        """Who cannot be cleared, because of these bytes."""
        small = value.lower() + bytes(WINDOW)
        owners = set[int]().union(*(each.owners_in(small) for each in self._all))
        return {(self._keys[each], SUSPECT) for each in owners}

    def sieve(self, where: str, columns: Columns, read: Callable[[bytes], Row] | None = None) -> "scan.Sieve":
        return _Net(self)

    def ask(self, data: bytes) -> "Future[set[tuple[str, str]]]":
        """As `held`, beside the reading of the next piece: both leave the interpreter to the other."""
        return self._worker.submit(self.held, data)


class _Net:
    """Takes rows as they come, many at once; no matter in which column, table or file somebody is a suspect."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._lines: list[bytes] = []
        self._bytes = 0
        self._asked: list[Future[set[tuple[str, str]]]] = []
        self.hits: Counter[tuple[str, str, str]] = Counter()

    def row(self, row: Row) -> None:
        self.line(b"\0".join(row))

    def line(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= _BUFFER:
            self._ask()

    def flush(self) -> None:
        self._ask()
        self._take(0)

    def _ask(self) -> None:
        if self._lines:
            self._asked.append(self._crowd.ask(b"\0".join(self._lines)))
            self._lines, self._bytes = [], 0
            self._take(4)

    def _take(self, leave: int) -> None:
        while len(self._asked) > leave:
            for whose, form in self._asked.pop(0).result():
                self.hits[whose, "", form] = 1
