"""Mail that comes: handed to the room that gave out the address, once, and refused where nobody did."""

import smtplib
import subprocess
import sys
from email.message import EmailMessage

import pytest
from bench.load import free_port

from lofte.core.mailing import inbound, reading, taking
from lofte.core.mailing.listener import Listener
from lofte.core.models import Action
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


@pytest.fixture
def heard(monkeypatch):
    """A room that takes what comes to reply+...@."""
    taken = []
    monkeypatch.setattr(inbound, "_handlers", dict(inbound._handlers))

    @inbound.address("reply")
    def answered(token, message):
        Action.objects.create(action="test.heard", actor="system")
        if token == "a" * 32:
            raise Problem("reply.over", "this conversation is over", status=410)
        if token == "b" * 32:
            raise RuntimeError("the database is away")
        taken.append((token, message))

    return taken


def letter(**headers) -> bytes:
    found = EmailMessage()
    named = {
        "From": "Kari <kari@example.no>", "To": "reply@back.example.com", "Subject": "SV: Frågan", "Message-ID": "<1@example.no>",
        "In-Reply-To": "<0@back.example.com>", "References": "<x@y.z> <0@back.example.com>",
    }  # fmt: skip
    for name, value in {**named, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        found[name] = value
    found.set_content(
        "Tack, det räcker så.\n\nDen 3 nov 2026 skrev Xledger <news@example.com>:\n> Hej Kari\n> Vad säger du?\n"
    )
    found.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Å/../rsrapport.pdf")
    return found.as_bytes()


def test_an_answer_reaches_the_room_with_what_it_says(heard, listening):
    token = inbound.new_token()
    listening("kari@example.no", inbound.address_for("reply", token), letter())

    ((came_to, message),) = heard
    assert came_to == token
    assert (message.from_address, message.subject, message.text) == (
        "kari@example.no",
        "SV: Frågan",
        "Tack, det räcker så.",
    )
    assert (message.message_id, message.in_reply_to) == ("<1@example.no>", "<0@back.example.com>")
    assert message.references == ("<x@y.z>", "<0@back.example.com>")
    assert [(file.name, file.media_type, file.data) for file in message.files] == [
        ("Å_.._rsrapport.pdf", "application/pdf", b"%PDF-1.7")
    ]
    assert not message.is_automatic
    assert "kari" not in repr(message)


def test_a_server_that_tries_again_is_answered_again_and_heard_once(heard, listening):
    to = inbound.address_for("reply", inbound.new_token())
    raw = letter()
    listening("kari@example.no", to, raw)
    listening("kari@example.no", to, b"Received: from there\n" + raw)
    assert len(heard) == 1

    listening("kari@example.no", to, letter(Message_ID="<2@example.no>"))
    assert len(heard) == 2


@pytest.mark.parametrize(
    "to",
    [
        "reply@back.example.com",
        "reply+short@back.example.com",
        "x+aaaaaaaaaaaa@back.example.com",
        "reply+aaaaaaaaaaaa@example.com",
        "kari@example.no",
    ],
)
def test_an_address_nobody_gave_out_is_refused_before_the_letter(heard, listening, to):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        listening("kari@example.no", to, letter())

    assert refused.value.recipients[to][0] == 550


def test_a_token_the_room_does_not_want_is_refused_for_good_and_leaves_nothing(heard, listening):
    with pytest.raises(smtplib.SMTPDataError) as refused:
        listening("kari@example.no", inbound.address_for("reply", "a" * 32), letter())

    assert refused.value.smtp_code == 550
    assert not Action.objects.filter(action="test.heard").exists()


def test_a_room_in_trouble_makes_the_server_try_again(heard, listening):
    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            listening("kari@example.no", inbound.address_for("reply", "b" * 32), letter())
        assert refused.value.smtp_code == 451
    assert not Action.objects.filter(action="test.heard").exists()


def test_lmtp_answers_for_each_recipient(heard, way_back):
    listener = Listener("lmtp", "127.0.0.1", port := free_port())
    listener.start()
    try:
        with smtplib.LMTP("127.0.0.1", port) as server:
            server.ehlo_or_helo_if_needed()
            server.mail("kari@example.no")
            for token in ("c" * 32, "a" * 32):
                assert server.rcpt(inbound.address_for("reply", token))[0] == 250
            server.putcmd("data")
            assert server.getreply()[0] == 354
            server.send(letter().replace(b"\n", b"\r\n") + b".\r\n")
            assert [server.getreply()[0], server.getreply()[0]] == [250, 550]
    finally:
        listener.close()
    assert len(heard) == 1


@pytest.mark.parametrize(
    "header",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"From": "MAILER-DAEMON@example.no"},
        {"List_Id": "<x.y>"},
    ],
)
def test_a_machine_is_told_from_a_person(header):
    assert reading.read(letter(**header)).is_automatic
    assert reading.read(letter(), "").is_automatic
    assert not reading.read(letter(Auto_Submitted="no"), "kari@example.no").is_automatic


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\n\n", b"From: =?bad?q?=F?= <a@b>\nSubject: =?utf-8?b?////?=\n\n\xff", b"Content-Type: text/x; charset=klingon\n\n",
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n--a\n",
        b"Content-Transfer-Encoding: base64\n\n!!!!", b"Message-ID: " + b"<" * 5000, b"Subject: " + b"\x00\xff" * 900,
    ],
)  # fmt: skip
def test_nothing_that_comes_can_stop_the_reading(raw):
    assert reading.read(raw).raw == raw


def test_a_page_is_read_as_words():
    raw = b"Content-Type: text/html; charset=utf-8\n\n<p>Hej &amp; tack<br>Kari</p><script>alert(1)</script><style>x{}</style>"

    assert reading.read(raw).text.split("\n") == ["Hej & tack", "Kari"]


def test_what_is_quoted_is_left_out_only_where_something_is_left():
    assert reading.without_quotes("Ja.\n\nOn Tue, Ann wrote:\n> Ja?\n") == "Ja."
    assert reading.without_quotes("> Ja?\n") == "> Ja?"
    assert reading.without_quotes("> Ja?\nJa.\n> Nej?\nNej.") == "> Ja?\nJa.\n> Nej?\nNej."


def test_without_a_domain_no_address_is_given_out(settings, heard):
    settings.LOFTE_MAIL_DOMAIN = ""

    assert inbound.address_for("reply", inbound.new_token()) == ""
    assert not taking.is_ours("reply+aaaaaaaaaaaaaaaa@")


@pytest.mark.parametrize(("token", "code"), [("zzzzzzzzzzzz", 67), ("", 67)])
def test_a_letter_handed_over_by_a_program_is_answered_with_an_exit_code(tmp_path, token, code):
    environ = {
        "LOFTE_HOME": str(tmp_path / "house"),
        "LOFTE_MAIL_DOMAIN": "back.example.com",
        "PATH": "/usr/bin",
        "RECIPIENT": f"b+{token}@back.example.com",
    }
    command = [sys.executable, "-m", "lofte.cli.main", "mail", "receive"]
    ended = subprocess.run(command, input=letter(), env=environ, capture_output=True, check=False, timeout=120)

    assert ended.returncode == code, ended.stderr
    assert b"kari" not in ended.stderr + ended.stdout
