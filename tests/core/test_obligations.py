"""What is owed to another system is a row until that system, read back, agrees: nothing is lost, doubled, or believed."""

import contextlib
import json
import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from lofte.core import clock, facts, holdings, obligations, outbox, systems, tasks, vault
from lofte.core.models import Entry, Obligation, Outbox
from lofte.core.obligations import What
from lofte.core.systems import Act, Change, Found, Kept, Left, Record, Value, Who
from lofte.features.register import verbs as register
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
State = Obligation.State
ADDRESS = "kari@example.no"
VALUES = [("email", ADDRESS), ("name", "Kari Nordmann")]


class Cabinet:
    """A system of one drawer a person, with everything that may go wrong with it. ``acts`` is what it was told, by obligation."""

    def __init__(self) -> None:
        self.drawers: dict[str, dict[str, str]] = {
            ADDRESS: {"name": "Kari Nordmann"},
            "ola@example.no": {"name": "Ola"},
        }
        self.acts: list[tuple[str, object]] = []
        self.fails: Exception | None = None
        self.lies = False
        self.statute = ""

    def _mine(self, who: Who) -> list[str]:
        return [value for field, value in who.values if field == "email" and value in self.drawers]

    def check(self, policy: object = None) -> list[Problem]:
        return []

    def takes(self, what: str, purpose: str) -> bool:
        return what != "withdraw" or purpose == "newsletter"

    def find(self, who: Who) -> Found:
        if self.fails:
            raise self.fails
        mine = self._mine(who)
        return Found(
            {"drawers": len(mine)} if mine else {}, (Kept("books", 1, self.statute),) if self.statute else (), mine
        )

    def export(self, act: Act) -> list[Record]:
        if self.fails:
            raise self.fails
        return [
            Record("drawers", tuple(Value(name, name, "customer", text) for name, text in self.drawers[each].items()))
            for each in self._mine(act.who)
        ]

    def _told(self, act: Act) -> bool:
        if self.fails:
            raise self.fails
        self.acts.append((act.what, act.id))
        return not self.lies

    def erase(self, act: Act, found: Found) -> None:
        if self._told(act):
            for each in self._mine(act.who):
                del self.drawers[each]

    def correct(self, act: Act, found: Found) -> None:
        assert act.change
        if self._told(act):
            for each in self._mine(act.who):
                self.drawers[each][act.change.field] = act.change.new

    def mark(self, act: Act, found: Found) -> None:
        if self._told(act):
            for each in self._mine(act.who):
                self.drawers[each][act.what] = act.purpose

    def verify(self, act: Act, found: Found, exported: list[Record]) -> list[Left]:
        mine, kept = self._mine(act.who), [Left("books", 1, "row", self.statute)] if self.statute else []
        match act.what:
            case "erase":
                return [Left("drawers", len(mine), "row"), *kept] if mine else kept
            case "correct":
                assert act.change
                wrong = [each for each in mine if self.drawers[each].get(act.change.field) != act.change.new]
                return [Left("drawers.name", len(wrong), "value")] if wrong else []
            case "export":
                return [Left("drawers", len(mine), "row")] if len(exported) < len(mine) else []
            case _:
                return [Left("drawers", 1, "value")] if any(act.what not in self.drawers[each] for each in mine) else []

    def search(self, who: Who, found: Found) -> list[Left]:
        return [Left("drawers", 1, "raw")] if self._mine(who) else []


@pytest.fixture
def cabinet():
    connected = Cabinet()
    systems.connect("cabinet", connected)
    yield connected
    systems.disconnect_all()


@pytest.fixture
def person(published):
    return register.welcome()


@pytest.fixture
def about(person):
    return uuid4()


def state_of(about) -> list[str]:
    return [each.state for each in obligations.owed_for(about)]


def facts_said() -> list[str]:
    return [row.kind for row in Outbox.objects.order_by("made_at", "id")]


