"""Documents are tested: links lead somewhere, commands can be typed, and what the tutorial says happens."""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lofte.cli import main as entrance
from lofte.evidence.log import Draft, Log, open_log
from lofte.kernel.canonical import canonical_bytes
from lofte.rules.texts import parse_blocks

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-hour.md"
HOWTO = sorted((ROOT / "docs" / "howto").glob("*.md"))

_FENCE = re.compile(r"(?ms)^( *)```(\w*)\n(.*?)^\1```")
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    """Every document of ours that is not somebody else's file."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "policies").glob("*/README.md")]
    return sorted(file for file in found if ".venv" not in file.parts)


def fences(file: Path, *languages: str) -> Iterator[str]:
    """The fenced blocks of a document in some languages, without the indent of a list."""
    for indent, language, body in _FENCE.findall(file.read_text(encoding="utf-8")):
        if language in languages:
            yield re.sub(rf"(?m)^{indent}", "", body)


def anchors(file: Path) -> set[str]:
    """The anchors a code host makes of a document's headings."""
    text = _FENCE.sub("", file.read_text(encoding="utf-8"))
    titles = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w\- ]", "", title.replace("`", "").lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", documents(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    lost = []
    for target in _LINK.findall(_FENCE.sub("", file.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (file.parent / name).resolve() if name else file
        if not place.exists() or (anchor and anchor not in anchors(place)):
            lost.append(target)

    assert lost == []


@pytest.mark.parametrize("file", documents(), ids=lambda file: str(file.relative_to(ROOT)))
def test_no_document_names_a_place_outside_of_the_repository(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert not re.search(r"(?<![\w.])/(?:home|root|work|Users)/", text)


def test_every_document_can_be_reached_from_the_index() -> None:
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        file = ahead.pop()
        if file in seen or file.suffix != ".md":
            continue
        seen.add(file)
        links = _LINK.findall(file.read_text(encoding="utf-8"))
        found = [(file.parent / link.partition("#")[0]).resolve() for link in links if not re.match(r"[a-z]+:", link)]
        for place in found:
            ahead += sorted(place.glob("*.md")) if place.is_dir() else [place] if place.is_file() else []

    lost = {file for file in (ROOT / "docs").rglob("*.md") if file not in seen}
    assert lost == set()


# Commands


def commands_in(file: Path) -> list[list[str]]:
    """Every `lofte ...` a document asks to type, in fences and in the text, without placeholders."""
    lines = [line.strip() for body in fences(file, "sh") for line in body.replace("\\\n", " ").splitlines()]
    found = [line.split("#")[0].strip() for line in lines if line.startswith("lofte ")]
    return [shlex.split(line) for line in found]


@pytest.mark.parametrize(
    "file",
    [file for file in documents() if file.parent.name != "reference" and commands_in(file)],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_every_command_that_is_shown_is_understood(file: Path) -> None:
    parser = entrance._parser()

    for words in commands_in(file):
        try:
            parser.parse_args(words[1:])
        except (SystemExit, argparse.ArgumentError):
            pytest.fail(f"not understood: {' '.join(words)}")


def test_every_usage_line_of_the_reference_names_a_command() -> None:
    shown = [body.split() for body in fences(ROOT / "docs" / "reference" / "commands.md", "sh")]

    assert [words[1] for words in shown] == sorted(entrance.commands())


@pytest.mark.parametrize("file", documents(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_script_that_is_shown_exists(file: Path) -> None:
    named = set(re.findall(r"\bscripts/([a-z]+)\b", file.read_text(encoding="utf-8")))

    assert {name for name in named if not (ROOT / "scripts" / name).is_file()} == set()


# What the documents say happens


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A place with the example policy, in which the commands of a document may be typed."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies", ignore=shutil.ignore_patterns("broken"))
    return tmp_path


@pytest.fixture
def home_log(tmp_path: Path) -> Iterator[Log]:
    opened = open_log(tmp_path / "log.sqlite3", tmp_path / "k", "localhost:8000/lofte/log", lambda: datetime.now(UTC))
    yield opened
    opened.close()


def typed(workspace: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Runs lines as somebody would who has activated the virtual environment; /tmp is the workspace's own."""
    here = script.replace("/tmp/", f"{workspace}/")  # the document's folder, moved into the test's own
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOFTE_", "DJANGO_"))}
    bin_ = str(Path(sys.executable).parent)
    return subprocess.run(
        ["bash", "-c", here], cwd=workspace, text=True, capture_output=True, timeout=120,
        env=clean | {"PATH": f"{bin_}:{clean['PATH']}", "LOFTE_HOME": str(workspace / ".home")},
    )  # fmt: skip


def tutorial_script(marker: str) -> str:
    return next(body for body in fences(TUTORIAL, "sh") if marker in body)


def test_the_tutorials_receipt_is_verified_and_an_altered_one_named(workspace: Path, home_log: Log) -> None:
    fact = canonical_bytes({"action": "decide", "choices": {"marketing": False, "statistics": True}})
    index = home_log.append_and_wait(Draft("consent", fact, canonical_bytes({"subject": "s"}), "", "one")).index
    receipt = json.dumps(home_log.receipt(index))
    (workspace / "receipt.json").write_text(receipt)

    holds = typed(workspace, tutorial_script("lofte verify receipt.json"))
    assert holds.returncode == 0, holds.stderr
    assert holds.stdout.startswith("The receipt holds: entry 0 of 1 in the log localhost:8000/lofte/log, kind consent.")
    assert '  choices: {"marketing": false, "statistics": true}' in holds.stdout

    (workspace / "receipt.json").write_text(receipt.replace("false", "true"))

    altered = typed(workspace, tutorial_script("lofte verify receipt.json"))
    assert altered.returncode == 1
    assert altered.stderr.startswith("lofte: fact: error[receipt.altered]")


def test_the_tutorials_mistake_is_named_with_its_law(workspace: Path) -> None:
    checked = typed(workspace, tutorial_script("lifetime: P2Y"))

    assert checked.returncode == 1
    assert "cookies.ga: error[cookie.no-lifetime]" in checked.stdout
    assert "law: ePrivacy 5(3)" in checked.stdout


def test_the_tutorials_difference_says_who_must_be_told(workspace: Path) -> None:
    (workspace / "mine").mkdir()
    compared = typed(workspace, tutorial_script("lofte diff"))

    assert compared.returncode == 1
    assert "changed inactivity" in compared.stdout
    assert "holders of data for newsletter" in compared.stdout
    assert "whose consent is asked anew\n  nobody's" in compared.stdout


def test_the_tutorials_break_is_seen_and_publishing_again_mends_it(workspace: Path) -> None:
    assert typed(workspace, "lofte publish policies/xledger").returncode == 0

    broken = typed(workspace, tutorial_script("import json, os, pathlib"))
    assert broken.returncode == 1
    assert "the frozen bytes of GB/en-GB/cookies.html were changed after publication" in broken.stdout

    assert typed(workspace, "lofte publish policies/xledger").returncode == 0
    assert "27 frozen files intact" in typed(workspace, "lofte doctor").stdout


def test_the_guide_to_writing_a_policy_starts_from_one_that_is_clean(workspace: Path) -> None:
    script = next(body for body in fences(ROOT / "docs" / "howto" / "write-a-policy.md", "sh") if "cp -r" in body)

    checked = typed(workspace, script)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_guide_to_publishing_compares_before_it_publishes(workspace: Path) -> None:
    script = next(body for body in fences(ROOT / "docs" / "howto" / "publish-a-version.md", "sh") if "diff" in body)

    assert typed(workspace, script).returncode == 0


def test_the_example_of_a_control_can_be_judged() -> None:
    [example] = list(fences(ROOT / "docs" / "howto" / "add-a-control.md", "python"))[:1]
    made: dict[str, object] = {}
    exec(compile(example, "add-a-control.md", "exec"), made)

    control, pages = made["CONTROL"], made["Pages"]
    assert control.verdict(pages(3, ()), {}).status == "kept"
    assert control.verdict(pages(3, ("/a",)), {}).reason == "nameless"
    assert control.verdict(pages(0, ()), {}).status == "unproved"


def test_the_examples_of_policies_are_yaml_the_model_knows() -> None:
    from ruamel.yaml import YAML

    from lofte.rules.model import Policy

    body = next(each for each in fences(ROOT / "docs" / "howto" / "write-a-policy.md", "yaml"))
    part = YAML(typ="safe", pure=True).load(body)

    assert set(part) <= set(Policy.model_fields)


def test_the_examples_of_texts_can_be_read() -> None:
    for file in (ROOT / "docs" / "howto" / "write-a-policy.md", ROOT / "docs" / "reference" / "values.md"):
        for body in fences(file, "markdown"):
            problems: list[object] = []
            blocks = parse_blocks("text/en-GB/01.md", body, problems)
            assert problems == []
            assert blocks[0].promises


# The changes


def test_every_change_is_a_fragment_for_users() -> None:
    fragments = sorted((ROOT / "changelog.d").glob("*.md"))

    assert fragments
    for fragment in fragments:
        text = fragment.read_text(encoding="utf-8").strip()
        assert text.endswith("."), fragment.name
        assert not text.startswith("#"), fragment.name
        assert len(text) < 600, fragment.name


def test_the_readme_speaks_of_every_feature_room() -> None:
    rooms = {
        folder.name for folder in (ROOT / "src" / "lofte" / "features").iterdir() if (folder / "apps.py").is_file()
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert {room for room in rooms if room not in readme} == set()
