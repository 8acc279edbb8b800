"""The page that tells whether the sending domain is ready."""

import pytest

from lofte.core.mailing.names import Unanswered
from lofte.rules.catalogue import LOCALES
from lofte.web.console import readiness

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
PAGE = "/console/operation/mail/"


class _Silent:
    """No name server anywhere."""

    def _ask(self, *asked):
        raise Unanswered

    texts = addresses = mail_servers = names_of = _ask


@pytest.fixture
def operator(xledger, log, member, monkeypatch, settings):
    monkeypatch.setattr(readiness, "Dns", _Silent)
    settings.DEFAULT_FROM_EMAIL = "Xledger <news@example.se>"
    return member("per", "operator", factor=False)


def test_looking_at_the_page_asks_nobody_and_says_which_domain(operator, monkeypatch):
    monkeypatch.setattr(readiness, "Dns", None)
    shown = operator.get(PAGE).content.decode()

    assert "example.se" in shown
    assert "verdict" not in shown


@pytest.mark.parametrize("locale", LOCALES)
def test_pressing_the_button_says_each_thing_in_the_readers_language(operator, locale):
    operator.post("/console/locale/", {"locale": locale, "next": PAGE})
    shown = operator.post(PAGE).content.decode()

    assert f'<html lang="{locale}">' in shown
    assert shown.count('class="verdict') >= 8
    for check in ("spf", "dkim", "dmarc", "ptr", "mx", "tls", "one_click"):
        assert f'id="{check}"' in shown


def test_what_is_no_address_is_told_beside_the_field(operator):
    answer = operator.post(PAGE, {"address": "mail.example.se"})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()


def test_only_whoever_may_see_the_operation_sees_it(operator, member):
    assert member("bo", "register").get(PAGE).status_code == 403
