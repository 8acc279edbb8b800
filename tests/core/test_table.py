"""The compiled table: what may be used, sent and shared, by a publication and by what is on file."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lofte.core.country import Kind, OnFile
from lofte.core.decisions import BY_LAW, Act, Agreement, Case, Question, compiled, decide
from lofte.core.ports import Standing
from lofte.features.policy.files import read_directory
from lofte.rules.compile import compile_policy
from lofte.rules.source import read

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = Path(__file__).parents[2] / "policies" / "xledger"
PUBLISHED = compile_policy(read(read_directory(POLICY)), AT, None).published
FIELDS = frozenset({"name", "email", "phone"})
AGREED = Agreement("partners-se", frozenset({"contact", "answers"}), FIELDS, "SE", date(2026, 1, 1), date(2026, 12, 31))
IN_BRITAIN = replace(AGREED, recipient="partners-gb", country="GB")
AUTHORITY = Case("authority", "authorities-se", FIELDS, ("staff:1", "staff:2"))
SALE = Case("merger", "successor-se", FIELDS, ("staff:1", "staff:2"), date(2026, 10, 1), date(2026, 11, 1))


def asked(act=Act.SHARE, purpose="contact", fields=FIELDS, recipient="partners-se", country="", market="SE"):
    return Question(act, purpose, frozenset(fields), recipient, country, market)


def answer(question, *, agreements=(AGREED, IN_BRITAIN), on_file=(), said=None, restricted=False, at=AT, case=None):
    standings = {question.purpose: Standing(question.purpose, said, AT)} if said else {}
    return compiled(PUBLISHED, agreements, on_file).answer(question, standings, restricted, at, case=case)


def told(decision):
    return decision.allowed, decision.reason, decision.promise, decision.law


SHARES = {
    "a partner with an agreement": ({}, (True, "agreement", "P21", "GDPR 5(1)(b)")),
    "a partner without one": ({"agreements": ()}, (False, "no-agreement", "P21", "GDPR 5(1)(b)")),
    "an agreement that is over": (
        {"at": datetime(2027, 1, 1, 12, tzinfo=UTC)}, (False, "agreement-over", "P21", "GDPR 5(1)(b)"),
    ),
    "an agreement to come": (
        {"at": datetime(2025, 12, 31, 12, tzinfo=UTC)}, (False, "agreement-not-begun", "P21", "GDPR 5(1)(b)"),
    ),
    "a purpose the agreement lacks": (
        {"question": asked(purpose="material")}, (False, "purpose-not-agreed", "P21", "GDPR 5(1)(b)"),
    ),
    "a field the agreement lacks": (
        {"question": asked(fields={"name", "dialogue"})}, (False, "field-not-agreed", "P21", "GDPR 5(1)(c)"),
    ),
    "a field the purpose lacks": (
        {"question": asked(fields={"ip"})}, (False, "undeclared-field", "P06", "GDPR 5(1)(c)"),
    ),
    "a country the agreement lacks": (
        {"agreements": (replace(AGREED, country="FI"),)}, (False, "country-not-agreed", "P21", "GDPR 44"),
    ),
    "a recipient nobody declared": (
        {"question": asked(recipient="data-broker")}, (False, "undeclared-recipient", "P20", "GDPR 13(1)(e)"),
    ),
    "a recipient of another market": (
        {"question": asked(market="NO")}, (False, "other-market", "P20", "GDPR 13(1)(e)"),
    ),
    "a market nobody knows": ({"question": asked(market="")}, (False, "unknown-market", "P20", "GDPR 44")),
    "a country people were not told of": (
        {"question": asked(country="IN"), "agreements": (replace(AGREED, country="IN"),)},
        (False, "undeclared-country", "P24", "GDPR 13(1)(f)"),
    ),
    "somebody who objected": ({"said": "objected"}, (False, "objected", "P12", "GDPR 21(1)")),
    "somebody who restricted": ({"restricted": True}, (False, "restricted", "P28", "GDPR 18(2)")),
    "our processor's own system": (
        {"question": asked(recipient="creatio"), "agreements": ()}, (True, "processor", "P20", "GDPR 28(3)"),
    ),
    "a field the processor's system lacks": (
        {"question": asked(purpose="proof", fields={"choice"}, recipient="creatio"), "agreements": ()},
        (False, "no-agreement", "P20", "GDPR 28(3)"),
    ),
    "an authority that merely asks": (
        {"question": asked(purpose="legal-hold", recipient="authorities-se")}, (False, "no-case", "P22", "GDPR 6(3)"),
    ),
    "an agreement with an authority": (
        {
            "question": asked(purpose="legal-hold", recipient="authorities-se"),
            "agreements": (replace(AGREED, recipient="authorities-se", purposes=frozenset({"legal-hold"})),),
        },
        (False, "no-case", "P22", "GDPR 6(3)"),
    ),
    "an authority with a decision": (
        {"question": asked(purpose="legal-hold", recipient="authorities-se"), "case": AUTHORITY},
        (True, "authority", "P22", "GDPR 6(1)(c)"),
    ),
    "a decision released by one person in two sessions": (
        {
            "question": asked(purpose="legal-hold", recipient="authorities-se"),
            "case": replace(AUTHORITY, released_by=("staff:1", "staff:1")),
        },
        (False, "case-not-released", "P22", "GDPR 6(1)(c)"),
    ),
    "more than the decision asks for": (
        {
            "question": asked(purpose="legal-hold", fields={"name", "dialogue"}, recipient="authorities-se"),
            "case": AUTHORITY,
        },
        (False, "field-not-in-case", "P22", "GDPR 5(1)(c)"),
    ),
    "a decision about another": (
        {"question": asked(), "case": AUTHORITY}, (False, "case-of-another", "P21", "GDPR 5(1)(b)"),
    ),
    "a sale that was told": (
        {"question": asked(purpose="restructuring", recipient="successor-se"), "case": SALE},
        (True, "merger", "P23", "GDPR 6(1)(f)"),
    ),
    "a sale nobody was told of": (
        {"question": asked(purpose="restructuring", recipient="successor-se"), "case": replace(SALE, noticed=None)},
        (False, "case-notice-runs", "P23", "GDPR 6(1)(f)"),
    ),
    "a sale a day before the notice is over": (
        {
            "question": asked(purpose="restructuring", recipient="successor-se"), "case": SALE,
            "at": datetime(2026, 10, 31, 12, tzinfo=UTC),
        },
        (False, "case-notice-runs", "P23", "GDPR 6(1)(f)"),
    ),
    "Britain under its adequacy decision": (
        {"question": asked(recipient="partners-gb", market="GB")}, (True, "agreement", "P21", "GDPR 5(1)(b)"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SHARES)
def test_every_way_out_is_told_reason_promise_and_law(case):
    given_, expected = SHARES[case]
    question = given_.get("question", asked())

    assert told(answer(question, **{key: each for key, each in given_.items() if key != "question"})) == expected


GOOGLE = asked(purpose="contact", recipient="google", market="SE")
WITH_GOOGLE = replace(AGREED, recipient="google", country="IE")
LISTED = OnFile(Kind.LISTING, date(2026, 3, 1), date(2027, 2, 28), "google", "US", "Google LLC")
CLAUSES = OnFile(Kind.CLAUSES, date(2026, 1, 1), None, "google", "US", "(EU) 2021/914", assessed=date(2026, 1, 1))
STOP = OnFile(Kind.STOP, date(2026, 11, 1), reference="(EU) 2023/1795")
ABROAD = {
    "listed in the policy's words only": ((), "transfer-not-listed"),
    "listed with proof": ((LISTED,), "agreement"),
    "a listing that lapsed": ((replace(LISTED, until=date(2026, 11, 21)),), "transfer-listing-lapsed"),
    "a listing seen tomorrow": ((replace(LISTED, since=date(2026, 11, 23)),), "transfer-listing-lapsed"),
    "a listing of somebody else": ((replace(LISTED, recipient="meta"),), "transfer-not-listed"),
    "listed, and the decision stopped": ((LISTED, STOP), "transfer-switched-off"),
    "stopped, with clauses": ((LISTED, STOP, CLAUSES), "agreement"),
    "clauses without assessment": ((replace(CLAUSES, assessed=None),), "transfer-not-listed"),
    "clauses that ended": ((replace(CLAUSES, until=date(2026, 6, 30)),), "transfer-not-listed"),
    "one lapsed and one that holds": ((replace(LISTED, until=date(2026, 3, 2)), LISTED), "agreement"),
}


@pytest.mark.parametrize("case", ABROAD)
def test_data_leaves_the_union_only_by_what_is_on_file_that_day(case):
    on_file, reason = ABROAD[case]
    found = answer(GOOGLE, agreements=(WITH_GOOGLE,), on_file=on_file)

    assert (found.allowed, found.reason) == (reason == "agreement", reason)
    assert found.promise == ("P25" if not found.allowed else "P20")


def test_every_country_a_recipient_takes_data_to_is_asked_unless_one_is_named():
    at_home = replace(GOOGLE, country="IE")

    assert answer(at_home, agreements=(WITH_GOOGLE,)).allowed
    assert not answer(GOOGLE, agreements=(WITH_GOOGLE,)).allowed


def test_a_day_begins_where_the_exporter_is():
    """23:30 UTC on New Year's Eve is the new year in Stockholm."""
    evening = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)

    assert answer(asked(), at=evening).allowed
    assert answer(asked(), at=evening + timedelta(hours=1)).reason == "agreement-over"


