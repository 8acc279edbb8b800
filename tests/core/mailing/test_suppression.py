"""An address that does not exist, or a person who complained, gets no more marketing; what is owed is still sent, and says so."""

import email
from datetime import timedelta

import pytest

from lofte.core import clock, holdings, mail, merging, outbox, ports, vault
from lofte.core.mailing import envelope, facts, inbound, suppression, taking
from lofte.core.mailing.models import Bounce, Suppression
from lofte.core.models import Mail, Person

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
Kind = Bounce.Kind


@pytest.fixture
def sent(offered, subscriber, sink, way_back):
    """Sends a letter of marketing and gives its row."""

    def send(**change):
        row = mail.send(offered(**change))
        mail.deliver(clock.now())
        return Mail.objects.of(subscriber).get(id=row)

    return send


def comes_back(row, report):
    address = inbound.address_for("b", envelope.token_of(row.person_id, row.id))
    taking.take(address, report.as_bytes() if not isinstance(report, bytes) else report, "")


def report(status, diagnostic):
    return email.message_from_string(
        "From: Mailer-Daemon@mx.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=X\n\n"
        f"--X\nContent-Type: text/plain\n\nkari@example.no: {diagnostic}\n--X\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822;kari@example.no\nAction: failed\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {diagnostic}\n\n--X--\n"
    )


NO_MAILBOX, FULL = report("5.0.0", "550 5.1.1 no such user kari@example.no"), report("5.2.2", "552 5.2.2 mailbox full")


def complaint(token, kind="abuse"):
    return (
        "From: fbl@provider.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=X\n\n"
        "--X\nContent-Type: text/plain\n\nThis is a complaint.\n--X\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\nVersion: 1\nUser-Agent: x\n\n--X\nContent-Type: message/rfc822\n\n"
        f"From: news@example.com\nTo: redacted@provider.example\nCFBL-Feedback-ID: {token}\nSubject: Nytt\n\nHej\n--X--\n"
    ).encode()


def test_a_mailbox_that_is_not_there_gets_no_more_marketing_at_once(sent, offered, subscriber, sink):
    row = sent()
    waiting = mail.send(offered())
    comes_back(row, NO_MAILBOX)

    assert Mail.objects.of(subscriber).get(id=row.id).reason == "bounced"
    assert Mail.objects.of(subscriber).get(id=waiting).state == "suppressed"
    mail.send(offered())
    assert mail.deliver(clock.now()) == 0
    assert Mail.objects.of(subscriber).order_by("id").last().reason == "hard"
    assert len(sink.letters) == 1


def test_of_a_report_only_the_verdict_is_kept(sent, subscriber):
    comes_back(sent(), NO_MAILBOX)
    bounce, stop = Bounce.objects.of(subscriber).get(), Suppression.objects.of(subscriber).get()

    assert (bounce.kind, bounce.status, stop.reason, stop.status) == ("hard", "5.1.1", "hard", "5.1.1")
    assert "kari" not in str([vars(bounce), vars(stop)])


def test_what_is_owed_is_sent_all_the_same_and_its_row_says_so(sent, owed, subscriber, sink):
    comes_back(sent(), NO_MAILBOX)
    mail.send(owed())

    assert mail.deliver(clock.now()) == 1
    found = Mail.objects.of(subscriber).get(purpose="rights")
    assert (found.state, found.reason) == ("sent", "despite-suppression")


def test_another_address_of_the_same_person_is_written_to(sent, subscriber, sink):
    comes_back(sent(), NO_MAILBOX)

    assert sent(to="kari@new.example").state == "sent"
    assert suppression.is_stopped(subscriber, "KARI@example.no")
    assert not suppression.is_stopped(subscriber, "kari@new.example")


def test_a_full_mailbox_is_given_up_after_five_letters_in_a_month(sent, subscriber):
    for _ in range(suppression.SOFT_TIMES - 1):
        comes_back(sent(), FULL)
        assert not suppression.is_stopped(subscriber, "kari@example.no")
    comes_back(sent(), FULL)

    assert Suppression.objects.of(subscriber).get().reason == "soft"


def test_failures_of_long_ago_count_no_more(sent, subscriber):
    for _ in range(suppression.SOFT_TIMES - 1):
        comes_back(sent(), FULL)
    Bounce.objects.of(subscriber).update(at=clock.now() - suppression.SOFT_WITHIN - timedelta(minutes=1))
    comes_back(sent(), FULL)

    assert not suppression.is_stopped(subscriber, "kari@example.no")


def test_one_letter_that_comes_back_twice_counts_once(sent, subscriber):
    row = sent()
    for number in range(suppression.SOFT_TIMES + 1):
        comes_back(row, FULL.as_bytes().replace(b"Mailer-Daemon", b"Mailer-Daemon%d" % number))

    assert Bounce.objects.of(subscriber).count() == 1


