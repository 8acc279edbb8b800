"""The newsletter: nothing before confirmation, nothing without consent of that moment, always a way out."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from lofte.core import clock, mail, outbox, tasks
from lofte.core.models import BlindIndex, Code, Mail, Outbox, Person
from lofte.features.consent import reads as consents
from lofte.features.consent import verbs as consent
from lofte.features.outreach import reads, sending, signups, verbs
from lofte.features.outreach.models import Delivery, SignUp
from lofte.features.register import reads as register
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
CONTENT = {loc: verbs.Content(f"Nyheter {loc}", "Hei.", "<p>Hei.</p>") for loc in ("sv", "nb", "fi", "en-GB", "en-US")}


def test_who_confirms_by_the_mailed_link_is_a_subscriber(signed_up, letterbox):
    person = signed_up(" Ola.Nordmann@Example.NO ", name="Ola Nordmann")

    assert consents.is_granted(person, "newsletter")
    assert register.person_of("email", "ola.nordmann@example.no") == person
    held = {each.field: each.value for each in register.holdings_of(person, "newsletter", by="test")}
    assert held == {"email": "Ola.Nordmann@Example.NO", "name": "Ola Nordmann"}
    assert reads.subscriber_count() == 1
    event = consents.events_of(person)[0]
    assert (event.method, event.market, event.locale) == ("double_opt_in", "NO", "nb")
    assert len(event.wording) == 64


def test_nothing_counts_and_nobody_is_found_before_the_link_is_used(published, letterbox):
    verbs.ask_to_subscribe("NO", "nb", {"email": "ola@example.no"})
    mail.deliver(clock.now())

    assert len(letterbox.letters) == 1
    assert register.person_of("email", "ola@example.no") is None
    assert register.people_count() == 0
    assert reads.subscriber_count() == 0
    assert not BlindIndex.objects.exists()


def test_what_waits_for_confirmation_is_sealed(published, letterbox):
    verbs.ask_to_subscribe("NO", "nb", {"email": "ola@example.no", "name": "Ola Nordmann"})

    with connections["default"].cursor() as cursor:
        for table in ("outreach_signup", "core_mail", "core_code", "core_outbox"):
            cursor.execute(f"SELECT * FROM {table}")
            content = repr([[bytes(c) if isinstance(c, memoryview) else c for c in row] for row in cursor.fetchall()])
            assert "ola@example.no" not in content
            assert "Ola" not in content


def test_who_does_not_confirm_within_two_days_is_gone_without_a_trace(published, letterbox):
    verbs.ask_to_subscribe("NO", "nb", {"email": "ola@example.no"})
    mail.deliver(clock.now())
    code = letterbox.link("confirm")
    person = SignUp.everyone.get().person_id

    verbs.forget_unconfirmed(clock.now() + timedelta(hours=47))
    assert SignUp.everyone.exists()
    verbs.forget_unconfirmed(clock.now() + timedelta(hours=49))

    assert not Person.objects.filter(pk=person).exists()
    assert [model for model in (SignUp.everyone, Mail.everyone, Code.objects) if model.exists()] == []
    with pytest.raises(Problem, match=r"code\.unknown"):
        verbs.confirm(code)


@pytest.mark.parametrize("code", ["wrong", "", "A" * 43])
def test_a_wrong_code_confirms_nothing(published, code):
    with pytest.raises(Problem, match=r"code\.unknown"):
        verbs.confirm(code)


def test_a_link_pressed_again_says_the_same_and_agrees_to_nothing_new(signed_up, letterbox):
    person = signed_up()

    assert verbs.confirm(letterbox.link("confirm")) == verbs.confirm(letterbox.link("confirm"))
    assert len(consents.events_of(person)) == 1


def test_a_link_pressed_again_brings_no_withdrawn_consent_back(signed_up, letterbox):
    person = signed_up()
    consent.withdraw(person, "newsletter", method="portal")

    with pytest.raises(Problem, match=r"code\.unknown"):
        verbs.confirm(letterbox.link("confirm"))
    assert not consents.is_granted(person, "newsletter")


def test_an_expired_code_confirms_nothing(published, letterbox):
    verbs.ask_to_subscribe("NO", "nb", {"email": "ola@example.no"})
    mail.deliver(clock.now())

    with clock.at(clock.now() + timedelta(hours=49)), pytest.raises(Problem, match=r"code\.unknown"):
        verbs.confirm(letterbox.link("confirm"))


def test_signing_up_again_adds_to_the_person_already_known(signed_up, no_limits):
    first = signed_up("ola@example.no")
    second = signed_up("OLA@example.no", name="Ola Nordmann")

    assert first == second
    assert register.people_count() == Person.objects.count() == 1
    assert register.value_of(first, "name", "newsletter", by="test") == "Ola Nordmann"


@pytest.mark.parametrize(
    ("values", "code", "key"),
    [
        ({"email": "a@b.example", "shoe-size": "43"}, "form.unknown-field", "shoe-size"),
        ({"name": "Ola"}, "form.missing-field", "email"),
        ({"email": "  "}, "form.missing-field", "email"),
        ({"email": "not an address"}, "form.bad-value", "email"),
        ({"email": "a@b.example\r\nBcc: x@y.example"}, "form.bad-value", "email"),
        ({"email": "a@b.example", "name": "x" * 501}, "form.bad-value", "name"),
    ],
)
def test_a_form_takes_its_declared_fields_and_nothing_else(published, values, code, key):
    with pytest.raises(Problem) as refused:
        verbs.ask_to_subscribe("NO", "nb", values)

    assert (refused.value.code, refused.value.place.key) == (code, key)
    assert not any(value in str(refused.value) for value in values.values() if "@" in value)
    assert not SignUp.everyone.exists()


@pytest.mark.parametrize(("market", "locale"), [("SE", "nb"), ("DK", "da"), ("no", "nb")])
def test_a_form_is_only_where_it_is_declared(published, market, locale):
    with pytest.raises(Problem, match=r"form\.not-here"):
        verbs.ask_to_subscribe(market, locale, {"email": "a@b.example"})


def test_a_stranger_cannot_fill_a_mailbox(published, letterbox):
    for _ in range(20):
        verbs.ask_to_subscribe("NO", "nb", {"email": "victim@example.no"})
    mail.deliver(clock.now())

    assert len(letterbox.letters) == signups.PER_ADDRESS[0]


def test_an_issue_reaches_who_consents_with_link_and_one_click_header(signed_up, letterbox):
    person = signed_up("ola@example.no", name="Ola Nordmann")
    sent = verbs.send_issue(verbs.draft_issue("product", CONTENT, "staff:1"))
    mail.deliver(clock.now())
    letter = letterbox.last()

    assert sent == verbs.Sent(queued=1, suppressed=0)
    assert letter["To"] == "ola@example.no"
    assert letter["Subject"] == "Nyheter nb"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letterbox.link("unsubscribe") in letter["List-Unsubscribe"]
    assert "ola" not in letter["List-Unsubscribe"]
    assert letterbox.link("unsubscribe") in letter.get_body(("html",)).get_content()
    assert [look.by for look in register.looks_of(person) if look.purpose == "newsletter"][:1] == ["outreach"]


def test_withdrawal_stops_the_newsletter_at_once(subscriber, letterbox):
    person = subscriber()
    issue = verbs.draft_issue("product", CONTENT, "staff:1")
    consent.withdraw(person, "newsletter", method="portal")

    assert verbs.send_issue(issue) == verbs.Sent(queued=0, suppressed=1)
    mail.deliver(clock.now())
    assert letterbox.letters == []
    assert Delivery.objects.of(person).get().reason == "no-consent"


def test_a_letter_already_queued_does_not_leave_after_withdrawal(subscriber, letterbox):
    person = subscriber()
    verbs.send_issue(verbs.draft_issue("product", CONTENT, "staff:1"))
    consent.withdraw(person, "newsletter", method="portal")
    mail.deliver(clock.now())

    row = Mail.objects.of(person).get()
    assert letterbox.letters == []
    assert (row.state, row.reason, row.sealed) == ("suppressed", "withdrawn", None)


def test_the_mailer_asks_consent_itself_even_if_the_queue_was_written_past_the_verbs(subscriber, letterbox):
    person = subscriber()
    verbs.send_issue(verbs.draft_issue("product", CONTENT, "staff:1"))
    consent.withdraw(person, "newsletter", method="portal")
    verbs.send_issue(verbs.draft_issue("product", CONTENT, "staff:1"))
    way_out = "http://localhost/leave"
    words = mail.Words("Subject", f"Text {way_out}")
    mail.send(mail.MarketingLetter("issue", person, "ola@example.no", words, "newsletter", unsubscribe_url=way_out))
    mail.deliver(clock.now())

    assert letterbox.letters == []
    assert Mail.objects.of(person).order_by("made_at").last().reason == "no-consent"


def test_one_click_unsubscribes_and_clicking_again_changes_nothing(signed_up, letterbox):
    person = signed_up()
    verbs.send_issue(verbs.draft_issue("product", CONTENT, "staff:1"))
    mail.deliver(clock.now())
    code = letterbox.link("unsubscribe")

    assert reads.open_code(code, "unsubscribe") == reads.OpenCode("NO", "nb")
    assert consents.is_granted(person, "newsletter")
    assert verbs.unsubscribe(code) == verbs.Left("NO", "nb")
    assert verbs.unsubscribe(code) == verbs.Left("NO", "nb")
    assert [each.action for each in consents.events_of(person)] == ["granted", "withdrawn"]
    assert consents.events_of(person)[-1].method == "one_click"


def test_the_way_out_still_works_years_later(signed_up, letterbox):
    person = signed_up()
    verbs.send_issue(verbs.draft_issue("product", CONTENT, "staff:1"))
    mail.deliver(clock.now())

    with clock.at(clock.now() + timedelta(days=700)):
        tasks.run_now("codes.remove_expired")
        assert verbs.unsubscribe(letterbox.link("unsubscribe")) is not None
    assert not consents.is_granted(person, "newsletter")


def test_an_unknown_way_out_is_answered_with_nothing(published):
    assert verbs.unsubscribe("A" * 43) is None


def test_a_confirmation_code_does_not_unsubscribe(published, letterbox):
    verbs.ask_to_subscribe("NO", "nb", {"email": "ola@example.no"})
    mail.deliver(clock.now())

    assert verbs.unsubscribe(letterbox.link("confirm")) is None


def test_sending_again_after_a_crash_reaches_the_rest_and_nobody_twice(subscriber, letterbox, monkeypatch):
    people = [subscriber(f"p{n}@example.no") for n in range(5)]
    issue = verbs.draft_issue("product", CONTENT, "staff:1")
    write, done = sending._write, []

    def die_at_third(*args):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(args)
        write(*args)

    monkeypatch.setattr(sending, "STRETCH", 1)
    monkeypatch.setattr(sending, "_write", die_at_third)
    with pytest.raises(KeyboardInterrupt):
        verbs.send_issue(issue)
    monkeypatch.undo()

    assert verbs.send_issue(issue) == verbs.Sent(queued=5, suppressed=0)
    mail.deliver(clock.now())
    assert sorted(str(letter["To"]) for letter in letterbox.letters) == sorted(
        f"p{n}@example.no" for n in range(len(people))
    )


def test_an_issue_is_sent_once(subscriber):
    subscriber()
    issue = verbs.draft_issue("product", CONTENT, "staff:1")
    verbs.send_issue(issue)

    with pytest.raises(Problem, match=r"outreach\.issue-sent"):
        verbs.send_issue(issue)


def test_who_chose_topics_gets_only_those(subscriber, letterbox):
    person = subscriber()
    verbs.choose_topics(person, ["events"])

    assert reads.topics_of(person) == ("events",)
    assert verbs.send_issue(verbs.draft_issue("product", CONTENT, "staff:1")).queued == 0
    assert verbs.send_issue(verbs.draft_issue("events", CONTENT, "staff:1")).queued == 1


def test_an_issue_lacks_no_subject_text_or_html(published):
    for broken in (verbs.Content("", "a", "b"), verbs.Content("a", " ", "b"), verbs.Content("a", "b", "")):
        with pytest.raises(Problem, match=r"outreach\.issue-incomplete"):
            verbs.draft_issue("product", {"nb": broken}, "staff:1")
    with pytest.raises(Problem, match=r"outreach\.issue-incomplete"):
        verbs.draft_issue("product", {}, "staff:1")


def test_consent_and_withdrawal_go_to_the_log_with_the_words_shown_and_without_the_person(signed_up, letterbox, log):
    person = signed_up()
    verbs.send_issue(verbs.draft_issue("product", CONTENT, "staff:1"))
    mail.deliver(clock.now())
    verbs.unsubscribe(letterbox.link("unsubscribe"))
    outbox.drain(log)

    facts = [json.loads(log.opened(n).fact) for n in range(log.size()) if log.opened(n).kind == "consent"]
    assert [fact["event"] for fact in facts] == ["consent.granted", "consent.withdrawn"]
    assert len(facts[0]["wording"]) == 64
    assert str(person) not in json.dumps(facts)
    assert not Outbox.objects.exists()
    assert len(consents.entries_of(person)) == 2


def test_the_24_months_count_from_the_last_interest(signed_up):
    with clock.at(datetime(2026, 1, 31, 12, tzinfo=UTC)):
        person = signed_up()

    due = {each.due for each in register.holdings_of(person, "newsletter", by="test")}
    assert due == {datetime(2028, 1, 31, 12, tzinfo=UTC)}
