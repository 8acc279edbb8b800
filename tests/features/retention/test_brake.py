"""The brake: too many at once stop the run, and two people let exactly that plan go."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from lofte.core import approvals, clock, roles, tasks
from lofte.core.models import Duty, Outbox, Person
from lofte.features.consent import verbs as consent
from lofte.features.register import verbs as keep
from lofte.features.retention import brake, reads, verbs, warnings
from lofte.features.retention.models import Planned, Stop
from lofte.kernel.problems import Problem
from lofte.rules.model import Brake

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = START + timedelta(days=800)


@pytest.fixture
def crowd(asking, subscriber, log):
    """Five people whose time is up by LATER, in a house whose runs may take three."""
    with clock.at(START):
        people = [subscriber(f"p{number}@example.no", f"P {number}") for number in range(5)]
        verbs.sweep(START)
    return people


def let_go(stop, asks="staff:1", approves="staff:7"):
    return approvals.decide(brake.ask(stop.pk, asks), approves, True)


def test_a_run_that_would_take_too_many_takes_nobody(crowd):
    swept = verbs.sweep(LATER)

    assert (swept.is_stopped, swept.erased, swept.left) == (True, 0, 5)
    assert Person.objects.count() == 5
    stop = brake.waiting()
    assert (stop.reason, stop.people, stop.registered) == ("people", 5, 5)
    assert set(Planned.everyone.values_list("person_id", flat=True)) == set(crowd)
    assert reads.sweeps()[0].is_stopped
    assert "retention.stopped" in {each.kind for each in Outbox.objects.all()}


def test_a_stopped_plan_is_the_same_in_the_next_run(crowd):
    verbs.sweep(LATER)
    verbs.sweep(LATER + timedelta(minutes=5))

    assert Stop.objects.count() == 1
    assert Planned.everyone.count() == 5


def test_two_people_let_it_go(crowd):
    with clock.at(LATER):
        verbs.sweep(LATER)
        let_go(brake.waiting())
        assert Duty.objects.get(name="retention.sweep").next_due <= clock.now()
        assert verbs.sweep(LATER).erased == 5
        verbs.sweep(LATER)

    stop = Stop.objects.get()
    assert (stop.state, stop.asked_by, stop.released_by) == ("done", "staff:1", "staff:7")
    assert not Planned.everyone.exists()


def test_who_asked_cannot_approve_nor_can_their_other_account(crowd):
    twin = User.objects.create(pk=8, username="lead-too", email="Lead@Small.example")
    roles.give(twin, ["lead"], by=roles.OPERATOR)
    User.objects.filter(pk=1).update(email="lead@small.example")
    with clock.at(LATER):
        verbs.sweep(LATER)
        asked = brake.ask(brake.waiting().pk, "staff:1")
        for who in ("staff:1", "staff:8", roles.OPERATOR):
            with pytest.raises(Problem):
                approvals.decide(asked, who, True)

        assert brake.waiting().state == Stop.State.WAITING
        assert approvals.one(asked).state == "waiting"
        assert verbs.sweep(LATER).erased == 0


def test_the_shell_cannot_ask(crowd):
    verbs.sweep(LATER)

    with pytest.raises(Problem):
        brake.ask(brake.waiting().pk, roles.OPERATOR)


def test_exactly_the_plan_goes_and_whoever_came_later_is_counted_anew(crowd, subscriber):
    with clock.at(START):
        late = [subscriber(f"q{number}@example.no", f"Q {number}") for number in range(4)]
        for person in late:
            keep.record_signal(person, "mail_click")
    with clock.at(START + timedelta(days=90)):
        for person in late:
            keep.record_signal(person, "mail_click")
    with clock.at(LATER):
        verbs.sweep(LATER)
        let_go(brake.waiting())
        later = LATER + timedelta(days=60)
        swept = verbs.sweep(later)

    assert (swept.erased, swept.is_stopped) == (5, True)
    assert set(Person.objects.values_list("id", flat=True)) == set(late)
    assert brake.waiting().people == 4


def test_a_plan_made_under_another_policy_cannot_be_let_go(crowd, stricter):
    with clock.at(LATER):
        verbs.sweep(LATER)
        asked = brake.ask(brake.waiting().pk, "staff:1")
        stricter(lambda policy: policy["clocks"]["inactivity"].update(period="P60M"))

        with pytest.raises(Problem):
            approvals.decide(asked, "staff:7", True)
        assert verbs.sweep(LATER).is_stopped is False

    assert Stop.objects.get().state == Stop.State.VOID
    assert Person.objects.count() == 5
    assert not Planned.everyone.exists()


def test_whoever_withdraws_is_erased_although_the_brake_is_on(crowd):
    verbs.sweep(LATER)
    with clock.at(LATER):
        consent.withdraw(crowd[0], "newsletter", method="one_click")
        swept = verbs.sweep(LATER + timedelta(minutes=5))

    assert (swept.erased, swept.is_stopped) == (1, True)
    assert not Person.objects.filter(pk=crowd[0]).exists()


def test_a_plan_that_people_shrank_lapses(crowd):
    verbs.sweep(LATER)
    with clock.at(LATER):
        for person in crowd[:3]:
            keep.record_signal(person, "mail_click")
        assert verbs.sweep(LATER).erased == 2

    assert Stop.objects.get().state == Stop.State.VOID


def test_nobody_is_told_of_an_end_while_a_plan_is_held(crowd, subscriber):
    with clock.at(LATER - timedelta(days=720)):
        subscriber("new@example.no", "New Person")
    verbs.sweep(LATER)

    with clock.at(LATER):
        assert warnings.warn(LATER) == 0


def test_a_policy_that_multiplies_who_goes_is_stopped_though_few_enough_for_a_run(
    published, republish, subscriber, log
):
    def roomy(policy):
        policy["retention"] = {"brake": {"people": 1000, "share": 1, "least": 3, "growth": 3}}

    def hasty(policy):
        roomy(policy)
        policy["clocks"]["inactivity"]["period"] = "P2M"

    republish(roomy)
    at = START + timedelta(days=100)
    with clock.at(START):
        for number in range(6):
            subscriber(f"p{number}@example.no", f"P {number}")
    with clock.at(at):
        verbs.sweep(at)
        republish(hasty, "2026-03")
        swept = verbs.sweep(at)
        assert (swept.is_stopped, swept.erased) == (True, 0)
        assert brake.waiting().reason == "growth"
        let_go(brake.waiting())
        assert verbs.sweep(at).erased == 6


def test_a_run_killed_while_the_plan_is_written_writes_it_whole_in_the_next(crowd, monkeypatch):
    from lofte.core import outbox

    add = outbox.add

    def dies(kind, *rest, **more):
        if kind == "retention.stopped":
            raise KeyboardInterrupt
        return add(kind, *rest, **more)

    monkeypatch.setattr(outbox, "add", dies)
    with pytest.raises(KeyboardInterrupt):
        verbs.sweep(LATER)
    assert not Stop.objects.exists()
    assert not Planned.everyone.exists()
    monkeypatch.undo()

    assert verbs.sweep(LATER).is_stopped
    assert Planned.everyone.count() == 5


@pytest.mark.parametrize(
    ("people", "registered", "expected", "reason"),
    [
        (0, 0, None, ""), (25, 30, None, ""), (26, 1000, None, ""), (51, 1000, None, "share"), (500, 100_000, None, ""),
        (501, 100_000, None, "people"), (100, 100_000, 40, ""), (121, 100_000, 40, "growth"), (25, 100_000, 0, ""),
        (26, 100_000, 0, "growth"),
    ],
)  # fmt: skip
def test_the_brake_by_its_numbers(people, registered, expected, reason):
    assert brake.too_many(people, registered, expected, Brake()) == reason


def test_warnings_and_holds_are_duties(published):
    assert {"retention.sweep", "retention.warn", "retention.holds"} <= set(tasks.names())
