"""The arrows of the house, checked by the same contracts as `lint-imports`, and shown to be able to fail."""

import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]  # the parsed form has no public name
from typing import Any

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


@pytest.mark.parametrize("room", ["kernel", "rules", "evidence", "gate", "edge"])
def test_no_group_is_repeated_possessively(room: str) -> None:
    """Before 3.11.5 CPython mismatches such patterns without a word (gh-106052), and Debian 12 has 3.11.2."""
    found = [
        f"{module}.{name}"
        for module in modules_of(room)
        for name, value in vars(importlib.import_module(module)).items()
        if isinstance(value, re.Pattern)
        and _has_possessive_group(_parser.parse(value.pattern, value.flags & ~re.DEBUG))
    ]
    assert found == []


def test_a_possessive_group_would_be_noticed() -> None:
    assert _has_possessive_group(_parser.parse("a(?:b|cd)*+", 0))
    assert _has_possessive_group(_parser.parse("(?=x(?>ab?))", 0))
    assert not _has_possessive_group(_parser.parse("a[^b]*+(?:b|cd)*", 0))


def modules_of(room: str) -> list[str]:
    package = importlib.import_module(f"lofte.{room}")
    return [package.__name__, *(one.name for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))]


def _has_possessive_group(pattern: Any) -> bool:
    for op, value in pattern:
        if op is _constants.ATOMIC_GROUP:
            return True
        if op is _constants.POSSESSIVE_REPEAT and (len(value[2]) > 1 or value[2][0][0] not in _SINGLE):
            return True
        parts = value if isinstance(value, tuple | list) else (value,)
        for part in parts:
            for each in part if isinstance(part, list) else (part,):
                if isinstance(each, _parser.SubPattern) and _has_possessive_group(each):
                    return True
    return False


_SINGLE = (_constants.IN, _constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY)
