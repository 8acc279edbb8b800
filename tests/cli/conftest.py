"""A house as the commands meet it: a data directory on disk, entered by a process of its own or by this one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lofte.cli import wiring
from lofte.evidence.log import Draft, Log, open_log
from lofte.features.policy.files import read_directory
from lofte.features.policy.verbs import publish
from lofte.kernel.canonical import canonical_bytes

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "policies" / "xledger"

Lofte = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def lofte(tmp_path: Path) -> Lofte:
    """The command in a process of its own: ``lofte("doctor", LOFTE_SMTP="...")``; its home is below tmp_path."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOFTE_", "DJANGO_"))}
        return subprocess.run(
            [sys.executable, "-m", "lofte.cli.main", *arguments], cwd=ROOT, text=True, capture_output=True, timeout=60,
            env=clean | {"LOFTE_HOME": str(tmp_path / "home")} | environment,
        )  # fmt: skip

    return run


@pytest.fixture
def entered(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house this process has entered already: commands find the databases of the test and an empty data directory."""
    monkeypatch.setattr(wiring, "enter", lambda *_, **__: home)
    return home


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which the example policy is in force. Made once; tests get copies."""
    home = tmp_path_factory.mktemp("house")
    log = open_log(home / "evidence.sqlite3", home / "keys", "localhost:8000/lofte/log", lambda: datetime.now(UTC))
    publish(read_directory(POLICY), home, log, datetime.now(UTC))
    log.close()
    return home


@pytest.fixture
def in_force(house: Path, home: Path) -> Path:
    """The house of this test, with the example policy in force and nobody holding its log."""
    shutil.copytree(house, home, dirs_exist_ok=True)
    return home


@pytest.fixture
def small_log(tmp_path: Path) -> Iterator[Log]:
    opened = open_log(tmp_path / "log.sqlite3", tmp_path / "log-keys", "example.com/log", lambda: datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
def receipt(small_log: Log) -> dict[str, Any]:
    """A good receipt of a decision, among others."""
    for number in range(7):
        fact = canonical_bytes({"action": "decide", "number": number})
        small_log.append_and_wait(Draft("consent", fact, canonical_bytes({"subject": "s"}), "ab" * 32, f"key-{number}"))
    made = small_log.receipt(3)
    return json.loads(made) if isinstance(made, bytes) else made


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], str]:
    """Writes a receipt to a file and gives its name."""

    def save(receipt: Any) -> str:
        path = tmp_path / "receipt.json"
        path.write_text(receipt if isinstance(receipt, str) else json.dumps(receipt), encoding="utf-8")
        return str(path)

    return save
