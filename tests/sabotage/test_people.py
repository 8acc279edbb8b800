"""Break what is done with people's data: consents, letters, clocks, copies, erasures. Exactly that promise turns red."""

import gc
import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from django.db.backends.signals import connection_created
from django.db.backends.sqlite3.base import DatabaseWrapper

from lofte.core import clock, holdings, mail, vault
from lofte.core.models import Person
from lofte.features.consent.models import Consent
from lofte.features.outreach import audience, sending
from lofte.features.outreach.models import Delivery, SignUp
from lofte.features.register import reads as register_reads
from lofte.features.register import verbs as register
from lofte.features.register.models import Holding, Look
from lofte.features.retention import verbs as retention
from lofte.features.rights import package
from lofte.features.rights import verbs as rights
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.xdist_group("sabotage")

# Judged from rows and pages alone: what is broken here cannot reach the promises a canary walks for.
WITHOUT_CANARY = frozenset({"P01", "P02", "P07", "P13", "P17", "P18", "P27", "P44", "P49"})


@pytest.fixture
def somebody(system):
    """Somebody in the register with a newsletter holding, gone again after the test."""
    person = register.welcome()
    register.hold(
        person,
        {"email": "anna@example.se", "name": "Anna Ek"},
        "newsletter",
        source="form:newsletter",
        market="SE",
        locale="sv",
    )
    yield person
    if Person.objects.filter(pk=person).exists():
        rights.erase(person)


def _letter_past_the_rules(row, to):
    """Like any other, with its contact and its way out."""
    given = {"subject": "Nytt", "text": "Nyheter.", "html": "<p>Nyheter.</p>", "name": ""}
    link = "http://localhost/news/se/sv/unsubscribe/none/"
    words = mail.compose("issue", row.market, row.locale, **given, unsubscribe_url=link)
    mail.send(mail.Letter("issue", row.person_id, to, words, "newsletter"))


def test_a_letter_to_somebody_who_has_not_confirmed_breaks_p11(system, broken_by, monkeypatch):
    decided = audience.decided

    def careless(campaign, people, **given):
        """Sends to sign-ups too, as a plain letter that no consent is asked about."""
        for row in SignUp.everyone.filter(person_id__in=people):
            asked = json.loads(vault.opener(row.person_id).open(row.id, row.sealed))
            _letter_past_the_rules(row, asked["values"]["email"])
        return decided(campaign, people, **given)

    monkeypatch.setattr(sending.audience, "decided", careless)

    assert broken_by() == {"P11"}
    assert "had not confirmed" in system.reason("P11")


def test_a_delivery_without_any_consent_breaks_p11(system, broken_by, somebody):
    Delivery.objects.create(person_id=somebody, campaign_id=somebody, state="queued")

    assert broken_by() == {"P11"}
    assert "1 of 1" in system.reason("P11")


def test_a_consent_without_wording_breaks_p14(system, broken_by, somebody):
    digest = system.world().published.digest
    said = {"purpose": "newsletter", "ordinal": 1, "action": "granted", "wording": "", "method": "import"}
    Consent.objects.create(person_id=somebody, publication=digest, market="SE", locale="sv", **said)

    assert broken_by() == {"P14"}
    assert "lack the words the person saw" in system.reason("P14")


def test_a_consent_that_never_reached_the_log_breaks_p14(system, broken_by, somebody):
    published = system.world().published
    said = {
        "purpose": "newsletter",
        "ordinal": 1,
        "action": "granted",
        "method": "import",
        "publication": published.digest,
    }
    wording = next(iter(published.wordings.values()))
    early = clock.now() - timedelta(hours=1)
    Consent.objects.create(person_id=somebody, wording=wording, market="SE", locale="sv", at=early, **said)

    assert broken_by({"P12", "P13", "P14", "P15", "P17"}) == {"P14"}
    assert "1 of" in system.reason("P14")


def test_a_receipt_altered_in_the_store_breaks_p14(system, broken_by, healthy):
    store = system.home / "evidence.sqlite3"
    index = system.house.log.find("consent", 1)[0]
    with closing(sqlite3.connect(store, timeout=10, isolation_level=None)) as connection:
        fact = connection.execute("SELECT fact FROM openings WHERE idx = ?", (index,)).fetchone()[0]
        connection.execute(
            "UPDATE openings SET fact = ? WHERE idx = ?", (fact.replace(b"newsletter", b"advertising"), index)
        )
        try:
            assert broken_by() == {"P14"}
        finally:
            connection.execute("UPDATE openings SET fact = ? WHERE idx = ?", (fact, index))

    assert "does not verify" in system.reason("P14")
    assert "fact" in system.reason("P14")


def test_a_row_kept_past_its_clock_breaks_p15(system, broken_by, somebody):
    Holding.objects.of(somebody).update(due_at=clock.now() - timedelta(days=40))

    assert broken_by() == {"P15"}
    assert "40 days too long" in system.reason("P15")


def test_a_sweep_that_leaves_who_withdrew_breaks_p15(system, broken_by, monkeypatch):
    sweep_person = retention._sweep_person

    def lenient(person_id, at, erase):
        said = Consent.objects.of(person_id).order_by("-ordinal").first()
        return (0, False) if said and said.action == "withdrawn" else sweep_person(person_id, at, erase)

    monkeypatch.setattr(retention, "_sweep_person", lenient)

    assert broken_by() == {"P15"}
    assert "still there after the sweep" in system.reason("P15")


