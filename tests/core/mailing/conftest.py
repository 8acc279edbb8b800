"""A person to write to, a mail server that keeps what it takes, and the way back."""

import email
import email.policy
import smtplib
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from bench.load import free_port
from bench.mail_sink import Sink

from lofte.core import mail, ports, vault
from lofte.core.mailing.listener import Listener
from lofte.core.models import Person

WAY_OUT = "https://example.no/news/se/sv/unsubscribe/abcdefghijklmnopqrstuvwxyz0123456789abcdefg/"


@pytest.fixture
def person(published) -> UUID:
    found = Person.objects.create()
    vault.make_key(found.id)
    return found.id


@pytest.fixture
def subscriber(person) -> UUID:
    """The same person, who has agreed to the newsletter."""
    agree(person)
    return person


def agree(person: UUID) -> None:
    ports.consents().grant(
        person, "newsletter", market="SE", locale="sv", shown="form.newsletter", method="double_opt_in"
    )


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A mail server on a free port; settings point at it."""
    with Sink(is_keeping=True) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER, settings.EMAIL_USE_TLS = "", False
        yield server


@pytest.fixture
def parsed() -> Callable[[bytes], EmailMessage]:
    return lambda raw: email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


@pytest.fixture
def owed(person) -> Callable[..., mail.Letter]:
    """A letter that is owed, with changes."""

    def make(**change: Any) -> mail.Letter:
        words = change.pop("words", mail.Words("Hej", "Brevet.\n"))
        return mail.Letter(
            **{
                "name": "open",
                "person_id": person,
                "to": "kari@example.no",
                "words": words,
                "purpose": "rights",
                **change,
            }
        )

    return make


@pytest.fixture
def offered(person) -> Callable[..., mail.MarketingLetter]:
    """A letter for marketing, with changes."""

    def make(**change: Any) -> mail.MarketingLetter:
        words = mail.Words("Nytt", f"Nyheter. {WAY_OUT}", f'<p>Nyheter. <a href="{WAY_OUT}">Ut</a></p>')
        given = {
            "name": "issue", "person_id": person, "to": "kari@example.no", "words": words, "purpose": "newsletter",
            "unsubscribe_url": WAY_OUT, "list_id": "product-news",
        }  # fmt: skip
        return mail.MarketingLetter(**{**given, **change})

    return make


@pytest.fixture
def way_back(settings: Any) -> str:
    """Mail comes back to us, at this domain."""
    settings.LOFTE_MAIL_DOMAIN = "back.example.com"
    return settings.LOFTE_MAIL_DOMAIN


@pytest.fixture
def listening(way_back: str) -> Iterator[Callable[..., dict[str, tuple[int, bytes]]]]:
    """Our own listener; gives a way to send to it: ``listening(sender, recipient, raw)`` raises what SMTP says."""
    port = free_port()
    listener = Listener("smtp", "127.0.0.1", port)
    listener.start()

    def give(sender: str, recipient: str, raw: bytes) -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
            return server.sendmail(sender, [recipient], raw)

    give.port = port  # type: ignore[attr-defined]
    yield give
    listener.close()
