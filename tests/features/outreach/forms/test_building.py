"""Forms made in the console ask for declared fields only, speak every language of their markets, and stay readable."""

from dataclasses import replace

import pytest

from lofte.core.models import Outbox
from lofte.features.outreach.forms import building, intake, specs
from lofte.features.outreach.forms.building import Draft
from lofte.features.outreach.forms.intake import Taken
from lofte.features.outreach.forms.models import Built, Version
from lofte.kernel.problems import Problem
from lofte.rules.model import Box, FormField

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

ME = "staff:7"
SAID = {"name": "Boka en visning", "lead": "Vi hör av oss.", "submit": "Boka"}


@pytest.fixture
def house(republish, no_limits):
    """A policy whose own form lends its box, and whose promise names the fields forms may ask for."""

    def declare(policy):
        policy["forms"]["question"] = {
            "kind": "inquiry", "purpose": "answers", "fields": [{"field": "email"}],
            "boxes": [{"purpose": "newsletter", "channel": "email"}],
        }  # fmt: skip
        policy["promises"]["P04"] = {
            "controls": [{"control": "forms_only_declared_fields", "with": {"fields": ["name", "email", "dialogue"]}}]
        }

    return republish(declare)


@pytest.fixture
def demo(house):
    building.start("demo", "inquiry", "answers", by=ME)
    return "demo"


def whole(**changed):
    draft = Draft(
        "inquiry", "answers", (FormField(field="name"), FormField(field="email"), FormField(field="dialogue", required=False)),
        (Box(purpose="newsletter"),), 1, ("SE",), {"sv": SAID},
    )  # fmt: skip
    return replace(draft, **changed)


def publish(form, draft=None):
    building.change(form, draft or whole(), building.one(form).changed_at, by=ME)
    return building.publish(form, building.one(form).changed_at, by=ME)


def test_a_draft_is_nobodys_form_until_it_is_published(demo, monkeypatch):
    with pytest.raises(Problem, match=r"form\.not-here"):
        specs.find("SE", "sv", demo)
    digest = publish(demo)
    spec = specs.find("SE", "sv", demo)
    assert (spec.origin, spec.version, spec.kind, spec.files) == ("console", digest, "inquiry", 1)
    said = specs.words(spec, "SE", "sv")
    assert (said.name, said.submit) == ("Boka en visning", "Boka")
    assert [each.shown for each in said.boxes] == ["box.question.newsletter-email"]  # the policy's words, and no others
    monkeypatch.setitem(intake._handlers, "inquiry", lambda sent: Taken())
    intake.take("SE", "sv", demo, {"name": "A", "email": "a@example.se"}, wording=said.wording)


def test_it_is_here_only_in_the_markets_it_was_made_for(demo):
    publish(demo)
    with pytest.raises(Problem, match=r"form\.not-here"):
        specs.find("NO", "nb", demo)
    assert [each.id for each in specs.forms_of_kind("inquiry", "SE")] == ["question", "demo"]
    assert [each.id for each in specs.forms_of_kind("inquiry", "NO")] == ["question"]


def test_only_fields_of_the_purpose_that_the_promise_names_can_be_asked_for(house):
    assert building.askable("answers") == ["email", "name", "dialogue"]  # phone is declared, and not promised
    lacking = building.faults(
        whole(fields=(FormField(field="email"), FormField(field="phone"), FormField(field="shoe-size")))
    )
    assert [(each.code, each.place.key) for each in lacking] == [
        ("form.undeclared-field", "fields.phone"), ("form.undeclared-field", "fields.shoe-size"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "code", "key"),
    [
        ({"fields": (FormField(field="name"),)}, "form.no-address", "fields.email"),
        ({"fields": (FormField(field="email", required=False),)}, "form.no-address", "fields.email"),
        ({"markets": ()}, "form.no-market", "markets"),
        ({"markets": ("SE", "NO")}, "form.no-words", "words.nb.name"),
        ({"words": {"sv": {**SAID, "submit": " "}}}, "form.no-words", "words.sv.submit"),
        ({"words": {"sv": {**SAID, "name": "x" * 81}}}, "form.long-words", "words.sv.name"),
        ({"boxes": (Box(purpose="newsletter", channel="sms"),)}, "form.box-without-words", "boxes"),
        ({"boxes": (Box(purpose="customer"),)}, "form.box-without-words", "boxes"),
        ({"files": 6}, "form.files-unread", "files"),
        ({"purpose": "newsletter"}, "form.bad-purpose", "purpose"),
        ({"purpose": "accounting"}, "form.bad-purpose", "purpose"),
    ],
)
def test_what_lacks_is_said_and_keeps_the_form_from_going_out(house, changed, code, key):
    assert (code, key) in [(each.code, each.place.key) for each in building.faults(whole(**changed))]


