"""Two carry one erasure at once, as the duty and whoever ordered it do: it ends once, whole, and neither fails."""

import json

import pytest
from django.db import connection

from lofte.core import clock, holdings, outbox, vault
from lofte.core.models import Person
from lofte.core.progress import verbs as progress
from lofte.features.register.models import Signal
from lofte.features.rights import erasure, together, verbs
from lofte.features.rights.models import Erasure

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
STATES = [state for state in erasure._STEPS if state not in (Erasure.State.ELSEWHERE, Erasure.State.RESIDUE)]


@pytest.fixture
def person(somebody, log):
    found = somebody("kari.nordmann@example.no", "Kari Nordmann", "newsletter")
    outbox.drain(log)
    return found


def _is_whole(person, log):
    order = Erasure.objects.get()
    assert (order.state, order.subject, order.sealed) == (Erasure.State.DONE, None, None)
    assert not Person.objects.filter(pk=person).exists()
    assert not vault.has_key(order.id)
    assert order.counts["register_holding"] == 3
    assert len(log.find("erasure", 10)) == 1
    assert json.loads(log.opened(order.evidence_index).fact)["erased"] == order.counts


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("other", ["duty", "order"])
def test_who_is_overtaken_before_a_step_undoes_nothing(person, log, monkeypatch, state, other):
    step, met = erasure._STEPS[state], []

    def overtaken(order):
        if not met:
            met.append(state)
            together.resume(clock.now()) if other == "duty" else verbs.erase(person, by="staff:7")
        return step(order)

    monkeypatch.setitem(erasure._STEPS, state, overtaken)

    assert verbs.erase(person).is_complete
    assert met
    _is_whole(person, log)


@pytest.mark.parametrize("state", STATES)
def test_who_is_overtaken_within_a_step_undoes_nothing(person, log, monkeypatch, state):
    """The other does all of it when the first is about to write down that its step is done."""
    advance, met = erasure.advance, []

    def overtaken(order, to, **values):
        if not met and order.state == state and not connection.in_atomic_block:
            met.append(state)
            verbs.erase(person, by="staff:7")
        return advance(order, to, **values)

    monkeypatch.setattr(erasure, "advance", overtaken)

    assert verbs.erase(person).is_complete
    _is_whole(person, log)


def test_both_prove_it_in_the_same_moment_and_it_is_said_once(person, log):
    """Each has seen that the other has not said so yet."""
    met = []

    def late(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "core_outbox" in sql and "erasure.completed" in params and not met:
            met.append(sql)
            verbs.erase(person, by="staff:7")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(late):
        assert verbs.erase(person).is_complete

    assert met
    _is_whole(person, log)


def test_what_is_written_about_somebody_while_their_rows_go_goes_too(person, log, monkeypatch):
    erase_rows, met = holdings.erase_rows, []

    def beside(person_id, *given):
        counts = erase_rows(person_id, *given)
        if not met:
            met.append(person_id)
            Signal.objects.create(person_id=person_id, kind="portal_visit", at=clock.now(), source="test")
        return counts

    monkeypatch.setattr(holdings, "erase_rows", beside)

    assert verbs.erase(person).is_complete
    _is_whole(person, log)


def test_a_search_for_somebody_who_was_proved_meanwhile_looks_for_the_others(person, somebody, log):
    together.begin([person, somebody("ola@example.no", "Ola Hansen")], "sweep")
    stale = list(Erasure.objects.order_by("started_at"))
    assert verbs.erase(person).is_complete

    assert erasure.look_for(stale, None, progress.nobody, lambda: False)

    assert sorted(Erasure.objects.values_list("state", flat=True)) == [Erasure.State.CLEAN, Erasure.State.DONE]
