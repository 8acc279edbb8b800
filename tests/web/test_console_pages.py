"""The console: staff only, promises as they stand, people by stated purpose, five languages, a second factor."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from lofte.core import outbox
from lofte.core.accounts import AUDITORS
from lofte.evidence.log import Draft
from lofte.features.promises import verbs as promises
from lofte.features.promises.verbs import Judged
from lofte.features.register import reads as register
from lofte.features.register.models import Look
from lofte.kernel.canonical import canonical_bytes
from lofte.rules.control import broken
from lofte.rules.model import Audience
from lofte.web.console import checks

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
PAGES = [
    "/console/", "/console/promise/P15/", "/console/publications/", "/console/people/", "/console/operation/", "/accounts/2fa/",
    "/accounts/password/change/",
]  # fmt: skip
LOCALES = {"sv": "Löften", "nb": "Løfter", "fi": "Lupaukset", "en-GB": "Promises", "en-US": "Promises"}
PASSWORD = "correct horse battery staple"


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_login_from_every_page(xledger, log, path):
    answer = Client().get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("path", PAGES[:5])
def test_an_account_that_is_not_staff_sees_nothing(xledger, log, path):
    client = Client()
    client.force_login(User.objects.create_user("guest", password=PASSWORD))

    assert client.get(path).status_code == 403


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_speaks_the_language_that_was_chosen(staff, path, locale):
    staff.post("/console/locale/", {"locale": locale, "next": "/console/"})

    answer = staff.get(path, follow=True)

    assert answer.status_code == 200
    assert f'<html lang="{locale}">' in answer.content.decode()
    assert LOCALES[locale] in answer.content.decode()


def test_the_language_button_leads_back_only_to_our_own_pages(staff):
    assert staff.post("/console/locale/", {"locale": "fi", "next": "https://evil.example/"})["Location"] == "/console/"


def test_the_board_shows_every_promise_with_shape_word_and_reason(staff, xledger):
    shown = staff.get("/console/", HTTP_ACCEPT_LANGUAGE="sv").content.decode()

    assert all(f"/console/promise/{promise}/" in shown for promise in xledger.policy.promises)
    assert shown.count('class="verdict ') == len(xledger.policy.promises)
    assert "Obevisat" in shown


def test_a_broken_promise_stands_first_and_the_filter_finds_it(staff):
    promises.store([_break("P49")])

    shown = staff.get("/console/").content.decode()
    only = staff.get("/console/?show=broken").content.decode()

    assert shown.index("/console/promise/P49/") < shown.index("/console/promise/P01/")
    assert "/console/promise/P49/" in only
    assert "/console/promise/P01/" not in only


def test_a_promise_page_shows_the_text_it_comes_from_and_its_history(staff):
    outbox.subscribe("verdict", promises.note_evidence)
    promises.store([_break("P15")])

    shown = staff.get("/console/promise/P15/", HTTP_ACCEPT_LANGUAGE="sv").content.decode()

    assert 'class="clause"' in shown
    assert "24 månader" in shown
    assert "GDPR" in shown
    assert 'class="timeline"' in shown
    assert "/lofte/evidence/" in shown


def test_an_unknown_promise_is_not_found(staff):
    assert staff.get("/console/promise/P99/").status_code == 404


def test_check_now_starts_the_probes_of_that_promise(staff):
    asked = []
    checks.provide(lambda which: asked.append(tuple(which)) or True, lambda: False)
    try:
        staff.post("/console/check/", {"promise": "P34"})
        staff.post("/console/check/")
    finally:
        checks.provide(None)

    assert asked == [("P34",), ()]


def test_without_a_checker_the_button_says_so(staff):
    answer = staff.post("/console/check/", follow=True, HTTP_ACCEPT_LANGUAGE="en")

    assert "Checks cannot be started from here" in answer.content.decode()


def test_a_person_is_found_by_exact_address_for_a_purpose_and_the_look_is_kept(staff, subscriber):
    subscriber("astrid@example.se", name="Astrid Ek")
    answer = staff.post("/console/people/", {"sought": "astrid@example.se", "purpose": "newsletter"}, follow=True)

    assert "Astrid Ek" in answer.content.decode()
    assert "astrid" not in answer.redirect_chain[-1][0]
    person = register.person_of("email", "astrid@example.se")
    look = Look.objects.of(person).order_by("-at").first()
    assert (look.purpose, look.by.startswith("staff:"), look.allowed) == ("newsletter", True, True)


def test_a_purpose_the_person_did_not_consent_to_shows_nothing_and_the_attempt_is_kept(staff, visitor, subscriber):
    subscriber("astrid@example.se", name="Astrid Ek")
    person = register.person_of("email", "astrid@example.se")
    from lofte.features.consent import verbs

    verbs.withdraw(person, "newsletter", method="portal")
    answer = staff.post("/console/people/", {"sought": "astrid@example.se", "purpose": "newsletter"}, follow=True)

    assert answer.status_code == 403
    assert "Astrid Ek" not in answer.content.decode()
    assert Look.objects.of(person).filter(allowed=False, by__startswith="staff:").exists()


def test_a_person_page_without_a_stated_purpose_asks_for_one(staff, subscriber):
    subscriber("astrid@example.se")
    person = register.person_of("email", "astrid@example.se")

    assert staff.get(f"/console/people/{person}/")["Location"] == "/console/people/"


def test_an_unknown_address_is_told_without_a_word_about_others(staff):
    answer = staff.post(
        "/console/people/", {"sought": "nobody@example.se", "purpose": "newsletter"}, HTTP_ACCEPT_LANGUAGE="en"
    )

    assert "Nobody was found" in answer.content.decode()


def test_a_wrong_password_is_refused_in_our_words_and_too_many_are_stopped(xledger, log):
    User.objects.create_user("anna", password=PASSWORD, is_staff=True)
    client = Client(HTTP_ACCEPT_LANGUAGE="nb")

    told = [client.post("/accounts/login/", {"login": "anna", "password": "wrong"}).content.decode() for _ in range(8)]

    assert "Brukernavnet eller passordet stemmer ikke." in told[0]
    assert "For mange forsøk" in told[-1]


def test_a_staff_login_leads_to_the_board_and_signup_is_closed(xledger, log):
    User.objects.create_user("anna", password=PASSWORD, is_staff=True)
    client = Client()

    assert client.post("/accounts/login/", {"login": "anna", "password": PASSWORD})["Location"] == "/console/"
    for path in ("signup/", "password/reset/", "email/"):
        assert client.get(f"/accounts/{path}").status_code == 404


def test_the_secret_of_a_second_factor_is_not_readable_in_the_database(xledger):
    from allauth.mfa.adapter import get_adapter

    sealed = get_adapter().encrypt("JBSWY3DPEHPK3PXP")

    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert get_adapter().decrypt(sealed) == "JBSWY3DPEHPK3PXP"


def _break(promise):
    """A verdict of the promise's own control, with a reason that control can say."""
    from lofte.core.publication import current
    from lofte.rules.catalogue import slots_of
    from lofte.rules.controls import words_of

    control = current().policy.promises[promise].controls[0].control
    reasons = words_of(control)["en-GB"].reasons
    reason = next(key for key in reasons if key != "kept")
    return Judged(promise, control, broken(reason, **dict.fromkeys(slots_of(reasons[reason]), 1)))


