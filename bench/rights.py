"""What a right costs: access, erasure with its search for residue, and the long work, at several sizes of register.

Each size on each engine is a house of its own in a process of its own, with a population that is the same for the same seed.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence

from bench.case import Case
from bench.postgres import database

SIZES = (1_000, 100_000)


def run(people: Sequence[int] = SIZES) -> Iterator[Case]:
    for count in people:
        yield from measured("SQLite", count, "")
        with database() as address:
            if address:
                yield from measured("PostgreSQL", count, address)


def measured(name: str, count: int, address: str, house: str = "bench.rights_house") -> Iterator[Case]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("LOFTE_BENCH_DIR"), ignore_cleanup_errors=True) as folder:
        environ = {**os.environ, "LOFTE_HOME": folder, "LOFTE_DATABASE": address}
        for what in ("fill", "measure"):
            yield from _house([house, what, folder, str(count), name], environ)


def _house(command: list[str], environ: dict[str, str]) -> Iterator[Case]:
    with subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, env=environ) as house:
        for line in house.stdout or ():
            yield Case(**json.loads(line))
    if house.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {house.returncode}")
