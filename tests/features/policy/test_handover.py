"""Publishing into a running installation."""

from datetime import UTC, datetime
from pathlib import Path

from lofte.evidence.log import open_log
from lofte.features.policy import handover, reads
from lofte.features.policy.files import read_directory

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
SMALL = Path(__file__).parents[2] / "policies" / "small"


def a_log(home):
    return open_log(home / "evidence.sqlite3", home / "keys", "small.example/log", lambda: AT)


def test_the_serving_process_publishes_what_was_handed_over_and_answers(tmp_path):
    log = a_log(tmp_path)
    ticket = handover.hand_over(read_directory(SMALL), tmp_path)

    digest = handover.take(tmp_path, log, AT)
    log.close()

    assert digest == reads.current_digest(tmp_path)
    assert handover.answer_to(ticket, tmp_path) == {"ticket": ticket, "digest": digest}


def test_a_policy_that_is_not_sound_is_refused_in_the_answer_and_changes_nothing(tmp_path):
    log = a_log(tmp_path)
    files = read_directory(SMALL) | {"policy.yaml": "format: '1'\n"}
    ticket = handover.hand_over(files, tmp_path)

    taken = handover.take(tmp_path, log, AT)
    log.close()

    assert taken is None
    assert reads.current_digest(tmp_path) is None
    assert "policy.yaml" in handover.answer_to(ticket, tmp_path)["problem"]


def test_nothing_is_taken_twice(tmp_path):
    log = a_log(tmp_path)
    handover.hand_over(read_directory(SMALL), tmp_path)
    handover.take(tmp_path, log, AT)
    size = log.size()

    assert handover.take(tmp_path, log, AT) is None
    assert log.size() == size
    log.close()


def test_an_answer_to_somebody_else_is_no_answer(tmp_path):
    log = a_log(tmp_path)
    handover.hand_over(read_directory(SMALL), tmp_path)
    handover.take(tmp_path, log, AT)
    log.close()

    assert handover.answer_to("another", tmp_path) is None


def test_a_garbled_handover_is_set_aside(tmp_path):
    log = a_log(tmp_path)
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "handed-over.json").write_text("{half")

    assert handover.take(tmp_path, log, AT) is None
    assert not (tmp_path / "published" / "handed-over.json").exists()
    log.close()