def test_an_act_is_a_row_before_it_is_done_and_a_fact_at_every_step(cabinet, person, about):
    assert obligations.owe("erase", person, VALUES, about=about) == 1
    assert state_of(about) == ["open"]
    assert cabinet.drawers[ADDRESS]

    assert obligations.carry_out() == 1
    assert state_of(about) == ["verified"]
    assert ADDRESS not in cabinet.drawers
    assert facts_said() == ["obligation.open", "obligation.claimed", "obligation.done", "obligation.verified"]


def test_facts_and_rows_name_nobody(cabinet, person, about):
    obligations.owe("erase", person, VALUES, about=about)
    obligations.carry_out()
    said = json.dumps([[row.fact, row.who, str(row.person_id)] for row in Outbox.objects.all()])
    kept = json.dumps([[row.counts, row.left, row.reason, str(row.sealed)] for row in Obligation.objects.all()])

    for needle in (ADDRESS, "Kari", str(person)):
        assert needle not in said
        assert needle not in kept


def test_the_same_thing_owed_twice_is_owed_once(cabinet, person, about):
    assert obligations.owe("erase", person, VALUES, about=about) == 1
    assert obligations.owe("erase", person, VALUES, about=about) == 0
    obligations.carry_out()
    obligations.carry_out()

    assert len(cabinet.acts) == 1


def test_a_system_that_says_done_and_did_nothing_is_never_believed(cabinet, person, about):
    cabinet.lies = True
    obligations.owe("erase", person, VALUES, about=about)
    for _ in range(12):
        Obligation.objects.update(next_at=clock.now())
        obligations.carry_out()
    owed = obligations.owed_for(about)[0]

    assert len(cabinet.acts) == 12
    assert (owed.state, owed.reason) == ("failed", "obligation.not-done")
    assert [(each.where, each.count) for each in owed.left] == [("drawers", 1)]
    assert "obligation.verified" not in facts_said()
    assert obligations.waiting_for(about) == ("cabinet",)


def test_it_counts_as_done_once_the_system_mends_its_ways(cabinet, person, about):
    cabinet.lies = True
    obligations.owe("erase", person, VALUES, about=about)
    obligations.carry_out()
    cabinet.lies = False
    obligations.hurry("cabinet")

    assert obligations.carry_out() == 1
    assert obligations.waiting_for(about) == ()


@pytest.mark.parametrize(
    "failure",
    [TimeoutError("slow"), ConnectionError("gone"), Problem("source.unreachable", "no answer"), ValueError(ADDRESS)],
)
def test_an_error_is_tried_again_later_and_later_and_quotes_nothing(cabinet, person, about, failure, caplog):
    cabinet.fails = failure
    obligations.owe("erase", person, VALUES, about=about)
    pauses = []
    for _ in range(4):
        Obligation.objects.update(next_at=clock.now())
        assert obligations.carry_out() == 0
        pauses.append(Obligation.objects.get().next_at - clock.now())
    cabinet.fails = None

    assert pauses == sorted(pauses)
    assert obligations.carry_out() == 0  # not before its hour
    assert ADDRESS not in caplog.text
    assert obligations.owed_for(about)[0].reason in {
        "TimeoutError",
        "ConnectionError",
        "source.unreachable",
        "ValueError",
    }
    with clock.at(Obligation.objects.get().next_at):
        assert obligations.carry_out() == 1


def test_a_system_that_refused_to_start_is_owed_everything_and_says_why(person, about):
    systems.connect("crm", Problem("source.unmapped", "`people.email` looks personal and is not mapped"))
    try:
        assert obligations.owe("erase", person, VALUES, about=about) == 1
        obligations.carry_out()
        owed = obligations.owed_for(about)[0]
    finally:
        systems.disconnect_all()

    assert (owed.state, owed.reason) == ("open", "source.unmapped")


def test_what_is_owed_to_a_system_that_was_taken_away_stays_owed(cabinet, person, about):
    obligations.owe("erase", person, VALUES, about=about)
    systems.disconnect_all()
    obligations.carry_out()

    assert obligations.owed_for(about)[0].reason == "system.not-connected"
    assert obligations.waiting_for(about) == ("cabinet",)


