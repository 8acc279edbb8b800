"""A password opens the board; pages about people ask for a second factor, and enrolling one leads back to where one was going."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lofte.core import clock, roles
from lofte.core.accounts import SIGNED_IN_AT

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
PASSWORD = "correct horse battery staple"
OPEN = ["/console/", "/console/promise/P15/", "/console/publications/", "/console/operation/", "/accounts/2fa/"]
CLOSED = ["/console/people/", "/console/approvals/", "/console/staff/"]


@pytest.fixture
def anna(xledger, log, db):
    """A lead who has signed in with a password and has no second factor yet."""
    roles.give(User.objects.create_user("anna", password=PASSWORD), ["lead"], by=roles.OPERATOR)
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    assert client.post("/accounts/login/", {"login": "anna", "password": PASSWORD})["Location"] == "/console/"
    return client


def code_of(secret):
    from time import time

    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return format_hotp_value(hotp_value(secret, int(time()) // 30))


def enrol(client):
    """Read the secret off the page and type what an app would show."""
    shown = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", shown)[1]
    return secret, client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}, follow=True)


@pytest.mark.parametrize("path", OPEN)
def test_a_password_opens_what_is_about_nobody(anna, path):
    assert anna.get(path).status_code == 200


@pytest.mark.parametrize("path", CLOSED)
def test_a_page_about_people_leads_to_enrolment_and_says_why(anna, path):
    answer = anna.get(path, follow=True)

    assert answer.redirect_chain[-1][0] == "/accounts/2fa/totp/activate/"
    assert "Pages about people need a second factor" in answer.content.decode()


def test_who_has_just_signed_in_enrols_without_typing_the_password_again_and_goes_on(anna):
    anna.get("/console/people/")
    _, answer = enrol(anna)

    shown = answer.content.decode()
    assert answer.wsgi_request.path == "/accounts/2fa/recovery-codes/"
    assert 'href="/console/people/">Go on' in shown
    assert anna.get("/console/people/").status_code == 200
    assert 'href="/console/people/">Go on' not in anna.get("/accounts/2fa/recovery-codes/").content.decode()


def test_a_session_that_is_not_fresh_is_asked_for_the_password_first(anna):
    session = anna.session
    session[SIGNED_IN_AT] = int(clock.now().timestamp()) - 3600
    session.save()

    answer = anna.get("/accounts/2fa/totp/activate/")
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_a_wrong_code_connects_nothing(anna):
    answer = anna.post("/accounts/2fa/totp/activate/", {"code": "000000"})

    assert "The code is wrong" in answer.content.decode() or answer.status_code == 200
    assert anna.get("/console/people/").status_code == 302


def test_the_next_login_asks_for_the_code_and_then_opens_everything(anna):
    secret, _ = enrol(anna)
    _forget_used_codes()
    again = Client()
    led = again.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    assert led["Location"].startswith("/accounts/2fa/authenticate/")
    assert again.get("/console/people/")["Location"].startswith("/accounts/login/")

    again.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert again.get("/console/people/").status_code == 200


def test_a_session_opened_by_password_alone_before_the_enrolment_must_show_the_code(anna):
    thief = Client()
    thief.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    secret, _ = enrol(anna)
    _forget_used_codes()

    led = thief.get("/console/people/")
    assert led["Location"] == "/accounts/2fa/reauthenticate/?next=%2Fconsole%2Fpeople%2F"
    assert thief.get(led["Location"]).status_code == 200

    shown = thief.post(led["Location"], {"code": code_of(secret), "next": "/console/people/"})
    assert shown["Location"] == "/console/people/"
    assert thief.get("/console/people/").status_code == 200


def test_who_turns_the_factor_off_is_led_to_enrolment_again(anna):
    enrol(anna)
    anna.post("/accounts/2fa/totp/deactivate/")

    assert anna.get("/console/people/")["Location"] == "/accounts/2fa/totp/activate/"


def test_a_role_may_ask_for_a_second_factor_on_every_page(anna, home):
    from importlib.resources import files

    shipped = (files("lofte.core") / "roles.yaml").read_text(encoding="utf-8")
    (home / "roles.yaml").write_text(shipped.replace("second_factor: true", "second_factor: always", 1))

    assert anna.get("/console/")["Location"] == "/accounts/2fa/totp/activate/"


def test_a_file_of_roles_with_a_fault_closes_the_pages_and_says_so(anna, home):
    (home / "roles.yaml").write_text("roles: [")

    for path in ("/console/", "/console/people/"):
        answer = anna.get(path)
        assert answer.status_code == 500
        assert "The roles cannot be read" in answer.content.decode()


def test_a_form_that_was_sent_without_a_second_factor_is_not_carried_out(anna, subscriber):
    subscriber("astrid@example.se", name="Astrid Ek")
    answer = anna.post("/console/people/", {"sought": "astrid@example.se", "purpose": "newsletter"})

    assert answer["Location"] == "/accounts/2fa/totp/activate/"
    assert "console_purpose" not in anna.session


def _forget_used_codes():
    """A code is good once; the app's next one comes in half a minute, which a test does not wait for."""
    from django.core.cache import cache

    cache.clear()
