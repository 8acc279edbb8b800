"""Newsletter pages: a GET never acts, everybody gets the same answer, and the form asks for nothing undeclared."""

import re

import pytest
from django.test import Client

from lofte.core import clock, mail
from lofte.features.consent import reads as consents
from lofte.features.consent import verbs as consent
from lofte.features.outreach import reads
from lofte.features.outreach.models import SignUp
from lofte.features.register import reads as register

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
OURS = {"HTTP_SEC_FETCH_SITE": "same-origin"}
EDITIONS = [("se", "sv"), ("no", "nb"), ("fi", "fi"), ("gb", "en-GB"), ("us", "en-US")]


@pytest.mark.parametrize("market, locale", EDITIONS)
def test_the_form_shows_purpose_basis_retention_contact_and_policy_beside_its_fields(visitor, xledger, market, locale):
    shown = visitor.get(f"/news/{market}/{locale}/").content.decode()

    assert xledger.word(locale, "purposes", "newsletter", "name") in shown
    assert "24 " in shown
    assert "info@xledger.se" in shown
    assert f'href="/lofte/policy/{market}/{locale}/"' in shown
    assert f'<html lang="{locale}">' in shown


def test_the_form_has_exactly_the_declared_fields_and_an_unticked_box(visitor, xledger):
    shown = visitor.get(visitor.news).content.decode()

    names = set(re.findall(r'<input[^>]* name="([a-z]+)"', shown))
    assert names == {"email", "name", "company", "consent", "website", "stamp", "wording"}
    assert "checked" not in shown
    assert xledger.word("sv", "forms", "newsletter", "consent") in shown


def test_no_cookie_is_set_by_any_newsletter_page(visitor, sign_up):
    sign_up("astrid@example.se")

    assert visitor.client.cookies == {}


def test_a_form_without_the_box_ticked_is_shown_again_with_the_error_at_its_field(visitor):
    answer = visitor.post(visitor.news, {"email": "astrid@example.se"})

    assert answer.status_code == 422
    assert 'id="id_consent_error"' in answer.content.decode()
    assert not SignUp.everyone.exists()


def test_known_and_unknown_addresses_get_the_same_answer(visitor, subscriber):
    subscriber("known@example.se")

    answers = [
        visitor.post(visitor.news, {"email": address, "consent": "on"})
        for address in ("known@example.se", "new@example.se")
    ]

    first, second = [
        (answer.status_code, answer["Location"], answer.content, sorted(answer.headers)) for answer in answers
    ]
    assert first == second


def test_the_page_after_the_form_says_the_same_whatever_came_before(visitor):
    assert visitor.get(f"{visitor.news}thanks/").content == Client().get(f"{visitor.news}thanks/").content


def test_a_program_that_fills_the_trap_is_thanked_and_forgotten(visitor):
    answer = visitor.post(visitor.news, {"email": "bot@example.se", "consent": "on", "website": "http://spam.example"})

    assert answer.status_code == 302
    assert not SignUp.everyone.exists()


def test_consent_to_words_that_have_changed_since_is_asked_anew(visitor):
    answer = visitor.post(visitor.news, {"email": "astrid@example.se", "consent": "on", "wording": "0" * 64})

    assert answer.status_code == 422
    assert not SignUp.everyone.exists()


def test_opening_the_confirmation_link_confirms_nothing_until_the_button_is_pressed(visitor, sign_up):
    code = sign_up("astrid@example.se")

    for _ in range(3):
        assert visitor.get(f"{visitor.news}confirm/{code}/").status_code == 200
    assert reads.subscriber_count() == 0

    assert visitor.post(f"{visitor.news}confirm/{code}/").status_code == 200
    assert reads.subscriber_count() == 1


def test_a_used_confirmation_link_says_that_all_is_well_until_the_consent_is_withdrawn(visitor, sign_up):
    code = sign_up("astrid@example.se")
    visitor.post(f"{visitor.news}confirm/{code}/")

    answer = visitor.get(f"{visitor.news}confirm/{code}/")
    assert answer.status_code == 200
    assert "Välkommen" in answer.content.decode()

    consent.withdraw(register.person_of("email", "astrid@example.se"), "newsletter", method="portal")
    answer = visitor.get(f"{visitor.news}confirm/{code}/")
    assert answer.status_code == 410
    assert "Länken går inte att använda" in answer.content.decode()


