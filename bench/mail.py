"""What a campaign costs: letters assembled, signed and handed to a mail server, with consent asked for each at that moment.

Exim where it can run, which takes each letter and keeps it on its disk; else a server that throws them away. `--people` says how
many (default: 5000; a hundred thousand takes ten minutes). One in ten has withdrawn and must get nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import exim
from bench.case import Case, at_least, at_most
from bench.mail_sink import Sink
from bench.postgres import database

SIZES = (5_000,)
BAR_PER_S, BAR_MEMORY_MB = 200, 256


def run(people: Sequence[int] = SIZES) -> Iterator[Case]:
    for count in people:
        yield from measured("SQLite", count, "")
        with database() as address:
            if address:
                yield from measured("PostgreSQL", count, address)


def measured(name: str, count: int, address: str) -> Iterator[Case]:
    with ExitStack() as held:
        folder = held.enter_context(
            tempfile.TemporaryDirectory(dir=os.environ.get("LOFTE_BENCH_DIR"), ignore_cleanup_errors=True)
        )
        sink = held.enter_context(Sink())
        missing = exim.why_not()
        if missing:
            print(f"{missing}: letters go to a server that throws them away", file=sys.stderr)
        server = None if missing else held.enter_context(exim.running(sink.port, is_holding=True))
        port = server.port if server else sink.port
        title = f"{name}, {count:,} people, {'a sink' if missing else 'Exim'}"
        environ = {
            **os.environ, "LOFTE_HOME": folder, "LOFTE_DATABASE": address, "LOFTE_SMTP": f"smtp://127.0.0.1:{port}",
            "LOFTE_MAIL_FROM": "Example <news@news.example.com>", "LOFTE_MAIL_DOMAIN": "back.example.com",
            "LOFTE_DKIM": "lofte._domainkey.news.example.com",
        }  # fmt: skip
        subprocess.run([*house("fill", folder, count)], check=True, env=environ)
        began = time.monotonic()
        ended = subprocess.run(house("send", folder, count), check=True, env=environ, stdout=subprocess.PIPE, text=True)
        told = json.loads(ended.stdout.splitlines()[-1])
        if told["sent"] != expected(count):
            raise RuntimeError(f"{told['sent']} letters left and {expected(count)} may")
        yield at_least("mail", f"{title}: handed over", told["sent"] / told["seconds"], "letters/s", BAR_PER_S)
        yield Case("mail", f"{title}: CPU of ours a letter", round(told["cpu"] / told["sent"] * 1e3, 2), "ms")
        if server:
            yield Case("mail", f"{title}: CPU of Exim a letter", round(server.cpu_s() / told["sent"] * 1e3, 2), "ms")
        yield at_most("mail", f"{title}: peak memory", told["peak_mb"], "MB", BAR_MEMORY_MB)
        yield Case("mail", f"{title}: with start and end", round(time.monotonic() - began, 1), "s")


def house(what: str, folder: str | Path, count: int) -> list[str]:
    return [sys.executable, "-m", "bench.mail_house", what, str(folder), str(count)]


def expected(count: int) -> int:
    from bench.mail_house import is_withdrawn

    return sum(not is_withdrawn(number) for number in range(count))
