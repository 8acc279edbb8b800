"""What stands beside a person's rows when they are erased: lists somebody has in hand, and files that a statute keeps."""

from datetime import timedelta

import pytest

from lofte.core import clock, vault
from lofte.features.register import attachments, imports, lists
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.register.models import Attachment, Dialogue, ListInHand
from lofte.features.rights import verbs
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
STAFF = "staff:1"
INTO = imports.Into(purpose="answers", market="NO", locale="nb", source="import:x", relation="", new_ground_since=None)


def give(rows, name="list.csv", heading="email,name"):
    return lists.take(name, "\n".join([heading, *rows]).encode(), INTO, by=STAFF)


@pytest.mark.parametrize("ordered", [False, True])
def test_a_list_in_hand_that_names_an_erased_person_is_stopped_and_its_content_gone(
    somebody, log, ordered, django_capture_on_commit_callbacks
):
    person = somebody()
    named = give(["Kari.Nordmann@Example.no,Kari", "ola@example.no,Ola"])
    other = give(["ola@example.no,Ola"])
    if ordered:
        ListInHand.objects.filter(pk=named).update(state="ordered")
    with django_capture_on_commit_callbacks(execute=True):
        assert verbs.erase(person).is_complete

    stopped = lists.one(named, by=STAFF)
    assert (stopped.state, stopped.problem, stopped.lines) == ("stopped", "people.somebody-erased", ())
    assert bytes(ListInHand.objects.get(pk=named).sealed) == b""
    assert not vault.has_key(named)
    with pytest.raises(Problem, match="no such list"):
        lists.order(named, by=STAFF, leave_out_refused=True)
    assert lists.take_in(clock.now()) == 0
    assert lists.one(other, by=STAFF).state == "judged"
    lists.order(other, by=STAFF, leave_out_refused=True)
    assert register.person_of("email", "kari.nordmann@example.no") is None
    assert register.person_of("email", "ola@example.no")


def test_an_address_in_a_column_that_is_left_out_counts_too(somebody, log):
    person = somebody()
    named = give(["ola@example.no,Ola,fra kari.nordmann@example.no"], heading="email,name,remark")
    verbs.erase(person)

    assert lists.one(named, by=STAFF).state == "stopped"


def test_a_number_names_somebody_as_well(somebody, log):
    person = somebody(purpose="answers")
    keep.hold(person, {"phone": "+47 22 22 22 22"}, "answers", source="import:x", market="NO", locale="nb")
    named = give(["004722222222,Kari"], heading="phone,name")
    verbs.erase(person)

    assert lists.one(named, by=STAFF).state == "stopped"


@pytest.fixture
def letter_kept_by_law(republish, somebody):
    """A person with two entries of dialogue, a file each; a statute keeps the one about the account."""

    def change(policy):
        policy["purposes"]["accounting"]["fields"].append("dialogue")

    republish(change)
    person = somebody()
    made = {}
    for purpose in ("accounting", "customer"):
        made[purpose] = keep.note(
            person,
            "Faktura vedlagt",
            purpose,
            medium="post",
            direction="out",
            at=clock.now(),
            by=STAFF,
            market="NO",
            locale="nb",
        )
        attachments.attach(person, made[purpose], f"{purpose}.pdf", b"%PDF-1.7 faktura", by=STAFF)
    return person, made


def test_files_of_what_a_statute_keeps_stay_with_it_and_the_others_go(letter_kept_by_law, log):
    person, made = letter_kept_by_law
    plan = {(item.what, item.stays_under): item.count for item in verbs.plan_erasure(person)}
    assert (plan["attachment", "accounting"], plan["attachment", ""], plan["dialogue", ""]) == (1, 1, 1)
    done = verbs.erase(person)

    assert done.is_complete, done.residue
    assert [each.dialogue for each in Attachment.objects.of(person)] == [made["accounting"]]
    assert [each.id for each in Dialogue.objects.of(person)] == [made["accounting"]]
    kept = Attachment.objects.of(person).get()
    assert attachments.open_one(person, kept.id, "accounting", by=STAFF)[1] == b"%PDF-1.7 faktura"
    assert {each.exemption.partition(" ")[0] for each in done.residue} == {"accounting"}


def test_the_files_go_when_the_statute_ends(letter_kept_by_law, log):
    person, _ = letter_kept_by_law
    verbs.erase(person)
    with clock.at(clock.now() + timedelta(days=7 * 366)):
        assert verbs.erase(person).residue == ()
    assert not Attachment.everyone.exists()
    assert not Dialogue.everyone.exists()
