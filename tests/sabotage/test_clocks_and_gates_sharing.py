"""Break the gates: what leaves for partners, authorities, successors and anybody else. Exactly that promise turns red."""

from datetime import timedelta

import pytest

from lofte.core import approvals, clock, decisions, ports
from lofte.core.models import Action, Person
from lofte.features.register import verbs as register
from lofte.features.rights import verbs as rights
from lofte.features.sharing import agreements, cases, disclosures, gate
from lofte.features.sharing.models import Agreement, Case, Disclosure
from lofte.rules.control import Status
from lofte.rules.controls import LOCALES

pytestmark = pytest.mark.xdist_group("sabotage")

GATES = frozenset({"P20", "P21", "P22", "P23"})
"""The promises about what leaves the house; what a test person meets there is one walk."""


@pytest.fixture
def lead(system):
    """Somebody who asked something, gone again after the test."""
    person = register.welcome()
    register.begin_relation(person, "prospect", market="SE", locale="sv")
    given = {"source": "form:inquiry", "market": "SE", "locale": "sv"}
    register.hold(person, {"email": "disa@example.se", "name": "Disa Berg"}, "answers", **given)
    yield person
    if Person.objects.filter(pk=person).exists():
        rights.erase(person)


@pytest.fixture
def gone(lead):
    """What went to somebody, written past the verbs."""

    def make(recipient, **said):
        at = clock.now()
        row = {
            "reference": "ABCDE-FGHIJ", "recipient": recipient, "name": "Somebody", "purpose": "answers", "fields": ["name"],
            "basis": "legitimate_interest", "country": "SE", "market": "SE", "ground": "agreement", "law": "GDPR 5(1)(b)",
            "told": "phone", "by": "staff:1", "state": Disclosure.State.HANDED_OVER, "evidence_index": 1, "handed_at": at,
        }  # fmt: skip
        return Disclosure.objects.create(person_id=lead, **(row | said))

    yield make
    Disclosure.objects.of(lead)._raw_delete("default")


@pytest.fixture
def on_file(system):
    """An agreement or a case on file as staff would have put it there; changed in place by the test, gone after it."""
    made = []

    def make(**changed):
        today = clock.now().date()
        said = agreements.Given(
            recipient="partners-se", partner="Redovisning Syd AB", services=["accounting"], purposes=["answers"], fields=["name"],
            country="SE", signed=today - timedelta(days=30), expires=today + timedelta(days=300),
            review_at=today + timedelta(days=200), reviewer="lead", contact="avtal@redovisning.example",
            document_name="avtal.pdf", document=b"%PDF-1.7 signed", without_payment=True,
        )  # fmt: skip
        made.append(agreements.record(said, by="staff:1"))
        Agreement.objects.filter(pk=made[-1]).update(**changed)
        return made[-1]

    yield make
    Agreement.objects.filter(pk__in=made).delete()


@pytest.fixture
def case(system):
    made = []

    def make(kind, recipient, **changed):
        said = cases.Given(
            kind=kind, recipient=recipient, name="Someone", market="SE", fields=["name"], law="RB 38 kap.", decision="Mål 1",
            decided_on=clock.now().date(), document_name="beslut.pdf", document=b"%PDF-1.7 decided",
            relations=["customer"] if kind == Case.Kind.MERGER else [],
        )  # fmt: skip
        made.append(cases.begin(said, by="staff:1"))
        Case.objects.filter(pk=made[-1]).update(**({"released_by": ["staff:1", "staff:2"]} | changed))
        return made[-1]

    yield make
    Case.objects.filter(pk__in=made).delete()


def _in_every_language(system, promise, part):
    said = {locale: system.reason(promise, locale) for locale in LOCALES}
    assert all(part in text and len(text) > len(part) + 20 for text in said.values())
    assert len({said["sv"], said["nb"], said["fi"], said["en-GB"]}) == 4


def test_the_gates_are_kept_because_a_test_person_went_through_them(system, healthy):
    assert {one: healthy[one] for one in GATES} == dict.fromkeys(GATES, Status.KEPT), system.at_first
    assert "was referred and had a letter" in system.at_first["P21"]["en-GB"]
    assert not Agreement.objects.exists()
    assert not Case.objects.exists()