def test_a_confirmation_pressed_twice_is_one_consent_and_no_second_one_after_a_withdrawal(visitor, sign_up):
    code = sign_up("astrid@example.se")
    hidden = dict(
        re.findall(r'name="(stamp)" value="([^"]*)"', visitor.get(f"{visitor.news}confirm/{code}/").content.decode())
    )

    def press():
        return visitor.client.post(f"{visitor.news}confirm/{code}/", hidden, **OURS).status_code

    assert (press(), press()) == (200, 200)
    consent.withdraw(register.person_of("email", "astrid@example.se"), "newsletter", method="portal")
    assert press() == 410
    assert reads.subscriber_count() == 0


def test_a_link_scanner_that_presses_buttons_in_a_browser_confirms_nothing(visitor, sign_up):
    code = sign_up("astrid@example.se")
    by_itself = {"HTTP_SEC_FETCH_MODE": "navigate"}

    asked = visitor.post(f"{visitor.news}confirm/{code}/", **by_itself)

    assert asked.status_code == 422
    assert 'name="mine"' in asked.content.decode()
    assert reads.subscriber_count() == 0
    assert visitor.post(f"{visitor.news}confirm/{code}/", {"mine": "on"}, **by_itself).status_code == 200
    assert reads.subscriber_count() == 1


def test_a_human_press_in_a_browser_confirms_at_once(visitor, sign_up):
    code = sign_up("astrid@example.se")
    pressed = {"HTTP_SEC_FETCH_MODE": "navigate", "HTTP_SEC_FETCH_USER": "?1"}

    assert visitor.post(f"{visitor.news}confirm/{code}/", **pressed).status_code == 200
    assert reads.subscriber_count() == 1


def test_the_receipt_of_a_consent_is_handed_over_at_once_and_a_made_up_one_is_not(visitor, sign_up):
    code = sign_up("astrid@example.se")
    shown = visitor.post(f"{visitor.news}confirm/{code}/").content.decode()

    address = re.findall(r'href="(/news/se/sv/receipt/[^"]+\.json)"', shown)[0]
    assert visitor.get(address).json()["lofte"] == "receipt/1"
    assert visitor.get("/news/se/sv/receipt/MQ:1abc:forged.json").status_code == 404


@pytest.fixture
def way_out(visitor, subscriber, letterbox):
    """A subscriber got an issue; the code of its way out."""
    from lofte.features.outreach import verbs

    subscriber("astrid@example.se")
    content = {locale: verbs.Content("News", "Text", "<p>Text</p>") for _, locale in EDITIONS}
    verbs.send_issue(verbs.draft_issue(verbs_topic(), content, "staff:1"))
    mail.deliver(clock.now())
    return letterbox.link("unsubscribe")


def verbs_topic():
    return reads.topics()[0]


def test_opening_the_way_out_does_not_unsubscribe(visitor, way_out):
    for _ in range(3):
        assert visitor.get(f"{visitor.news}unsubscribe/{way_out}/").status_code == 200

    assert reads.subscriber_count() == 1