def test_a_draft_that_lacks_something_is_kept_and_not_published(demo):
    building.change(demo, whole(words={}), building.one(demo).changed_at, by=ME)
    with pytest.raises(Problem) as refused:
        building.publish(demo, building.one(demo).changed_at, by=ME)
    assert (refused.value.code, refused.value.place.key) == ("form.incomplete", "words.sv.name")
    assert building.one(demo).state == Built.State.DRAFT


def test_a_change_is_a_new_version_and_the_old_one_stays_readable(demo):
    first = publish(demo)
    second = publish(demo, whole(words={"sv": {**SAID, "lead": "Vi ringer."}}))
    assert first != second
    assert specs.find("SE", "sv", demo).version == second
    assert specs.version(first).asked["words"]["sv"]["lead"] == "Vi hör av oss."
    assert specs.version(first).retired_at is not None
    assert specs.version(second).retired_at is None


def test_what_people_see_stays_as_it_was_while_the_next_draft_is_written(demo):
    first = publish(demo)
    building.change(demo, whole(words={}), building.one(demo).changed_at, by=ME)
    spec = specs.find("SE", "sv", demo)
    assert spec.version == first
    assert specs.words(spec, "SE", "sv").name == "Boka en visning"


def test_a_retired_form_is_closed_and_its_version_still_readable(demo):
    digest = publish(demo)
    building.retire(demo, by=ME)
    with pytest.raises(Problem, match=r"form\.not-here"):
        specs.find("SE", "sv", demo)
    assert specs.version(digest).asked["words"]["sv"] == SAID
    with pytest.raises(Problem, match=r"form\.not-out"):
        building.retire(demo, by=ME)
    assert publish(demo) == digest  # the same words again are the same version
    assert Version.objects.get().retired_at is None


def test_a_policy_that_no_longer_declares_a_field_closes_the_form(demo, republish):
    publish(demo)

    def narrower(policy):
        policy["purposes"]["answers"]["fields"] = ["email"]
        policy["forms"]["question"] = {"kind": "inquiry", "purpose": "answers", "fields": [{"field": "email"}]}

    republish(narrower, "2026-03")
    with pytest.raises(Problem, match=r"form\.not-here"):
        specs.find("SE", "sv", demo)


def test_two_who_edit_at_once_do_not_overwrite_each_other(demo):
    seen = building.one(demo).changed_at
    building.change(demo, whole(), seen, by=ME)
    for act in (
        lambda: building.change(demo, whole(files=0), seen, by="staff:1"),
        lambda: building.publish(demo, seen, by=ME),
    ):
        with pytest.raises(Problem, match=r"form\.draft-changed"):
            act()
    assert building.draft_of(building.one(demo)).files == 1


@pytest.mark.parametrize("name", ["", "A form", "ä", "-x", "x" * 41, "newsletter", "demo"])
def test_a_name_is_an_address_and_belongs_to_one_form(demo, name):
    with pytest.raises(Problem) as refused:
        building.start(name, "inquiry", "answers", by=ME)
    assert refused.value.code in ("form.bad-name", "form.name-taken")


def test_publishing_and_retiring_leave_evidence_that_names_nobody(demo):
    digest = publish(demo)
    building.retire(demo, by=ME)
    own = ("event", "at")
    facts = {
        row.kind: {name: said for name, said in row.fact.items() if name not in own}
        for row in Outbox.objects.filter(kind__startswith="form.")
    }
    assert facts["form.published"] == {
        "form": "demo", "version": digest, "kind": "inquiry", "purpose": "answers", "fields": ["name", "email", "dialogue"],
        "boxes": ["newsletter-email"], "markets": ["SE"],
    }  # fmt: skip
    assert facts["form.retired"] == {"form": "demo", "version": digest}