# --- P20 ------------------------------------------------------------------------------------------------------------


def test_what_left_past_the_gate_breaks_p20(system, broken_by, gone):
    gone("partners-se")

    assert broken_by(GATES) == {"P20"}
    _in_every_language(system, "P20", "partners-se (1)")
    assert "past the gate" in system.reason("P20")


def test_a_disclosure_the_log_has_not_got_breaks_p20(system, broken_by, gone, on_file):
    gone("partners-se", agreement=on_file(), evidence_index=None)

    assert broken_by(GATES) == {"P20"}
    assert "the evidence log has not got it" in system.reason("P20")


def test_a_recipient_nobody_declared_breaks_p20(system, broken_by, gone, on_file):
    gone("list-broker", agreement=on_file(recipient="list-broker"))

    assert broken_by(GATES) == {"P20"}
    assert "list-broker" in system.reason("P20")


def test_an_export_that_avoids_the_gate_breaks_p20(system, broken_by):
    """A list of people taken out by one member of staff whom nobody else let."""
    row = Action.objects.create(action="people.exported", actor="staff:77", details={"purpose": "answers", "people": 3})
    try:
        assert broken_by(GATES) == {"P20"}
    finally:
        row.delete()

    _in_every_language(system, "P20", "1")
    assert "nobody else had approved" in system.reason("P20")


def test_a_gate_that_lets_anybody_in_breaks_p20(system, broken_by, monkeypatch):
    may_share = decisions.may_share

    def easy(person_id, recipient, *given, **named):
        found = may_share(person_id, recipient, *given, **named)
        if recipient in system.world().published.policy.recipients:
            return found
        return decisions.Decision(True, "agreement", "", "GDPR 5(1)(b)")

    monkeypatch.setattr(decisions, "may_share", easy)

    assert broken_by(GATES) == {"P20"}
    _in_every_language(system, "P20", "")
    assert "does not name" in system.reason("P20")


def test_data_for_sale_breaks_p20(system, broken_by, monkeypatch):
    sound = agreements._demand_sound
    monkeypatch.setattr(agreements, "_demand_sound", lambda given: sound(given) if given.without_payment else None)

    assert broken_by(GATES) == {"P20"}
    assert "for payment" in system.reason("P20")


# --- P21 ------------------------------------------------------------------------------------------------------------


def test_a_partner_with_an_expired_agreement_breaks_p21(system, broken_by, gone, on_file):
    ended = clock.now().date() - timedelta(days=2)
    gone("partners-se", agreement=on_file(expires=ended, review_at=ended))

    assert broken_by(GATES) == {"P21"}
    _in_every_language(system, "P21", "partners-se (1)")
    assert "no agreement in force covers" in system.reason("P21")


def test_a_gate_that_forgets_the_end_of_an_agreement_breaks_p21(system, broken_by, monkeypatch):
    holds = ports.Agreement.holds
    monkeypatch.setattr(ports.Agreement, "holds", lambda self, on: on >= self.signed or holds(self, on))
    lacking = gate._lacking
    monkeypatch.setattr(gate, "_lacking", lambda *given: "" if lacking(*given) == "agreement-over" else lacking(*given))

    assert broken_by(GATES) == {"P21"}
    assert "agreement had expired" in system.reason("P21")


def test_a_partner_given_more_than_agreed_breaks_p21(system, broken_by, monkeypatch):
    letter = disclosures._letter
    monkeypatch.setattr(
        disclosures, "_letter",
        lambda row, values, at: letter(row, {**values, "email": "x@example.se", "phone": "1"} if row.agreement else values, at),
    )  # fmt: skip

    assert broken_by(GATES) == {"P21"}
    _in_every_language(system, "P21", "phone")


def test_a_referral_nobody_is_told_of_breaks_p21(system, broken_by, monkeypatch):
    monkeypatch.setattr(disclosures.letters, "send", lambda *given: None)
    monkeypatch.setattr("lofte.probes.instruments.gates._WAIT_S", 3)

    assert broken_by(GATES) == {"P21"}
    assert "no letter about it" in system.reason("P21")


