"""kill -9 between asking, the letter and the file: one grant, one letter, and a download that is counted once or not at all."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_download.py")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_asking_and_fetching_killed_at_any_write_happen_whole_and_once(shop, home, engine, scratch_database):
    environ = {**os.environ, "LOFTE_DATABASE": scratch_database() if engine == "postgres" else ""}
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(home)], capture_output=True, text=True, check=False, timeout=500, env=environ
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout.strip().splitlines()[-1])
    assert found.pop("asked") > 5
    assert found.pop("taken") >= 2
    assert found == {"file": True, "left": 1, "times": 1}


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
