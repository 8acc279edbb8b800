"""Letters leave in batches: owed before offered, none twice, none to whom it may not, and none lost when a server misbehaves."""

import socketserver
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connections

from lofte.core import clock, mail, ports, vault
from lofte.core.mailing import delivering, handing, journal
from lofte.core.models import Mail, Person

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def people(count):
    made = [Person(id=Person().id) for _ in range(count)]
    Person.objects.bulk_create(made)
    vault.make_keys([each.id for each in made])
    return [each.id for each in made]


def to_all(owed, everybody):
    return mail.send_many([owed(person_id=each, to=f"p{n}@example.no") for n, each in enumerate(everybody)])


def test_more_than_a_batch_leaves_whole_and_each_once(owed, sink, published):
    everybody = people(delivering.BATCH * 2 + 7)
    to_all(owed, everybody)

    assert mail.deliver(clock.now()) == len(everybody)
    assert set(sink.recipients.values()) == {1}
    assert not list((published_home(published) / "mail").glob("*"))
    assert mail.deliver(clock.now()) == 0


def published_home(_):
    from django.conf import settings

    return settings.LOFTE_HOME


def test_what_is_owed_leaves_before_what_is_offered(owed, offered, subscriber, sink, monkeypatch):
    monkeypatch.setattr(handing, "CONNECTIONS", 1)
    monkeypatch.setattr(handing.Pool.__init__, "__defaults__", (1,))
    for _ in range(3):
        mail.send(offered())
    mail.send(owed(to="first@example.no"))
    mail.deliver(clock.now())

    assert [to for _, (to,), _ in sink.letters] == ["first@example.no", *["kari@example.no"] * 3]


def test_who_may_not_be_written_to_is_asked_for_the_whole_batch_at_once(
    offered, published, sink, django_assert_max_num_queries
):
    everybody = people(60)
    for each in everybody[::2]:
        ports.consents().grant(each, "newsletter", market="SE", locale="sv", shown="form.newsletter", method="portal")
    to_all(offered, everybody)
    with django_assert_max_num_queries(25):
        assert mail.deliver(clock.now()) == 30

    assert Counter(Mail.everyone.values_list("state", "reason")) == {("sent", ""): 30, ("suppressed", "no-consent"): 30}


def test_a_letter_to_somebody_erased_meanwhile_is_not_queued(owed, published, person):
    vault.destroy_key(person)

    assert mail.send_many([owed()]) == [None]
    assert not Mail.objects.of(person).exists()


def test_letters_about_something_can_be_taken_back(owed, sink, person):
    about = Person().id
    kept, gone = mail.send(owed()), mail.send(owed(about=about))

    assert mail.take_back(about, "paused") == 1
    assert mail.deliver(clock.now()) == 1
    assert Mail.objects.of(person).get(id=kept).state == "sent"
    assert Mail.objects.of(person).get(id=gone).reason == "paused"


class _Moody(socketserver.StreamRequestHandler):
    """A mail server that does at each letter what its script says next."""

    def handle(self):
        server = self.server
        self.say("220 moody")
        for raw in self.rfile:
            verb = raw[:4].upper()
            if verb == b"MAIL" and server.script and server.script[0] == "421":
                server.script.pop(0)
                self.say("421 4.3.2 too many letters here, come again")
                return
            if verb == b"DATA":
                self.say("354 go on")
                while self.rfile.readline() != b".\r\n":
                    pass
                mood = server.script.pop(0) if server.script else "250"
                server.seen.append(mood)
                if mood == "away":
                    return
                self.say(f"{mood} said")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


@pytest.fixture
def moody(settings, monkeypatch):
    monkeypatch.setattr(handing.Pool.__init__, "__defaults__", (1,))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Moody) as server:
        server.daemon_threads, server.script, server.seen = True, [], []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
        settings.EMAIL_HOST_USER, settings.EMAIL_USE_TLS = "", False
        yield server
        server.shutdown()


def test_a_server_that_closes_the_connection_is_called_again_and_nothing_counts_as_failed(owed, moody, person):
    moody.script = ["421", "250", "421", "250"]
    mail.send(owed())
    mail.send(owed())

    assert mail.deliver(clock.now()) == 2
    assert set(Mail.objects.of(person).values_list("attempts", flat=True)) == {0}


