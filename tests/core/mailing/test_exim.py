"""The whole way with a real mail server: what Exim refuses, takes, passes on and sends back."""

import time

import pytest
from bench import exim

from lofte.core import clock, mail, ports, vault
from lofte.core.mailing import signing, suppression
from lofte.core.mailing.models import Bounce
from lofte.core.models import Mail, Person

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True), pytest.mark.timeout(120)]


@pytest.fixture
def server(listening, settings):
    """Exim between us and ourselves: what it sends back, and what it passes on, comes to our own listener."""
    if missing := exim.why_not():
        pytest.skip(missing)
    with exim.running(listening.port) as running:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_HOST_USER, settings.EMAIL_USE_TLS = "", False
        yield running


def someone(published):
    found = Person.objects.create().id
    vault.make_key(found)
    ports.consents().grant(
        found, "newsletter", market="SE", locale="sv", shown="form.newsletter", method="double_opt_in"
    )
    return found


def until(server, done):
    for _ in range(60):
        if done():
            return
        server.flush()
        time.sleep(0.2)
    raise AssertionError("Exim sent nothing back")


@pytest.mark.parametrize(
    ("domain", "state", "reason", "kind", "is_stopped"),
    [
        ("reject.example.test", "failed", "refused", "hard", True),
        ("late-bounce.example.test", "sent", "bounced", "hard", True),
        ("full.example.test", "sent", "bounced-soft", "soft", False),
    ],
)
def test_what_exim_cannot_deliver_is_known_and_heeded(
    published, server, offered, home, settings, domain, state, reason, kind, is_stopped
):
    settings.LOFTE_DKIM = ("lofte", "example.com")
    signing.make_key(home, "lofte", "example.com")
    person, address = someone(published), f"kari@{domain}"
    mail.send(offered(person_id=person, to=address))
    mail.deliver(clock.now())
    until(server, lambda: Bounce.objects.of(person).exists())

    assert Bounce.objects.of(person).get().kind == kind
    row = Mail.objects.of(person).get()
    assert (row.state, row.reason) == (state, reason)
    assert suppression.is_stopped(person, address) == is_stopped
