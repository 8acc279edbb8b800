"""kill -9 at each step of a sweep: the next one ends it, everybody whose time was up is gone once, and nobody else."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

SCRIPT = Path(__file__).with_name("killed_sweep.py")


def _killed(home, *how, **more):
    environ = {**os.environ, "LOFTE_DATABASE": "", **more}
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(home), *how],
        capture_output=True,
        text=True,
        check=False,
        timeout=570,
        env=environ,
    )
    lines = ended.stdout.strip().splitlines()
    assert len(lines) == 2, ended.stderr[-3000:]
    return json.loads(lines[0]), json.loads(lines[1])


def _judge(deaths, found):
    assert deaths["alive"] == []
    number = deaths["deaths"]
    assert number >= 30
    assert found == {
        "left": ["living"] * 3 + ["stays"] * number, "proved": 4 * number, "twice": 0, "counted": 8 * number,
        "parts": 2 * number, "orders": ["done"], "acts": 4 * number, "entries": 3 + number, "work": [], "faults": 0,
    }  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_sweep_killed_at_any_step_is_ended_by_the_next_and_takes_nobody_else(published, home):
    _judge(*_killed(home))
    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes().lower()
            assert b"due1x" not in content, file.name


def _judge_two(run, found):
    assert run["failed"] == []
    assert found == {
        "left": ["stays"] * 5, "proved": 40, "twice": 0, "counted": 80, "parts": 10, "orders": ["done"], "acts": 40, "entries": 5,
        "work": [], "faults": 0,
    }  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_sweeps_at_once_take_everybody_once(published, home):
    _judge_two(*_killed(home, "two"))


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("how", "judge"), [((), _judge), (("two",), _judge_two)], ids=["killed", "two"])
def test_and_so_on_postgresql(published, home, how, judge):
    server = os.environ.get("LOFTE_TEST_POSTGRES")
    if not server:
        pytest.skip("LOFTE_TEST_POSTGRES names no cluster")
    name = f"swept_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        judge(*_killed(home, *how, LOFTE_DATABASE=f"{server.rpartition('/')[0]}/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
