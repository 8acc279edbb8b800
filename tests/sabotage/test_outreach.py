"""Break what marketing does: forms, inquiries, materials, events and mailings. Exactly that promise turns red."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connections

from lofte.core import clock, mail
from lofte.core.mailing import assembly, delivering, signing, suppression
from lofte.core.models import Mail, Person, new_id
from lofte.features.consent import verbs as consent
from lofte.features.consent.models import Consent
from lofte.features.outreach import audience, campaigns, sending
from lofte.features.outreach import preferences as preference_centre
from lofte.features.outreach import reads as outreach_reads
from lofte.features.outreach import verbs as outreach
from lofte.features.outreach.audience import Reached
from lofte.features.outreach.clicks import counting
from lofte.features.outreach.events import forgetting, seats
from lofte.features.outreach.events import letters as event_letters
from lofte.features.outreach.events import reads as event_reads
from lofte.features.outreach.events.models import Event, Registration
from lofte.features.outreach.forms import arrivals, intake, specs
from lofte.features.outreach.forms.models import Built, Version
from lofte.features.outreach.inquiries import kinds
from lofte.features.outreach.inquiries import letters as inquiry_letters
from lofte.features.outreach.inquiries import verbs as inquiries
from lofte.features.outreach.inquiries.models import Inquiry
from lofte.features.outreach.materials import grants
from lofte.features.outreach.materials import letters as material_letters
from lofte.features.outreach.materials.models import Grant
from lofte.features.register import reads as register_reads
from lofte.features.register import verbs as register
from lofte.features.rights import verbs as rights
from lofte.kernel.problems import Problem
from lofte.probes import withdrawal_at_once
from lofte.rules.controls import LOCALES

pytestmark = pytest.mark.xdist_group("sabotage")

FORMS = frozenset({"P04", "P13", "P14"})
INQUIRIES = frozenset({"P07", "P08", "P32"})
MATERIALS = frozenset({"P07", "P09", "P12"})
EVENTS = frozenset({"P07", "P10", "P13"})
MAILINGS = frozenset({"P11", "P15", "P31", "P48"})
"""The promises that could notice what is done to each."""


@pytest.fixture
def somebody(system):
    """Somebody in the register, gone again after the test."""
    person = register.welcome()
    register.begin_relation(person, "prospect", market="SE", locale="sv")
    given = {"source": "form:inquiry", "market": "SE", "locale": "sv"}
    register.hold(person, {"email": "disa@example.se", "name": "Disa Berg"}, "answers", **given)
    yield person
    if Person.objects.filter(pk=person).exists():
        rights.erase(person)


@pytest.fixture(params=["room", pytest.param("board", marks=pytest.mark.long)])
def broken_over(request, broken_by):
    """As `broken_by`: over the promises of one room, and among the long tests over every promise that needs no browser."""
    return lambda room: broken_by(room if request.param == "room" else None)


def _in_every_language(system, promise, part):
    said = {locale: system.reason(promise, locale) for locale in LOCALES}
    assert all(part in text and len(text) > len(part) + 20 for text in said.values())
    assert len({said["sv"], said["nb"], said["fi"], said["en-GB"]}) == 4


# --- P04, P14: forms ------------------------------------------------------------------------------------------------


def test_a_form_with_a_field_its_purpose_may_not_use_breaks_p04(system, broken_over, monkeypatch):
    """A form got past the builder: it asks for a job title, which the policy keeps for customers."""
    words = {"name": "Fråga oss", "lead": "Skriv till oss.", "submit": "Skicka", "labels": {}}
    fields = [{"field": "email"}, {"field": "title"}, {"field": "dialogue"}]
    form = {"kind": "inquiry", "purpose": "answers", "fields": fields, "markets": ["SE"]}
    published = system.world().published
    version = specs.digest_of([form, words])
    Version.objects.create(
        digest=version, form="ask-us", asked={"form": form, "words": {"sv": words}}, publication=published.digest, by="staff:1"
    )  # fmt: skip
    Built.objects.create(form="ask-us", state=Built.State.PUBLISHED, draft={}, version=version, by="staff:1")
    monkeypatch.setattr(specs, "is_allowed", lambda *_: True)
    try:
        assert broken_over(FORMS) == {"P04"}
    finally:
        Built.objects.all().delete()
        Version.objects.all().delete()

    _in_every_language(system, "P04", "/forms/se/sv/ask-us/: title")


def test_a_form_that_takes_what_it_did_not_ask_for_breaks_p04(system, broken_by, monkeypatch):
    monkeypatch.setattr(intake, "_demand_known", lambda *_: None)

    assert broken_by(FORMS) == {"P04"}
    assert "nobody declared: application, event, inquiry" in system.reason("P04")


def test_a_form_without_its_purpose_beside_the_fields_breaks_p04(system, broken_by):
    said = system.world().published.word("fi", "purposes", "event", "name").encode()
    system.outside["/events/fi/"] = lambda _, page: (page.replace(said, b""), [])

    assert broken_by(FORMS) == {"P04"}
    _in_every_language(system, "P04", "/events/fi/fi/: purpose")


def test_a_box_ticked_beforehand_breaks_p14(system, broken_over):
    system.outside["/forms/no/"] = lambda _, page: (page.replace(b'type="checkbox"', b'type="checkbox" checked'), [])

    assert broken_over(FORMS) == {"P14"}
    _in_every_language(system, "P14", "/forms/no/nb/inquiry/")


def test_a_box_with_other_words_than_the_policy_has_breaks_p14(system, broken_by):
    said = system.world().published.words["en-GB"]["forms"]["inquiry"]["boxes"]["newsletter-email"].encode()
    system.outside["/forms/gb/"] = lambda _, page: (page.replace(said, b"Keep me posted"), [])

    assert broken_by(FORMS) == {"P14"}
    _in_every_language(system, "P14", "/forms/gb/en-GB/inquiry/ (box.newsletter-email)")


# --- P08, P32: inquiries --------------------------------------------------------------------------------------------


def _inquiry(person, **changed):
    columns = {
        "kind": "inquiry",
        "purpose": "answers",
        "market": "SE",
        "locale": "sv",
        "form": "inquiry",
        "sealed": b"-",
    }
    return Inquiry.objects.create(id=new_id(), person_id=person, reference="AAAA-BBBB", **{**columns, **changed})


def test_an_inquiry_past_its_last_day_breaks_p08(system, broken_by, somebody):
    _inquiry(somebody, due_on=(clock.now() - timedelta(days=4)).date())

    assert broken_by({"P08", "P09", "P10", "P32"}) == {"P08"}
    assert "1 inquiries are unanswered" in system.reason("P08")


def test_an_inquiry_called_answered_that_nobody_answered_breaks_p08(system, broken_by, somebody):
    _inquiry(somebody, state="closed", outcome="answered", due_on=None)

    assert broken_by({"P08", "P09", "P10", "P32"}) == {"P08"}
    assert "nobody has answered" in system.reason("P08")


def test_an_inquiry_nobody_confirms_breaks_p08(system, broken_by, monkeypatch):
    monkeypatch.setattr(inquiry_letters, "acknowledge", lambda *_: None)

    assert broken_by(INQUIRIES) == {"P08"}
    _in_every_language(system, "P08", "SE")


def test_an_answer_that_stays_in_the_house_breaks_p08(system, broken_by, monkeypatch):
    monkeypatch.setattr(inquiry_letters, "answer", lambda *_: None)

    assert broken_by(INQUIRIES) == {"P08"}
    assert "did not reach" in system.reason("P08")


def test_an_answer_outside_of_the_thread_breaks_p08(system, broken_by, monkeypatch):
    monkeypatch.setattr(inquiry_letters, "thread_of", lambda _: [])

    assert broken_by(INQUIRIES) == {"P08"}
    assert "thread" in system.reason("P08")


def test_an_inquiry_with_a_year_to_answer_breaks_p08(system, broken_by, monkeypatch):
    monkeypatch.setattr(kinds, "answer_by", lambda market, at: at.date() + timedelta(days=365))

    assert broken_by(INQUIRIES) == {"P08"}
    assert "last day" in system.reason("P08")


def test_an_inquiry_that_cannot_be_closed_breaks_p08(system, broken_by, monkeypatch):
    monkeypatch.setattr(inquiries, "_close", lambda *_: None)

    assert broken_by(INQUIRIES) == {"P08"}
    assert "closed" in system.reason("P08")


def test_an_inquiry_in_the_wrong_inbox_breaks_p32(system, broken_by, monkeypatch):
    create = Inquiry.objects.create
    monkeypatch.setattr(
        Inquiry.objects, "create", lambda **given: create(**{**given, "market": "NO", "locale": "nb"}), raising=False
    )

    assert broken_by(INQUIRIES) == {"P32"}
    assert "wrong market" in system.reason("P32")


# --- P09: materials -------------------------------------------------------------------------------------------------


def test_a_link_that_counts_a_look_breaks_p09(system, broken_by, monkeypatch):
    """A scanner of mail that opens every link uses it up."""
    open_link = grants.open_link

    def counting(code):
        found = open_link(code)
        if found is not None:
            Grant.objects.of(found.grant.person_id).filter(id=found.grant.id).update(times=1)
        return found

    monkeypatch.setattr(grants, "open_link", counting)

    assert broken_by(MATERIALS) == {"P09"}
    assert "Looking at the link was enough" in system.reason("P09")


def test_a_link_that_outlives_its_day_breaks_p09(system, broken_by, monkeypatch):
    """Its clock is two days slow."""
    monkeypatch.setattr(grants, "clock", SimpleNamespace(now=lambda: clock.now() - timedelta(days=2)))

    assert broken_by(MATERIALS) == {"P09"}
    assert "after its time was up" in system.reason("P09")


def test_a_link_without_an_end_breaks_p09(system, broken_by, somebody):
    Grant.objects.create(
        person_id=somebody, material_id=new_id(), form="material", purpose="material", market="SE", locale="sv", left=3,
        ends_at=clock.now() + timedelta(days=400), due_at=clock.now() + timedelta(days=700),
    )  # fmt: skip

    assert broken_by({"P08", "P09", "P10"}) == {"P09"}
    assert "longer than promised" in system.reason("P09")


def test_a_file_anybody_can_have_breaks_p09(system, broken_by, monkeypatch):
    """Someone puts the text of the file on its page."""
    from lofte.probes.instruments.canary import materials

    contents, content_of = [], materials.content_of
    monkeypatch.setattr(materials, "content_of", lambda canary: contents.append(text := content_of(canary)) or text)
    system.outside["/materials/us/"] = lambda _, page: (page + b"".join(contents), [])

    assert "P09" in broken_by(MATERIALS)
    _in_every_language(system, "P09", "US")


# --- P10, P13: events -----------------------------------------------------------------------------------------------


def test_answers_that_stay_after_the_event_break_p10(system, broken_by, monkeypatch):
    monkeypatch.setattr(forgetting, "_forget_field", lambda *_: 0)

    assert broken_by(EVENTS) == {"P10"}
    assert "past its last day" in system.reason("P10")


def test_an_event_with_more_people_than_places_breaks_p10(system, broken_by, somebody):
    at = clock.now() + timedelta(days=3)
    event = Event.objects.create(
        slug="full-house", markets=["SE"], contents={}, starts_at=at, ends_at=at + timedelta(hours=2), zone="Europe/Stockholm",
        capacity=0, form="event", keep="P30D", by="staff:1",
    )  # fmt: skip
    given = {"purpose": "event", "market": "SE", "locale": "sv", "wording": "", "version": "", "reference": "AAAA-BBBB"}
    Registration.objects.create(person_id=somebody, event_id=event.id, state="registered", due_at=at, **given)
    try:
        assert broken_by({"P08", "P09", "P10"}) == {"P10"}
    finally:
        event.delete()

    assert "more places than they have" in system.reason("P10")


def test_a_place_that_stays_empty_while_somebody_waits_breaks_p10(system, broken_by, monkeypatch):
    monkeypatch.setattr(seats, "promote", lambda _: 0)

    assert broken_by(EVENTS) == {"P10"}
    assert "whoever queued" in system.reason("P10")


def test_a_place_lost_by_looking_breaks_p10(system, broken_by, monkeypatch):
    open_link = event_reads.open_link

    def hasty(code):
        seats.leave(code)
        return open_link(code)

    monkeypatch.setattr(event_reads, "open_link", hasty)

    assert broken_by(EVENTS) == {"P10"}
    assert "Looking at the link" in system.reason("P10")


def test_a_confirmation_without_a_calendar_file_breaks_p10(system, broken_by, monkeypatch):
    monkeypatch.setattr(event_letters, "_WITH_CALENDAR", ())

    assert broken_by(EVENTS) == {"P10"}
    assert "calendar file" in system.reason("P10")


def test_a_registration_taken_for_consent_breaks_p10(system, broken_by, monkeypatch):
    """A box nobody ticked is read as ticked."""
    keep = arrivals.person_for

    def eager(sent, relation):
        person = keep(sent, relation)
        if sent.form.kind == "event":
            for box in specs.words(sent.form, sent.market, sent.locale).boxes:
                intake._askers[0](sent, box)
        return person

    monkeypatch.setattr(arrivals, "person_for", eager)

    assert broken_by(EVENTS) == {"P10"}
    _in_every_language(system, "P10", "FI, GB, NO, SE, US")


# --- P11, P31, P14: mailings ----------------------------------------------------------------------------------------


def test_a_letter_that_leaves_after_a_withdrawal_in_the_middle_of_a_run_breaks_p31(system, broken_over, monkeypatch):
    """The withdrawal does not empty the queue, and the sender does not ask again before it hands a letter over."""
    monkeypatch.setattr(mail, "suppress", lambda *_: 0)
    monkeypatch.setattr(delivering, "_judged", lambda rows: ((row, "") for row in rows))

    assert broken_over({"P11", "P31"}) == {"P31"}
    _in_every_language(system, "P31", "5")  # one in each market
    assert "stood in the queue" in system.reason("P31")


@pytest.fixture
def readers(system):
    """Four who read the newsletter, for half an hour so far."""
    found = []
    with clock.at(clock.now() - timedelta(minutes=30)):
        for n in range(4):
            person, here = register.welcome(), {"market": "SE", "locale": "sv"}
            register.begin_relation(person, "prospect", **here)
            register.hold(person, {"email": f"reader-{n}@example.se"}, "newsletter", source="form:newsletter", **here)
            consent.grant(person, "newsletter", shown="form.newsletter", method="double_opt_in", **here)
            found.append(person)
    yield found
    for person in found:
        rights.erase(person)


def _in_another_thread(act):
    """With a connection of its own, as another visitor has."""

    def work():
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def _campaign_left_midway(system, monkeypatch):
    """A campaign by the engine itself; between two batches one who waits in the queue withdraws. What became of their letter."""
    system.duties.paused.set()
    settle, left = delivering._settle, []
    contents = dict.fromkeys(system.world().published.policy.locales(), outreach.Content("Nytt", "Hej", "<p>Hej</p>"))

    def withdraw():
        with clock.at(clock.now() - timedelta(minutes=10)):
            consent.withdraw(left[0].person_id, "newsletter", method="one_click")

    def between(*given):
        taken = settle(*given)
        if not left:
            left.append(Mail.everyone.filter(about=campaign, state=Mail.State.QUEUED).order_by("next_at").last())
            _in_another_thread(withdraw)
        return taken

    with monkeypatch.context() as run:
        run.setattr(delivering, "BATCH", 2)
        run.setattr(sending, "STRETCH", 2)
        run.setattr(delivering, "_settle", between)
        with clock.at(clock.now() - timedelta(minutes=20)):
            campaign = outreach.draft_issue("product", contents, by="staff:1")
            campaigns.start(campaign, by="staff:1")
            sending.go_on(campaign, time.monotonic() + 60)
        mail.deliver(clock.now())
    system.duties.paused.clear()
    states = dict(Mail.everyone.filter(about=campaign).values_list("person_id", "state"))
    assert sorted(states.values())[:3] == ["sent"] * 3
    return states[left[0].person_id]


def test_a_withdrawal_between_two_batches_of_a_running_campaign_holds_or_breaks_p31(
    system, broken_by, readers, monkeypatch
):
    assert _campaign_left_midway(system, monkeypatch) == "suppressed"
    assert withdrawal_at_once._after() == 0
    for person in readers:
        consent.grant(person, "newsletter", market="SE", locale="sv", shown="form.newsletter", method="double_opt_in")
        Consent.objects.of(person).update(at=clock.now() - timedelta(minutes=25))

    monkeypatch.setattr(mail, "suppress", lambda *_: 0)
    monkeypatch.setattr(delivering, "_judged", lambda rows: ((row, "") for row in rows))

    assert _campaign_left_midway(system, monkeypatch) == "sent"
    assert broken_by({"P11", "P31"}) == {"P31"}
    assert "have left after the withdrawal" in system.reason("P31")


def test_a_campaign_that_goes_to_who_has_left_breaks_p31(system, broken_by, monkeypatch):
    """What somebody said last is read as yes, once they have ever said it."""
    judged = delivering._judged
    decided = audience.decided

    def stubborn(campaign, people, **given):
        once = {each for each in people if Consent.objects.of(each).filter(action="withdrawn").exists()}
        rest = [each for each in decided(campaign, people, **given) if each.person_id not in once]
        return rest + [Reached(each, _address_of(each), "SE", "sv") for each in once]

    monkeypatch.setattr(sending.audience, "decided", stubborn)
    monkeypatch.setattr(
        delivering, "_judged", lambda rows: ((row, "" if why == "no-consent" else why) for row, why in judged(rows))
    )

    assert broken_by({"P11", "P31"}) == {"P31"}
    assert "after the withdrawal" in system.reason("P31")


def _address_of(person):
    held = register_reads.open_all(person, "security", by="probe").values()
    return next(one.value for one in held if one.field == "email")


def test_an_unsubscribe_page_that_asks_for_a_login_breaks_p31(system, broken_over, monkeypatch):
    monkeypatch.setattr(outreach, "unsubscribe", lambda code: None)
    login = b'<form method="post"><input type="email" name="user"><input type="password" name="secret"></form>'
    for locale in ("se/sv", "no/nb", "fi/fi", "gb/en-GB", "us/en-US"):
        system.outside[f"/news/{locale}/unsubscribe/"] = lambda _, page: (
            page.replace(b"</main>", login + b"</main>"),
            [],
        )

    assert broken_over({"P11", "P31"}) == {"P31"}
    _in_every_language(system, "P31", "FI, GB, NO, SE, US")
    assert "log in" in system.reason("P31")


def test_a_scanner_that_uses_up_a_confirmation_breaks_p11(system, broken_over, monkeypatch):
    """The page is shown, and the link is dead from then on."""
    open_code, seen = outreach_reads.open_code, set()

    def burning(code, purpose):
        seen.add(code)
        return open_code(code, purpose)

    confirm = outreach.confirm

    def once(code):
        if code in seen:
            raise Problem("code.unknown", "this link has been used", status=410)
        return confirm(code)

    monkeypatch.setattr(outreach_reads, "open_code", burning)
    monkeypatch.setattr(outreach, "confirm", once)

    assert broken_over(MAILINGS) == {"P11"}
    _in_every_language(system, "P11", "FI, GB, NO, SE, US")
    assert "used up by looking" in system.reason("P11")


def test_a_confirmation_by_looking_breaks_p11(system, broken_by, monkeypatch):
    open_code = outreach_reads.open_code

    def hasty(code, purpose):
        found = open_code(code, purpose)
        if found is not None and purpose == "confirm":
            outreach.confirm(code)
        return found

    monkeypatch.setattr(outreach_reads, "open_code", hasty)

    assert broken_by({"P11", "P31"}) == {"P11"}
    assert "enough for the consent" in system.reason("P11")


def test_a_bounce_nobody_minds_breaks_p11(system, broken_over, monkeypatch):
    came_back = suppression.came_back
    monkeypatch.setattr(
        suppression, "came_back", lambda row, kind, *given: kind != "hard" and came_back(row, kind, *given)
    )

    assert broken_over({"P11", "P31"}) == {"P11"}
    _in_every_language(system, "P11", ": ")
    assert "does not exist" in system.reason("P11")


def test_a_complaint_nobody_minds_breaks_p31(system, broken_by, monkeypatch):
    came_back = suppression.came_back
    monkeypatch.setattr(
        suppression, "came_back", lambda row, kind, *given: kind != "complaint" and came_back(row, kind, *given)
    )

    assert broken_by({"P11", "P31"}) == {"P31"}
    assert "reported a letter" in system.reason("P31")


def test_a_topic_without_consent_words_breaks_p14(system, broken_over, monkeypatch):
    """A topic got past the check: people would be asked for text messages in words nobody has published."""
    policy = system.world().published.policy
    topic = policy.topics["product"].model_copy(update={"channels": ["email", "sms"]})
    monkeypatch.setitem(policy.topics, "product", topic)

    assert broken_over(FORMS) == {"P14"}
    _in_every_language(system, "P14", "product.sms (sv)")


# --- what stands in a mailing, and who hears of it ------------------------------------------------------------------


def test_a_mailing_that_names_no_list_breaks_p31(system, broken_over, monkeypatch):
    headers = assembly._headers
    monkeypatch.setattr(
        assembly, "_headers", lambda *given: (each for each in headers(*given) if not each.startswith(b"List-Id"))
    )

    assert broken_over(MAILINGS) == {"P31"}
    _in_every_language(system, "P31", "FI, GB, NO, SE, US")


@pytest.fixture
def signing_key(system, settings):
    """A house that signs its letters."""
    file = signing.make_key(system.home, "canary", "localhost")
    settings.LOFTE_DKIM = ("canary", "localhost")
    yield file
    file.unlink()


def test_a_signature_that_leaves_out_the_way_out_breaks_p31(system, broken_by, signing_key, monkeypatch):
    assert broken_by({"P11", "P31"}) == set()
    for name in ("SIGNED", "_ONCE"):
        kept = tuple(each for each in getattr(signing, name) if each != "list-unsubscribe-post")
        monkeypatch.setattr(signing, name, kept)

    assert broken_by({"P11", "P31"}) == {"P31"}
    assert "signature" in system.reason("P31")


def test_a_letter_changed_after_it_was_signed_breaks_p31(system, broken_by, signing_key, monkeypatch):
    signed = signing.Signer.signed
    monkeypatch.setattr(
        signing.Signer, "signed", lambda one, message: signed(one, message).replace(b"Canary issue", b"Canary offer")
    )

    assert broken_by({"P11", "P31"}) == {"P31"}
    _in_every_language(system, "P31", "FI, GB, NO, SE, US")


def test_a_picture_that_tells_of_opening_breaks_p11(system, broken_by, monkeypatch):
    """A service that "improves" letters puts a dot into each."""
    compose = campaigns.compose

    def dotted(*given, **named):
        words = compose(*given, **named)
        return replace(words, html=f'{words.html}<img src="https://opens.example/{new_id()}.gif" width="1">')

    monkeypatch.setattr(campaigns, "compose", dotted)

    assert broken_by(MAILINGS) == {"P11"}
    _in_every_language(system, "P11", "SE: opens.example")


def test_links_past_a_counter_the_policy_does_not_have_break_p11(system, broken_by, monkeypatch):
    monkeypatch.setattr(counting, "is_on", lambda: True)

    assert broken_by(MAILINGS) == {"P11"}
    _in_every_language(system, "P11", "FI, GB, NO, SE, US")
    assert "counter" in system.reason("P11")


def test_a_preference_centre_behind_a_login_breaks_p11(system, broken_by):
    login = b'<form method="post"><input type="email" name="user"><input type="password" name="secret"></form>'
    for place in ("se/sv", "no/nb", "fi/fi", "gb/en-GB", "us/en-US"):
        system.outside[f"/news/{place}/preferences/"] = lambda _, page: (login, [])

    assert broken_by(MAILINGS) == {"P11"}
    assert "logging in" in system.reason("P11")


def test_a_choice_made_by_looking_breaks_p11(system, broken_by, monkeypatch):
    """The page takes whoever opens it for somebody who wants the first topic only."""
    preferences = preference_centre.preferences

    def hasty(code):
        found = preferences(code)
        if found and found.choices:
            outreach.prefer(code, [found.choices[0].key])
        return found

    monkeypatch.setattr(preference_centre, "preferences", hasty)

    assert broken_by(MAILINGS) == {"P11"}
    assert "Looking at the page of topics" in system.reason("P11")


def test_a_choice_nobody_keeps_breaks_p11(system, broken_by, monkeypatch):
    monkeypatch.setattr(outreach, "prefer", preference_centre.preferences)

    assert broken_by(MAILINGS) == {"P11"}
    _in_every_language(system, "P11", "FI, GB, NO, SE, US")
    assert "does not stand" in system.reason("P11")


@pytest.mark.parametrize("kind", ["inquiry", "material", "event"])
def test_a_letter_of_any_kind_without_the_contact_breaks_p48(system, broken_by, monkeypatch, kind):
    rooms = {"inquiry": inquiry_letters, "material": material_letters, "event": event_letters}
    phone = system.world().published.policy.controllers[system.world().published.policy.markets["FI"].controller].phone

    def bare(*given, **named):
        words = mail.compose(*given, **named)
        return replace(words, text=words.text.replace(phone, ""))

    monkeypatch.setattr(rooms[kind], "mail", SimpleNamespace(**{**vars(mail), "compose": bare}))

    assert broken_by(MAILINGS) == {"P48"}
    _in_every_language(system, "P48", f": {phone}")
