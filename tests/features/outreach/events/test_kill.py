"""kill -9 before the writes of calling an event off and telling of it: each who comes gets exactly one letter."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_telling.py")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_an_event_called_off_by_processes_that_are_killed_tells_each_once(xledger, home, engine, scratch_database):
    environ = {**os.environ, "LOFTE_DATABASE": scratch_database() if engine == "postgres" else ""}
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(home)], capture_output=True, text=True, check=False, timeout=500, env=environ
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout.strip().splitlines()[-1])
    assert found.pop("deaths") > 5
    assert found == {
        "people": 12, "most": 1, "sequence": 1, "has_news": False, "dues": 1, "is_by_the_day_called_off": True,
    }  # fmt: skip


@pytest.fixture
def scratch_database():
    """A database of one's own on the cluster, gone afterwards."""
    import psycopg

    server, made = os.environ.get("LOFTE_TEST_POSTGRES"), []

    def make():
        if not server:
            pytest.skip("LOFTE_TEST_POSTGRES names no cluster")
        made.append(f"killed_{secrets.token_hex(4)}")
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {made[0]}")
        return f"{server.rpartition('/')[0]}/{made[0]}"

    yield make
    if made:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {made[0]} WITH (FORCE)")
