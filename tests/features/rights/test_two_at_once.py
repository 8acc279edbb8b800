"""Two members of staff do something with one request in the same moment: one does it, the other is told to look again."""

import threading
from contextlib import suppress

import pytest
from django.db import connections

from lofte.core import clock, ports
from lofte.core.models import Mail, Obligation, Outbox
from lofte.features.rights import assignment, behalf, cases, ledger, requests
from lofte.features.rights.models import Restriction, Step
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
ONE, OTHER = "staff:1", "staff:7"


def _correct(made, person, by):
    holding = next(each for each in ports.register().held(person) if each.field == "name")
    behalf.correct(made, holding.id, f"Kari {by[-1]}", by)


ACTS = {
    "access": [
        ("identify", lambda made, person, by: requests.identify(made, person, by, "call_back")),
        ("ask_identity", requests.ask_identity),
        ("clarify", lambda made, person, by: requests.ask_clarification(made, "Hvilket år?", by)),
        ("extend", lambda made, person, by: requests.extend(made, "complex", by, "Mye å lete i.")),
        ("refuse", lambda made, person, by: requests.refuse(made, "excessive", "Igjen.", by)),
        ("hand_over", lambda made, person, by: behalf.hand_over(made, by)),
        ("complete", lambda made, person, by: requests.complete(made, by)),
        ("assign", lambda made, person, by: assignment.assign(made, by, by)),
    ],
    "rectification": [("correct", _correct)],
    "restriction": [("restrict", lambda made, person, by: behalf.restrict(made, by))],
    "withdrawal": [("stop", lambda made, person, by: behalf.stop(made, "newsletter", by))],
    "erasure": [("erase", lambda made, person, by: behalf.ask_to_erase(made, by))],
    "question": [("reply", lambda made, person, by: requests.reply(made, "Nei.", by, closes=True))],
}
BEFORE_IT_IS_KNOWN = {"identify", "ask_identity", "reply"}


@pytest.fixture
def at_once(monkeypatch):
    """Run both in threads of their own, each having read the request before either writes; what each ended with."""

    def run(*acts):
        barrier, row_of = threading.Barrier(len(acts)), ledger.row_of

        def meet(request_id):
            row = row_of(request_id)
            with suppress(threading.BrokenBarrierError):  # SQLite lets one in at a time: then they never meet
                barrier.wait(timeout=0.4)
            return row

        monkeypatch.setattr(requests, "row_of", meet)
        monkeypatch.setattr(ledger, "row_of", meet)
        ended = ["?"] * len(acts)

        def one(number, act):
            try:
                act()
                ended[number] = "done"
            except Problem as problem:
                ended[number] = problem.code
            except BaseException as error:
                ended[number] = repr(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one, args=each) for each in enumerate(acts)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(timeout=60)
        monkeypatch.undo()
        return sorted(ended)

    return run


def traces(made):
    """What an act leaves behind, counted."""
    steps = Step.objects.filter(request=made).exclude(kind="received").values_list("kind", flat=True)
    return {
        "steps": sorted(steps), "mail": Mail.objects.of(requests.one(made).person_id).count(),
        "outbox": Outbox.objects.filter(about=made).count(), "restrictions": Restriction.everyone.count(),
        "owed": Obligation.objects.count(),
    }  # fmt: skip


@pytest.mark.parametrize(
    "right, name, act",
    [(right, *each) for right, acts in ACTS.items() for each in acts],
    ids=lambda each: str(each)[:20],
)
def test_of_two_who_do_the_same_one_does_it(subscriber, at_once, right, name, act):
    people = [subscriber(f"{each}@example.no", "Kari Berg") for each in ("alone", "both")]
    made = []
    for person in people:
        each = requests.receive(person, right, by=ONE, channel="mail", market="NO", locale="nb", at=clock.now())
        if name not in BEFORE_IT_IS_KNOWN:
            requests.identify(each, person, ONE, "call_back")
        if name == "complete":
            requests.acted(each, ONE, None, reason="handed_over")
        made.append(each)
    act(made[0], people[0], ONE)
    turn = requests.one(made[1]).turn
    ended = at_once(
        *(lambda by=by: requests.at_turn(made[1], turn, lambda: act(made[1], people[1], by)) for by in (ONE, OTHER))
    )

    assert ended == ["done", "request.moved"]
    alone, both = (traces(each) for each in made)
    assert (both["steps"], both["mail"], both["outbox"]) == (alone["steps"], alone["mail"], alone["outbox"])
    assert Restriction.everyone.count() == 2 * (name == "restrict")


def test_two_who_give_it_to_different_people_give_it_to_one(somebody, at_once):
    one, other = somebody("one@example.no"), somebody("other@example.no")
    made = requests.receive(
        None,
        "access",
        by=ONE,
        channel="mail",
        market="NO",
        locale="nb",
        at=clock.now(),
        words="Alt",
        contact="x@example.no",
    )
    ended = at_once(
        lambda: requests.identify(made, one, ONE, "call_back"),
        lambda: requests.identify(made, other, OTHER, "in_person"),
    )

    assert ended[0] == "done"
    assert ended[1] in ("request.moved", "request.identified")
    case = requests.one(made)
    assert case.person_id in (one, other)
    assert list(cases.words_of(case).values()) == ["Alt"]
    assert [each.kind for each in case.history] == ["received", "identified"]


def test_what_is_noted_while_it_turns_out_who_it_is_can_still_be_read(somebody, at_once):
    person = somebody()
    made = requests.receive(
        None,
        "access",
        by=ONE,
        channel="mail",
        market="NO",
        locale="nb",
        at=clock.now(),
        words="Alt",
        contact="x@example.no",
    )
    ended = at_once(
        lambda: requests.identify(made, person, ONE, "call_back"), lambda: requests.note(made, "Ringte.", OTHER)
    )

    assert "done" in ended
    case = requests.one(made)
    written = [each for each in case.history if each.has_words]
    assert set(cases.words_of(case)) == {each.id for each in written}


def test_of_two_endings_one_stands_and_one_letter_leaves(subscriber, at_once):
    person = subscriber()
    made = requests.receive(person, "access", by=ONE, channel="mail", market="NO", locale="nb", at=clock.now())
    requests.identify(made, person, ONE, "call_back")
    requests.acted(made, ONE, None, reason="handed_over")
    ended = at_once(
        lambda: requests.complete(made, ONE), lambda: requests.refuse(made, "excessive", "Nei, igjen.", OTHER)
    )

    assert sorted(ended)[0] == "done"
    assert ended[1] in ("request.moved", "request.closed")
    endings = [each.kind for each in requests.one(made).history if each.kind in ("done", "refused")]
    assert endings == [requests.one(made).state]
    assert Mail.objects.of(person).count() == (endings == ["refused"])
    assert Outbox.objects.filter(kind="request.closed").count() == 1
