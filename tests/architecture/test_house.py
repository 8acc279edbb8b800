"""The arrows of the house, checked by the same contracts as `lint-imports`, and shown to be able to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def test_all_arrows_go_down():
    done = subprocess.run([LINTER, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    "room, line, contract",
    [
        ("kernel/ids.py", "import lofte.rules", "arrows go down only"),
        ("rules/model.py", "import django", "know no Django"),
        ("edge/app.py", "import lofte.core", "know no Django"),
        ("features/register/verbs.py", "import lofte.features.outreach", "never import each other"),
        ("rules/diff.py", "import socket", "no clock, no network"),
    ],
)
def test_a_planted_upward_arrow_is_caught(tmp_path, room, line, contract):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "locales"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / "src/lofte" / room
    planted.write_text(f"{planted.read_text()}\n{line}\n")

    done = subprocess.run(
        [LINTER, "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin"},
    )

    assert done.returncode != 0
    assert contract in done.stdout
