"""`lofte check`, `lofte diff`, `lofte publish` as a person types them: words, exit codes, machine forms."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lofte.cli.main import main
from lofte.rules.codes import CODES

SMALL = Path(__file__).parent.parent / "policies" / "small"
REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference" / "check.md"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    directory = tmp_path / "broken"
    shutil.copytree(SMALL, directory)
    policy = directory / "policy.yaml"
    policy.write_text(policy.read_text().replace("    lifetime: P13M\n", ""))
    return directory


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """The small policy, whose one form nothing takes in, with a form that something does."""
    directory = tmp_path / "clean"
    shutil.copytree(SMALL, directory)
    policy = directory / "policy.yaml"
    text = policy.read_text()
    policy.write_text(
        text.replace("  news:\n    purpose: news\n    f", "  news:\n    kind: newsletter\n    purpose: news\n    f")
    )
    return directory


def test_a_clean_policy_exits_with_0(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(clean), "--at", "2026-11-22"]) == 0
    assert capsys.readouterr().out.endswith("Clean: 0 error(s), 1 warning(s).\n")


def test_warnings_count_when_asked_to() -> None:
    assert main(["check", str(SMALL), "--at", "2026-11-22", "--strict"]) == 1


def test_a_broken_policy_exits_with_1_and_says_all_about_it(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(broken), "--at", "2026-11-22"]) == 1

    said = capsys.readouterr().out
    assert "policy.yaml:135: cookies.count: error[cookie.no-lifetime]: `count` has no lifetime" in said
    assert "    law: ePrivacy 5(3); CJEU C-673/17 (Planet49)" in said
    assert "    way out: Give `lifetime`" in said


def test_a_directory_that_is_none_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    assert "policy.no-directory" in capsys.readouterr().err


def test_an_empty_directory_is_a_problem_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 1
    assert "file.missing" in capsys.readouterr().out


def test_problems_as_json(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(broken), "--at", "2026-11-22", "--json"]) == 1

    said = json.loads(capsys.readouterr().out)
    assert (said["clean"], said["errors"]) == (False, 1)
    [problem] = [one for one in said["problems"] if one["severity"] == "error"]
    assert (problem["code"], problem["file"], problem["line"]) == ("cookie.no-lifetime", "policy.yaml", 135)
    assert set(problem) == {"code", "severity", "file", "line", "key", "detail", "expected", "law", "way_out"}


def test_problems_as_sarif(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(broken), "--at", "2026-11-22", "--sarif"])

    said: Mapping[str, Any] = json.loads(capsys.readouterr().out)
    [run] = said["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert said["version"] == "2.1.0"
    assert said["$schema"].endswith("sarif-schema-2.1.0.json")
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    assert {one["level"] for one in run["results"]} <= {"error", "warning", "note", "none"}
    for result in run["results"]:
        [location] = result["locations"]
        place = location["physicalLocation"]
        assert result["message"]["text"]
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert place["region"]["startLine"] >= 1


def test_a_clean_policy_is_valid_sarif_without_results(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(clean), "--at", "2026-11-22", "--sarif"]) == 0
    assert [one["level"] for one in json.loads(capsys.readouterr().out)["runs"][0]["results"]] == ["warning"]


@pytest.mark.parametrize("command", ["check", "diff", "publish"])
def test_help_documents_the_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])

    assert left.value.code == 0
    assert "exit codes:\n  0  " in capsys.readouterr().out


def test_a_difference_exits_with_1_and_none_with_0(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(SMALL), str(SMALL)]) == 0
    assert main(["diff", str(SMALL), str(broken)]) == 1
    assert "lifetime: P13M -> null" in capsys.readouterr().out
    assert main(["diff", str(SMALL), str(broken), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["changes"][0]["key"] == "count"


def test_what_cannot_be_compared_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policy.yaml").write_text("a: [")

    assert main(["diff", str(SMALL), str(tmp_path)]) == 2
    assert "lofte check" in capsys.readouterr().err


def test_publishing_twice_publishes_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"

    assert main(["publish", str(SMALL), "--home", str(home)]) == 0
    assert capsys.readouterr().out.startswith("Published: version 2026-11, ")
    assert main(["publish", str(SMALL), "--home", str(home)]) == 0
    assert capsys.readouterr().out.startswith("Unchanged: version 2026-11, ")
    digest = (home / "published" / "current").read_text().strip()
    policy = json.loads((home / "published" / "publications" / f"{digest}.json").read_text())["files"]["policy.json"]
    assert main(["diff", str(home / "published" / "objects" / policy), str(SMALL)]) == 0


def test_a_broken_policy_is_not_published(broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", str(broken), "--home", str(tmp_path / "home")]) == 1
    assert "cookie.no-lifetime" in capsys.readouterr().out


def test_the_reference_page_lists_every_code() -> None:
    from lofte.cli.check import reference

    assert REFERENCE.read_text(encoding="utf-8") == reference()
    assert all(f"`{code}`" in reference() for code in CODES)
