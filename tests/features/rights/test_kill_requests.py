"""kill -9 before every write of every act with a request: it was done whole or not at all, and can be done again."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

SCRIPT = Path(__file__).with_name("killed_request.py")


def _killed(home, **more):
    environ = {**os.environ, "LOFTE_DATABASE": "", **more}
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(home)], capture_output=True, text=True, check=False, timeout=500, env=environ
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.strip().splitlines()[-1])


def _judge(found):
    assert found.pop("log") == "0 left, 0 faults"
    assert found.pop("approvals") == "True"
    assert {name: said for name, said in found.items() if not said.endswith(" deaths")} == {}
    assert all(int(said.split()[0]) >= 3 for said in found.values()), found


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_act_with_a_request_killed_at_any_write_is_done_whole_or_not_at_all(published, home):
    _judge(_killed(home))


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_and_so_on_postgresql(published, home):
    server = os.environ.get("LOFTE_TEST_POSTGRES")
    if not server:
        pytest.skip("LOFTE_TEST_POSTGRES names no cluster")
    name = f"killed_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        _judge(_killed(home, LOFTE_DATABASE=f"{server.rpartition('/')[0]}/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