def test_a_listing_without_the_uk_extension_carries_nothing_from_the_united_kingdom():
    from_britain = replace(GOOGLE, market="GB")
    extended = replace(LISTED, uk_since=date(2026, 3, 1), uk_until=date(2027, 2, 28))

    assert answer(from_britain, agreements=(WITH_GOOGLE,), on_file=(LISTED,)).reason == "transfer-no-uk-extension"
    assert answer(from_britain, agreements=(WITH_GOOGLE,), on_file=(extended,)).allowed


def test_employment_data_needs_a_listing_that_covers_it():
    policy = PUBLISHED.policy
    recruiting = policy.model_copy(
        update={"purposes": {**policy.purposes, "recruitment": policy.purposes["customer"]}}
    )  # fmt: skip
    published = PUBLISHED.model_copy(update={"policy": recruiting})
    agreed = [replace(WITH_GOOGLE, purposes=frozenset({"recruitment", "contact"}))]
    question = replace(GOOGLE, purpose="recruitment")

    def told(listing, asked_for=question):
        return compiled(published, agreed, [listing]).answer(asked_for, {}, False, AT).reason

    assert told(LISTED) == "transfer-listing-without-hr"
    assert told(LISTED, GOOGLE) == "agreement"
    assert told(replace(LISTED, covers_hr=True)) == "agreement"