@pytest.fixture
def auditor(xledger, log, db):
    """Somebody from outside, let in to see promises."""
    user = User.objects.create_user("auditor", password=PASSWORD)
    user.groups.add(Group.objects.create(name=AUDITORS))
    client = Client()
    client.force_login(user)
    return client


def seen_by(audience, monkeypatch):
    from lofte.core import publication

    policy = publication.current().policy.model_copy(update={"verdicts_visible_to": audience})
    changed = publication.current().model_copy(update={"policy": policy})
    for module in ("lofte.web.console.staff", "lofte.web.console.context"):
        monkeypatch.setattr(f"{module}.current", lambda: changed)


@pytest.mark.parametrize("path", ["/console/", "/console/promise/P15/", "/console/publications/"])
def test_an_auditor_sees_promises_where_the_policy_shows_them_to_auditors(auditor, monkeypatch, path):
    seen_by(Audience.AUDITOR, monkeypatch)

    shown = auditor.get(path)

    assert shown.status_code == 200
    assert b"/console/people/" not in shown.content
    assert b"/console/check/" not in shown.content


@pytest.mark.parametrize("path", ["/console/people/", "/console/operation/"])
def test_an_auditor_sees_nothing_about_people_or_operation(auditor, path):
    assert auditor.get(path).status_code == 403
    assert auditor.post("/console/check/").status_code == 403


def test_an_auditor_sees_nothing_where_the_policy_keeps_verdicts_to_staff(auditor, monkeypatch):
    seen_by(Audience.STAFF, monkeypatch)

    assert auditor.get("/console/").status_code == 403


def test_the_proof_of_a_verdict_is_a_page_to_keep_that_checks_itself(staff, log):
    fact = canonical_bytes({"event": "verdict", "promise": "P15", "status": "kept"})
    index = log.append_and_wait(Draft("verdict", fact, None, "", "a-verdict")).index

    answer = staff.get(f"/console/evidence/{index}/")

    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="lofte-receipt-{index}.html"'


def test_the_console_gives_no_proof_of_what_is_about_people(staff, log):
    index = log.append_and_wait(
        Draft("consent", canonical_bytes({}), canonical_bytes({"person": "x"}), "", "a-consent")
    ).index

    assert staff.get(f"/console/evidence/{index}/").status_code == 404
