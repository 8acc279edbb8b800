"""A file that came with a letter goes out in the person's copy only when somebody has opened it and found nobody else in it."""

import pytest

from lofte.core import clock
from lofte.core.models import Mail
from lofte.features.register import attachments
from lofte.features.register import verbs as keep
from lofte.features.register.models import Attachment
from lofte.features.rights import behalf, cases, copies, follow, reads, requests
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
NB = {"market": "NO", "locale": "nb"}


@pytest.fixture
def person(somebody):
    return somebody("kari@example.no", "Kari Nordmann")


@pytest.fixture
def file(person):
    said = keep.note(
        person, "Se vedlegg", "customer", medium="mail", direction="in", at=clock.now(), by="staff:1", **NB
    )
    return attachments.attach(person, said, "Avtale Ola Hansen.pdf", b"%PDF-1.7", by="staff:1")


def case_of(person):
    return next(each for each in cases.of(person) if each.right == "access")


def test_a_file_nobody_looked_at_stays_inside_and_the_request_waits_for_it(person, file):
    made = copies.take(person, "access", "zip")

    assert copies.attachments(made) == []
    assert [(each["state"], each["name"]) for each in made.as_json()["attachments"]] == [
        ("looking", "Avtale [en annens navn].pdf")
    ]
    assert case_of(person).waiting_for == (cases.FILES,)
    assert cases.listed(cases.Wanted("waiting"), clock.now()).total == 1
    assert [each.person for each in attachments.wanted()] == [person]
    follow.follow(clock.now())
    assert case_of(person).is_open


def test_nobody_lets_a_file_go_out_that_they_have_not_opened(person, file):
    attachments.open_one(person, file, "customer", by="console")
    with pytest.raises(Problem, match="look-first"):
        attachments.judge(person, file, True, by="staff:1")

    assert Attachment.everyone.get(pk=file).state == "looking"


def test_what_is_given_goes_out_the_person_is_told_and_the_request_ends(person, file):
    copies.take(person, "access", "html")
    attachments.open_one(person, file, "customer", by="console")
    copies.judge_file(person, file, True, by="console")
    made = copies.take(person, "access", "zip")

    assert [content for _, content in copies.attachments(made)] == [b"%PDF-1.7"]
    assert [each.name for each in made.seen.attachments] == ["Avtale Ola Hansen.pdf"]
    assert Mail.everyone.filter(person_id=person, letter="request").count() == 1
    follow.follow(clock.now())
    assert case_of(person).state == "done"


def test_what_holds_somebody_else_is_kept_back_and_the_person_sees_that(person, file):
    copies.take(person, "access", "zip")
    copies.judge_file(person, file, False, by="staff:1")
    made = copies.take(person, "access", "zip")

    assert copies.attachments(made) == []
    assert [each.state for each in reads.overview(person).attachments] == ["withheld"]
    assert case_of(person).waiting_for == ()


def test_a_copy_staff_hands_over_waits_for_the_files_too(person, file):
    asked = requests.receive(person, "access", by="staff:1", channel="phone", at=clock.now(), **NB)
    requests.identify(asked, person, "staff:1")
    behalf.hand_over(asked, "staff:1")

    assert cases.one(asked).waiting_for == (cases.FILES,)


def test_the_file_itself_cannot_be_fetched_before(person, file):
    with pytest.raises(Problem, match="no-attachment"):
        attachments.content_of(person, file)