def test_one_click_works_without_cookies_tokens_or_our_page(visitor, way_out):
    provider = Client(enforce_csrf_checks=True)
    answer = provider.post(
        f"{visitor.news}unsubscribe/{way_out}/",
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 200
    assert reads.subscriber_count() == 0


def test_a_second_click_and_an_unknown_code_say_the_same(visitor, way_out):
    address = f"{visitor.news}unsubscribe/{way_out}/"
    first = visitor.client.post(address)
    again = visitor.client.post(address)
    unknown = visitor.client.post(f"{visitor.news}unsubscribe/{'x' * 43}/")

    assert first.content == again.content == unknown.content


def test_one_click_answers_at_once_without_a_redirect_or_a_cookie(visitor, way_out):
    program = Client(enforce_csrf_checks=True)

    answer = program.post(f"{visitor.news}unsubscribe/{way_out}/", {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert not program.cookies
    assert reads.subscriber_count() == 0


@pytest.mark.parametrize("market, locale", EDITIONS)
def test_the_link_of_a_letter_opens_what_one_wants_to_read_without_a_login(visitor, way_out, market, locale):
    shown = visitor.get(f"/news/{market}/{locale}/preferences/{way_out}/").content.decode()

    assert shown.count('name="wanted"') == len(reads.topics()) == shown.count("checked")
    assert "astrid" not in shown.casefold()
    assert visitor.client.cookies == {}


def test_choosing_less_keeps_the_consent_and_choosing_nothing_takes_it_back(visitor, way_out):
    address = f"{visitor.news}preferences/{way_out}/"
    person = register.person_of("email", "astrid@example.se")

    visitor.post(address, {"wanted": ["events", "nonsense"]})
    assert reads.topics_of(person) == ("events",)
    assert reads.subscriber_count() == 1

    visitor.post(address, {"wanted": []})
    assert reads.subscriber_count() == 0

    shown = visitor.get(address).content.decode()
    assert 'name="wanted"' not in shown
    visitor.post(address, {"wanted": ["events"]})
    assert reads.subscriber_count() == 0


def test_a_link_can_leave_its_own_topic_alone_and_the_page_says_what_is_left(visitor, way_out):
    address = f"{visitor.news}unsubscribe/{way_out}/"
    person = register.person_of("email", "astrid@example.se")
    _first, *others = reads.topics()
    assert 'name="only"' in visitor.get(address).content.decode()

    left = visitor.client.post(address, {"only": "topic"}).content.decode()

    assert set(reads.topics_of(person)) == set(others)
    assert reads.subscriber_count() == 1
    assert left.count("(med e-post)") == len(others)
    assert 'name="only"' not in visitor.get(address).content.decode()
    visitor.client.post(address, {"only": "topic"})  # nothing but the whole is left to leave
    assert reads.subscriber_count() == 0


def test_everything_is_left_in_one_press_and_each_change_has_its_receipt(visitor, way_out):
    address = f"{visitor.news}preferences/{way_out}/"

    narrowed = visitor.post(address, {"wanted": ["events"]}).content.decode()
    assert "Inget ändrades" in visitor.post(address, {"wanted": ["events"]}).content.decode()
    ended = visitor.post(address, {"everything": "on"}).content.decode()

    assert reads.subscriber_count() == 0
    for shown, said in ((narrowed, "topics_chosen"), (ended, "withdrawn")):
        (receipt,) = re.findall(r'href="(/news/se/sv/receipt/[^"]+\.json)"', shown)
        assert said in visitor.get(receipt).content.decode()


def test_what_was_agreed_to_after_the_page_was_opened_is_not_ended_by_it(visitor, way_out):
    person = register.person_of("email", "astrid@example.se")
    address = f"{visitor.news}preferences/{way_out}/"
    page = visitor.get(address).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', page))
    consent.grant(
        person, "newsletter", market="SE", locale="sv", shown="form.newsletter", method="double_opt_in", channel="sms"
    )

    visitor.client.post(address, hidden | {"wanted": []}, **OURS)

    assert not consents.is_granted(person, "newsletter")
    assert consents.is_granted(person, "newsletter", channel="sms")
    assert "med sms" in visitor.get(address).content.decode().casefold()
    visitor.post(address, {"everything": "on"})
    assert not consents.is_granted(person, "newsletter", channel="sms")


def test_a_link_nobody_gave_out_opens_no_choices(visitor):
    assert visitor.get(f"{visitor.news}preferences/{'x' * 43}/").status_code == 410


def test_a_newsletter_carries_contact_authority_and_one_click_headers(visitor, way_out, letterbox):
    letter = letterbox.last()
    text = letter.get_body(("plain",)).get_content()

    assert "info@xledger.se" in text
    assert "+46 8 568 901 00" in text
    assert "imy.se" in text
    assert way_out in text
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_somebody_who_confirms_is_a_prospect_and_not_a_customer_by_alphabet(visitor, subscriber):
    from lofte.features.register.models import Relation

    subscriber("astrid@example.se")

    assert register.person_of("email", "astrid@example.se")
    assert [row.relation for row in Relation.everyone.all()] == ["prospect"]


def test_markets_and_locales_that_do_not_exist_are_not_found(visitor):
    for path in ("/news/xx/sv/", "/news/SE/sv/", "/news/se/fi/", "/my/se/fi/", "/my/se/../"):
        assert visitor.get(path).status_code == 404
