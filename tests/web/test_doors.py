"""What holds for every door: headers, cross-site posts, addresses that mails carry, methods."""

import pytest
from django.test import Client
from django.urls import resolve

from lofte.core.links import PATHS
from lofte.web.doors import stamp

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
PAGES = ["/news/se/sv/", "/my/fi/fi/", "/accounts/login/", "/news/gb/en-GB/thanks/"]


@pytest.mark.parametrize("path", PAGES)
def test_each_page_forbids_script_framing_and_keeping(visitor, path):
    answer = visitor.get(path)
    policy = answer["Content-Security-Policy"]

    assert answer.status_code == 200
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_inline_style_or_script(visitor, path):
    shown = visitor.get(path).content.decode()

    assert "<script" not in shown
    assert " style=" not in shown
    assert "<style" not in shown
    assert " onclick" not in shown


@pytest.mark.parametrize("path, form", [("/news/se/sv/", "newsletter"), ("/my/se/sv/", "ask")])
def test_a_form_sent_from_another_site_is_refused(visitor, path, form):
    fields = {"stamp": stamp(form), "email": "a@example.se", "address": "a@example.se"}

    for headers in (
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {},
    ):
        assert visitor.client.post(path, fields, **headers).status_code == 403


def test_a_form_without_its_stamp_or_with_that_of_another_form_is_refused(visitor):
    for value in ("", "forged", stamp("ask")):
        answer = visitor.client.post("/news/se/sv/", {"stamp": value}, HTTP_SEC_FETCH_SITE="same-origin")
        assert answer.status_code == 403
        assert "Formuläret är för gammalt" in answer.content.decode()


@pytest.mark.parametrize("name", sorted(set(PATHS) - {"policy"}))
def test_every_address_that_leaves_in_a_mail_leads_to_a_page(name):
    resolve(PATHS[name].format(market="se", locale="sv", code="abc"))


def test_only_post_changes_anything_in_the_portal(inside):
    visitor = inside()

    for path in ("withdraw/", "object/"):
        assert visitor.get(f"{visitor.my}data/{path}").status_code == 405
    assert visitor.get(f"{visitor.my}close/").status_code == 405


def test_the_portal_and_the_console_demand_their_token(inside, staff):
    visitor = inside()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = visitor.client.cookies

    for path in ("withdraw/", "object/", "erase/", "topics/"):
        answer = strict.post(f"{visitor.my}data/{path}", {"purpose": "newsletter"}, HTTP_ORIGIN="http://localhost:8000")
        assert answer.status_code == 403
    strict.cookies = staff.cookies
    assert strict.post("/console/check/").status_code == 403


def test_an_unknown_page_is_told_of_in_the_language_of_its_edition(visitor):
    assert "Sivua ei löydy" in visitor.get("/my/fi/fi/nowhere/").content.decode()
