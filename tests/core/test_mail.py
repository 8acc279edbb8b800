"""Mail: the queue is sealed, a marketing letter has a way out or is no letter, and a server in trouble loses nothing."""

from datetime import timedelta

import pytest

from lofte.core import clock, mail, vault
from lofte.core.models import Mail, Person
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
WORDS = mail.Words("Hei Kari", "Brødtekst til Kari.\n.\n..\n", "<p>Brødtekst</p>")
WAY_OUT = "https://example.no/leave/abc"


@pytest.fixture
def person(home):
    found = Person.objects.create()
    vault.make_key(found.id)
    return found.id


def letter(person, **change):
    return mail.Letter(
        **{"name": "open", "person_id": person, "to": "kari@example.no", "words": WORDS, "purpose": "rights", **change}
    )


def test_a_letter_arrives_as_it_was_written_and_leaves_nothing_behind(person, letterbox):
    row = mail.send(letter(person))
    assert b"Kari" not in bytes(Mail.objects.of(person).get().sealed)

    assert mail.deliver(clock.now()) == 1
    arrived = letterbox.last()
    assert (arrived["To"], arrived["Subject"]) == ("kari@example.no", "Hei Kari")
    assert arrived["Message-ID"].startswith(f"<{row}@")
    assert arrived.get_body(("plain",)).get_content().splitlines() == WORDS.text.splitlines()
    assert arrived.get_body(("html",)).get_content().strip() == "<p>Brødtekst</p>"
    kept = Mail.objects.of(person).get()
    assert (kept.state, kept.sealed) == ("sent", None)


@pytest.mark.parametrize(
    "words",
    [mail.Words("S", "No way out"), mail.Words("S", f"Out: {WAY_OUT}", "<p>none here</p>")],
    ids=["not in the text", "not in the HTML"],
)
def test_a_marketing_letter_without_a_way_out_cannot_be_built(person, words):
    with pytest.raises(Problem, match=r"mail\.no-unsubscribe"):
        mail.MarketingLetter("issue", person, "kari@example.no", words, "newsletter", unsubscribe_url=WAY_OUT)


@pytest.mark.parametrize("way_out", ["", "javascript:alert(1)", "mailto:x@y.no"])
def test_a_way_out_is_an_address_on_the_web(person, way_out):
    with pytest.raises(Problem, match=r"mail\.no-unsubscribe"):
        mail.MarketingLetter(
            "issue", person, "kari@example.no", mail.Words("S", f"Out {way_out}"), "newsletter", unsubscribe_url=way_out
        )


def test_a_marketing_letter_has_the_one_click_header(person):
    words = mail.Words("S", f"Out: {WAY_OUT}", f'<a href="{WAY_OUT}">out</a>')
    built = mail.MarketingLetter("issue", person, "kari@example.no", words, "newsletter", unsubscribe_url=WAY_OUT)

    assert built.headers == {"List-Unsubscribe": f"<{WAY_OUT}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


@pytest.mark.parametrize(
    "change",
    [{"to": "a@b.no\nBcc: c@d.no"}, {"words": mail.Words("S\r\nBcc: c@d.no", "T")}, {"headers": {"X": "a\nb"}}],
)
def test_no_header_can_be_smuggled_in(person, change):
    with pytest.raises(Problem, match=r"mail\.bad-header"):
        letter(person, **change)


def test_a_server_that_says_later_is_asked_later(person, letterbox):
    mail.send(letter(person))
    letterbox.refuse = 451
    assert mail.deliver(clock.now()) == 0
    assert Mail.objects.of(person).get().state == "queued"
    letterbox.refuse = 0

    assert mail.deliver(clock.now()) == 0
    assert mail.deliver(clock.now() + timedelta(minutes=2)) == 1


def test_a_server_that_says_never_ends_the_letter_and_its_words(person, letterbox):
    mail.send(letter(person))
    letterbox.refuse = 550
    mail.deliver(clock.now())
    row = Mail.objects.of(person).get()

    assert (row.state, row.reason, row.sealed) == ("failed", "refused", None)


def test_a_server_that_is_not_there_loses_nothing(person, settings, letterbox):
    mail.send(letter(person))
    settings.EMAIL_PORT = 1
    assert mail.deliver(clock.now()) == 0
    settings.EMAIL_PORT = letterbox.port

    assert mail.deliver(clock.now() + timedelta(minutes=2)) == 1


def test_without_a_mail_server_the_queue_waits(person, settings):
    settings.EMAIL_HOST = ""
    mail.send(letter(person))

    assert mail.deliver(clock.now()) == 0
    assert Mail.objects.of(person).get().state == "queued"


def test_a_sender_that_died_is_repeated_for_what_is_owed_and_not_for_marketing(person, letterbox):
    mail.send(letter(person))
    mail.send(letter(person))
    rows = Mail.objects.of(person).order_by("id")
    rows.update(state="sending", next_at=clock.now() - timedelta(minutes=1))
    Mail.objects.of(person).filter(id=rows[1].id).update(is_marketing=True)

    assert mail.deliver(clock.now()) == 1
    assert [row.state for row in rows] == ["sent", "failed"]
    assert rows[1].reason == "outcome-unknown"


def test_a_letter_whose_key_is_gone_does_not_leave(person, letterbox):
    mail.send(letter(person))
    vault.destroy_key(person)
    mail.deliver(clock.now())

    assert letterbox.letters == []
    assert Mail.objects.of(person).get().reason == "erased"
