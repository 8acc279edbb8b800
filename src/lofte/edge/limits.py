"""How often one client may ask: a token bucket each, in memory, under a name that is no address.

The name is a keyed hash whose salt lives as long as the process. IPv6 clients are counted by their /64.
"""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

_MOST_CLIENTS = 50_000  # 32 bytes of name and two floats each: about 10 MB; the longest unseen goes first


class Limiter:
    """``rate_per_s`` refills, ``burst`` is the size of the bucket."""

    def __init__(self, rate_per_s: float, burst: int, clock_s: Callable[[], float] = monotonic) -> None:
        self._rate, self._burst, self._clock_s = rate_per_s, float(burst), clock_s
        self._salt = os.urandom(16)
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def admits(self, address: str) -> bool:
        """Takes one drop from the client's bucket; False when it is empty."""
        name = hashlib.blake2b(_network(address).encode(), key=self._salt, digest_size=16).digest()
        now = self._clock_s()
        level, seen = self._buckets.get(name, (self._burst, now))
        level = min(self._burst, level + (now - seen) * self._rate)
        admitted = level >= 1
        self._buckets[name] = (level - 1 if admitted else level, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return admitted

    def wait_s(self) -> int:
        """Whole seconds until an empty bucket holds a drop again."""
        return max(1, round(1 / self._rate))


def _network(address: str) -> str:
    return ":".join(address.split(":")[:4]) if ":" in address and "." not in address else address
