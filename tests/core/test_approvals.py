"""Two people for dangerous acts: nobody approves their own, nothing is done before, and each step is kept."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from lofte.core import approvals, clock, holdings, outbox, roles, tasks
from lofte.core.models import Action, Approval, Duty, Outbox
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


@pytest.fixture
def member(published):
    def make(name, *held):
        user = User.objects.create_user(name)
        roles.give(user, held, by=roles.OPERATOR)
        return f"staff:{user.pk}"

    return make


@pytest.fixture
def anna(member):
    return member("anna", "lead")


@pytest.fixture
def bo(member):
    return member("bo", "lead")


@pytest.fixture
def blow():
    """A dangerous act for this test; the list fills as it is done."""
    done = []
    approvals.act("test.blow", done.append, needs="people.merge")
    approvals.act("test.take", None, needs="people.export")
    yield done
    for name in ("test.blow", "test.take"):
        approvals._acts.pop(name)


def refused(code):
    return pytest.raises(Problem, match=code.replace(".", r"\."))


def test_what_one_asks_another_approves_and_then_it_is_done(anna, bo, blow):
    about = uuid.uuid4()
    asked = approvals.ask("test.blow", anna, about, reason="twice in the list")
    assert blow == []

    assert approvals.decide(asked, bo, True).state == "done"
    assert [(each.about, each.details, each.asked_by, each.decided_by) for each in blow] == [
        (about, {"reason": "twice in the list"}, anna, bo)
    ]


def test_nobody_approves_what_they_asked_for(anna, blow):
    asked = approvals.ask("test.blow", anna)

    with refused("approvals.own"):
        approvals.decide(asked, anna, True)
    assert blow == []
    assert approvals.one(asked).state == "waiting"


def test_who_may_not_decide_decides_nothing(anna, member, blow):
    asked = approvals.ask("test.blow", anna)

    for actor in (member("cia", "register"), "staff:999999", "person", "system"):
        for approves in (True, False):
            with refused("roles.not-allowed"):
                approvals.decide(asked, actor, approves)
    assert blow == []


def test_who_may_not_do_it_may_not_ask_for_it(member, blow):
    with refused("roles.not-allowed"):
        approvals.ask("test.blow", member("cia", "register"))


def test_what_is_declined_is_not_done_and_not_decided_again(anna, bo, blow):
    asked = approvals.ask("test.blow", anna)
    assert approvals.decide(asked, bo, False).state == "declined"

    with refused("approvals.closed"):
        approvals.decide(asked, bo, True)
    assert blow == []


def test_a_week_later_nobody_can_approve_it(anna, bo, blow, monkeypatch):
    asked = approvals.ask("test.blow", anna)
    later = clock.now() + timedelta(days=7)
    monkeypatch.setattr(clock, "now", lambda: later)

    with refused("approvals.closed"):
        approvals.decide(asked, bo, True)
    assert approvals.waiting() == []
    assert tasks.run_now("approvals.expire", later) == 1
    assert approvals.one(asked).state == "expired"
    assert blow == []


def test_who_has_lost_the_permission_since_has_nothing_approved(anna, bo, blow):
    asked = approvals.ask("test.blow", anna)
    roles.give(roles.user_of(anna), ["register"], by=bo)

    with refused("approvals.closed"):
        approvals.decide(asked, bo, True)
    assert blow == []


def test_an_act_that_fails_leaves_the_request_waiting(anna, bo, blow):
    def fail(approved):
        raise Problem("test.broken", "it did not work")

    approvals.act("test.blow", fail, needs="people.merge")
    asked = approvals.ask("test.blow", anna)

    with refused("test.broken"):
        approvals.decide(asked, bo, True)
    assert approvals.one(asked).state == "waiting"
    assert not Action.objects.filter(action="approvals.approved").exists()


def test_asked_again_while_it_waits_it_is_one_request(anna, bo, blow):
    about = uuid.uuid4()
    first = approvals.ask("test.blow", anna, about, form="csv")

    assert approvals.ask("test.blow", anna, about, form="csv") == first
    assert approvals.ask("test.blow", anna, about, form="vcard") != first
    assert approvals.ask("test.blow", bo, about, form="csv") != first


def test_only_who_asked_takes_it_back(anna, bo, blow):
    asked = approvals.ask("test.blow", anna)

    with refused("approvals.not-yours"):
        approvals.withdraw(asked, bo)
    approvals.withdraw(asked, anna)
    with refused("approvals.closed"):
        approvals.decide(asked, bo, True)


def test_an_act_without_a_handler_is_carried_out_once_by_whoever_asked(anna, bo, blow):
    asked = approvals.ask("test.take", anna, purpose="customer")
    with refused("approvals.needed"):
        approvals.use(asked, anna, "test.take")
    assert approvals.decide(asked, bo, True).state == "approved"
    assert [each.id for each in approvals.ready(anna)] == [asked]

    for actor, name in ((bo, "test.take"), (anna, "test.blow")):
        with refused("approvals.needed"):
            approvals.use(asked, actor, name)
    assert approvals.use(asked, anna, "test.take").details == {"purpose": "customer"}
    with refused("approvals.needed"):
        approvals.use(asked, anna, "test.take")


def test_an_approval_that_is_not_used_expires(anna, bo, blow):
    asked = approvals.ask("test.take", anna)
    approvals.decide(asked, bo, True)

    assert approvals.expire(clock.now() + timedelta(days=8)) == 1
    with refused("approvals.needed"):
        approvals.use(asked, anna, "test.take")


def test_every_step_is_kept_as_an_action(anna, bo, blow):
    asked = approvals.ask("test.take", anna)
    approvals.decide(asked, bo, True)
    approvals.use(asked, anna, "test.take")

    kept = Action.objects.filter(details__approval=str(asked)).order_by("at", "id")
    assert [(each.action, each.actor) for each in kept] == [
        ("approvals.asked", anna), ("approvals.approved", bo), ("approvals.used", anna),
    ]  # fmt: skip


def test_the_log_keeps_that_two_agreed_by_their_roles(anna, bo, blow):
    approvals.decide(approvals.ask("test.blow", anna), bo, True)

    fact = Outbox.objects.get(kind="action").fact
    assert {key: fact[key] for key in ("act", "decision", "asked", "decided")} == {
        "act": "test.blow", "decision": "approved", "asked": ["lead"], "decided": ["lead"],
    }  # fmt: skip
    assert "staff" not in str(fact)


def test_the_fact_reaches_the_log(anna, bo, blow, log):
    approvals.decide(approvals.ask("test.blow", anna), bo, False)
    before = log.size()

    outbox.drain()
    assert log.size() == before + 1


@pytest.mark.parametrize("personal", ["kari@example.no", "x" * 201])
def test_what_looks_personal_is_not_kept_in_a_request(anna, blow, personal):
    with pytest.raises(ValueError):
        approvals.ask("test.blow", anna, reason=personal)


def test_an_erased_person_is_named_by_no_request(anna, blow):
    person, other = uuid.uuid4(), uuid.uuid4()
    asked = approvals.ask("test.blow", anna, person, also=other)

    assert approvals.forget(other, frozenset()) == {"core_approval": 1}
    assert approvals.forget(person, frozenset()) == {"core_approval": 1}
    row = Approval.objects.get(pk=asked)
    assert (row.about, row.also) == (None, None)
    assert "approvals" in {room.name for room in holdings.rooms()}


def test_what_nobody_declared_is_no_act(anna):
    with refused("approvals.no-act"):
        approvals.ask("test.unheard-of", anna)


def test_two_change_the_roles_of_a_third(anna, bo, member):
    cia = member("cia", "register")
    number = int(cia.removeprefix("staff:"))
    asked = approvals.ask("roles.change", anna, user=number, roles="register,requests")
    assert roles.roles_of(roles.user_of(cia)) == ("register",)

    approvals.decide(asked, bo, True)
    assert roles.roles_of(roles.user_of(cia)) == ("register", "requests")


def test_the_keys_are_rotated_soon_after_two_agreed(anna, bo):
    tasks.hurry("vault.rotate_epoch", clock.now())
    Duty.objects.filter(name="vault.rotate_epoch").update(next_due=clock.now() + timedelta(days=6))

    approvals.decide(approvals.ask("vault.rotate", anna), bo, True)
    assert Duty.objects.get(name="vault.rotate_epoch").next_due <= clock.now()


def test_who_waits_is_counted_without_ones_own(anna, bo, blow):
    approvals.ask("test.blow", anna)

    assert (approvals.count_waiting(anna), approvals.count_waiting(bo)) == (0, 1)


def test_what_was_asked_about_one_of_two_who_are_merged_is_about_the_one_who_stays(anna, blow):
    keep, gone, third = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    asked = {
        "about": approvals.ask("test.blow", anna, gone),
        "also": approvals.ask("test.blow", anna, third, also=gone),
        "both": approvals.ask("test.blow", anna, keep, also=gone),
    }
    approvals.follow(keep, gone)

    found = {name: (approvals.one(each).about, approvals.one(each).also) for name, each in asked.items()}
    assert found == {"about": (keep, None), "also": (third, keep), "both": (keep, None)}
