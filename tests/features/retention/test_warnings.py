"""People are asked before a clock takes what is held; they press keep, or it goes on the day they were told."""

from datetime import UTC, datetime, timedelta

import pytest

from lofte.core import clock, codes, mail, outbox
from lofte.core.models import Code, Mail, Person
from lofte.features.register import verbs as keep
from lofte.features.register.models import Holding, Signal
from lofte.features.retention import reads, verbs, warnings
from lofte.features.retention.models import Notice, Sweep
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
END = datetime(2028, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def quiet(asking, subscriber, log, letterbox):
    """Somebody who subscribed two years less twenty days ago and was not heard of since."""
    with clock.at(START):
        person = subscriber()
        verbs.sweep(START)
    return person


def asked(at=END - 20 * DAY):
    with clock.at(at):
        verbs.sweep(at)
        count = warnings.warn(at)
        mail.deliver(at)
    return count


def test_whoever_was_quiet_is_asked_a_month_before_and_once(quiet, letterbox):
    assert asked(END - 31 * DAY) == 0
    assert asked(END - 29 * DAY) == 1
    assert asked(END - 28 * DAY) == 0

    letter = letterbox.last()
    text = letter.get_body(("plain",)).get_content()
    assert letter["To"] == "ola@example.no"
    assert "31. januar 2028" in text
    assert letterbox.link("keep")
    html = letter.get_body(("html",)).get_content()
    assert "<img" not in html
    assert "src=" not in html


def test_keep_is_a_sign_of_interest_and_the_time_starts_again(quiet, letterbox):
    asked()
    code = letterbox.link("keep")
    with clock.at(END - 10 * DAY):
        seen = warnings.asked(code)
        assert (seen.is_all, seen.until, seen.is_kept) == (True, END, False)
        warnings.keep(code)

        notice = Notice.objects.of(quiet).get()
        assert Signal.objects.of(quiet).get(kind="kept").source == f"notice:{notice.id}"
        assert {each.due for each in reads.why(quiet)} == {datetime(2030, 1, 21, 12, tzinfo=UTC)}
        assert Notice.objects.of(quiet).get().state == Notice.State.KEPT
    assert verbs.sweep(END).erased == 0
    with pytest.raises(Problem), clock.at(END - 9 * DAY):
        warnings.keep(code)


def test_who_says_nothing_goes_on_the_day_they_were_told(quiet, letterbox):
    asked()

    assert verbs.sweep(END - timedelta(minutes=1)).erased == 0
    assert verbs.sweep(END).erased == 1
    assert not Person.objects.exists()
    assert not Notice.everyone.exists()
    assert not Code.objects.exists()


def test_looking_at_the_page_keeps_nothing(quiet, letterbox):
    asked()
    with clock.at(END - DAY):
        warnings.asked(letterbox.link("keep"))

    assert verbs.sweep(END).erased == 1


def test_who_was_asked_too_late_may_answer_for_the_grace_and_no_longer(quiet, letterbox):
    """The server stood still for a month."""
    with clock.at(END + DAY):
        assert verbs.sweep(END + DAY).erased == 0
        assert {(each.due, each.asked) for each in reads.why(quiet)} == {(END + 14 * DAY, True)}
        assert reads.overdue(END + DAY).people == 0
        mail.deliver(END + DAY)
        assert letterbox.link("keep")
    assert verbs.sweep(END + 13 * DAY).erased == 0
    with clock.at(END + 14 * DAY):
        assert verbs.sweep(END + 14 * DAY).erased == 1


def test_who_was_asked_too_late_can_still_keep(quiet, letterbox):
    with clock.at(END + DAY):
        verbs.sweep(END + DAY)
        mail.deliver(END + DAY)
        warnings.keep(letterbox.link("keep"))

    assert verbs.sweep(END + 20 * DAY).erased == 0


def test_who_cannot_be_reached_goes_like_the_others_and_that_is_said(asking, log, letterbox):
    with clock.at(START):
        person = keep.welcome()
        keep.begin_relation(person, "prospect", market="NO", locale="nb")
        keep.hold(person, {"phone": "+47 22 33 44 55"}, "answers", source="import", market="NO", locale="nb")
        verbs.sweep(START)

    assert asked() == 1
    assert Notice.objects.of(person).get().state == Notice.State.UNREACHED
    swept = verbs.sweep(END)

    assert (swept.erased, swept.unwarned) == (1, 1)
    assert Sweep.objects.order_by("-started_at").first().unwarned == 1
    assert letterbox.letters == []


def test_a_letter_that_was_refused_counts_as_not_asked(quiet, letterbox):
    letterbox.refuse = 550
    asked()

    assert Mail.objects.of(quiet).get(letter="keep").state == Mail.State.FAILED
    assert verbs.sweep(END).unwarned == 1


def test_an_end_that_a_new_policy_brings_near_waits_for_an_answer(quiet, stricter, letterbox):
    """Ten months quiet under a clock of twenty-four; now the clock is six months: overdue at once, and never asked."""
    at = START + 300 * DAY
    stricter(lambda policy: policy["clocks"]["inactivity"].update(period="P6M"))
    with clock.at(at):
        assert verbs.sweep(at).erased == 0
        assert {each.due for each in reads.why(quiet)} == {at + 14 * DAY}
    assert verbs.sweep(at + 13 * DAY).erased == 0
    assert verbs.sweep(at + 14 * DAY).erased == 1


def test_a_link_nobody_was_sent_resets_no_clock(quiet, subscriber):
    """Forged, somebody else's, or of another kind."""
    asked()
    with clock.at(START + 300 * DAY):
        other = subscriber("per@example.no", "Per Nordmann")
    with clock.at(END - 10 * DAY):
        about = Notice.objects.of(quiet).get().id
        made_for_another = codes.issue("keep", other, market="NO", locale="nb", lasts=DAY, about=about)
        of_another_kind = codes.issue("open", quiet, market="NO", locale="nb", lasts=DAY)
        for code in ("x" * 43, made_for_another, of_another_kind):
            assert warnings.asked(code) is None
            with pytest.raises(Problem):
                warnings.keep(code)

    assert not Signal.everyone.filter(kind="kept").exists()
    assert verbs.sweep(END).erased == 1


def test_a_sign_of_keeping_without_a_question_of_ours_counts_for_nothing(quiet):
    """A row written past the verbs, or by whoever found the way to the register's own."""
    with clock.at(END - 40 * DAY):
        keep.record_signal(quiet, "kept")

    assert {each.due for each in reads.why(quiet)} == {END}
    assert Holding.objects.of(quiet).first().due_at == END


def test_the_question_is_evidence_and_goes_with_its_letter_or_not_at_all(quiet, monkeypatch):
    at = END - 20 * DAY
    with clock.at(at):
        verbs.sweep(at)
        monkeypatch.setattr(mail, "send", _dies)
        with pytest.raises(RuntimeError):
            warnings.warn(at)
        assert not Notice.everyone.exists()
        monkeypatch.undo()
        assert warnings.warn(at) == 1

    outbox.drain()
    assert Mail.objects.of(quiet).filter(letter="keep").count() == 1


def _dies(letter):
    raise RuntimeError("killed")


def test_nobody_is_asked_before_the_deadlines_of_a_new_policy_are_worked_out(quiet, stricter):
    stricter(lambda policy: policy["clocks"]["inactivity"].update(period="P23M"))

    with clock.at(END - 20 * DAY):
        assert warnings.warn(END - 20 * DAY) == 0
