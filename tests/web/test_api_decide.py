"""`POST /api/decide`: another system asks with its token; the answer names promise, law and its place in the log."""

import json
from uuid import uuid4

import pytest
from django.test import Client

from lofte.core import ports
from lofte.core.gates import tokens
from lofte.core.models import Entry, Person
from lofte.features.register import reads as register
from lofte.rules.catalogue import LOCALES, room_words

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
ALL = tokens.SCOPES
NEWS = {"act": "send", "purpose": "newsletter", "fields": ["email"], "market": "SE"}
SHARE = {"act": "share", "purpose": "contact", "fields": ["name"], "recipient": "partners-se", "market": "SE"}
HANDED = {"act": "share", "purpose": "customer", "fields": ["name"], "recipient": "creatio", "market": "SE"}


class System:
    """Another system, with its token."""

    def __init__(self, secret):
        self._client, self._secret = Client(enforce_csrf_checks=True), secret

    def ask(self, body, **more):
        sent = body if isinstance(body, str | bytes) else json.dumps(body)
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self._secret}"} if self._secret else {}
        return self._client.post("/api/decide", sent, content_type="application/json", **(headers | more))


@pytest.fixture
def system(xledger, log):
    return System(tokens.add("crm", ALL, by="operator:shell"))


@pytest.fixture
def astrid(subscriber):
    subscriber("astrid@example.se")
    return register.person_of("email", "astrid@example.se")


def about(person, question):
    return question | {"person": {"id": str(person)}}


def opened(log, answer):
    found = log.opened(answer.json()["evidence"])
    return found.kind, json.loads(found.fact), found.who


def test_a_question_is_answered_with_promise_law_and_evidence(system, log, astrid):
    answer = system.ask(about(astrid, NEWS), HTTP_ACCEPT_LANGUAGE="en-GB")
    told = answer.json()

    assert answer.status_code == 200
    assert (told["allowed"], told["reason"], told["promise"], told["law"]) == (True, "declared", "P11", "GDPR 6(1)(a)")
    assert told["said"] == "The policy allows the purpose and the data."
    assert "consent" in told["promised"].lower()
    kind, fact, who = opened(log, answer)
    assert (kind, fact["event"], fact["allowed"], fact["fields"]) == ("decision", "decision.allowed", True, ["email"])
    assert json.loads(who) == {"person": str(astrid)}
    assert Entry.objects.of(astrid).filter(kind="decision.allowed", index=told["evidence"]).count() == 1


def test_what_the_person_says_changes_the_next_answer(system, astrid):
    ports.consents().withdraw(astrid, "newsletter", method="portal")

    told = system.ask(about(astrid, NEWS)).json()

    assert (told["allowed"], told["reason"]) == (False, "no-consent")


def test_a_denial_is_in_the_log_too(system, log):
    answer = system.ask(SHARE)
    kind, fact, who = opened(log, answer)

    assert (answer.json()["allowed"], answer.json()["reason"]) == (False, "no-agreement")
    assert (kind, fact["event"], fact["recipient"], who) == ("decision", "decision.denied", "partners-se", None)


def test_a_processor_of_ours_may_have_what_its_system_is_for(system):
    told = system.ask(HANDED).json()

    assert (told["allowed"], told["reason"], told["promise"]) == (True, "processor", "P20")


def test_a_person_is_found_by_address_only_with_that_scope(xledger, log, astrid):
    question = NEWS | {"person": {"field": "email", "value": "Astrid@Example.se"}}
    narrow = System(tokens.add("shop", ["decide:send"], by="operator:shell"))
    wide = System(tokens.add("crm", ["decide:send", "people:find"], by="operator:shell"))

    assert narrow.ask(question).status_code == 403
    assert wide.ask(question).json()["allowed"]
    stranger = wide.ask(NEWS | {"person": {"field": "email", "value": "nobody@example.se"}}).json()
    assert (stranger["allowed"], stranger["reason"]) == (False, "no-consent")


