"""Two do something with one inquiry in the same moment: one does it, the other is told to look again; nobody gets two letters."""

import threading

import pytest
from django.db import connections

from lofte.core.models import Mail
from lofte.core.retry import in_transaction
from lofte.features.outreach.inquiries import reads, verbs
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]


def _together(*acts):
    """Each act in a thread of its own, begun at once; what each ended with."""
    ended, barrier = ["?"] * len(acts), threading.Barrier(len(acts))

    def one(number, act):
        try:
            barrier.wait(timeout=5)
            act()
            ended[number] = "done"
        except Problem as problem:
            ended[number] = problem.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=each) for each in enumerate(acts)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)
    return sorted(ended)


def test_of_two_answers_at_once_one_leaves(ask):
    line = ask()

    def answer(by):
        return lambda: verbs.at_turn(line.id, line.turn, lambda: verbs.reply(line.id, "Hundre.", by=by))

    assert _together(answer("staff:1"), answer("staff:7")) == ["done", "inquiry.moved"]
    steps = [each.kind for each in reads.history(reads.one(line.id))]
    assert steps.count("replied") == 1
    assert Mail.everyone.filter(about=line.id).count() == 2  # the confirmation and one answer


def test_of_closing_and_answering_at_once_one_happens(ask):
    line = ask()
    ended = _together(
        lambda: verbs.at_turn(line.id, line.turn, lambda: verbs.reply(line.id, "Hundre.", by="staff:1")),
        lambda: verbs.at_turn(line.id, line.turn, lambda: verbs.close(line.id, "not_meant_for_us", by="staff:7")),
    )

    assert ended == ["done", "inquiry.moved"]


def test_a_letter_that_comes_while_somebody_answers_is_not_sent_back(ask, delivered, comes_back):
    line, letter = ask(), delivered()
    ended = _together(
        lambda: verbs.reply(line.id, "Hundre.", by="staff:1"),
        in_transaction(lambda: comes_back(letter, "Hallo?")),
        in_transaction(lambda: comes_back(letter, "Er dere der?")),
    )

    assert ended.count("done") >= 2
    assert (
        "inquiry.moved" not in ended or ended.count("inquiry.moved") == 1
    )  # staff may be told to look again, the person not
    assert [each.kind for each in reads.history(reads.one(line.id))].count("received") == 3


def test_an_answer_that_fails_on_its_way_leaves_nothing_behind(ask, monkeypatch):
    """Words, files, letter and step stand or fall together."""
    line = ask()
    before = Mail.everyone.count(), len(reads.history(line))

    @in_transaction
    def broken():
        verbs.reply(line.id, "Hundre.", by="staff:1")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()

    assert (Mail.everyone.count(), len(reads.history(reads.one(line.id)))) == before
    assert reads.one(line.id).state == "open"
