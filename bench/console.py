"""How quick the console is for those who work in it: finding people and opening them, at several sizes of register.

The pages themselves are asked, as a signed-in member of staff, through the whole of the application but the network.
"""

from collections.abc import Iterator, Sequence

from bench.case import Case
from bench.postgres import database
from bench.rights import measured

SIZES = (1_000, 100_000)
HOUSE = "bench.console_house"


def run(people: Sequence[int] = SIZES) -> Iterator[Case]:
    for count in people:
        yield from measured("SQLite", count, "", HOUSE)
        with database() as address:
            if address:
                yield from measured("PostgreSQL", count, address, HOUSE)
