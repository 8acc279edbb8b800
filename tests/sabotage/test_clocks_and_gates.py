"""Break the clocks: what is kept, how long, by which law, and what would put it off. Exactly that promise turns red."""

from datetime import timedelta

import pytest

from lofte.core import clock
from lofte.core.models import Person
from lofte.features.register import due as register_due
from lofte.features.register import verbs as register
from lofte.features.register.models import Holding, Signal
from lofte.features.retention import verbs as retention
from lofte.features.rights import verbs as rights
from lofte.rules import clocks
from lofte.rules.control import Status
from lofte.rules.controls import LOCALES

pytestmark = pytest.mark.xdist_group("sabotage")

CLOCKS = frozenset({"P07", "P13", "P15", "P17", "P18", "P19", "P27"})
"""The promises that could notice what is done to clocks."""


@pytest.fixture
def somebody(system):
    """A customer with a newsletter in the register, gone again after the test."""
    person = register.welcome()
    register.begin_relation(person, "customer", market="SE", locale="sv")
    given = {"source": "staff:1", "market": "SE", "locale": "sv"}
    register.hold(person, {"email": "cecilia@example.se", "name": "Cecilia Alm"}, "contact", **given)
    register.hold(person, {"email": "cecilia@example.se", "name": "Cecilia Alm"}, "customer", **given)
    yield person
    if Person.objects.filter(pk=person).exists():
        rights.erase(person)


def _in_every_language(system, promise, part):
    said = {locale: system.reason(promise, locale) for locale in LOCALES}
    assert all(part in text and len(text) > len(part) + 20 for text in said.values())
    assert len({said["sv"], said["nb"], said["fi"], said["en-GB"]}) == 4


def test_the_clocks_are_kept_because_a_test_person_was_led_through_them(system, healthy):
    assert {one: healthy[one] for one in ("P15", "P18")} == dict.fromkeys(("P15", "P18"), Status.KEPT)
    assert "A test person led through the clock" in system.at_first["P18"]["en-GB"]


# --- P15, P18 -------------------------------------------------------------------------------------------------------


def test_a_clock_skipped_breaks_p15(system, broken_by, somebody):
    """Somebody wrote a later last day past the register; the row alone looks as if it were in time."""
    Holding.objects.of(somebody).filter(purpose="contact").update(due_at=clock.now() + timedelta(days=4000))

    assert broken_by(CLOCKS) == {"P15"}
    _in_every_language(system, "P15", "2")
    assert "later than the policy" in system.reason("P15")


def test_a_clock_skipped_breaks_p18(system, broken_by, somebody):
    Holding.objects.of(somebody).filter(purpose="customer").update(purpose="customer", due_at=None)
    register.end_relation(somebody, register.begin_relation(somebody, "customer", market="SE", locale="sv"))
    Holding.objects.of(somebody).filter(purpose="customer").update(due_at=None)

    assert broken_by(CLOCKS) == {"P18"}
    assert "missing or later" in system.reason("P18")


def test_a_sweep_that_skips_those_whose_relation_ended_breaks_p18(system, broken_by, monkeypatch):
    sweep_person = retention._sweep_person

    def selective(person_id, at, erase):
        held = Holding.objects.of(person_id).filter(purpose="customer", due_at__lte=at)
        return (0, False) if held.exists() else sweep_person(person_id, at, erase)

    monkeypatch.setattr(retention, "_sweep_person", selective)

    assert "P18" in broken_by(CLOCKS)
    _in_every_language(system, "P18", "")


def test_a_clock_that_runs_slow_breaks_p15(system, broken_by, monkeypatch):
    """A year is added where the policy gives two."""
    count = clocks.due

    def slow(name, declared, life):
        found = count(name, declared, life)
        return clocks.Due(found.at + timedelta(days=365), name) if found and name == "inactivity" else found

    monkeypatch.setattr(register_due.clocks, "due", slow)

    assert broken_by(CLOCKS) == {"P15"}
    _in_every_language(system, "P15", "365")


def test_a_clock_that_runs_while_the_relation_lasts_breaks_p18(system, broken_by, monkeypatch):
    serves = register_due._serves
    monkeypatch.setattr(
        register_due, "_serves", lambda relation, *given: relation.ended_at is not None and serves(relation, *given)
    )

    assert broken_by(CLOCKS) == {"P18"}
    assert "while the relation still lasted" in system.reason("P18")


def test_a_signal_forged_to_reset_a_clock_breaks_p15(system, broken_by, somebody):
    Signal.objects.create(person_id=somebody, kind="reply", at=clock.now() + timedelta(days=900), purpose="contact")
    register.refresh_due(somebody)

    assert broken_by(CLOCKS) == {"P15"}
    _in_every_language(system, "P15", "1")
    assert "lie in the future" in system.reason("P15")


def test_a_register_that_takes_any_sign_of_interest_breaks_p15(system, broken_by, monkeypatch):
    record = register.record_signal

    def credulous(person_id, kind, purpose=""):
        record(person_id, "reply" if kind.startswith("probe-") else kind, purpose)

    monkeypatch.setattr(register, "record_signal", credulous)

    assert broken_by(CLOCKS) == {"P15"}
    assert "nobody had shown" in system.reason("P15")


def test_a_clock_that_is_deaf_to_interest_breaks_p15(system, broken_by, monkeypatch):
    monkeypatch.setattr(register, "record_signal", lambda person_id, kind, purpose="": None)

    assert broken_by(CLOCKS) == {"P15"}
    assert "did not notice" in system.reason("P15")
