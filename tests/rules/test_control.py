from datetime import UTC, datetime, timedelta

from lofte.rules.catalogue import LOCALES
from lofte.rules.control import Status, Verdict, aged, broken, kept, listed, worst
from lofte.rules.controls import all_controls, reason

SEEN_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_verdict_within_its_time_stands():
    assert aged(kept(), SEEN_AT, SEEN_AT + DAY, DAY) == kept()


def test_a_kept_verdict_past_its_time_proves_nothing_and_says_how_old_it_is():
    verdict = aged(kept(), SEEN_AT, SEEN_AT + timedelta(hours=30), DAY)

    assert (verdict.status, verdict.reason, verdict.facts) == (Status.UNPROVED, "stale", {"hours": 30})


def test_a_broken_promise_does_not_mend_by_nobody_looking():
    assert aged(broken("x"), SEEN_AT, SEEN_AT + 30 * DAY, DAY).status is Status.BROKEN


def test_one_broken_control_breaks_the_promise_and_only_all_kept_keeps_it():
    assert worst([Status.KEPT, Status.UNPROVED, Status.BROKEN]) is Status.BROKEN
    assert worst([Status.KEPT, Status.UNPROVED]) is Status.UNPROVED
    assert worst([Status.KEPT, Status.KEPT]) is Status.KEPT


def test_a_promise_without_controls_is_unproved():
    assert worst([]) is Status.UNPROVED


def test_a_long_list_is_cut_with_its_rest_counted():
    assert listed("gfedcba") == "a, b, c, d, e (+2)"


def test_a_verdict_of_an_earlier_version_of_a_control_says_so_and_breaks_no_page():
    control = next(iter(all_controls()))
    facts_lost = Verdict(Status.UNPROVED, "failed", {})
    reason_gone = Verdict(Status.KEPT, "a-reason-of-yesterday", {})
    for locale in LOCALES:
        said = {reason(control, each, locale) for each in (facts_lost, reason_gone)}
        assert len(said) == 1
        assert "{" not in said.pop()
