"""kill -9 in the middle of an erasure: the next start carries it to its end, once, and nothing of the person is left."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_erasure.py")
MOMENTS = [
    f"{moment}-{step}"
    for step in ("_destroy_key", "_erase_rows", "_shred", "_search", "_prove")
    for moment in ("before", "after")
] + ["inside-rows"]


def run(home: Path, person: str, step: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(home), person, step], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_erasure_killed_at_any_moment_ends_once_and_whole(tmp_path, published, home, moment):
    made = run(home, "-", "prepare")
    assert made.returncode == 0, made.stderr[-2000:]
    person = made.stdout.strip()
    assert run(home, person, moment).returncode == -9

    ended = run(home, person, "finish")

    assert ended.stdout.split() == ["done", "1", "2", "0"], ended.stderr[-2000:]
    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes().lower()
            for needle in (b"person3.", b"person3 ", person.encode(), person.replace("-", "").encode()):
                assert needle not in content, (file.name, needle)
    with sqlite3.connect(home / "register.sqlite3") as register:
        assert register.execute("SELECT count(*) FROM core_person").fetchone() == (9,)
        assert register.execute("SELECT count(*) FROM register_holding").fetchone() == (18,)
    register.close()
