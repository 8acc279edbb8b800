"""Registering for an event: places, the queue, letters with a calendar file, and giving up a place."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest

from lofte.core import clock, mail, ports
from lofte.core.models import Mail
from lofte.features.outreach.events import planning, reads, reminders, seats, telling
from lofte.features.outreach.events.models import Answer, Event, Registration
from lofte.kernel.problems import Problem

BEGINS = datetime(2027, 3, 3, 8, tzinfo=UTC)
pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def _calendar(letter):
    part = next(each for each in letter.walk() if each.get_content_type() == "text/calendar")
    return icalendar.Calendar.from_ical(part.get_payload(decode=True))


def _text(letter):
    return letter.get_body(("plain",)).get_content()


def test_who_registers_gets_a_letter_with_the_event_for_their_calendar(event, register, letterbox, states):
    made = event()

    taken = register(made, "astrid@example.se")
    mail.deliver(clock.now())

    letter = letterbox.last()
    entry = _calendar(letter).walk("VEVENT")[0]
    assert taken.say == "events.thanks.registered"
    assert states(made) == {"registered": 1}
    assert letter["Subject"] == "Du har en plats: Bokslutsdagen"
    assert entry.decoded("dtstart") == Event.objects.get(pk=made).starts_at
    assert entry["dtstart"].params["TZID"] == "Europe/Stockholm"
    assert str(entry["summary"]) == "Bokslutsdagen"
    assert "https://meet.example/bokslut" in _text(letter)
    assert "nyhetsbrev" in _text(letter)  # that there comes none
    assert "List-Unsubscribe" not in letter


def test_the_calendar_file_names_nobody_who_comes(event, register, letterbox):
    made = event()
    register(made, "astrid@example.se")
    mail.deliver(clock.now())

    content = _calendar(letterbox.last()).to_ical().decode()

    assert "ATTENDEE" not in content
    assert "astrid" not in content.lower()
    assert "BEGIN:VTIMEZONE" in content


def test_registering_is_a_contract_and_opens_no_way_to_advertising(event, register):
    register(event(), "astrid@example.se")
    person = ports.register().find("email", "astrid@example.se")

    assert {purpose for purpose, _ in ports.register().kinds_held(person)} == {"event"}
    assert not ports.consents().is_granted(person, "newsletter")
    assert Registration.objects.of(person).get().purpose == "event"


def test_when_all_places_are_taken_people_wait_in_the_order_they_came(event, register, letterbox, states):
    made = event(capacity=1)
    register(made, "first@example.se")
    assert register(made, "second@example.se").say == "events.thanks.waiting"
    register(made, "third@example.se")

    first = ports.register().find("email", "first@example.se")
    seats.withdraw(first, Registration.objects.of(first).get().id, by="person")
    mail.deliver(clock.now())

    second = ports.register().find("email", "second@example.se")
    assert states(made) == {"left": 1, "registered": 1, "waiting": 1}
    assert Registration.objects.of(second).get().state == "registered"
    assert {each["Subject"] for each in letterbox.letters if each["To"] == "second@example.se"} == {
        "Du står på väntelistan: Bokslutsdagen",
        "Du har fått en plats: Bokslutsdagen",
    }


def test_nobody_overtakes_those_who_wait(event, register, states):
    made = event(capacity=1)
    register(made, "first@example.se")
    register(made, "second@example.se")
    Event.objects.filter(pk=made).update(capacity=2)  # free before anybody moved up

    register(made, "third@example.se")

    assert Registration.objects.of(ports.register().find("email", "third@example.se")).get().state == "waiting"
    assert seats.settle(made) == 1
    assert states(made) == {"registered": 2, "waiting": 1}


def test_without_a_waiting_list_the_form_says_that_all_places_are_taken(event, register):
    made = event(capacity=1, has_waiting_list=False)
    register(made, "first@example.se")

    with pytest.raises(Problem) as refused:
        register(made, "second@example.se")

    assert refused.value.code == "events.full"
    assert ports.register().find("email", "second@example.se") is None


def test_registering_twice_changes_nothing_and_sends_the_letter_again(event, register, letterbox, states):
    made = event()
    register(made, "astrid@example.se")
    register(made, "astrid@example.se", name="Somebody Else")
    mail.deliver(clock.now())

    person = ports.register().find("email", "astrid@example.se")
    mine = reads.of_person(person, "portal", by="person")[0]
    assert states(made) == {"registered": 1}
    assert mine.answers["name"] == "Astrid Ek"
    assert sorted("redan anmäld" in _text(each) for each in letterbox.letters) == [False, True]


def test_somebody_known_registers_and_nothing_held_about_them_changes(event, register, letterbox):
    there = ports.register().welcome()
    ports.register().relate(there, "customer", market="SE", locale="sv")
    ports.register().keep(
        there, {"email": "astrid@example.se", "name": "A. Ek"}, "customer", source="staff:1", market="SE", locale="sv"
    )
    before = ports.register().kinds_held(there)

    register(event(), "astrid@example.se")

    assert ports.register().kinds_held(there) == before
    assert ports.register().read(there, "customer", ["name"], by="staff:1")["name"] == "A. Ek"
    assert Registration.objects.of(there).count() == 1


@pytest.mark.parametrize("closed", ["draft", "off", "closes", "begun", "elsewhere"])
def test_nobody_registers_for_what_is_not_open(closed, xledger, at, event, register, plan):
    made = planning.draft(plan(), by="staff:1") if closed == "draft" else event(**_closed(closed))
    if closed == "off":
        planning.call_off(made, by="staff:1")
    if closed == "begun":
        at(Event.objects.get(pk=made).starts_at)
    if closed == "closes":
        at(clock.now() + timedelta(days=2))

    with pytest.raises(Problem) as refused:
        register(made, "astrid@example.se")

    assert refused.value.code in ("events.none", "events.closed")


def _closed(how):
    if how == "closes":
        return {"closes_at": clock.now() + timedelta(days=1)}
    return {"markets": ("GB",)} if how == "elsewhere" else {}


# --- giving up a place ----------------------------------------------------------------------------------------------


def test_the_mailed_link_gives_up_the_place_and_what_was_written_goes_at_once(event, register, letterbox, states):
    made = event()
    register(made, "astrid@example.se")
    mail.deliver(clock.now())
    code = letterbox.link("leave")

    assert reads.open_link(code).event.id == made
    assert states(made) == {"registered": 1}, "looking changes nothing"
    seats.leave(code)
    seats.leave(code)
    mail.deliver(clock.now())

    assert states(made) == {"left": 1}
    assert not Answer.everyone.exists()
    assert [each["Subject"] for each in letterbox.letters][1:] == ["Du är inte längre anmäld: Bokslutsdagen"]


def test_whoever_gave_up_their_place_can_come_after_all(event, register, letterbox, states):
    made = event()
    register(made, "astrid@example.se")
    person = ports.register().find("email", "astrid@example.se")
    seats.withdraw(person, Registration.objects.of(person).get().id, by="staff:1")

    register(made, "astrid@example.se", company="Nytt AB")

    assert states(made) == {"registered": 1}
    assert reads.of_person(person, "portal", by="person")[0].answers["company"] == "Nytt AB"


def test_an_unknown_link_says_no_more_than_that(xledger):
    with pytest.raises(Problem) as refused:
        seats.leave("x" * 43)

    assert refused.value.code == "code.unknown"
    assert reads.open_link("x" * 43) is None


# --- what staff do --------------------------------------------------------------------------------------------------


def test_another_time_is_told_with_a_calendar_file_that_replaces_the_first(event, register, letterbox, plan):
    made = event()
    register(made, "astrid@example.se")
    mail.deliver(clock.now())
    later = BEGINS + timedelta(days=1)
    planning.change(made, plan(starts_at=later, ends_at=later + timedelta(hours=3)), by="staff:1")
    planning.change(made, plan(starts_at=later, ends_at=later + timedelta(hours=3), capacity=9), by="staff:1")
    assert telling.tell(clock.now()) == 1
    mail.deliver(clock.now())

    first, second = [_calendar(each).walk("VEVENT")[0] for each in letterbox.letters]
    assert len(letterbox.letters) == 2, "more places are no news to whoever has one"
    assert first["uid"] == second["uid"]
    assert (first["sequence"], second["sequence"]) == (0, 1)


def test_calling_it_off_tells_everybody_and_takes_it_out_of_their_calendars(event, register, letterbox):
    made = event(capacity=1)
    register(made, "first@example.se")
    register(made, "second@example.se")
    mail.deliver(clock.now())
    before = len(letterbox.letters)

    assert planning.call_off(made, by="staff:1") == 2
    assert planning.call_off(made, by="staff:1") == 0
    assert telling.waiting(Event.objects.get(pk=made)) == 2
    assert [telling.tell(clock.now()), telling.tell(clock.now())] == [2, 0]
    mail.deliver(clock.now())

    told = letterbox.letters[before:]
    assert sorted(each["To"] for each in told) == ["first@example.se", "second@example.se"]
    assert {str(_calendar(each)["method"]) for each in told} == {"CANCEL"}
    assert {str(_calendar(each).walk("VEVENT")[0]["status"]) for each in told} == {"CANCELLED"}


def test_more_places_go_to_those_who_wait(event, register, states, plan):
    made = event(capacity=1)
    for name in ("first", "second", "third"):
        register(made, f"{name}@example.se")

    planning.change(made, plan(capacity=2), by="staff:1")

    assert states(made) == {"registered": 2, "waiting": 1}


# --- reminders ------------------------------------------------------------------------------------------------------


def test_each_reminder_goes_once_to_those_with_a_place(event, register, letterbox, at):
    made = event(capacity=1)
    register(made, "first@example.se")
    register(made, "second@example.se")
    reminded = lambda: list(Mail.everyone.filter(letter="event_reminder").values_list("person_id", flat=True))  # noqa: E731

    assert reminders.remind(clock.now()) == 0
    at(BEGINS - timedelta(days=7))
    assert reminders.remind(clock.now()) == 1
    assert reminders.remind(clock.now() + timedelta(hours=5)) == 0
    at(BEGINS - timedelta(days=1))
    assert reminders.remind(clock.now()) == 1
    assert reminders.remind(clock.now() + timedelta(minutes=10)) == 0

    assert reminded() == [ports.register().find("email", "first@example.se")] * 2
    assert reads.numbers([made])[made].waiting == 1


def test_who_registers_after_a_reminder_gets_only_the_next(event, register, at):
    made = event()
    at(BEGINS - timedelta(days=3))
    register(made, "late@example.se")

    assert reminders.remind(clock.now()) == 0
    assert reminders.remind(BEGINS - timedelta(days=1)) == 1


def test_a_day_before_is_a_day_by_the_clock_on_the_wall(event):
    """Clocks in Stockholm go forward on 28 March 2027."""
    begins = datetime(2027, 3, 28, 7, tzinfo=UTC)  # nine o'clock there, summer time
    made = event(starts_at=begins, ends_at=begins + timedelta(hours=1), reminders=("P1D", "PT3H"))

    assert reminders.hours_of(Event.objects.get(pk=made)) == [
        datetime(2027, 3, 27, 8, tzinfo=UTC), datetime(2027, 3, 28, 4, tzinfo=UTC),
    ]  # fmt: skip
