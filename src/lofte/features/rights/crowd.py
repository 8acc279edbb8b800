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
_ALL_BITS, _SHORT_BITS = np.uint64((1 << 64) - 1), np.uint64((1 << 8 * SHORT) - 1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: neighbours end up far from each other
_BITS_A_MARK = 64
_BUFFER = 1 << 20


class _Marks:
    """The known bytes of all patterns, as numbers: eight, and eight more some bytes further on, with whose they are.

    A table of bits says no to nearly all that are not the first eight of any.
    """

    def __init__(self, windows: bytearray, counts: "array[int]", bits: np.uint64 = _ALL_BITS) -> None:
        """Of `SIZE` bytes each, one after the other; of each owner in turn so many. Of eight bytes only these ``bits`` count."""
        self._counting = bits
        found = np.frombuffer(windows, dtype=_LAYOUT)
        owners = np.repeat(np.arange(len(counts), dtype=np.uint32), np.frombuffer(counts, dtype=np.uint32))
        order = np.argsort(found["first"])
        self._first = found["first"][order]
        self._gap, self._second, self._owners = found["gap"][order], found["second"][order], owners[order]
        size = max(16, int(len(found) * _BITS_A_MARK).bit_length() - 1)
        self._shift = np.uint64(64 - size)
        self._table = np.zeros(1 << (size - 3), dtype=np.uint8)
        places = (self._first * _SPREAD) >> self._shift
        np.bitwise_or.at(self._table, places >> np.uint64(3), self._bit(places))

    @staticmethod
    def _bit(places: NDArray[np.uint64]) -> NDArray[np.uint8]:
        return np.left_shift(np.uint8(1), (places & np.uint64(7)).astype(np.uint8))

    def owners_in(self, data: bytes, values: NDArray[np.uint64], start: int) -> set[int]:
        """Whose known bytes are in the data; ``values`` are each eight of it, from a start on."""
        values = values if self._counting == _ALL_BITS else values & self._counting
        places = (values * _SPREAD) >> self._shift
        could = np.flatnonzero(self._table[places >> np.uint64(3)] & self._bit(places))
        if not len(could):
            return set()
        left = np.searchsorted(self._first, values[could], side="left")
        right = np.searchsorted(self._first, values[could], side="right")
        found = set()
        for place, first, last in zip(could[left < right], left[left < right], right[left < right], strict=True):
            here = start + WINDOW * int(place)
            for mark in range(int(first), int(last)):
                there = here + int(self._gap[mark])
                second = int.from_bytes(data[there : there + WINDOW], "little") & int(self._counting)
                if second == int(self._second[mark]):
                    found.add(int(self._owners[mark]))
        return found


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
        self._long = _Marks(long, longs) if long else None
        self._short = _Marks(short, shorts, _SHORT_BITS) if short else None
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
        found: set[int] = set()
        for start in range(WINDOW):
            values = np.frombuffer(small, dtype="<u8", count=(len(small) - start) // WINDOW, offset=start)
            if self._long is not None:
                found |= self._long.owners_in(small, values, start)
            if self._short is not None:
                found |= self._short.owners_in(small, values, start)
        return {(self._keys[each], SUSPECT) for each in found}

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
