"""`lofte verify`: a good receipt holds, an altered one is refused with the part named, anything else is one line."""

import io
import json
import sys
from typing import Any

import pytest

from lofte.cli.main import main
from lofte.cli.verify import LARGEST_RECEIPT_BYTES
from lofte.evidence.verify import ALTERED


def test_a_good_receipt_holds_and_shows_what_was_decided(receipt, saved, capsys) -> None:
    assert main(["verify", saved(receipt)]) == 0

    said = capsys.readouterr().out
    assert said.startswith("The receipt holds: entry 3 of ")
    assert "in the log example.com/log, kind consent." in said
    assert "  action: decide\n" in said
    assert "the key named in the receipt itself" in said


def test_with_the_key_from_elsewhere_nothing_is_left_to_compare(receipt, saved, capsys) -> None:
    assert main(["verify", saved(receipt), "--key", receipt["vkey"]]) == 0
    assert "Compare" not in capsys.readouterr().out


def test_a_receipt_whose_person_was_erased_still_holds(receipt, small_log, saved) -> None:
    small_log.shred([3])
    shredded = small_log.receipt(3)

    assert "who" not in shredded
    assert main(["verify", saved(shredded)]) == 0


def test_the_answer_as_json(receipt, saved, capsys) -> None:
    assert main(["verify", saved(receipt), "--json"]) == 0

    said = json.loads(capsys.readouterr().out)
    assert said["holds"] is True
    assert (said["index"], said["kind"], said["log"]) == (3, "consent", "example.com/log")
    assert said["fact"] == {"action": "decide", "number": 3}
    assert said["key_given"] is False


def altered(receipt: dict[str, Any], part: str) -> dict[str, Any]:
    """The receipt with one part changed, as somebody would who wants it to say something else."""
    changed = json.loads(json.dumps(receipt))
    proof = receipt["proof"]
    root = proof.split("\n\n")[1].splitlines()[2]
    match part:
        case "format":
            changed["note"] = "added"
        case "key":
            changed["vkey"] = "elsewhere.example/log" + receipt["vkey"][len("example.com/log") :]
        case "checkpoint":
            changed["proof"] = proof.replace(root, ("A" if root[0] != "A" else "B") + root[1:])
        case "signature":
            changed["proof"] = proof[:-10] + ("A" if proof[-10] != "A" else "B") + proof[-9:]
        case "index":
            changed["index"] = 4
        case "proof":
            lines = proof.split("\n")
            lines[4] = lines[4][:3] + ("A" if lines[4][3] != "A" else "B") + lines[4][4:]
            changed["proof"] = "\n".join(lines)
        case "kind":
            changed["kind"] = "erasure"
        case "policy":
            changed["policy"] = "cd" * 32
        case "fact":
            changed["fact"]["payload"]["action"] = "withdraw"
        case "who":
            changed["who"]["payload"]["subject"] = "somebody else"
    return changed


@pytest.mark.parametrize("part", sorted(ALTERED))
def test_an_altered_part_is_named(part: str, receipt, saved, capsys) -> None:
    assert main(["verify", saved(altered(receipt, part))]) == 1

    said = capsys.readouterr().err
    assert said.startswith(f"lofte: {part}: error[receipt.altered]: {ALTERED[part]}")
    assert said.count("\n") == 1


def test_an_altered_receipt_as_json_says_so_in_json(receipt, saved, capsys) -> None:
    assert main(["verify", saved(altered(receipt, "fact")), "--json"]) == 1

    said = json.loads(capsys.readouterr().out)
    assert said["holds"] is False
    assert said["key"] == "fact"


def test_another_logs_key_does_not_fit(receipt, saved, tmp_path, capsys) -> None:
    assert main(["verify", saved(receipt), "--key", "other.example/log+12345678+AAAA"]) == 1
    assert "lofte: key: error[receipt.altered]" in capsys.readouterr().err


def test_a_receipt_is_read_from_standard_input(receipt, monkeypatch, capsys) -> None:
    body = json.dumps(receipt).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))

    assert main(["verify", "-"]) == 0
    assert "The receipt holds" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"lofte": "receipt/2"}', "\x00\xff", "[" * 100_000])
def test_what_is_no_receipt_is_refused_in_one_line(text: str, saved, capsys) -> None:
    assert main(["verify", saved(text)]) == 1

    said = capsys.readouterr().err
    assert "error[receipt.altered]: this is not a Löfte receipt" in said
    assert said.count("\n") == 1


def test_a_file_that_is_not_there_is_named(tmp_path, capsys) -> None:
    missing = str(tmp_path / "none.json")

    assert main(["verify", missing]) == 1
    assert f"lofte: {missing}: error[receipt.unreadable]: the file cannot be read" in capsys.readouterr().err


def test_a_directory_is_no_receipt(tmp_path, capsys) -> None:
    assert main(["verify", str(tmp_path)]) == 1
    assert "error[receipt.unreadable]" in capsys.readouterr().err


def test_a_file_too_large_to_be_a_receipt_is_not_read_to_its_end(saved, capsys) -> None:
    assert main(["verify", saved(" " * (LARGEST_RECEIPT_BYTES + 1))]) == 1
    assert "error[receipt.too-large]: this is no receipt" in capsys.readouterr().err


def test_no_receipt_at_all_is_not_understood() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["verify"])

    assert ended.value.code == 2


def test_verifying_needs_no_home_no_database_and_no_network(receipt, saved, lofte) -> None:
    checked = lofte(
        "verify", saved(receipt), LOFTE_HOME="", https_proxy="http://127.0.0.1:1", http_proxy="http://127.0.0.1:1"
    )

    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("The receipt holds")
