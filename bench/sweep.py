"""What a sweep costs: who is due among so many people, and a whole sweep of some of them, from deadline to proof in the log.

Each size on each engine is a house of its own, filled as for `rights`. Not by default: a million people.
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


def measured(name: str, count: int, address: str) -> Iterator[Case]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("LOFTE_BENCH_DIR"), ignore_cleanup_errors=True) as folder:
        environ = {**os.environ, "LOFTE_HOME": folder, "LOFTE_DATABASE": address}
        for module, what in (("rights_house", "fill"), ("sweep_house", "measure")):
            command = [sys.executable, "-m", f"bench.{module}", what, folder, str(count), name]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as house:
                for line in house.stdout or ():
                    yield Case(**json.loads(line))
            if house.returncode:
                raise RuntimeError(f"the house of {count} people on {name} ended with {house.returncode}")
