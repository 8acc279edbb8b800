"""A form as a page shows it: its fields with what was typed and what is wrong, its boxes, and why it asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.urls import reverse

from lofte.core import publication
from lofte.features.outreach.forms import files, intake, specs
from lofte.features.outreach.forms.specs import FormSpec, Words
from lofte.kernel.problems import Problem
from lofte.web.forms import stamps
from lofte.web.pages import Edition, purpose_in_words

TRAP = "website"
"""A field people never see. Programs fill it in; what it holds is thrown away."""

AUTOCOMPLETE = {
    "email": "email",
    "name": "name",
    "company": "organization",
    "phone": "tel",
    "title": "organization-title",
}
_TYPES = {"email": "email", "phone": "tel", "number": "number", "date": "date", "url": "url"}


@dataclass(frozen=True, slots=True)
class Line:
    """One field. ``id`` is what its label and its error point at."""

    name: str
    label: str
    type: str
    required: bool
    longest: int
    autocomplete: str
    is_long: bool
    value: str = ""
    error: str = ""

    @property
    def id(self) -> str:
        return f"id_{self.name}"


@dataclass(frozen=True, slots=True)
class Box:
    """One box, never ticked by us: ``ticked`` is what the person sent."""

    name: str
    purpose: str
    channel: str
    text: str
    required: bool
    ticked: bool = False
    error: str = ""

    @property
    def id(self) -> str:
        return f"id_{self.name}"


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything `lofte/forms/form.html` needs. ``action`` is where it is sent; ``about`` what event or material it is about."""

    spec: FormSpec
    words: Words
    purpose: Mapping[str, str]
    action: str
    lines: tuple[Line, ...]
    boxes: tuple[Box, ...]
    stamp: str
    key: str
    page: str
    about: str
    file_error: str = ""
    file_kinds: str = ", ".join(f".{each}" for each in files.KINDS)
    trap: str = TRAP

    @property
    def errors(self) -> list[tuple[str, str]]:
        """What is wrong, with the place of each."""
        found = [(line.id, line.error) for line in self.lines]
        found += [("id_files", self.file_error)] + [(box.id, box.error) for box in self.boxes]
        return [(place, error) for place, error in found if error]


def shown(here: Edition, form_id: str, *, page: str = "", about: UUID | None = None) -> Shown:
    """An empty form, for a page of its own or for another room's page. Raises Problem `form.not-here`."""
    spec = specs.find(here.market, here.locale, form_id)
    return _shaped(here, spec, specs.words(spec, here.market, here.locale), page, about)


def drafted(here: Edition, spec: FormSpec, own: Mapping[str, str]) -> Shown:
    """A draft as it will look, with what is written of its words so far."""
    said = specs.words(spec, here.market, here.locale, {part: own.get(part, "") or "…" for part in specs.PARTS})
    return replace(_shaped(here, spec, said, "", None), stamp="", key="")


def _shaped(here: Edition, spec: FormSpec, said: Words, page: str, about: UUID | None) -> Shown:
    return Shown(
        spec, said, purpose_in_words(here, spec.purpose), action(here, spec.id),
        tuple(_line(spec, said, name.field, required=name.required) for name in spec.fields),
        tuple(Box(f"box.{each.key}", each.purpose, each.channel, each.text, each.required) for each in said.boxes),
        stamps.stamp(spec.id), stamps.number(), page, str(about or ""),
    )  # fmt: skip


def filled(
    form: Shown,
    here: Edition,
    values: Mapping[str, str],
    ticked: frozenset[tuple[str, str]],
    faults: Sequence[Problem] = (),
) -> Shown:
    """The form as it came back: what was typed stands in it, and each fault beside its field, in the reader's language."""
    wrong = {problem.place.key: problem for problem in reversed(faults)}
    lines = tuple(
        replace(each, value=values.get(each.name, ""), error=told(here, form, wrong.get(each.name)))
        for each in form.lines
    )
    boxes = tuple(
        replace(each, ticked=(each.purpose, each.channel) in ticked, error=told(here, form, wrong.get(each.name)))
        for each in form.boxes
    )
    return replace(form, lines=lines, boxes=boxes, file_error=told(here, form, wrong.get("files")))


def told(here: Edition, form: Shown, problem: Problem | None) -> str:
    """A refusal in the reader's words."""
    if problem is None:
        return ""
    code = problem.code.partition(".")[2].replace("-", "_")
    label = form.words.labels.get(problem.place.key, problem.place.key)
    if code == "bad_value":
        kind = publication.current().policy.fields[problem.place.key].kind
        return here.say(f"forms.error.{kind}" if kind in ("email", "phone") else "forms.error.bad_value", field=label)
    if code in ("missing_field", "too_long", "unknown_field"):
        return here.say(f"forms.error.{code}", field=label)
    return (
        here.say(f"forms.error.{code}", n=form.spec.files)
        if code == "too_many_files"
        else here.say(f"forms.error.{code}")
    )


def action(here: Edition, form_id: str) -> str:
    return reverse("form", args=(here.market.lower(), here.locale, form_id))


def _line(spec: FormSpec, said: Words, name: str, *, required: bool) -> Line:
    declared = publication.current().policy.fields[name]
    is_long = declared.category == "dialogue" and declared.kind == "text"
    return Line(
        name, said.labels[name], _TYPES.get(declared.kind, "text"), required, intake.longest(name), AUTOCOMPLETE.get(name, "on"),
        is_long,
    )  # fmt: skip
