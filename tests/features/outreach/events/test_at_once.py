"""Many at once: no place is given twice, none stays empty while somebody waits, and nobody is told twice."""

import random
import threading

import pytest
from django.db import connections

from lofte.core import clock, ports
from lofte.core.models import Mail
from lofte.features.outreach.events import planning, reminders, seats, telling
from lofte.features.outreach.events.models import Event, Registration

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def at_once(acts):
    """Run all in threads of their own, begun together. What each ended with."""
    barrier, ended = threading.Barrier(len(acts)), ["?"] * len(acts)

    def one(number, act):
        try:
            barrier.wait(timeout=20)
            ended[number] = act()
        except BaseException as error:
            ended[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=each) for each in enumerate(acts)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=120)
    assert [each for each in ended if isinstance(each, BaseException)] == []
    return ended


def test_ten_who_register_at_once_for_three_places(event, register, states):
    made = event(capacity=3)

    at_once([lambda n=n: register(made, f"p{n}@example.se") for n in range(10)])

    assert states(made) == {"registered": 3, "waiting": 7}
    assert Mail.everyone.filter(letter="event_registered").count() == 3
    assert Mail.everyone.filter(letter="event_waiting").count() == 7


def test_the_same_address_at_once_has_one_place(event, register, states):
    made = event(capacity=5)

    at_once([lambda: register(made, "astrid@example.se") for _ in range(4)])

    assert states(made) == {"registered": 1}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_some_leave_while_others_come_and_no_place_is_lost(event, register, states, seed):
    """Whoever waits moves up by the leaving itself; nobody has to look after it."""
    chance = random.Random(seed)  # which order, not a secret
    made = event(capacity=4)
    for n in range(6):
        register(made, f"early{n}@example.se")
    leaving = [ports.register().find("email", f"early{n}@example.se") for n in chance.sample(range(6), 4)]
    acts = [
        lambda each=each: seats.withdraw(each, Registration.objects.of(each).get(event_id=made).id, by="person")
        for each in leaving
    ]
    acts += [lambda n=n: register(made, f"late{n}@example.se") for n in range(4)]
    chance.shuffle(acts)

    at_once(acts)

    found = states(made)
    assert found["left"] == 4
    assert found["registered"] == 4
    assert found["waiting"] == 2
    promoted = list(Mail.everyone.filter(letter="event_promoted").values_list("about", flat=True))
    assert len(promoted) == len(set(promoted)), "nobody is told twice"


def test_two_who_count_and_promote_at_once_promote_once(event, register, states):
    made = event(capacity=1)
    for n in range(3):
        register(made, f"p{n}@example.se")
    Event.objects.filter(pk=made).update(capacity=2)

    assert sum(at_once([lambda: seats.settle(made)] * 4)) == 1
    assert states(made) == {"registered": 2, "waiting": 1}


def test_two_processes_that_remind_at_once_remind_once(event, register, at):
    made = event()
    register(made, "astrid@example.se")
    register(made, "bo@example.se")
    begins = Event.objects.get(pk=made).starts_at
    moment = begins - (reminders.PERIODS["P1D"])
    at(moment)

    assert sum(at_once([lambda: reminders.remind(moment)] * 3)) == 2
    assert Mail.everyone.filter(letter="event_reminder").count() == 2
    assert clock.now() < begins


def test_two_processes_that_tell_at_once_tell_each_once(event, register, monkeypatch):
    made = event(capacity=9)
    for n in range(5):
        register(made, f"p{n}@example.se")
    planning.call_off(made, by="staff:1")
    monkeypatch.setattr(telling, "_BATCH", 2)

    assert sum(at_once([lambda: telling.tell(clock.now())] * 3)) == 5
    told = list(Mail.everyone.filter(letter="event_called_off").values_list("person_id", flat=True))
    assert len(told) == len(set(told)) == 5
