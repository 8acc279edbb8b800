"""kill -9 between each two steps of an obligation: the next process carries it to its end, nobody else's rows are touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_obligation.py")
STEPS = ["_claim", "_remember", "find", "_do", "erase", "_move", "verify", "search", "_verified"]
MOMENTS = [f"{moment}-{step}" for step in STEPS for moment in ("before", "after")] + ["inside-rows"]


def run(home: Path, step: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(home), step], capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "LOFTE_SOURCE_SHOP": url},
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_obligation_killed_at_any_moment_ends_once_and_whole(small_shop, home, moment):
    (home / "systems").mkdir()
    small_shop.file = home / "systems" / "shop.yaml"
    small_shop.mapping()
    made = run(home, "prepare", small_shop.url)
    assert made.returncode == 0, made.stderr[-2000:]
    assert run(home, moment, small_shop.url).returncode == -9

    ended = run(home, "finish", small_shop.url)

    assert ended.stdout.split() == ["verified", "9", "1", "0"], ended.stderr[-2000:]
    assert small_shop.column("customers", "email") == ["ola@example.no"]
    assert small_shop.column("order_lines", "article") == ["lampe"]
    assert len(small_shop.rows("addresses")) == 1
    assert "Kari" not in str(small_shop.rows('odd "name"; --'))
