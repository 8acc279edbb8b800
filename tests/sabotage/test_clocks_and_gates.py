"""Break the clocks: what is kept, how long, by which law, and what would put it off. Exactly that promise turns red."""

from datetime import timedelta

import pytest

from lofte.core import clock, ports, vault
from lofte.core.backup import replaying
from lofte.core.keys.models import OwnerKey, Tombstone
from lofte.core.models import Person
from lofte.features.register import due as register_due
from lofte.features.register import verbs as register
from lofte.features.register.models import Holding, Signal
from lofte.features.retention import brake, holds
from lofte.features.retention import verbs as retention
from lofte.features.retention.models import Hold, Stop
from lofte.features.rights import deadlines
from lofte.features.rights import verbs as rights
from lofte.rules import clocks
from lofte.rules.control import Status
from lofte.rules.controls import LOCALES
from lofte.rules.model import StorageModel

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


def test_an_answer_to_a_question_nobody_asked_breaks_p15(system, broken_by, monkeypatch):
    monkeypatch.setattr(register_due, "_without_answer", lambda signals: signals)

    assert broken_by(CLOCKS) == {"P15"}
    assert "nobody had shown" in system.reason("P15")


def test_a_clock_that_is_deaf_to_interest_breaks_p15(system, broken_by, monkeypatch):
    monkeypatch.setattr(register, "record_signal", lambda person_id, kind, purpose="": None)

    assert broken_by(CLOCKS) == {"P15"}
    assert "did not notice" in system.reason("P15")


# --- the brake (P15) ------------------------------------------------------------------------------------------------


def test_a_brake_bypassed_by_two_sessions_of_one_person_breaks_p15(system, broken_by, monkeypatch):
    """Whoever asked says yes in another window, or with a second account of theirs, and nobody minds."""
    monkeypatch.setattr(brake, "_a_human", lambda actor: actor)

    assert broken_by(CLOCKS) == {"P15"}
    _in_every_language(system, "P15", "1")
    assert "by one person alone" in system.reason("P15")


def test_a_plan_one_person_let_go_breaks_p15(system, broken_by):
    plan = Stop.objects.create(
        at=clock.now(), rules="", reason="people", people=900, registered=1000, state=Stop.State.DONE, asked_by="staff:1",
        released_by="staff:1", released_at=clock.now(),
    )  # fmt: skip
    try:
        assert broken_by(CLOCKS) == {"P15"}
    finally:
        plan.delete()

    assert "by one person alone" in system.reason("P15")


# --- a restore (P29) ------------------------------------------------------------------------------------------------


def test_a_restore_that_resurrects_somebody_breaks_p29(system, broken_by, somebody):
    """The rows of a copy come back, and nobody erases again: the key stays destroyed, and the log knows."""
    wrapped = OwnerKey.objects.get(owner=somebody)
    vault.destroy_key(somebody)
    try:
        assert broken_by({"P05", "P29"}) == {"P29"}
    finally:
        Tombstone.objects.filter(pk=vault.mark(somebody)).delete()
        wrapped.save(force_insert=True)

    _in_every_language(system, "P29", "1")
    assert "in the register again" in system.reason("P29")


def test_a_register_older_than_the_log_breaks_p29(system, broken_by, monkeypatch):
    """Put back from a copy, it does not know of the erasures that the log has."""
    monkeypatch.setattr(replaying._room(), "knows", lambda order: False, raising=False)

    assert broken_by({"P05", "P29"}) == {"P29"}


# --- P19 ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hold(system, somebody):
    """A hold on somebody, as the verbs place it; changed in place by the test, past them."""
    made = []

    def make(**changed):
        until = clock.now() + timedelta(days=90)
        made.append(
            holds.place(
                somebody, "accounting", "BFL 7 kap. 2 §", by="staff:1", reviewer="lead", fields=("name",), purposes=("customer",),
                until=until,
            )
        )  # fmt: skip
        Hold.objects.filter(pk=made[-1]).update(**changed)
        return made[-1]

    yield make
    Hold.objects.filter(pk__in=made).delete()


