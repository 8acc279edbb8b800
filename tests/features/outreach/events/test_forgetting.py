"""What an event knew of people goes field by field after its end, with a proof, and only a law or the person keeps it longer."""

import json
from datetime import timedelta

import pytest

from lofte.core import clock, outbox, ports
from lofte.core.models import Person
from lofte.features.outreach.events import attendance, forgetting, planning, reads, seats, telling
from lofte.features.outreach.events.models import Answer, Event, Purge, Registration
from lofte.features.register.models import Holding
from lofte.features.retention import holds
from lofte.features.retention import verbs as retention
from lofte.features.rights import erasure, restriction
from lofte.features.rights.models import Request

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


@pytest.fixture
def past(event, register, at, log):
    """An event that is over, with two who came; the clock stands at its end."""
    made = event()
    register(made, "astrid@example.se")
    register(made, "bo@example.se")
    end = Event.objects.get(pk=made).ends_at
    at(end)
    return made, end


def fields_left():
    return sorted(Answer.everyone.values_list("field", flat=True))


def proofs(log):
    found = [json.loads(log.opened(each).fact) for each in log.find("erasure", 50)]
    return [each for each in found if each["event"] == "erasure.event"]


def test_each_field_goes_on_its_own_day_counted_from_the_end(past):
    _made, end = past

    assert forgetting.forget(end + timedelta(days=3) - timedelta(seconds=1)) == 0
    assert forgetting.forget(end + timedelta(days=3)) == 2
    assert fields_left() == sorted(["company", "email", "name"] * 2)
    assert forgetting.forget(end + timedelta(days=30) - timedelta(seconds=1)) == 0
    assert forgetting.forget(end + timedelta(days=30)) == 6
    assert fields_left() == []


def test_the_proof_says_how_many_went_and_that_none_is_left(past, log):
    made, end = past

    forgetting.forget(end + timedelta(days=3))
    forgetting.forget(end + timedelta(days=3, hours=1))

    (proof,) = proofs(log)
    assert proof | {"at": "", "checked_at": ""} == {
        "event": "erasure.event", "at": "", "event_id": str(made), "field": "phone", "gone": 2, "not_yet_due": 0,
        "kept_by_law": 0, "checked_at": "",
    }  # fmt: skip
    assert Purge.objects.get().evidence_index is not None
    (line,) = [each for each in reads.leaving([made], clock.now())[made] if each.field == "phone"]
    assert (line.there, line.overdue, line.purges[0].gone) == (0, 0, 2)


def test_a_proof_that_was_not_written_is_written_later_and_once(past, log, monkeypatch):
    _made, end = past
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "append_now", lambda *_, **__: (_ for _ in ()).throw(OSError("no disk")))
        with pytest.raises(OSError, match="no disk"):
            forgetting.forget(end + timedelta(days=3))
    assert Purge.objects.get().evidence_index is None

    forgetting.forget(end + timedelta(days=3))
    forgetting.prove(end + timedelta(days=3))

    assert [each["gone"] for each in proofs(log)] == [2]


def test_the_register_lets_go_of_what_it_kept_for_the_event_on_the_same_days(past):
    _, end = past
    due = dict(Holding.everyone.values_list("field", "due_at"))

    assert due["phone"] == end + timedelta(days=3)
    assert due["email"] == due["name"] == due["company"] == end + timedelta(days=30)


def test_who_came_for_one_event_is_gone_whole_on_time_and_counted(past, log, at):
    _, end = past
    at(end + timedelta(days=30))

    swept = retention.sweep(end + timedelta(days=30))
    forgetting.forget(end + timedelta(days=30))

    assert swept.erased == 2
    assert not Person.objects.exists()
    assert not Registration.everyone.exists()
    assert {each["field"]: each["gone"] for each in proofs(log)} == {
        "name": 2,
        "company": 2,
        "email": 2,
        "phone": 2,
        "*": 2,
    }


def test_somebody_known_stays_and_loses_the_registration(event, register, at, log):
    there = ports.register().welcome()
    ports.register().relate(there, "customer", market="SE", locale="sv")
    ports.register().keep(there, {"email": "astrid@example.se"}, "customer", source="staff:1", market="SE", locale="sv")
    made = event()
    register(made, "astrid@example.se")
    end = Event.objects.get(pk=made).ends_at
    at(end + timedelta(days=30))

    forgetting.forget(end + timedelta(days=30))

    assert Person.objects.filter(pk=there).exists()
    assert not Registration.everyone.exists()
    assert not Answer.everyone.exists()


def test_another_event_ahead_keeps_what_it_needs_and_no_more(past, event, register):
    _made, end = past
    later = end + timedelta(days=20)
    another = event(slug="second", starts_at=later, ends_at=later + timedelta(hours=1))
    register(another, "astrid@example.se")
    person = ports.register().find("email", "astrid@example.se")

    retention.sweep(end + timedelta(days=30))
    forgetting.forget(end + timedelta(days=30))

    assert Person.objects.filter(pk=person).exists()
    assert set(Answer.everyone.values_list("event_id", flat=True)) == {another}
    assert set(Registration.objects.of(person).values_list("event_id", flat=True)) == {another}


