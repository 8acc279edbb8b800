"""Every dependency is pinned with hashes, names no registry, and has its decision note."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETS = sorted(path.stem for path in (ROOT / "requirements").glob("*.in"))
NODE = json.loads((ROOT / "tests/node/package.json").read_text())


def named_in(set_name):
    lines = (ROOT / "requirements" / f"{set_name}.in").read_text().splitlines()
    return [re.split(r"[\[<>=; ]", line)[0] for line in lines if line and line[0] not in "#-"]


@pytest.mark.parametrize("set_name", SETS)
def test_each_dependency_has_a_decision_note(set_name):
    notes = {path.stem for path in (ROOT / "docs/decisions/dependencies").glob("*.md")}

    missing = [name for name in named_in(set_name) if name.lower() not in notes]

    assert missing == []


def test_each_package_of_node_has_a_decision_note():
    for name in [*NODE.get("dependencies", {}), *NODE.get("devDependencies", {})]:
        assert (ROOT / "docs/decisions/dependencies" / f"{_unscoped(name)}.md").exists(), name


def _unscoped(name):
    return name.rpartition("/")[2]


def test_each_note_answers_the_five_questions_and_belongs_to_a_dependency():
    named = {name.lower() for set_name in SETS for name in named_in(set_name)}
    named |= {_unscoped(name) for kind in ("dependencies", "devDependencies") for name in NODE.get(kind, {})}

    for note in (ROOT / "docs/decisions/dependencies").glob("*.md"):
        text = note.read_text()
        assert note.stem in named, f"{note.name} is about nothing we depend on"
        assert all(f"**{part}:**" in text for part in ("Job", "Licence", "Size", "Health", "Way out")), note.name


@pytest.mark.parametrize("set_name", SETS)
def test_each_requirement_is_pinned_with_hashes_and_without_a_registry(set_name):
    text = (ROOT / "requirements" / f"{set_name}.txt").read_text()
    pins = re.findall(
        r"^[A-Za-z0-9._-]+(?:\[[a-z,]+\])?==\S+.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)+", text, re.MULTILINE
    )
    starts = re.findall(r"^[A-Za-z0-9]\S*", text, re.MULTILINE)

    assert starts
    assert len(pins) == len(starts)
    assert "://" not in text


def test_no_file_records_download_addresses():
    assert not list(ROOT.glob("**/uv.lock"))
    for lock in ROOT.glob("**/package-lock.json"):
        if "node_modules" not in lock.parts:
            assert '"resolved"' not in lock.read_text(), f"{lock} records addresses"
