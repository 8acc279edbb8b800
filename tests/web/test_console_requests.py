"""A day of requests in the console: the list by last day, one request with its acts, letters shown before they go."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from lofte.core import approvals, clock, mail, outbox
from lofte.features.register import reads as people
from lofte.features.register import verbs as register
from lofte.features.register.models import Look
from lofte.features.rights import follow, requests, restriction
from lofte.features.rights.models import Request
from lofte.rules.catalogue import LOCALES

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
ASTRID = "astrid@example.se"


@pytest.fixture
def astrid(xledger):
    person = register.welcome()
    here = {"market": "SE", "locale": "sv"}
    register.begin_relation(person, "customer", **here)
    register.hold(person, {"email": ASTRID, "name": "Astrid Ek"}, "customer", source="import:x", **here)
    return person


@pytest.fixture
def received(astrid):
    def make(right="access", person=None, words="Allt ni har om mig", **more):
        values = {"by": "staff:1", "channel": "mail", "market": "SE", "locale": "sv", "at": clock.now(), "words": words}
        return requests.receive(person, right, **(values | more))

    return make


@pytest.fixture
def act(staff):
    """Do something with a request by its form, and follow to the page that answers."""

    def do(request_id, name, **fields):
        return staff.post(f"/console/requests/{request_id}/{name}/", fields, follow=True)

    return do


def page(answer):
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_is_sorted_by_last_day_and_names_nobody(staff, received, astrid):
    later = received("erasure", astrid)
    sooner = received("access", astrid, at=clock.now() - timedelta(days=40))
    shown = page(staff.get("/console/requests/"))

    assert shown.index(str(sooner)) < shown.index(str(later))
    assert "overdue" in shown
    for secret in ("Astrid", ASTRID, "Allt ni har"):
        assert secret not in shown
    assert str(later) not in page(staff.get("/console/requests/?show=overdue"))


def test_a_reference_leads_to_its_request_and_a_wrong_one_says_so(staff, received):
    made = received()
    found = staff.get("/console/requests/", {"find": requests.one(made).reference.lower()})

    assert found.url == f"/console/requests/{made}/"
    assert "No request has the reference ZZZZ" in page(staff.get("/console/requests/?find=ZZZZ"))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("right", [each for each in Request.Right.values if each != "appeal"])
def test_a_request_is_whole_in_every_language(staff, received, astrid, locale, right):
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})
    made = received(right, astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    shown = page(staff.get(f"/console/requests/{made}/"))

    assert "Astrid Ek" in shown
    assert "Allt ni har om mig" in shown
    assert not re.search(r"requests\.[a-z]|\{[a-z_]+\}|None|&lt;time", shown)
    assert page(staff.get("/console/requests/"))
    assert page(staff.get("/console/requests/new/"))


def test_each_look_at_who_asked_is_kept_by_name(staff, received, astrid):
    made = received("access", astrid)
    page(staff.get(f"/console/requests/{made}/"))

    looks = list(Look.objects.of(astrid))
    assert {(each.purpose, each.by.partition(":")[0]) for each in looks} == {("rights", "staff")}
    assert {field for each in looks for field in each.fields} >= {"name", "email", "dialogue"}


def test_what_came_by_telephone_is_noted_confirmed_and_recognised(staff, astrid, letterbox):
    fields = {
        "right": "erasure", "channel": "phone", "received": clock.now().date().isoformat(), "edition": "SE/sv",
        "address": ASTRID, "words": "Ta bort mig", "acknowledge": "on",
    }  # fmt: skip
    shown = page(staff.post("/console/requests/new/", fields, follow=True))
    mail.deliver(clock.now())

    case = requests.open()[0]
    assert (case.person_id, case.identified_at, case.channel) == (astrid, None, "phone")
    assert case.reference in shown
    assert "It is not certain yet" in shown
    assert letterbox.last()["To"] == ASTRID
    assert case.reference in letterbox.last()["Subject"]


def test_a_form_filled_in_wrongly_says_what_is_wrong(staff, xledger):
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    answer = staff.post("/console/requests/new/", {"received": tomorrow, "address": "nobody"})

    assert answer.status_code == 422
    shown = answer.content.decode()
    for words in ("Choose what they ask for.", "The day has not come yet.", "Enter a full e-mail address, or none."):
        assert words in shown
    assert not Request.objects.exists()


def test_the_next_step_is_to_learn_who_asks_then_to_do_it_then_to_end_it(staff, received, astrid, act, letterbox):
    made = received("access", astrid)

    def next_step():
        return re.search(r'<h2 id="next">([^<]+)', page(staff.get(f"/console/requests/{made}/")))[1]

    assert next_step() == "Establish who it is"
    act(made, "identify", do="sure", how="in_person")
    assert next_step() == "Hand over a copy"
    act(made, "hand_over")
    assert next_step() == "End the request"
    act(made, "complete")
    assert requests.one(made).state == "done"
    mail.deliver(clock.now())
    assert "Visa och ladda ner mina uppgifter" in letterbox.last().get_body(("plain",)).get_content()


def test_a_stranger_is_found_by_the_exact_address_or_not_at_all(staff, received, act, astrid):
    made = received("access", contact="other@example.se")
    nobody = act(made, "identify", do="sure", how="call_back", address="nobody@example.se")
    assert nobody.status_code == 422
    assert "Nobody was found at that address." in nobody.content.decode()
    unsaid = act(made, "identify", do="sure", address=ASTRID)
    assert "Say how you know." in unsaid.content.decode()

    act(made, "identify", do="sure", how="call_back", address=ASTRID)
    assert requests.one(made).person_id == astrid


def test_a_letter_is_shown_as_it_will_be_sent_and_nothing_is_sent_by_looking(staff, received, astrid, act, letterbox):
    made = received("erasure", astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    shown = page(act(made, "refuse", do="preview", reason="legal_obligation", words="Bokföringslagen 7 kap. 2 §."))

    for words in (
        "Lagen kräver att vi sparar uppgifterna.",
        "Bokföringslagen 7 kap. 2 §.",
        "Integritetsskyddsmyndigheten",
        "domstol",
    ):
        assert words in shown
    mail.deliver(clock.now())
    assert (letterbox.letters, requests.one(made).state) == ([], "working")

    page(act(made, "refuse", reason="legal_obligation", words="Bokföringslagen 7 kap. 2 §."))
    mail.deliver(clock.now())
    assert requests.one(made).state == "refused"
    assert "Bokföringslagen 7 kap. 2 §." in letterbox.last().get_body(("html",)).get_content()


def test_what_the_law_refuses_is_said_in_words_beside_the_form(staff, received, astrid, act):
    made = received("rectification", astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    answer = act(made, "complete")

    assert answer.status_code == 422
    assert "What was asked for has not been done yet." in answer.content.decode()


def test_a_value_is_put_right_from_the_request(staff, received, astrid, act):
    made = received("rectification", astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    held = next(each for each in people.holdings_of(astrid, "rights", by="staff:1") if each.field == "name")
    page(act(made, "correct", what=str(held.id), value="Astrid Ekberg"))

    assert people.value_of(astrid, "name", "rights", by="staff:1") == "Astrid Ekberg"


def test_an_erasure_takes_two_people_and_begins_when_the_letter_has_left(
    staff, member, received, astrid, act, letterbox, log
):
    made = received("erasure", astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    page(act(made, "erase"))
    assert "Somebody else must decide it." in page(staff.get(f"/console/requests/{made}/"))
    member("berit", "lead")
    approvals.decide(approvals.waiting()[0].id, f"staff:{User.objects.get(username='berit').pk}", True)
    follow.follow(clock.now())
    assert people.due_counts(astrid, clock.now()).all  # the letter still waits
    mail.deliver(clock.now())
    follow.follow(clock.now())
    outbox.drain()
    follow.follow(clock.now())

    case = requests.one(made)
    assert (case.state, case.person_id) == ("done", None)
    assert "sista brevet" in letterbox.last().get_body(("plain",)).get_content()
    assert "The person has been erased." in page(staff.get(f"/console/requests/{made}/"))


def test_an_erasure_that_was_declined_can_be_asked_for_again(staff, member, received, astrid, act):
    made = received("erasure", astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    page(act(made, "erase"))
    member("berit", "lead")
    approvals.decide(approvals.waiting()[0].id, f"staff:{User.objects.get(username='berit').pk}", False)
    page(act(made, "erase"))

    assert len(approvals.waiting()) == 1
    assert people.exists(astrid)


def test_a_question_by_telephone_is_answered_by_telephone_and_noted(staff, received, act):
    made = received("question", channel="phone", words="Säljer ni uppgifter?")
    shown = act(made, "reply", words="Nej, vi säljer inga uppgifter.")
    assert shown.status_code == 422
    assert "Choose how the person is told." in shown.content.decode()
    page(act(made, "reply", words="Nej, vi säljer inga uppgifter.", way="phone", closes="on"))

    case = requests.one(made)
    assert (case.state, [each.kind for each in case.history]) == (
        "answered",
        ["received", "replied", "told", "answered"],
    )
    assert "by telephone" in page(staff.get(f"/console/requests/{made}/"))
    told = next(each for each in case.history if each.kind == "told")
    letter = page(staff.get(f"/console/requests/{made}/letter/{told.id}/"))
    for words in ("Nej, vi säljer inga uppgifter.", case.reference, "Gårdsvägen 6", "Här är vårt svar."):
        assert words in letter


def test_who_has_no_e_mail_address_is_refused_by_post_and_the_letter_waits_to_be_sent(staff, xledger, act):
    person = register.welcome()
    register.hold(person, {"name": "Berta Ek"}, "customer", source="import:x", market="SE", locale="sv")
    made = requests.receive(
        person, "access", by="staff:1", channel="post", market="SE", locale="sv", at=clock.now(), words="Allt om mig"
    )
    requests.identify(made, person, "staff:1", "in_person")
    shown = page(act(made, "refuse", reason="excessive", words="Du fick en kopia i går.", way="post"))
    assert "Print the letter from the history" in shown
    told = next(each for each in requests.one(made).history if each.kind == "told")
    letter = page(staff.get(f"/console/requests/{made}/letter/{told.id}/"))
    for words in ("Berta Ek", "Du fick en kopia i går.", "Integritetsskyddsmyndigheten", "domstol"):
        assert words in letter
    assert {each.purpose for each in Look.objects.of(person)} == {"rights"}


def test_a_request_does_not_end_before_the_person_without_an_address_is_told(staff, xledger, act, log):
    person = register.welcome()
    register.hold(person, {"name": "Berta Ek"}, "customer", source="import:x", market="SE", locale="sv")
    made = requests.receive(
        person, "restriction", by="staff:1", channel="post", market="SE", locale="sv", at=clock.now(), words="Sluta"
    )
    requests.identify(made, person, "staff:1", "in_person")
    page(act(made, "restrict"))
    outbox.drain()
    answer = act(made, "complete")
    assert answer.status_code == 422
    assert "The person has not been told yet." in answer.content.decode()
    assert 'id="next">Tell the person' in page(staff.get(f"/console/requests/{made}/"))
    assert "the person has not been told yet" in page(staff.get("/console/requests/"))
    page(act(made, "told", way="post", words="Skickat i dag."))
    page(act(made, "complete"))

    assert requests.one(made).state == "done"


def test_a_copy_for_somebody_without_an_address_is_printed_and_the_look_at_all_of_it_kept(staff, xledger, act):
    person = register.welcome()
    register.hold(
        person, {"name": "Berta Ek", "company": "Ek AB"}, "customer", source="import:x", market="SE", locale="sv"
    )
    made = requests.receive(
        person, "access", by="staff:1", channel="post", market="SE", locale="sv", at=clock.now(), words="Allt om mig"
    )
    requests.identify(made, person, "staff:1", "in_person")
    assert staff.post(f"/console/requests/{made}/copy/").status_code == 200
    assert "copy is printed" in page(staff.get(f"/console/requests/{made}/"))
    page(act(made, "hand_over", way="post"))
    letter = next(each for each in requests.one(made).history if each.kind == "told")
    assert "följer en kopia av allt" in page(staff.get(f"/console/requests/{made}/letter/{letter.id}/"))
    copy = page(staff.post(f"/console/requests/{made}/copy/"))
    for words in ("Berta Ek", "Ek AB", "<style>"):
        assert words in copy
    assert any(
        {"name", "company"} <= set(each.fields) and each.by.startswith("staff") for each in Look.objects.of(person)
    )
    page(act(made, "complete"))
    assert requests.one(made).state == "done"


def test_whoever_acts_on_what_somebody_else_has_changed_is_told_and_keeps_what_they_wrote(staff, received, astrid, act):
    made = received("access", astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    turn = re.search(r'name="turn" value="(\d+)"', page(staff.get(f"/console/requests/{made}/")))[1]
    requests.ask_clarification(made, "Vilket år?", "staff:99")
    answer = act(made, "reply", words="Mina egna ord", turn=turn)

    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "Somebody else has done something with this request" in shown
    assert "Mina egna ord" in shown
    assert "Vilket år?" in shown
    assert not requests.one(made).has("replied")
    again = re.search(r'name="turn" value="(\d+)"', shown)[1]
    page(act(made, "reply", words="Mina egna ord", turn=again))
    assert requests.one(made).has("replied")


def test_a_request_lies_on_a_desk_and_the_list_shows_mine(staff, member, received, astrid, act):
    mine, other = received("access", astrid), received("erasure", astrid)
    page(act(mine, "assign", do="mine"))
    page(act(other, "assign", to="role:requests"))

    def listed(query):
        shown = page(staff.get(f"/console/requests/?{query}"))
        return {each for each in (mine, other) if str(each) in shown}

    assert listed("") == {mine, other}
    assert listed("desk=mine") == {mine}
    assert listed("desk=nobody") == set()
    assert listed("desk=role:requests&right=erasure") == {other}
    assert listed("right=access") == {mine}
    assert listed("market=SE") == {mine, other}
    assert listed("market=NO&page=7") == set()
    assert listed("market=XX&right=nonsense&page=x&desk=<b>") == {mine, other}
    handler = member("handler", "requests")
    assert str(other) in page(handler.get("/console/requests/?desk=mine"))
    assert "Everybody with the role request handler" in page(staff.get("/console/requests/"))
    assert act(mine, "assign", to="staff:4711").status_code == 422


def test_a_long_list_comes_in_pages(staff, received, astrid):
    for _ in range(53):
        received("question", astrid)
    first, last = (page(staff.get(f"/console/requests/?right=question{more}")) for more in ("", "&page=2"))

    assert "Page 1 of 2, 53 requests" in first
    assert first.count('<th scope="row">') == 50
    assert last.count('<th scope="row">') == 3
    assert "right=question&amp;page=2" in first


def test_who_asked_for_a_correction_by_letter_is_told_when_it_is_done(staff, received, astrid, act, letterbox, log):
    made = received("rectification", astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    held = next(each for each in people.holdings_of(astrid, "rights", by="staff:1") if each.field == "name")
    page(act(made, "correct", what=str(held.id), value="Astrid Ekberg"))
    page(act(made, "complete"))
    mail.deliver(clock.now())

    assert "har rättat dina uppgifter" in letterbox.last().get_body(("plain",)).get_content()


def test_a_restriction_is_lifted_from_its_request_after_the_person_was_told(
    staff, received, astrid, act, letterbox, log
):
    made = received("restriction", astrid)
    requests.identify(made, astrid, "staff:1", "call_back")
    page(act(made, "restrict"))
    outbox.drain()
    page(act(made, "complete"))
    assert restriction.is_restricted(astrid)
    assert act(made, "lift").status_code == 422
    page(act(made, "announce", words="Uppgifterna är rättade."))
    page(act(made, "lift"))

    assert not restriction.is_restricted(astrid)


def test_an_objection_is_weighed_while_the_data_is_restricted_and_then_decided(staff, received, astrid, act, log):
    made = received("objection", astrid, purpose="contact")
    requests.identify(made, astrid, "staff:1", "call_back")
    page(act(made, "restrict"))
    assert restriction.is_restricted(astrid)
    assert act(made, "complete").status_code == 422
    shown = page(staff.get(f"/console/requests/{made}/"))
    for name in ("stop", "refuse", "announce"):
        assert f"/console/requests/{made}/{name}/" in shown
    page(act(made, "stop", purpose="contact"))
    outbox.drain()
    page(act(made, "complete"))

    assert requests.one(made).state == "done"


def test_only_those_who_may_see_requests_see_them_and_only_those_who_may_decide_refuse(member, received, astrid):
    made = received("access", astrid)
    assert member("sales", "register").get("/console/requests/").status_code == 403
    handler = member("handler", "requests")
    assert handler.get(f"/console/requests/{made}/").status_code == 200
    assert member("operator", "operator").post(f"/console/requests/{made}/note/", {"words": "x"}).status_code == 403


def test_a_british_question_to_the_person_says_that_the_clock_stands(staff, received, astrid):
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with clock.at(at + timedelta(days=3)):
        made = received("access", astrid, market="GB", locale="en-GB", at=at)
        requests.identify(made, astrid, "staff:1", "call_back")
        assert "The clock stands until they answer." in page(staff.get(f"/console/requests/{made}/"))
