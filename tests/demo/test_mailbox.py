"""Mail goes in over SMTP and comes out as pages and as the JSON a canary reads."""

import asyncio
import json
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import pytest
from demo.mailbox import Mailbox


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.start()
    yield box
    box.stop()


def post(box: Mailbox, to: str = "kim@example.com", subject: str = "Bekräfta – åäö") -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "Xledger <noreply@xledger.example>", f"Kim <{to}>", subject
    letter["List-Unsubscribe"] = "<http://localhost/news/unsubscribe/abc/>"
    letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter.set_content("Hej <Kim>!\nhttp://localhost/news/confirm/abc/.\n")
    letter.add_alternative(
        '<p>Hej! <a href="http://localhost/news/confirm/abc/">här</a><script>1</script></p>', subtype="html"
    )
    with smtplib.SMTP("127.0.0.1", box.port) as server:
        server.send_message(letter)


def ask(box: Mailbox, path: str, method: str = "GET", **query: str) -> Any:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": urlencode(query).encode(), "headers": []}
    asyncio.run(box(scope, receive, send))
    headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"].decode()


def test_a_canary_finds_its_letter_and_the_links_in_it(mailbox):
    post(mailbox)
    post(mailbox, "other@example.com")

    found = json.loads(ask(mailbox, "/mailbox/api/v1/search", query="to:kim@example.com")[2])
    letter = json.loads(ask(mailbox, f"/mailbox/api/v1/message/{found['messages'][0]['ID']}")[2])

    assert (found["total"], found["messages_count"]) == (2, 1)
    assert found["messages"][0]["To"] == [{"Name": "Kim", "Address": "kim@example.com"}]
    assert letter["Subject"] == "Bekräfta – åäö"
    assert "http://localhost/news/confirm/abc/" in letter["Text"]
    assert letter["ListUnsubscribe"]["Links"] == ["http://localhost/news/unsubscribe/abc/"]
    assert letter["ListUnsubscribe"]["HeaderPost"] == "List-Unsubscribe=One-Click"


def test_messages_come_newest_first_and_can_be_forgotten(mailbox):
    post(mailbox, subject="one")
    post(mailbox, subject="two")

    listed = json.loads(ask(mailbox, "/mailbox/api/v1/messages", limit="1")[2])
    ask(mailbox, "/mailbox/api/v1/messages", "DELETE")

    assert [item["Subject"] for item in listed["messages"]] == ["two"]
    assert json.loads(ask(mailbox, "/mailbox/api/v1/messages")[2])["total"] == 0


def test_people_read_it_with_links_to_follow(mailbox):
    post(mailbox)
    mail = mailbox.mails()[0]

    listed, page = ask(mailbox, "/mailbox/")[2], ask(mailbox, f"/mailbox/{mail.id}/")[2]

    assert "kim@example.com" in listed
    assert '<a href="http://localhost/news/confirm/abc/">http://localhost/news/confirm/abc/</a>.' in page
    assert "Hej &lt;Kim&gt;!" in page


def test_the_html_of_a_mail_can_run_and_fetch_nothing(mailbox):
    post(mailbox)

    _, headers, _ = ask(mailbox, f"/mailbox/{mailbox.mails()[0].id}/html")

    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "sandbox allow-popups" in headers["content-security-policy"]


def test_a_mail_that_is_gone_says_so(mailbox):
    assert ask(mailbox, "/mailbox/nothing/")[0] == 404
    assert ask(mailbox, "/mailbox/api/v1/message/nothing")[0] == 404
