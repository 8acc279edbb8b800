"""DKIM: whoever verifies finds our signature good, and any change to what a reader or a mailbox provider relies on breaks it."""

import dkim
import pytest

from lofte.core import clock, mail
from lofte.core.mailing import signing
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def key(home, settings):
    settings.LOFTE_DKIM = ("lofte", "example.com")
    return signing.make_key(home, "lofte", "example.com")


@pytest.fixture
def good(key):
    """Whether a verifier that looks in our DNS finds a letter good."""
    asked = []

    def verify(raw):
        def record(name, timeout=5):
            asked.append(name)
            return signing.record_of(key).encode()

        return dkim.verify(raw, dnsfunc=record)

    verify.asked = asked
    return verify


@pytest.fixture
def signed(key, subscriber, offered, sink):
    files = (mail.Attached("å.pdf", "application/pdf", b"%PDF" * 99),)
    mail.send(offered(attachments=files, thread=mail.Thread(references=tuple(f"<{n}@example.com>" for n in range(30)))))
    assert mail.deliver(clock.now()) == 1
    return sink.letters[-1][2]


def test_another_program_finds_the_signature_good(signed, good):
    assert good(signed)
    assert good.asked == [b"lofte._domainkey.example.com."]
    assert b"list-unsubscribe:list-unsubscribe" in signed.replace(b"\r\n\t ", b"").lower()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"List-Unsubscribe: <https://example.no", b"List-Unsubscribe: <https://evil.example"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"List-Unsubscribe-Post: Nothing"),
        (b"To: kari@", b"To: karl@"),
        (b"Nyheter. https", b"Nyheten. https"),
        (b"From: ", b"From: x@evil.example\r\nFrom: "),
        (b"From: ", b"Subject: Another\r\nFrom: "),
        (b"From: ", b"List-Unsubscribe: <https://evil.example/>\r\nFrom: "),
    ],
)
def test_any_change_to_what_counts_breaks_it(signed, good, old, new):
    assert old in signed

    assert not good(signed.replace(old, new, 1))


def test_spaces_that_servers_change_on_the_way_do_not(signed, good):
    assert good(signed.replace(b"To: kari@", b"To:   kari@", 1) + b"\r\n\r\n")


def test_without_its_key_nothing_leaves_unsigned(home, settings, owed, sink):
    settings.LOFTE_DKIM = ("lofte", "example.com")
    mail.send(owed())

    with pytest.raises(Problem, match=r"mail\.no-key"):
        mail.deliver(clock.now())
    assert sink.letters == []


def test_a_key_is_never_written_over(key, home):
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Problem, match=r"mail\.has-key"):
        signing.make_key(home, "lofte", "example.com")