def test_it_is_never_kept_longer_than_the_policy_says_from_the_registration(event, register, at):
    """24 months from the registration, although the event is far off and keeps for two years after it."""
    begins = clock.now() + timedelta(days=300)
    made = event(starts_at=begins, ends_at=begins + timedelta(hours=1), keep="P24M", retention={})
    register(made, "astrid@example.se")
    row = Registration.everyone.get()

    assert row.due_at == row.made_at.replace(year=row.made_at.year + 2)


# --- what puts it off -----------------------------------------------------------------------------------------------


def test_a_hold_keeps_the_field_it_names_and_the_proof_says_so(past, log):
    _made, end = past
    person = ports.register().find("email", "astrid@example.se")
    holds.place(
        person, "accounting", "BFL 7 kap. 2 §", by="staff:1", reviewer="lead", fields=["phone"], purposes=["event"],
        until=end + timedelta(days=400),
    )  # fmt: skip

    assert forgetting.forget(end + timedelta(days=3)) == 1
    assert proofs(log)[0]["kept_by_law"] == 1
    assert reads.half_forgotten(end + timedelta(days=3)) == 1
    forgetting.forget(end + timedelta(days=401))
    assert Answer.objects.of(person).filter(field="phone").count() == 0


def test_who_wants_it_kept_keeps_it_until_they_say_otherwise(past):
    _, end = past
    person = ports.register().find("email", "astrid@example.se")
    restriction.restrict(person, by="person")

    forgetting.forget(end + timedelta(days=30))
    assert Answer.objects.of(person).count() == 4
    restriction.lift(person, by="person")
    Request.objects.filter(subject=person).delete()  # an open request keeps what its answer needs
    forgetting.forget(end + timedelta(days=30))
    assert Answer.objects.of(person).count() == 0


# --- giving up, calling off, erasing, being one ---------------------------------------------------------------------


def test_who_gave_up_their_place_is_known_for_a_week_more(event, register, at, log):
    made = event()
    register(made, "astrid@example.se")
    person = ports.register().find("email", "astrid@example.se")
    seats.withdraw(person, Registration.objects.of(person).get().id, by="person")
    left = Registration.objects.of(person).get().left_at

    assert set(Holding.objects.of(person).values_list("due_at", flat=True)) == {
        left + timedelta(days=7),
        left + timedelta(days=7),
    }
    retention.sweep(left + timedelta(days=7))
    assert not Person.objects.exists()


def test_what_was_called_off_counts_from_that_day(event, register, at, log):
    made = event()
    register(made, "astrid@example.se")
    planning.call_off(made, by="staff:1")
    telling.tell(clock.now())

    off = Event.objects.get(pk=made).cancelled_at
    assert Answer.everyone.get(field="phone").due_at == off + timedelta(days=3)
    assert Holding.everyone.get(field="email").due_at == off + timedelta(days=30)


def test_a_later_day_moves_every_deadline_with_it(event, register, plan):
    made = event()
    register(made, "astrid@example.se")
    later = plan().ends_at + timedelta(days=10)
    planning.change(made, plan(starts_at=later - timedelta(hours=3), ends_at=later, keep="P14D"), by="staff:1")

    assert Answer.everyone.get(field="phone").due_at == later + timedelta(days=3)
    assert Answer.everyone.get(field="email").due_at == later + timedelta(days=14)
    assert Holding.everyone.get(field="email").due_at == later + timedelta(days=14)


def test_erasing_a_person_takes_their_registration_and_gives_the_place_to_who_waits(event, register, log, states):
    made = event(capacity=1)
    register(made, "first@example.se")
    register(made, "second@example.se")

    erasure.erase(ports.register().find("email", "first@example.se"), by="person")
    assert seats.fill_places(clock.now()) == 1

    assert states(made) == {"registered": 1}
    assert proofs(log) == [], "who left before the clock struck is no work of the clock"


@pytest.mark.parametrize("first_left", [False, True])
def test_two_records_that_are_one_come_once(event, register, states, log, first_left):
    from lofte.core import merging

    made = event()
    register(made, "astrid@example.se", name="Astrid Ek")
    register(made, "a.ek@example.se", name="A. Ek")
    keep, gone = (ports.register().find("email", each) for each in ("astrid@example.se", "a.ek@example.se"))
    if first_left:
        seats.withdraw(keep, Registration.objects.of(keep).get().id, by="person")

    merging.merge_people(keep, gone)
    seats.settle(made)

    (mine,) = reads.of_person(keep, "portal", by="person")
    assert mine.row.state == "registered"
    assert mine.answers["name"] == ("A. Ek" if first_left else "Astrid Ek")
    assert states(made) == {"registered": 1}


def test_nothing_written_at_registering_stands_readable_in_the_database(event, register, home):
    register(event(), "astrid@example.se", company="Hemliga Bolaget AB")

    stored = b"".join(bytes(each) for each in Answer.everyone.values_list("sealed", flat=True))
    assert b"Hemliga" not in stored
    assert b"astrid" not in stored


def test_the_list_leaves_out_whom_nobody_may_look_at_now(event, register):
    made = event()
    register(made, "astrid@example.se")
    register(made, "bo@example.se")
    restriction.restrict(ports.register().find("email", "bo@example.se"), by="person")

    seen = attendance.attendees(made, "event", by="staff:1")

    assert [each.answers["email"] for each in seen] == ["astrid@example.se"]