def test_a_receiver_that_dislikes_our_mail_says_nothing_of_the_address(sent, subscriber):
    for _ in range(suppression.SOFT_TIMES + 1):
        comes_back(sent(), report("5.7.1", "550 5.7.1 rejected as spam"))

    assert not suppression.is_stopped(subscriber, "kari@example.no")
    assert set(Bounce.objects.of(subscriber).values_list("kind", flat=True)) == {"blocked"}


@pytest.mark.parametrize("way", ["own", "address of complaints", "envelope"])
def test_a_complaint_ends_all_marketing_and_counts_as_a_no(sent, offered, subscriber, sink, way):
    row = sent()
    token = envelope.token_of(subscriber, row.id)
    said = complaint(token)
    if way == "envelope":
        said = said.replace(
            b"Version: 1", f"Version: 1\nOriginal-Mail-From: <b+{token}@back.example.com>".encode()
        ).replace(f"CFBL-Feedback-ID: {token}\n".encode(), b"")
    taking.take(
        inbound.address_for("b", token) if way == "own" else inbound.address_for("complaint", "feedback"), said, ""
    )

    assert Suppression.objects.of(subscriber).get().reason == "complaint"
    assert not ports.consents().is_granted(subscriber, "newsletter")
    assert suppression.is_stopped(subscriber, "any@other.example")
    mail.send(offered(to="kari@other.example"))
    assert mail.deliver(clock.now()) == 0
    assert sink.letters[-1][2].count(token.encode()) >= 1


@pytest.mark.parametrize("said", [complaint("a" * 61), complaint("", "not-spam"), b"From: x@y.z\n\nhello"])
def test_what_is_no_complaint_about_a_letter_of_ours_changes_nothing(sent, subscriber, said):
    sent()
    taking.take(inbound.address_for("complaint", "feedback"), said, "")

    assert not Suppression.everyone.exists()
    assert ports.consents().is_granted(subscriber, "newsletter")


def test_a_server_that_refuses_the_address_at_once_counts_too(offered, subscriber, letterbox):
    letterbox.refuse = 550
    mail.send(offered())
    mail.deliver(clock.now())

    assert Mail.objects.of(subscriber).get().reason == "refused"
    assert Suppression.objects.of(subscriber).get().reason == "hard"


def test_who_confirms_the_address_anew_is_written_to_again(sent, subscriber, log):
    comes_back(sent(), NO_MAILBOX)
    ports.consents().withdraw(subscriber, "newsletter", method="portal")
    outbox.subscribe("consent.granted", facts.SUBSCRIPTIONS["consent.granted"])
    ports.consents().grant(
        subscriber, "newsletter", market="SE", locale="sv", shown="form.newsletter", method="double_opt_in"
    )
    outbox.drain()

    assert not suppression.is_stopped(subscriber, "kari@example.no")
    assert sent().state == "sent"


def test_a_confirmation_does_not_lift_what_came_after_it(sent, subscriber, log):
    row = sent()
    outbox.subscribe("consent.granted", facts.SUBSCRIPTIONS["consent.granted"])
    comes_back(row, NO_MAILBOX)
    outbox.drain()  # the agreement of before

    assert suppression.is_stopped(subscriber, "kari@example.no")


def test_suppression_is_shown_to_the_person_and_goes_with_them(sent, subscriber):
    comes_back(sent(), NO_MAILBOX)
    shown = holdings.export_person(subscriber)["mailing"]
    assert [(each["kind"], each["status"], each["letter"]) for each in shown["came_back"]] == [
        ("hard", "5.1.1", "issue")
    ]
    assert [each["reason"] for each in shown["stopped"]] == ["hard"]

    counts = holdings.erase_rows(subscriber)
    assert (counts["mailing_bounce"], counts["mailing_suppression"]) == (1, 1)


def test_when_two_persons_are_one_the_stops_of_both_hold(sent, subscriber, offered):
    other = Person.objects.create().id
    vault.make_key(other)
    row = sent()
    comes_back(row, NO_MAILBOX)
    with clock.at(clock.now()):
        second = mail.send(offered(person_id=other, to="kari@example.no"))
        suppression.came_back(Mail.objects.of(other).get(id=second), Kind.HARD, "5.1.1", clock.now())
        suppression.came_back(Mail.objects.of(other).get(id=second), Kind.COMPLAINT, "", clock.now())
    merging.merge_people(subscriber, other)

    assert sorted(Suppression.objects.of(subscriber).values_list("reason", flat=True)) == ["complaint", "hard"]


def test_a_bounce_to_an_address_nobody_was_written_to_is_refused(way_back, published):
    from lofte.kernel.problems import Problem

    forged = envelope.token_of(Person().id, Person().id)
    with pytest.raises(Problem, match=r"mail\.no-such-address"):
        taking.take(inbound.address_for("b", forged), NO_MAILBOX.as_bytes(), "")
