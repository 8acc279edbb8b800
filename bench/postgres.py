"""A database for a benchmark: on the cluster LOFTE_TEST_POSTGRES names, else on one of our own where PostgreSQL is installed."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from bench.load import free_port


@contextmanager
def database() -> Iterator[str]:
    """Its address; empty, with a line on stderr, where there is no PostgreSQL."""
    given = os.environ.get("LOFTE_TEST_POSTGRES", "")
    if given:
        yield from _database_on(given)
        return
    programs = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None) or _on_path()
    if programs is None:
        print("PostgreSQL is not installed (Debian: apt-get install postgresql): left out", file=sys.stderr)
        yield ""
        return
    with _cluster(programs) as address:
        yield from _database_on(address)


def _database_on(cluster: str) -> Iterator[str]:
    import psycopg

    name = f"lofte_bench_{os.getpid()}"
    with psycopg.connect(cluster, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{cluster.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(cluster, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _cluster(programs: Path) -> Iterator[str]:
    """A throw-away cluster with the defaults of PostgreSQL: durable, on this disk."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data, port = Path(folder) / "data", free_port()
        if os.getuid() == 0:
            subprocess.run(["chown", "postgres", folder], check=True)
        _as_postgres(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust")
        options = f"-p {port} -h 127.0.0.1 -k {folder}"
        _as_postgres(programs / "pg_ctl", "-D", data, "-w", "-l", Path(folder) / "server.log", "-o", options, "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            _as_postgres(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _as_postgres(*command: object) -> None:
    before = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run(
        [*before, *map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )


def _on_path() -> Path | None:
    found = which("initdb")
    return Path(found).resolve().parent if found else None
