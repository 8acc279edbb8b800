"""The outbox: nothing lost, nothing doubled in the log, every subscriber hears at least once."""

import json
from datetime import timedelta

import pytest
from django.db import transaction

from lofte.core import clock, outbox
from lofte.core.models import Entry, Outbox, Person
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


@pytest.fixture
def heard():
    facts = []

    def listen(fact):
        facts.append(fact)

    outbox.subscribe("consent.granted", listen)
    yield facts
    outbox.unsubscribe_all()


def test_a_fact_reaches_the_log_and_its_subscribers_and_then_the_row_is_gone(log, heard):
    person = Person.objects.create()
    row = outbox.add("consent.granted", {"purpose": "news"}, policy="", person_id=person.id, about=person.id)

    assert outbox.drain(log) == 1
    opened = log.opened(0)
    assert opened.kind == "consent"
    assert json.loads(opened.fact)["event"] == "consent.granted"
    assert json.loads(opened.who) == {"person": str(person.id)}
    assert [(fact.id, fact.index, fact.person_id) for fact in heard] == [(row.id, 0, person.id)]
    assert Entry.objects.of(person.id).get().index == 0
    assert outbox.waiting() == 0


def test_a_fact_that_was_waited_for_is_durable_at_once_and_heard_later(log, heard):
    person = Person.objects.create()
    index = outbox.add_and_wait("consent.granted", {"purpose": "news"}, person_id=person.id)

    assert json.loads(log.opened(index).fact)["purpose"] == "news"
    assert Entry.objects.of(person.id).get().index == index
    assert heard == []
    assert outbox.drain(log) == 1
    assert [fact.index for fact in heard] == [index]
    assert log.size() == index + 1


def test_a_fact_whose_process_died_while_it_waited_is_the_same_entry(log):
    """The log has it, the row does not know yet: the next drain finds out."""
    person = Person.objects.create()
    row = outbox.add("decision.denied", {"purpose": "news"}, person_id=person.id)
    log.append_and_wait(outbox._draft(row))

    assert outbox.drain(log) == 1
    assert log.size() == 1
    assert Entry.objects.of(person.id).get().index == 0


def test_a_fact_of_a_transaction_that_failed_never_was(log):
    def fail():
        with transaction.atomic():
            outbox.add("consent.granted", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert outbox.drain(log) == 0
    assert log.size() == 0


def test_a_crash_between_log_and_mark_does_not_double_the_entry(log, monkeypatch):
    outbox.add("consent.granted", {})
    mark = outbox._mark

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "_mark", die)
    with pytest.raises(KeyboardInterrupt):
        outbox.drain(log)
    monkeypatch.setattr(outbox, "_mark", mark)
    assert outbox.drain(log) == 1

    assert log.size() == 1


def test_a_subscriber_that_fails_is_asked_again_and_the_others_are_not(log, heard):
    tries = []

    def stumble(fact):
        tries.append(fact.id)
        if len(tries) == 1:
            raise RuntimeError("not now")

    outbox.subscribe("consent.granted", stumble)
    outbox.add("consent.granted", {})
    assert outbox.drain(log) == 0
    assert outbox.waiting() == 1

    with clock.at(clock.now() + timedelta(hours=1)):
        assert outbox.drain(log) == 1
    assert (len(heard), len(tries)) == (1, 2)
    assert log.size() == 1


def test_what_is_no_canonical_fact_is_refused_where_the_mistake_was_made(db):
    with pytest.raises(TypeError):
        outbox.add("consent.granted", {"share": 0.5})
    assert not Outbox.objects.exists()


def test_facts_keep_their_order(log):
    for n in range(20):
        outbox.add("action.step", {"n": n})
    outbox.drain(log)

    assert [json.loads(log.opened(n).fact)["n"] for n in range(20)] == list(range(20))


def test_without_the_log_facts_wait(db):
    outbox.add("consent.granted", {})

    with pytest.raises(Problem, match=r"evidence\.no-log"):
        outbox.drain()
    assert outbox.waiting() == 1
