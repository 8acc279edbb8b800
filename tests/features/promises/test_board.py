"""Verdicts are kept, put into the log, shown on the board and in the public file; old proof stops counting."""

import json
from datetime import timedelta

import pytest

from lofte.core import clock, outbox, publication
from lofte.features.promises import duties, facts, reads, verbs
from lofte.features.promises.models import Verdict
from lofte.features.promises.verbs import Judged
from lofte.kernel.problems import Problem
from lofte.rules.control import Status, broken, kept, unproved
from lofte.rules.controls import LOCALES, all_controls

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def board(home, log, republish):
    """A policy with three promises: one with two controls, one nobody can observe yet, one with a control that is not there."""

    def promise(policy):
        policy["promises"] = {
            "P31": {"controls": [{"control": "withdrawal_at_once"}, {"control": "newsletter_only_with_consent"}]},
            "P42": {"controls": [{"control": "reports_anonymous"}]},
            "P99": {"controls": [{"control": "nothing_such"}]},
            "P98": {},
        }

    outbox.subscribe("verdict", facts.SUBSCRIPTIONS["verdict"])
    return republish(promise)


def _both(verdict, at=None):
    controls = ("withdrawal_at_once", "newsletter_only_with_consent")
    verbs.store([Judged("P31", control, verdict) for control in controls], at)


def test_before_anybody_looked_a_promise_is_unproved_and_says_so(board):
    line = reads.promise("P31")

    assert line.status is Status.UNPROVED
    assert "not been made yet" in line.reason("en-GB")


def test_a_promise_nobody_can_observe_says_what_is_missing(board):
    assert "What is missing" in reads.promise("P42").reason("en-GB")


def test_a_control_that_does_not_exist_never_keeps_a_promise(board):
    assert reads.promise("P99").status is Status.UNPROVED
    assert "nothing_such" in reads.promise("P99").reason("fi")


def test_a_promise_bound_to_no_control_is_unproved(board):
    assert reads.promise("P98").status is Status.UNPROVED
    assert "no control" in reads.promise("P98").reason("en-GB")


def test_one_broken_control_breaks_the_promise_and_gives_the_reason(board):
    _both(kept(deliveries=1))
    verbs.store([Judged("P31", "withdrawal_at_once", broken("sent-after", count=2))])

    line = reads.promise("P31")

    assert line.status is Status.BROKEN
    assert "Number: 2" in line.reason("en-GB")


def test_a_verdict_is_in_the_log_and_remembers_where(board, log):
    _both(kept(deliveries=1))

    row = Verdict.objects.filter(control="withdrawal_at_once").get()
    opened = log.opened(row.evidence)

    assert opened.kind == "verdict"
    assert json.loads(opened.fact)["promise"] == "P31"
    assert opened.who is None


def test_the_public_file_holds_every_promise_in_every_language(board, home):
    _both(kept(deliveries=1))

    public = json.loads((home / "published" / "verdicts.json").read_bytes())

    assert set(public) == {"P31", "P42", "P98", "P99"}
    assert public["P31"]["status"] == "kept"
    assert public["P31"]["proved_at"] == public["P31"]["at"]
    assert isinstance(public["P31"]["evidence"], int)
    assert all(set(one["reason"]) == set(LOCALES) for one in public.values())
    assert list((home / "published").glob(".verdicts-*")) == []


def test_proof_that_grew_too_old_is_unproved_in_the_public_file_too(board, home):
    _both(kept(deliveries=1), clock.now() - timedelta(days=9))
    duties.publish_board(clock.now())

    public = json.loads((home / "published" / "verdicts.json").read_bytes())

    assert public["P31"]["status"] == "unproved"
    assert "216" in public["P31"]["reason"]["sv"]
    assert public["P31"]["proved_at"] is not None


def test_the_history_is_appended_newest_first(board):
    at = clock.now()
    for hours, verdict in ((2, kept(deliveries=1)), (1, broken("no-link")), (0, unproved("no-mail"))):
        verbs.store([Judged("P31", "withdrawal_at_once", verdict)], at - timedelta(hours=hours))

    past = reads.history("P31")

    assert [one.verdict.status.value for one in past] == ["unproved", "broken", "kept"]
    assert past[1].reason("sv")
    assert past[0].publication == publication.current().digest


def test_the_board_counts_what_is_kept_broken_and_unproved(board):
    _both(kept(deliveries=1))

    assert reads.counts(reads.board()) == {"kept": 1, "broken": 0, "unproved": 3}


def test_a_fact_that_looks_personal_is_refused(board):
    with pytest.raises(ValueError, match="looks personal"):
        verbs.store([Judged("P31", "withdrawal_at_once", broken("residue", places="anna@example.se"))])

    assert not Verdict.objects.exists()


def test_the_companys_own_published_contact_may_be_named(board):
    verbs.store([Judged("P31", "withdrawal_at_once", broken("no-link", pages="/x/: dpo@small.example"))])

    assert reads.promise("P31").status is Status.BROKEN


def test_a_promise_the_policy_does_not_make_is_a_problem(board):
    with pytest.raises(Problem) as refused:
        reads.promise("P01")

    assert refused.value.status == 404


def test_the_board_asks_the_database_few_questions(board, django_assert_max_num_queries):
    _both(kept(deliveries=1))

    with django_assert_max_num_queries(2 * len(all_controls())):
        reads.board()