def test_norway_sends_to_britain_only_once_counsel_confirmed_it():
    """The policy keeps British partners to the British market; here one that serves Norway too."""
    policy = PUBLISHED.policy
    partner = policy.recipients["partners-gb"].model_copy(update={"markets": []})
    widened = policy.model_copy(update={"recipients": {**policy.recipients, "partners-gb": partner}})
    published = PUBLISHED.model_copy(update={"policy": widened})
    question = asked(recipient="partners-gb", market="NO")
    decision = "(EU) 2021/1772, as prolonged by (EU) 2025/1226 and (EU) 2025/2574"
    confirmed = OnFile(Kind.CONFIRMATION, date(2026, 11, 1), reference=decision)

    assert compiled(published, [IN_BRITAIN]).answer(question, {}, False, AT).reason == "transfer-not-confirmed"
    assert compiled(published, [IN_BRITAIN], [confirmed]).answer(question, {}, False, AT).allowed


def test_writing_to_somebody_needs_an_address_and_what_the_purpose_needs():
    news = asked(Act.SEND, "newsletter", {"email"}, recipient="", market="SE")

    assert told(answer(news)) == (False, "no-consent", "P11", "GDPR 6(1)(a)")
    assert told(answer(news, said="granted")) == (True, "declared", "P11", "GDPR 6(1)(a)")
    assert answer(news, said="withdrawn").reason == "no-consent"
    assert answer(asked(Act.SEND, "contact", {"name"}, recipient="")).reason == "no-address"
    assert answer(replace(news, market="DK"), said="granted").reason == "unknown-market"


PURPOSES = st.sampled_from([*PUBLISHED.policy.purposes, *BY_LAW, "profiling"])
SAID = st.sampled_from(["", "granted", "withdrawn", "objected"])


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine is shared


@UNHURRIED
@given(
    PURPOSES, st.frozensets(st.sampled_from([*PUBLISHED.policy.fields, "shoe-size"]), max_size=4), SAID, st.booleans()
)
def test_a_use_is_judged_as_if_it_were_judged_alone(purpose, fields, said, restricted):
    """What the table remembers from one question is never the answer to another."""
    standings = {purpose: Standing(purpose, said, AT)} if said else {}
    found = SHARED.answer(asked(Act.USE, purpose, fields), standings, restricted, AT)

    assert found == decide(PUBLISHED, purpose, fields, standings, restricted=restricted)


SHARED = compiled(PUBLISHED, [AGREED])


@UNHURRIED
@given(PURPOSES, st.text("abcdefghijklmnopqrstuvwxyz-", max_size=12), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=2))
def test_what_is_unknown_is_denied(purpose, recipient, country):
    found = SHARED.answer(asked(purpose=purpose, fields={"email"}, recipient=recipient, country=country), {}, False, AT)

    assert not found.allowed
    assert found.promise in PUBLISHED.policy.promises
    assert found.law