STEPS = ["_claim", "_remember", "_do", "_move", "_verified", "_seal"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_process_that_dies_at_any_step_loses_and_doubles_nothing(
    cabinet, person, about, monkeypatch, step, moment, nth
):
    real, calls = getattr(obligations, step), []

    def die(*args, **named):
        calls.append(step)
        if len(calls) < nth:
            return real(*args, **named)
        if moment == "after":
            real(*args, **named)
        raise KeyboardInterrupt

    obligations.owe("erase", person, VALUES, about=about)
    monkeypatch.setattr(obligations, step, die)
    with contextlib.suppress(KeyboardInterrupt):
        obligations.carry_out()
    monkeypatch.undo()
    with clock.at(clock.now() + obligations.LEASE):
        obligations.carry_out()

    assert state_of(about) == ["verified"]
    assert sorted(cabinet.drawers) == ["ola@example.no"]
    assert {each for _, each in cabinet.acts} == {
        obligations.owed_for(about)[0].id
    }  # one key, however often it was said
    assert facts_said().count("obligation.verified") == 1
    assert Obligation.objects.get().counts == {"drawers": 1}


def test_nobody_takes_what_another_process_holds(cabinet, person, about):
    obligations.owe("erase", person, VALUES, about=about)
    row = Obligation.objects.get()
    assert obligations._claim(row)

    assert obligations._claim(Obligation.objects.get()) == ""
    assert obligations.carry_out() == 0
    assert cabinet.acts == []


def test_who_lost_the_lease_changes_nothing_any_more(cabinet, person, about):
    obligations.owe("erase", person, VALUES, about=about)
    row = Obligation.objects.get()
    old = obligations._claim(row)
    with clock.at(clock.now() + obligations.LEASE):
        assert obligations.carry_out() == 1
    assert obligations._carry(row, old) is False

    assert state_of(about) == ["verified"]
    assert facts_said().count("obligation.verified") == 1


def test_two_threads_do_it_once(cabinet, person, about):
    from django.db import connections

    obligations.owe("erase", person, VALUES, about=about)
    done = []

    def work():
        done.append(obligations.carry_out())
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sum(done) == 1
    assert len(cabinet.acts) == 1


def test_acts_for_one_person_keep_their_order_in_a_system(cabinet, person):
    cabinet.fails = TimeoutError()
    first, second = uuid4(), uuid4()
    obligations.owe("correct", person, VALUES, about=first, change=Change("name", "Kari Nordmann", "Kari N"))
    obligations.carry_out()
    cabinet.fails = None
    with clock.at(clock.now() + timedelta(seconds=1)):
        obligations.owe("correct", person, VALUES, about=second, change=Change("name", "Kari N", "Kari Hansen"))
        assert obligations.carry_out() == 0  # the first has not been done yet
    with clock.at(clock.now() + timedelta(minutes=5)):
        obligations.carry_out()

    assert cabinet.drawers[ADDRESS]["name"] == "Kari Hansen"
    assert [each.state for about in (first, second) for each in obligations.owed_for(about)] == ["verified"] * 2


def test_a_withdrawal_reaches_the_systems_that_use_data_for_it(cabinet, person, about, log):
    register.hold(person, dict(VALUES), "newsletter", source="import", market="NO", locale="nb")
    for kind, handler in facts.SUBSCRIPTIONS.items():
        outbox.subscribe(kind, handler)
    for purpose in ("newsletter", "customer"):
        outbox.add("consent.withdrawn", {"purpose": purpose}, person_id=person, about=uuid4())
    outbox.drain(log)
    obligations.carry_out()
    owed = [row for row in Obligation.objects.all() if row.what == What.WITHDRAW]

    assert [(row.purpose, row.state, row.due - row.made_at) for row in owed] == [
        ("newsletter", "verified", timedelta(days=1))
    ]
    assert cabinet.drawers[ADDRESS]["withdraw"] == "newsletter"


def test_the_verified_act_stands_in_the_log_and_the_row_says_where(cabinet, person, about, log):
    outbox.subscribe("obligation.verified", obligations.note_evidence)
    obligations.owe("correct", person, VALUES, about=about, change=Change("name", "Kari Nordmann", "Kari Hansen"))
    obligations.carry_out()
    outbox.drain(log)
    owed = obligations.owed_for(about)[0]

    assert json.loads(log.opened(owed.evidence_index).fact)["state"] == "verified"
    assert Entry.objects.of(person).get().index == owed.evidence_index


def test_a_copy_is_asked_for_read_back_and_forgotten_after_a_day(cabinet, person):
    returned = obligations.export(person, VALUES)[0]

    assert (returned.system, returned.is_complete) == ("cabinet", True)
    assert returned.records[0].values[0].value == "Kari Nordmann"
    assert "Kari" not in str(Obligation.objects.get().sealed)
    assert tasks.run_now("obligations.forget", clock.now()) == 0
    assert tasks.run_now("obligations.forget", clock.now() + timedelta(hours=25)) == 1


def test_a_system_that_gives_no_copy_is_named_as_incomplete(cabinet, person):
    cabinet.fails = TimeoutError()
    first = obligations.export(person, VALUES)[0]
    cabinet.fails = None
    second = obligations.export(person, VALUES)[0]

    assert (first.is_complete, first.reason, first.records) == (False, "TimeoutError", ())
    assert second.is_complete
    assert Obligation.objects.count() == 1


def test_what_is_late_is_seen(cabinet, person, about):
    cabinet.fails = TimeoutError()
    obligations.owe("erase", person, VALUES, about=about)
    obligations.carry_out()

    assert obligations.overdue() == []
    assert [each.system for each in obligations.overdue(clock.now() + timedelta(days=28))] == ["cabinet"]
    assert [each.system for each in obligations.open_now()] == ["cabinet"]


def test_the_person_sees_what_is_owed_on_their_behalf(cabinet, person, about):
    obligations.owe("correct", person, VALUES, about=about, change=Change("name", "a", "b"))
    shown = holdings.export_person(person)["obligations"]["owed"]

    assert [(each["system"], each["what"], each["state"]) for each in shown] == [("cabinet", "correct", "open")]


def test_an_erased_persons_other_obligations_go_and_the_erasure_stays_owed(cabinet, person, about):
    vault.make_key(about)
    obligations.owe("correct", person, VALUES, about=uuid4(), change=Change("name", "a", "b"))
    obligations.owe("erase", person, VALUES, about=about, owner=about)
    vault.destroy_key(person)
    counts = holdings.erase_rows(person)

    assert counts["core_obligation"] == 1
    assert obligations.carry_out() == 1
    assert state_of(about) == ["verified"]


def test_somebody_who_came_back_before_the_proof_is_owed_again(cabinet, person, about):
    obligations.owe("erase", person, VALUES, about=about)
    obligations.carry_out()
    assert obligations.look_again(about, clock.now() - timedelta(minutes=10)) == ()
    cabinet.drawers[ADDRESS] = {"name": "Kari Nordmann"}

    assert obligations.look_again(about, clock.now() + timedelta(seconds=1)) == ("cabinet",)
    assert obligations.owed_for(about)[0].reason == "obligation.came-back"
    assert obligations.carry_out() == 1
    assert ADDRESS not in cabinet.drawers


def test_what_a_statute_keeps_there_is_shown_with_it(cabinet, person, about):
    cabinet.statute = "Bokføringsloven 13"
    obligations.owe("erase", person, VALUES, about=about)
    obligations.carry_out()

    assert obligations.foresee(VALUES)["cabinet"][1] == (Kept("books", 1, "Bokføringsloven 13"),)
    assert [(each.where, each.exemption) for each in obligations.owed_for(about)[0].left] == [
        ("books", "Bokføringsloven 13")
    ]


def test_with_nothing_connected_nothing_is_owed_and_nothing_is_asked(person, about, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert obligations.export(person, VALUES) == []
    assert obligations.owe("erase", person, VALUES, about=about) == 0