def test_statutes_are_kept_because_a_test_person_was_held_by_one(system, healthy):
    assert healthy["P19"] is Status.KEPT, system.at_first["P19"]
    assert "only the fields the law names were left" in system.at_first["P19"]["en-GB"]


def test_a_hold_that_the_law_asks_for_leaves_p19_kept(system, broken_by, hold):
    hold()

    assert broken_by(CLOCKS) == set()
    assert "stand now: 1;" in system.reason("P19") if "P19" in system._reasons else True


@pytest.mark.parametrize("changed", [{"statute": "custom"}, {"citation": ""}, {"until": None, "review_at": None}])
def test_a_hold_without_statute_or_end_breaks_p19(system, broken_by, hold, changed):
    hold(**changed)

    assert broken_by(CLOCKS) == {"P19"}
    _in_every_language(system, "P19", "1")
    assert "without a named statute" in system.reason("P19")


def test_a_hold_past_its_end_breaks_p19(system, broken_by, hold):
    hold(until=clock.now() - timedelta(days=2))

    assert broken_by(CLOCKS) == {"P19"}
    assert "past their end" in system.reason("P19")


def test_a_hold_nobody_looked_at_again_breaks_p19(system, broken_by, hold):
    hold(review_at=clock.now() - timedelta(days=2))

    assert broken_by(CLOCKS) == {"P19"}
    assert "looked at again" in system.reason("P19")


def test_a_register_that_holds_by_custom_breaks_p19(system, broken_by, monkeypatch):
    monkeypatch.setattr(holds, "STATUTES", {**holds.STATUTES, "custom": "GDPR 0"})

    assert broken_by(CLOCKS) == {"P19"}
    assert "no law asks for" in system.reason("P19")


def test_a_hold_that_keeps_more_than_its_fields_breaks_p19(system, broken_by, monkeypatch):
    """One field is held, and everything stays."""
    covers = ports.HeldBack.covers
    monkeypatch.setattr(ports.HeldBack, "covers", lambda self, field, *given: covers(self, min(self.fields), *given))

    assert broken_by(CLOCKS) == {"P19"}
    _in_every_language(system, "P19", "customer: ")
    assert "More than the law requires" in system.reason("P19")


def test_a_sweep_that_takes_what_a_statute_keeps_breaks_p19(system, broken_by, monkeypatch):
    sweep_person = retention._sweep_person

    def greedy(person_id, at, erase):
        found = sweep_person(person_id, at, erase)
        register.drop(
            person_id, Holding.objects.of(person_id).filter(purpose="accounting").values_list("id", flat=True)
        )
        return found

    monkeypatch.setattr(retention, "_sweep_person", greedy)

    assert broken_by(CLOCKS) == {"P19"}
    _in_every_language(system, "P19", "accounting: ")
    assert "went too early" in system.reason("P19")


# --- P27 ------------------------------------------------------------------------------------------------------------


def test_a_deadline_of_another_country_breaks_p27(system, broken_by, monkeypatch):
    """Everybody is answered by Colorado's clock."""
    terms = deadlines.terms
    monkeypatch.setattr(deadlines, "terms", lambda law, *given, **named: terms("US-CO", *given, **named))

    assert broken_by({"P18", "P19", "P27"}) == {"P27"}
    _in_every_language(system, "P27", "SE: rights_deadline")


def test_a_statute_of_another_country_breaks_p27(system, broken_by, monkeypatch):
    """Records of every market are kept as long as Finland's are; the Finnish test person notices nothing."""
    floor_of = register_due._floor_of
    monkeypatch.setattr(register_due, "_floor_of", lambda law, *given: floor_of("FI", *given))

    assert broken_by({"P18", "P19", "P27"}) == {"P27"}
    _in_every_language(system, "P27", "SE: floor")


def test_a_cookie_rule_laxer_than_the_law_breaks_p27(system, broken_by):
    published = system.world().published
    purposes = published.policy.purposes
    lax = purposes["statistics"].model_copy(update={"storage_by_market": {"NO": StorageModel.OPT_OUT}})
    policy = published.policy.model_copy(update={"purposes": {**purposes, "statistics": lax}})

    assert broken_by({"P27"}, published=published.model_copy(update={"policy": policy})) == {"P27"}
    assert "NO: storage" in system.reason("P27")
