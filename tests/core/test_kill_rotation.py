"""kill -9 while the keys of the vault are changed: nobody's data is lost, the next try ends it, and the old backup is dead then."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_rotation.py")
MOMENTS = [
    *(f"batch-{n}" for n in (1, 3, 5)),
    "after-_new_epoch",
    "before-_epochs_end",
    "before-_destroy_file",
    "after-_destroy_file",
]


def run(home: Path, step: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(home), step], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def house(home, published):
    assert run(home, "prepare").returncode == 0
    return home


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_rotation_killed_at_any_moment_loses_nobody_and_ends_with_the_next(house, moment):
    assert run(house, moment).returncode == -9
    assert run(house, "look").stdout.split() == ["39", "1"]

    assert run(house, "finish").stdout.split() == ["True", "1", "0"]
    assert run(house, "look").stdout.split() == ["39", "1"]


def test_a_copy_of_the_keys_in_an_old_backup_is_dead_after_the_epoch_ended(house):
    """Register and keys are put back from a backup made before somebody was erased; the keys folder is not in it, as we ask."""
    assert run(house, "finish").stdout.split() == ["True", "1", "0"]

    assert run(house, "look-at-copy").stdout.split() == ["0", "40"]


def test_without_a_rotation_the_same_copy_would_bring_the_erased_person_back(house):
    assert run(house, "look-at-copy").stdout.split() == ["40", "0"]
