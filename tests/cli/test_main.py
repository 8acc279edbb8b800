"""The one entrance: what goes wrong becomes one line and an exit code, whatever it is."""

import argparse
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import lofte as package
from lofte.cli import main as entrance
from lofte.cli.main import commands, main
from lofte.kernel.problems import Place, Problem

ROOT = Path(__file__).parents[2]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch):
    """A command `fall` that raises what it is given."""

    def command(error: BaseException) -> None:
        def run(args: argparse.Namespace) -> int:
            raise error

        def add_parser(subparsers) -> None:
            subparsers.add_parser("fall").set_defaults(run=run)

        monkeypatch.setattr(entrance, "commands", lambda: {"fall": SimpleNamespace(add_parser=add_parser)})

    return command


def test_a_problem_becomes_one_line_and_exit_1(raising, capsys) -> None:
    raising(Problem("a.code", "it did not work", Place("policy.yaml", 3), way_out="Try again."))

    assert main(["fall"]) == 1
    assert capsys.readouterr().err == "lofte: policy.yaml:3: error[a.code]: it did not work. Try again.\n"


def test_an_error_nobody_foresaw_becomes_one_line_without_its_message(raising, capsys) -> None:
    raising(RuntimeError("kari.nordmann@example.no"))

    assert main(["fall"]) == 1

    said = capsys.readouterr().err
    assert said.startswith("lofte: error[cli.unforeseen]: something went wrong (RuntimeError)")
    assert "test_main.py:" in said
    assert said.count("\n") == 1
    assert "kari" not in said


def test_the_words_of_the_operating_system_are_passed_on(raising, capsys) -> None:
    raising(PermissionError(13, "Permission denied", "/somewhere/secret"))

    assert main(["fall"]) == 1

    said = capsys.readouterr().err
    assert "(PermissionError: Permission denied)" in said
    assert "secret" not in said


def test_ctrl_c_ends_a_command_with_130(raising) -> None:
    raising(KeyboardInterrupt())

    assert main(["fall"]) == 130


def test_an_unknown_command_exits_with_2(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nonsense"])

    assert ended.value.code == 2
    assert "invalid choice: 'nonsense'" in capsys.readouterr().err


def test_no_command_at_all_exits_with_2() -> None:
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2


def test_the_version_is_that_of_the_package(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"lofte {package.__version__}\n"


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_explains_itself(name: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: lofte {name}")


def test_a_reader_that_goes_away_is_no_error() -> None:
    checked = subprocess.run(
        f"{sys.executable} -m lofte.cli.main check policies/xledger --json | head -c 1",
        shell=True, cwd=ROOT, text=True, capture_output=True, timeout=60,
    )  # fmt: skip

    assert checked.stdout == "{"
    assert checked.stderr == ""


def test_a_bad_port_in_the_environment_troubles_no_other_command(lofte) -> None:
    checked = lofte("check", "policies/xledger", LOFTE_PORT="eighty")

    assert checked.returncode == 0, checked.stderr


def test_a_home_that_cannot_be_made_is_one_line(lofte) -> None:
    listed = lofte("staff", "list", LOFTE_HOME="/proc/nowhere")

    assert listed.returncode == 1
    assert "LOFTE_HOME: error[settings.bad-value]: the data directory cannot be made" in listed.stderr
    assert "Traceback" not in listed.stderr


def test_no_home_is_one_line_that_says_what_to_give(lofte) -> None:
    listed = lofte("staff", "list", LOFTE_HOME="")

    assert listed.returncode == 1
    assert listed.stderr.strip() == (
        "lofte: error[settings.no-home]: no data directory was named. Give --home DIR or set LOFTE_HOME."
    )


def test_a_setting_that_is_not_understood_names_itself(lofte) -> None:
    listed = lofte("staff", "list", LOFTE_SMTP="mail.example.com")

    assert listed.returncode == 1
    assert listed.stderr.startswith("lofte: LOFTE_SMTP: error[settings.bad-value]")
    assert "Traceback" not in listed.stderr


def test_a_database_that_does_not_answer_names_its_setting(lofte) -> None:
    listed = lofte("staff", "list", LOFTE_DATABASE="postgresql://me:hush@127.0.0.1:1/none")

    assert listed.returncode == 1
    assert listed.stderr.startswith("lofte: LOFTE_DATABASE: error[settings.no-database]")
    assert "Traceback" not in listed.stderr
    assert "hush" not in listed.stderr