def test_nobody_in_the_register_is_a_denial(system):
    answered = system.ask(HANDED | {"person": {"id": str(uuid4())}}).json()
    waiting = Person.objects.create(provisional=True)

    assert (answered["allowed"], answered["reason"]) == (False, "unknown-person")
    assert system.ask(about(waiting.pk, HANDED)).json()["reason"] == "unknown-person"


def test_what_is_not_held_for_a_purpose_is_not_used_for_it(system, astrid):
    """She asked for news and is no customer: the contract is not hers."""
    told = system.ask(about(astrid, {"act": "use", "purpose": "customer", "fields": ["email"]})).json()

    assert (told["allowed"], told["reason"]) == (False, "not-held")


def test_what_only_the_law_asks_of_us_is_no_purpose_of_another_system(system):
    for purpose in ("portal", "rights", "erasure", "security"):
        told = system.ask({"act": "use", "purpose": purpose, "fields": ["email"]}).json()

        assert (told["allowed"], told["reason"]) == (False, "not-their-purpose")


def test_names_the_policy_does_not_have_never_reach_the_log(system, log):
    """A mistaken caller may put a person's name where a purpose belongs."""
    answer = system.ask({"act": "use", "purpose": "astrid-lindgren", "fields": ["astrid", "email"]})
    _, fact, _ = opened(log, answer)

    assert "astrid" not in json.dumps(fact)
    assert (fact["purpose"], fact["fields"], fact["other_fields"]) == ("", ["email"], 1)


REFUSED = {
    "no token": ({}, {"HTTP_AUTHORIZATION": ""}, 401, "token.invalid"),
    "a wrong token": ({}, {"HTTP_AUTHORIZATION": "Bearer lofte_no"}, 401, "token.invalid"),
    "a form": ({}, {"CONTENT_TYPE": "application/x-www-form-urlencoded"}, 415, "api.not-json"),
    "an act there is not": ({"act": "sell"}, {}, 422, "api.unfit"),
    "no fields": ({"fields": []}, {}, 422, "api.unfit"),
    "a key there is not": ({"force": True}, {}, 422, "api.unfit"),
    "sharing with nobody": ({"act": "share"}, {}, 422, "api.unfit"),
    "a recipient of a use": ({"act": "use", "recipient": "creatio"}, {}, 422, "api.unfit"),
    "a person named twice": (
        {"person": {"id": str(uuid4()), "field": "email", "value": "x@example.se"}}, {}, 422, "api.unfit",
    ),
    "a person not named": ({"person": {}}, {}, 422, "api.unfit"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_a_problem_document_and_repeats_nothing_that_was_sent(system, log, case):
    change, headers, status, code = REFUSED[case]
    size = log.size()
    answer = system.ask(NEWS | change, **headers)

    assert (answer.status_code, answer.json()["title"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert "x@example.se" not in answer.content.decode()
    assert log.size() == size
    assert ("WWW-Authenticate" in answer) == (status == 401)


@pytest.mark.parametrize("body, status", [("{", 400), ("[]", 422), ("null", 422), ("x" * 20_000, 413)])
def test_what_cannot_be_read_is_refused(system, body, status):
    assert system.ask(body).status_code == status


def test_questions_are_posted_and_set_no_cookie(system):
    shown = Client().get("/api/decide")

    assert (shown.status_code, shown["Allow"]) == (405, "POST")
    assert not system.ask(NEWS).cookies


def test_without_a_log_there_is_no_answer(system, log):
    log.close()

    assert system.ask(NEWS).status_code == 503


def test_a_token_that_asks_too_often_waits(xledger, log):
    slow = System(tokens.add("shop", ALL, by="operator:shell", per_minute=2))
    answers = [slow.ask(NEWS).status_code for _ in range(3)]

    assert answers == [200, 200, 429]
    assert slow.ask(NEWS)["Retry-After"] == "60"


@pytest.mark.parametrize("locale", LOCALES)
def test_the_reason_is_told_in_the_language_asked_for(system, locale):
    told = system.ask(SHARE, HTTP_ACCEPT_LANGUAGE=locale).json()

    assert told["said"] == room_words(locale, "gates")["reason.no_agreement"]