def test_a_customer_kept_past_the_end_of_the_relation_breaks_p18(system, broken_by, somebody):
    late = clock.now() - timedelta(days=9)
    Holding.objects.of(somebody).update(clock="end-of-relation", purpose="customer", basis="contract", due_at=late)

    assert broken_by(WITHOUT_CANARY) == {"P18"}


def test_a_holding_without_a_clock_breaks_p07(system, broken_by, somebody):
    Holding.objects.of(somebody).update(clock="", due_at=None)

    assert broken_by(WITHOUT_CANARY) == {"P07"}


@pytest.mark.parametrize("purpose, promise", [("event", "P13"), ("customer", "P17")])
def test_a_holding_on_another_basis_breaks_the_promise_of_a_contract(system, broken_by, somebody, purpose, promise):
    Holding.objects.of(somebody).update(purpose=purpose, basis="legitimate_interest")
    register.refresh_due(somebody)

    assert broken_by(WITHOUT_CANARY) == {promise}


def test_single_people_taken_over_from_a_platform_break_p46(system, broken_by, somebody):
    """Somebody took in a list of who visited, instead of how many."""
    Holding.objects.of(somebody).update(source="import:meta-pixel")

    assert broken_by(WITHOUT_CANARY | {"P06", "P16", "P46"}) == {"P46"}
    assert "import:meta-pixel (2)" in system.reason("P46")


def test_a_portal_that_answers_strangers_differently_breaks_p28(system, broken_by, monkeypatch):
    ask = rights.ask_for_link

    def telling(market, locale, address, **given):
        if register_reads.person_of("email", address) is None:
            raise Problem("rights.nobody", "we do not know this address", status=404)
        ask(market, locale, address, **given)

    monkeypatch.setattr(rights, "ask_for_link", telling)

    assert broken_by() == {"P28"}
    assert "gives away" in system.reason("P28")


def test_something_left_after_an_erasure_breaks_p29(system, broken_by, monkeypatch):
    erase_rows = holdings.erase_rows

    def forgetful(person, *given, **named):
        """Leaves who looked at the person, and so that there was such a person."""
        kept = list(Look.objects.of(person)[:1])
        counts = erase_rows(person, *given, **named)
        Look.everyone.bulk_create(kept)
        return counts

    with monkeypatch.context() as patched:
        patched.setattr(holdings, "erase_rows", forgetful)
        # A table without the person it hangs on: SQLite would refuse it at commit, other databases would not.
        with _unchecked_keys():
            broken = broken_by()
    Look.everyone.exclude(person_id__in=Person.objects.values("id"))._raw_delete("default")
    rights.resume(clock.now() + timedelta(hours=2))

    assert broken == {"P29"}
    assert "register_look" in system.reason("P29")


class _unchecked_keys:  # noqa: N801  # reads as a word in `with`
    """No connection of the server, old or new, checks foreign keys."""

    def __enter__(self):
        connection_created.connect(self._relax)
        self._say("OFF")

    def __exit__(self, *_):
        connection_created.disconnect(self._relax)
        self._say("ON")

    def _relax(self, connection, **_):
        if connection.vendor == "sqlite":
            connection.cursor().execute("PRAGMA foreign_keys=OFF")

    def _say(self, checks):
        """Threads keep theirs, and only the collector of garbage knows them all."""
        for each in gc.get_objects():
            if type(each) is DatabaseWrapper and each.alias == "default" and each.connection is not None:
                each.connection.execute(f"PRAGMA foreign_keys={checks}")


def test_a_download_that_leaves_out_the_consents_breaks_p30(system, broken_by, monkeypatch):
    build = package.build
    monkeypatch.setattr(package, "build", lambda *given: build(*given) | {"consents": []})

    assert broken_by() == {"P30"}
    assert "consent_consent" in system.reason("P30")


def test_a_download_that_does_not_fit_its_schema_breaks_p30(system, broken_by, monkeypatch):
    build = package.build
    monkeypatch.setattr(package, "build", lambda *given: build(*given) | {"made_at": "yesterday"})

    assert broken_by() == {"P30"}
    assert "made_at" in system.reason("P30")


def test_a_newsletter_without_the_one_click_header_breaks_p31(system, broken_by, monkeypatch):
    letter = mail.MarketingLetter.__post_init__

    def headless(self):
        letter(self)
        object.__setattr__(self, "headers", {})

    monkeypatch.setattr(mail.MarketingLetter, "__post_init__", headless)

    assert broken_by() == {"P31"}
    assert "one click" in system.reason("P31")


def test_a_key_that_others_may_read_breaks_p05(system, broken_by):
    key = system.home / "keys" / "subject.key"
    key.chmod(0o644)
    try:
        assert broken_by() == {"P05"}
    finally:
        key.chmod(0o600)

    assert "subject.key" in system.reason("P05")


def test_an_address_written_to_a_file_breaks_p05_and_outlives_the_erasure(system, broken_by, monkeypatch):
    send, careless = mail.send, system.home / "debug.log"

    def chatty(letter):
        with careless.open("a") as out:
            out.write(f"to {letter.to}\n")
        return send(letter)

    monkeypatch.setattr(mail, "send", chatty)
    try:
        assert broken_by() == {"P05", "P29"}
    finally:
        careless.unlink()

    assert "debug.log" in system.reason("P05")
    assert "debug.log" in system.reason("P29")
