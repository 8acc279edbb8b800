"""The sweep: nothing past its clock, nothing before it, by the same path as any erasure."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from lofte.core import clock, outbox, tasks
from lofte.core.models import Duty, Person
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.features.consent import verbs as consent
from lofte.features.register import due
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.register.models import Holding
from lofte.features.retention import loop, reads, verbs

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_who_shows_no_interest_for_24_months_is_gone_on_the_day_and_not_before(subscriber, log):
    with clock.at(START):
        person = subscriber()

    verbs.sweep(datetime(2028, 1, 31, 11, 59, tzinfo=UTC))
    assert Person.objects.filter(pk=person).exists()

    swept = verbs.sweep(datetime(2028, 1, 31, 12, tzinfo=UTC))
    assert (swept.people, swept.erased, swept.left) == (1, 1, 0)
    assert not Person.objects.exists()
    assert json.loads(log.opened(log.find("erasure", 1)[0]).fact)["by"] == "sweep"


def test_who_shows_interest_stays(subscriber, log):
    with clock.at(START):
        person = subscriber()
    with clock.at(START + timedelta(days=700)):
        keep.record_signal(person, "mail_click")

    assert verbs.sweep(START + timedelta(days=740)).people == 0


def test_who_withdraws_is_erased_by_the_next_sweep(subscriber, log):
    person = subscriber()
    consent.withdraw(person, "newsletter", method="one_click")

    assert verbs.sweep(clock.now()).erased == 1
    assert not Person.objects.exists()


def test_a_customer_who_leaves_the_newsletter_loses_only_what_was_held_for_it(somebody, log):
    person = somebody()
    keep.hold(
        person,
        {"email": "kari.nordmann@example.no", "topics": "events"},
        "newsletter",
        source="portal",
        market="NO",
        locale="nb",
    )
    consent.grant(person, "newsletter", market="NO", locale="nb", shown="form.newsletter", method="portal")
    consent.withdraw(person, "newsletter", method="portal")

    swept = verbs.sweep(clock.now())

    assert (swept.people, swept.holdings, swept.erased) == (1, 2, 0)
    assert {each.purpose for each in Holding.objects.of(person)} == {"customer"}
    assert register.person_of("email", "kari.nordmann@example.no") == person
    outbox.drain(log)
    assert json.loads(log.opened(log.find("erasure", 1)[0]).fact)["erased"] == {"register_holding": 2}


def test_a_customer_stays_while_the_relation_lasts_and_a_year_after(somebody, log):
    with clock.at(START):
        person = somebody()
    assert verbs.sweep(START + timedelta(days=3650)).people == 0
    with clock.at(START + timedelta(days=3650)):
        keep.end_relation(person, register.relations_of(person)[0].id)

    assert verbs.sweep(START + timedelta(days=3650 + 365)).erased == 0
    assert verbs.sweep(START + timedelta(days=3650 + 366)).erased == 1


def test_a_shorter_clock_in_a_new_policy_counts_for_what_is_already_held(subscriber, republish, log):
    with clock.at(START):
        subscriber()
    assert verbs.sweep(START + timedelta(days=400)).people == 0

    republish(lambda policy: policy["clocks"]["inactivity"].update(period="P12M"))

    assert verbs.sweep(START + timedelta(days=400)).erased == 1


def test_a_deadline_pushed_ahead_by_hand_is_set_right_before_it_is_trusted(subscriber, log):
    with clock.at(START):
        person = subscriber()
    Holding.objects.of(person).update(due_at=START)

    assert verbs.sweep(START + timedelta(days=1)).erased == 0
    assert Person.objects.filter(pk=person).exists()


def test_a_killed_sweep_is_finished_by_the_next(subscriber, log, monkeypatch):
    with clock.at(START):
        for n in range(4):
            subscriber(f"p{n}@example.no")
    sweep_some, done = loop._sweep_some, []

    def die_at_second_batch(*args):
        if done:
            raise KeyboardInterrupt
        done.append(True)
        return sweep_some(*args)

    monkeypatch.setattr(loop, "_PEOPLE", 2)
    monkeypatch.setattr(loop, "_sweep_some", die_at_second_batch)
    with pytest.raises(KeyboardInterrupt):
        verbs.sweep(START + timedelta(days=800))
    monkeypatch.undo()
    assert Person.objects.count() == 2

    assert verbs.sweep(START + timedelta(days=800)).erased == 2
    assert reads.last_swept()


def test_overdue_people_are_counted_for_the_probe_until_they_are_swept(subscriber, log):
    with clock.at(START):
        subscriber()
    at = START + timedelta(days=800)

    assert reads.overdue(at) == reads.Overdue(people=1, holdings=3, longest_days=70, by_clock={"inactivity": 3})
    assert reads.overdue(at, clocks=frozenset({"end-of-relation"})).people == 0
    verbs.sweep(at)
    assert reads.overdue(at).people == 0


def test_the_forecast_says_who_will_go(subscriber):
    with clock.at(START):
        subscriber()

    assert reads.forecast(START + timedelta(days=700)).people == 0
    assert reads.forecast(START + timedelta(days=740)).people == 1


def test_the_sweep_is_a_duty_that_shows_when_it_is_late(published, log):
    tasks.run_due(only="retention.sweep")
    Duty.objects.filter(name="retention.sweep").update(next_due=clock.now() - timedelta(days=2))

    assert "retention.sweep" in [each.name for each in tasks.overdue()]
    assert reads.sweeps()[0].left == 0


def test_deadlines_worked_out_for_many_at_once_are_those_of_each(published, somebody, subscriber):
    people = [somebody(f"p{n}@example.no", f"P {n}", purpose) for n, purpose in enumerate(["customer", "answers"] * 3)]
    people.append(subscriber())
    consent.withdraw(people[-1], "newsletter", method="portal")
    keep.record_signal(people[1], "mail_click")
    said = {row.id: (row.due_at, row.clock) for row in Holding.everyone.all()}
    Holding.everyone.update(due_at=None, clock="")

    assert verbs.recompute() == len(people)
    assert {row.id: (row.due_at, row.clock) for row in Holding.everyone.all()} == said
    assert due.refresh(people) == 0


def test_working_out_anew_that_was_stopped_goes_on_where_it_was(published, somebody, monkeypatch):
    people = sorted(somebody(f"p{n}@example.no", f"P {n}", "answers") for n in range(5))
    Holding.everyone.update(due_at=None, clock="")
    monkeypatch.setattr(verbs, "_ANEW_AT_ONCE", 2)

    assert verbs.recompute(at_most=timedelta(0)) == 2
    work = progress.under_way()[0]
    assert (work.done, work.total, work.percent) == (2, 5, 40)
    assert people[1].hex not in str(list(Work.objects.values()))
    assert verbs.recompute() == 4  # the one it stopped at again, since nobody's id is written down
    assert not Holding.everyone.filter(due_at=None).exists()
    assert progress.under_way() == []


def test_a_sweep_that_had_no_time_to_work_out_all_goes_on_in_the_next(published, somebody, monkeypatch):
    somebody()
    monkeypatch.setattr(verbs, "A_PART", timedelta(0))
    monkeypatch.setattr(verbs, "_ANEW_AT_ONCE", 1)
    somebody("b@example.no")

    verbs.sweep(clock.now())
    assert progress.unfinished(verbs.RECOMPUTING, published.digest)
    monkeypatch.undo()
    verbs.sweep(clock.now())
    assert progress.last_finished(verbs.RECOMPUTING, published.digest)
