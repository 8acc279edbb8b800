"""A letter arrives as it was written: its words in any language, its files, its place in a conversation and in a list."""

from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.core import clock, mail
from lofte.core.mailing import inbound, mime
from lofte.core.models import Mail
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
LINES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=300)


def left(sink, parsed):
    assert mail.deliver(clock.now()) == 1
    sender, to, raw = sink.letters[-1]
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()
    return sender, to, parsed(raw)


def test_a_letter_carries_files_a_thread_and_an_address_to_answer_to(owed, sink, parsed, person):
    pdf, ics = b"%PDF-1.7\x00\xff" * 500, "BEGIN:VCALENDAR\r\nSUMMARY:Frukostmöte\r\nEND:VCALENDAR\r\n".encode()
    thread = mail.Thread("<b@x.example>", "<a@x.example>", ("<0@x.example>", "<a@x.example>"))
    files = (
        mail.Attached("Årsrapport.pdf", "application/pdf", pdf),
        mail.Attached("a.ics", "text/calendar; method=REQUEST", ics),
    )
    mail.send(owed(attachments=files, thread=thread, reply_to="reply+abc@back.example", is_automatic=False))
    _, to, found = left(sink, parsed)

    assert to == ("kari@example.no",)
    assert (found["Message-ID"], found["In-Reply-To"]) == ("<b@x.example>", "<a@x.example>")
    assert found["References"].split() == ["<0@x.example>", "<a@x.example>"]
    assert (found["Reply-To"], found["Auto-Submitted"]) == ("reply+abc@back.example", None)
    first, second = found.iter_attachments()
    assert (first.get_filename(), first.get_content_type(), first.get_content()) == (
        "Årsrapport.pdf",
        "application/pdf",
        pdf,
    )
    assert (second.get_content_type(), second.get_param("method")) == ("text/calendar", "REQUEST")
    assert second.get_payload(decode=True) == ics
    assert found.get_body(("plain",)).get_content().strip() == "Brevet."


def test_a_letter_to_a_list_says_so_and_its_way_out_can_be_read_by_machines(
    offered, sink, parsed, subscriber, settings
):
    settings.LOFTE_MAIL_DOMAIN, settings.DEFAULT_FROM_EMAIL = "back.example.com", "Löfte & Co <news@example.com>"
    token = inbound.new_token()
    mail.send(offered(unsubscribe_mailto=inbound.address_for("unsubscribe", token)))
    sender, _, found = left(sink, parsed)

    assert found["List-Unsubscribe"].replace("\r\n", "") == (
        "<https://example.no/news/se/sv/unsubscribe/abcdefghijklmnopqrstuvwxyz0123456789abcdefg/>,"
        f" <mailto:unsubscribe+{token}@back.example.com>"
    )
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (found["List-Id"], found["Precedence"]) == ("<product-news.example.com>", "bulk")
    assert found["From"].addresses[0].display_name == "Löfte & Co"
    assert sender.startswith("b+")
    assert sender.endswith("@back.example.com")
    assert b"=?utf-8?" not in sink.letters[-1][2].split(b"List-Unsubscribe:")[1].split(b"\r\nList")[0]


def test_a_second_try_has_the_same_name_and_the_letter_the_hour_it_was_written(owed, sink, parsed, person):
    row = mail.send(owed())
    _, _, found = left(sink, parsed)

    assert found["Message-ID"] == mail.message_id_of(row)
    written = Mail.objects.of(person).get().made_at
    assert parsedate_to_datetime(found["Date"]) == written.replace(microsecond=0)


@pytest.mark.parametrize(
    "change",
    [
        {"reply_to": "a@b.no\r\nBcc: c@d.no"},
        {"list_id": "News\nX: y"},
        {"list_id": "../x"},
        {"thread": mail.Thread("<a@b>\r\nX: y")},
        {"thread": mail.Thread(references=("a@b",))},
        {"attachments": (mail.Attached("a\r\nb", "text/plain", b""),)},
        {"attachments": (mail.Attached("a", "text/plain\r\nX: y", b""),)},
    ],
)
def test_nothing_can_be_smuggled_into_a_header(owed, change):
    with pytest.raises(Problem, match=r"mail\.bad-header"):
        owed(**change)


def test_an_address_with_a_foreign_domain_is_written_as_servers_have_it(owed, sink, parsed):
    mail.send(owed(to="kari@exämple.no"))

    assert left(sink, parsed)[1] == ("kari@xn--exmple-cua.no",)


def test_an_address_no_server_takes_fails_alone(owed, sink, person):
    mail.send(owed(to="käri@example.no"))
    mail.send(owed())

    assert mail.deliver(clock.now()) == 1
    assert set(Mail.objects.of(person).values_list("state", "reason")) == {
        ("failed", "unreachable-address"),
        ("sent", ""),
    }


@given(lines=st.lists(LINES, max_size=8), subject=LINES)
def test_words_in_any_script_survive_the_way(parsed_of, lines, subject):
    content = "\n".join(lines)
    body = mime.together("alternative", [mime.text("text/plain", content), mime.text("text/html", content)])
    raw = mime.whole([mime.header("Subject", subject)], body)
    found = parsed_of(raw)

    assert max(map(len, raw.split(b"\r\n"))) <= 998
    for part in found.iter_parts():
        assert part.get_payload(decode=True).decode().replace("\r\n", "\n").rstrip("\n") == content.rstrip("\n")
    assert "".join(str(found["Subject"]).split()) == "".join(subject.split())


@pytest.fixture(scope="module")
def parsed_of():
    import email
    import email.policy

    return lambda raw: email.message_from_bytes(raw, policy=email.policy.default)