def test_a_server_that_goes_away_with_the_letter_gets_what_is_owed_again_and_no_marketing(
    owed, offered, moody, subscriber
):
    moody.script = ["away"]
    mail.send(offered())
    mail.deliver(clock.now())
    assert Mail.objects.of(subscriber).get().reason == "outcome-unknown"

    moody.script = ["away"]
    mail.send(owed())
    mail.deliver(clock.now())
    assert mail.deliver(clock.now() + timedelta(minutes=2)) == 1
    assert moody.seen == ["away", "away", "250"]


def test_letters_the_server_was_not_asked_about_wait_without_a_mark(owed, moody, person):
    moody.script = ["away"]
    for _ in range(3):
        mail.send(owed())
    mail.deliver(clock.now())

    assert sorted(Mail.objects.of(person).values_list("state", "attempts")) == [
        ("queued", 0),
        ("queued", 0),
        ("queued", 1),
    ]


@pytest.mark.parametrize(
    ("answer", "state", "reason"), [("554 5.7.1", "failed", "refused"), ("452 4.3.1", "queued", "")]
)
def test_an_answer_to_the_words_themselves_counts(owed, moody, person, answer, state, reason):
    moody.script = [answer]
    mail.send(owed())
    mail.deliver(clock.now())
    row = Mail.objects.of(person).get()

    assert (row.state, row.reason) == (state, reason)


# --- after a death --------------------------------------------------------------------------------------------------


@pytest.fixture
def died(owed, offered, subscriber, home):
    """A sender claimed four letters of each kind, and died: one was taken, one begun, one refused, one not begun."""
    notes = journal.begin(home, "dead")
    rows = [mail.send(make()) for make in (owed, offered) for _ in range(4)]
    Mail.objects.of(subscriber).filter(id__in=rows).update(
        state="sending", lease="dead", next_at=clock.now() + timedelta(minutes=5)
    )
    for taken, begun, refused, _ in (rows[:4], rows[4:]):
        for row in (taken, begun, refused):
            notes.begins(row)
        notes.ends(taken, 250)
        notes.ends(refused, 451)
    return rows, notes


def states(person, rows):
    found = dict(Mail.objects.of(person).values_list("id", "state"))
    return [found[row] for row in rows]


def test_the_notes_of_a_dead_sender_say_what_may_go_again(died, subscriber, sink):
    rows, notes = died
    notes.close(is_settled=False)

    assert mail.deliver(clock.now()) == 5
    assert states(subscriber, rows) == [*["sent"] * 4, "sent", "failed", "sent", "sent"]
    assert not notes.file.exists()


def test_the_letters_of_a_living_sender_are_left_alone(died, subscriber, sink):
    rows, notes = died
    assert mail.deliver(clock.now()) == 0
    assert states(subscriber, rows) == ["sending"] * 8

    notes.close(is_settled=True)


def test_after_a_loss_of_power_the_notes_say_nothing(died, subscriber, sink, monkeypatch):
    rows, notes = died
    notes.close(is_settled=False)
    monkeypatch.setattr(journal, "_boot", lambda: "another start")

    assert mail.deliver(clock.now()) == 4
    assert states(subscriber, rows) == [*["sent"] * 4, *["failed"] * 4]


def test_a_sender_on_another_machine_is_given_up_after_its_lease(died, subscriber, sink):
    rows, notes = died
    notes.close(is_settled=True)  # its notes are not here
    assert mail.deliver(clock.now()) == 0

    assert mail.deliver(clock.now() + timedelta(minutes=6)) == 4
    assert states(subscriber, rows) == [*["sent"] * 4, *["failed"] * 4]


@pytest.mark.django_db(databases=["default", "keys"], transaction=True)
def test_two_senders_at_once_send_each_letter_once(owed, sink, published):
    everybody = people(300)
    to_all(owed, everybody)
    at, sent = clock.now(), []

    def work():
        try:
            sent.append(mail.deliver(at))
        finally:
            connections.close_all()

    senders = [threading.Thread(target=work) for _ in range(3)]
    for each in senders:
        each.start()
    for each in senders:
        each.join()

    assert sum(sent) == 300
    assert set(sink.recipients.values()) == {1}
    assert len(sink.recipients) == 300