def test_an_erasure_the_partner_is_not_told_of_breaks_p21(system, broken_by, monkeypatch):
    monkeypatch.setattr("lofte.features.sharing.recalls._owe", lambda *given: False)

    assert broken_by(GATES) == {"P21"}
    assert "was not told to erase" in system.reason("P21")


def test_an_agreement_without_its_document_breaks_p21(system, broken_by, on_file):
    on_file(digest="")

    assert broken_by(GATES) == {"P21"}
    assert "has no document" in system.reason("P21")


# --- P22 ------------------------------------------------------------------------------------------------------------


def test_an_authority_disclosure_without_decision_breaks_p22(system, broken_by, gone, case):
    there = case(Case.Kind.AUTHORITY, "authorities-se", sealed=None, digest="")
    gone("authorities-se", case=there, purpose="legal-hold", ground="authority")

    assert broken_by(GATES) == {"P22"}
    _in_every_language(system, "P22", "authorities-se (1)")
    assert "without its decision" in system.reason("P22")


def test_an_authority_disclosure_that_one_person_released_breaks_p22(system, broken_by, gone, case):
    there = case(Case.Kind.AUTHORITY, "authorities-se", released_by=["staff:1"])
    gone("authorities-se", case=there, purpose="legal-hold", ground="authority")

    assert broken_by(GATES) == {"P22"}
    assert "only one person" in system.reason("P22")


def test_an_authority_given_more_than_its_decision_names_breaks_p22(system, broken_by, gone, case):
    there = case(Case.Kind.AUTHORITY, "authorities-se")
    gone("authorities-se", case=there, purpose="legal-hold", ground="authority", fields=["name", "dialogue"])

    assert broken_by(GATES) == {"P22"}
    assert "more than its decision names" in system.reason("P22")


def test_a_case_that_needs_no_document_breaks_p22(system, broken_by, monkeypatch):
    checked = cases.papers.checked
    monkeypatch.setattr(cases.papers, "checked", lambda name, content: checked(name, content or b"nothing"))

    assert broken_by(GATES) == {"P22"}
    assert "without its decision" in system.reason("P22")


def test_a_release_by_two_sessions_of_one_person_breaks_p22(system, broken_by, monkeypatch):
    """Whoever asked says yes in another window, and the check for that is gone."""
    decide = approvals.decide

    def forgetful(approval, actor, approves):
        asked = approvals.one(approval)
        named = {asked.about, str(asked.details.get("case", ""))}
        own = [one for one in Case.objects.filter(kind=Case.Kind.AUTHORITY) if named & {one.id, str(one.id)}]
        if asked.asked_by == actor and own:
            return asked
        return decide(approval, actor, approves)

    monkeypatch.setattr(approvals, "decide", forgetful)

    assert broken_by(GATES) == {"P22"}
    _in_every_language(system, "P22", "")
    assert "signing in twice" in system.reason("P22")


# --- P23 ------------------------------------------------------------------------------------------------------------


def test_a_sale_that_takes_people_along_before_they_are_told_breaks_p23(system, broken_by, gone, case):
    gone("successor-se", case=case(Case.Kind.MERGER, "successor-se"), purpose="restructuring", ground="merger")

    assert broken_by(GATES) == {"P23"}
    _in_every_language(system, "P23", "successor-se (1)")
    assert "told in time" in system.reason("P23")


def test_a_notice_period_cut_short_breaks_p23(system, broken_by, monkeypatch):
    monkeypatch.setattr(cases, "_free_from", lambda noticed: noticed + timedelta(days=3))

    assert broken_by(GATES) == {"P23"}
    assert "shorter than the policy promises" in system.reason("P23")


def test_a_sale_that_takes_along_who_objected_breaks_p23(system, broken_by, monkeypatch):
    standings = ports.consents().standings

    class Deaf:
        def __getattr__(self, name):
            return getattr(consents, name)

        def standings(self, person_id):
            return {key: one for key, one in standings(person_id).items() if key != "restructuring"}

    consents = ports.consents()
    monkeypatch.setitem(ports._providers, "consents", Deaf())

    assert broken_by(GATES) == {"P23"}
    assert "had objected" in system.reason("P23")
