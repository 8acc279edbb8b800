"""Asking for a material and being given it."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from lofte.core import clock, mail, ports
from lofte.core.models import Mail
from lofte.features.consent import verbs as consent
from lofte.features.outreach.materials import grants, reads, shelf
from lofte.features.outreach.materials.models import Grant
from lofte.features.register.models import Signal
from lofte.features.rights import restriction
from lofte.kernel.problems import Problem

PDF = b"%PDF-1.7\n" + b"a guide to closing the year\n" * 50


pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def _person(email: str = "ola@example.no") -> UUID:
    found = ports.register().find("email", email)
    assert found is not None
    return found


# --- asking ---------------------------------------------------------------------------------------------------------


def test_who_asks_gets_a_letter_with_a_personal_link_and_is_in_the_register_for_that_purpose(guide, ask, letterbox):
    assert ask(guide).say == "materials.thanks"
    mail.deliver(clock.now())
    letter = letterbox.last()
    body = letter.get_body(("plain",)).get_content()
    assert letter["To"] == "ola@example.no"
    assert "Year-end guide nb" in letter["Subject"]
    assert "/materials/no/nb/open/" in body
    assert "7 dager" in body
    assert "List-Unsubscribe" not in letter  # asked for: no marketing
    assert ports.register().fields_held(_person(), "material") == {"name", "email"}
    assert not ports.consents().is_granted(_person(), "newsletter")


def test_asking_is_no_sign_of_interest_and_no_consent(guide, ask):
    ask(guide)
    assert not Signal.objects.of(_person()).exists()
    assert not ports.consents().standings(_person())


def test_a_ticked_box_waits_for_its_own_confirmation(guide, ask, letterbox):
    ask(guide, box=True)
    mail.deliver(clock.now())
    subjects = [str(each["Subject"]) for each in letterbox.letters]
    assert len(subjects) == 2
    assert not ports.consents().is_granted(_person(), "newsletter")


def test_the_answer_is_the_same_for_somebody_known_and_nothing_held_about_them_changes(guide, ask, somebody):
    known = somebody(email="kari@example.no", name="Kari Nordmann")
    before = ports.register().kinds_held(known)
    assert ask(guide, "kari@example.no") == ask(guide, "stranger@example.no")
    assert ports.register().kinds_held(known) == before
    assert Grant.objects.of(known).count() == 1


def test_asked_again_the_grant_is_renewed_and_never_doubled(guide, ask, code_of):
    ask(guide)
    first, asked = code_of(), Grant.everyone.get().asked_at
    for day in (0, 1, 2):
        with clock.at(asked + timedelta(days=day, hours=day)):
            grants.hand_over(first)
    with clock.at(asked + timedelta(days=4)):
        assert grants.open_link(first) is None  # both days used
        ask(guide)
        assert grants.open_link(first) is not None
    assert Grant.everyone.count() == 1
    assert (Grant.everyone.get().times, Grant.everyone.get().left) == (3, 2)


@pytest.mark.parametrize("about", [None, uuid4()])
def test_asking_for_nothing_or_for_something_unknown_is_refused(guide, ask, about):
    with pytest.raises(Problem) as refused:
        ask(about)
    assert refused.value.code == "materials.none"
    assert refused.value.status == 404
    assert ports.register().find("email", "ola@example.no") is None


def test_a_draft_and_another_market_cannot_be_asked_for(guide, ask, plan):
    hidden = shelf.draft(plan(slug="draft"), "staff:1")
    for about, market in ((hidden, "NO"), (guide, "FI")):
        with pytest.raises(Problem) as refused:
            ask(about, market=market)
        assert refused.value.code == "materials.none"


def test_whoever_objected_gets_no_letter_and_the_answer_does_not_tell(guide, ask):
    ask(guide)
    person = _person()
    consent.object_to(person, "material", method="portal")
    queued = Mail.objects.of(person).count()
    assert ask(guide).say == "materials.thanks"
    assert Mail.objects.of(person).count() == queued


def test_nobodys_mailbox_is_filled(guide, ask, monkeypatch):
    ask(guide)
    monkeypatch.setattr(grants.limits, "allow", lambda name, *_: name != "material")
    assert ask(guide).say == "materials.thanks"
    assert Mail.everyone.filter(letter="material").count() == 1


# --- the link -------------------------------------------------------------------------------------------------------


def test_looking_at_the_link_changes_nothing_however_often(guide, ask, code_of):
    ask(guide)
    code = code_of()
    for _ in range(5):
        assert grants.open_link(code) is not None
    row = Grant.everyone.get()
    assert (row.left, row.times, row.taken_at) == (2, 0, None)
    assert not Signal.objects.of(_person()).exists()


def test_the_button_gives_the_very_bytes_and_counts_as_interest(guide, ask, code_of):
    ask(guide)
    handed = grants.hand_over(code_of())
    assert (handed.name, handed.media_type, handed.content) == ("Guide.pdf", "application/pdf", PDF)
    signal = Signal.objects.of(_person()).get()
    assert (signal.kind, signal.purpose, signal.source) == ("download", "material", "material:year-end")
    row = Grant.everyone.get()
    assert (row.left, row.times) == (2, 1)
    assert row.taken_at is not None
    assert not ports.consents().is_granted(_person(), "newsletter")


def test_a_day_counts_once_however_often_the_button_is_pressed(guide, ask, code_of):
    ask(guide)
    code, asked = code_of(), Grant.everyone.get().asked_at
    for hours, counted in ((1, (2, 1)), (2, (2, 1)), (30, (1, 2)), (53, (1, 2)), (54, (0, 3)), (77, (0, 3))):
        with clock.at(asked + timedelta(hours=hours)):
            assert grants.hand_over(code).content == PDF
            row = Grant.everyone.get()
            assert (row.left, row.times) == counted, hours
    with clock.at(asked + timedelta(hours=79)), pytest.raises(Problem) as refused:
        grants.hand_over(code)
    assert refused.value.code == "code.unknown"
    assert Signal.objects.of(_person()).count() == 1


def test_of_two_at_once_on_a_new_day_one_counts_and_both_are_given_it(guide, ask, code_of):
    ask(guide)
    code, asked = code_of(), Grant.everyone.get().asked_at
    with clock.at(asked + timedelta(days=2)):
        both = [grants.open_link(code), grants.open_link(code)]
        for found in both:
            grants._count(found)
    assert (Grant.everyone.get().left, Grant.everyone.get().times) == (1, 1)


def test_a_scanner_that_presses_burns_nothing_and_counts_as_nothing(guide, ask, code_of):
    """Even one that cannot be told from a person takes nothing, as long as it comes with the letter."""
    ask(guide)
    code, asked = code_of(), Grant.everyone.get().asked_at
    for _ in range(20):
        assert grants.hand_over(code, by_hand=False).content == PDF
    row = Grant.everyone.get()
    assert (row.left, row.times, row.taken_at) == (2, 0, None)
    assert not Signal.objects.of(_person()).exists()
    for _ in range(20):
        grants.hand_over(code)
    for days in (3, 5):  # what the person was promised is all there
        with clock.at(asked + timedelta(days=days)):
            assert grants.hand_over(code).content == PDF
    assert Grant.everyone.get().left == 0


def test_the_link_dies_on_its_day(guide, ask, code_of):
    ask(guide)
    code, asked = code_of(), Grant.everyone.get().asked_at
    with clock.at(asked + timedelta(days=7, seconds=-1)):
        assert grants.open_link(code) is not None
    with clock.at(asked + timedelta(days=7)):
        assert grants.open_link(code) is None
        with pytest.raises(Problem):
            grants.hand_over(code)


def test_the_link_dies_with_the_material_and_does_not_come_back_with_it(guide, ask, code_of):
    ask(guide)
    code = code_of()
    shelf.withdraw(guide, "staff:1")
    assert grants.open_link(code) is None
    shelf.publish(guide, "staff:1")
    assert grants.open_link(code) is None
    assert reads.faults(clock.now()).of_withdrawn == 0


def test_the_link_dies_with_an_objection_and_with_a_restriction(guide, ask, code_of):
    ask(guide)
    code = code_of()
    restriction.restrict(_person(), "person")
    assert grants.open_link(code) is None
    restriction.lift(_person(), "person")
    assert grants.open_link(code) is not None
    consent.object_to(_person(), "material", method="portal")
    assert grants.open_link(code) is None


def test_the_link_dies_with_the_person(guide, ask, code_of, log):
    from lofte.features.rights import verbs as rights

    ask(guide)
    code, person = code_of(), _person()
    rights.erase(person)
    assert grants.open_link(code) is None
    assert not Grant.everyone.filter(person_id=person).exists()


def test_a_new_file_goes_to_those_who_have_a_link_already(guide, ask, code_of):
    ask(guide)
    code = code_of()
    shelf.give_file(guide, "nb", "Ny.pdf", PDF + b"new", "staff:1")
    assert grants.hand_over(code).name == "Ny.pdf"


def test_an_altered_file_is_given_to_nobody_and_nothing_is_counted(guide, ask, code_of, home):
    ask(guide)
    code = code_of()
    found = grants.open_link(code)
    (home / "published" / "objects" / found.file.digest).write_bytes(b"%PDF-1.7 something else")
    with pytest.raises(Problem) as refused:
        grants.hand_over(code)
    assert refused.value.code == "materials.altered"
    assert Grant.everyone.get().times == 0


# --- what stays -----------------------------------------------------------------------------------------------------


def test_that_somebody_asked_is_forgotten_when_the_clock_of_the_purpose_has_run(guide, ask):
    ask(guide)
    asked = Grant.everyone.get().asked_at
    with clock.at(asked + timedelta(days=729)):
        assert grants.forget(clock.now()) == 0
    with clock.at(asked + timedelta(days=732)):
        assert reads.faults(clock.now()).overdue == 1
        assert grants.forget(clock.now()) == 1
        assert reads.faults(clock.now()).overdue == 0


def test_that_somebody_asked_is_forgotten_when_they_object(guide, ask):
    ask(guide)
    ask(guide, "kari@example.no")
    consent.object_to(_person(), "material", method="portal")
    assert grants.forget(clock.now()) == 1
    assert [row.person_id for row in Grant.everyone.all()] == [_person("kari@example.no")]


def test_two_persons_who_are_one_keep_the_link_that_lives_longer(guide, ask, somebody):
    from lofte.core import merging

    ask(guide, "ola@example.no")
    with clock.at(clock.now() + timedelta(hours=1)):
        ask(guide, "olas.other@example.no")
    keep, gone = _person("ola@example.no"), _person("olas.other@example.no")
    later = Grant.objects.of(gone).get()
    merging.merge_people(keep, gone)
    assert Grant.objects.of(keep).get().id == later.id


def test_a_few_who_asked_are_not_told_as_a_number(guide, ask):
    for number in range(4):
        ask(guide, f"p{number}@example.no")
    assert reads.numbers([guide])[guide] == reads.Numbers(None, 0)
    ask(guide, "p5@example.no")
    assert reads.numbers([guide])[guide] == reads.Numbers(5, 0)


def test_who_asked_can_be_walked_through_in_order(guide, ask):
    for number in range(3):
        ask(guide, f"p{number}@example.no")
    first = reads.people_asking(guide, None, 2)
    rest = reads.people_asking(guide, first[-1], 2)
    assert len(first) == 2
    assert len(rest) == 1
    assert first + rest == sorted([*first, *rest])
    assert reads.asked_by(first) == dict.fromkeys(first, frozenset({guide}))


def test_a_link_that_lives_longer_than_promised_is_seen(guide, ask):
    ask(guide)
    assert reads.faults(clock.now()) == reads.Faults(0, 0, 0)
    row = Grant.everyone.get()
    Grant.everyone.filter(pk=row.pk).update(ends_at=row.asked_at + timedelta(days=8))
    assert reads.faults(clock.now()).too_long == 1
