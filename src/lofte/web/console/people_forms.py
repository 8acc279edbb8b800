"""The forms of the pages about people. Labels and errors in the console's language; what is declared decides what is offered."""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from lofte.core import clock
from lofte.core.decisions import BY_LAW
from lofte.core.publication import current
from lofte.features.register.models import Dialogue
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.model import Basis
from lofte.web import calendar
from lofte.web.site.forms import LONGEST

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
_LONGEST_WORDS = 8_000


class Form(forms.Form):
    """A form in a language. `tell` puts what a room refused beside the field it is about."""

    use_required_attribute = False

    def __init__(self, locale: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.locale = locale
        for name, field in self.fields.items():
            field.error_messages["required"] = say(locale, "people.error.required", field=field.label or name)
            field.error_messages["max_length"] = say(locale, "people.error.long", field=field.label or name)
            field.error_messages["invalid_choice"] = field.error_messages["required"]

    def tell(self, problem: Problem) -> None:
        field = problem.place.key if problem.place and problem.place.key in self.fields else None
        self.add_error(field, told(self.locale, problem))


def told(locale: str, problem: Problem) -> str:
    """A refusal in words, by its code; raises it again where there are none."""
    key = f"error.{problem.code}"
    if key not in room_words(locale, "people"):
        raise problem
    return say(locale, f"people.{key}")


def _made(
    locale: str, name: str, fields: Mapping[str, forms.Field], data: Any, files: Any = None, **named: Any
) -> Form:
    kind = type(name, (Form,), dict(fields))
    return kind(locale, data, files, **named)  # type: ignore[no-any-return]


def purposes(locale: str, may_state: Iterable[str]) -> list[tuple[str, str]]:
    """The purposes somebody may state, by name, in the policy's order."""
    published, allowed = current(), set(may_state)
    declared = {key for key, purpose in published.policy.purposes.items() if purpose.scope == "person"}
    offered = [
        (key, published.word(locale, "purposes", key, "name"))
        for key in published.policy.purposes
        if key in declared & allowed
    ]
    by_law = [
        (key, say(locale, f"portal.purposes.{key}")) for key in BY_LAW if key in allowed - declared and key == "rights"
    ]
    return offered + by_law


def search(locale: str, may_state: Iterable[str], data: Any = None, *, stated: str = "") -> Form:
    fields = {
        "sought": forms.CharField(
            label=say(locale, "people.sought"), max_length=254, help_text=say(locale, "people.sought_help"),
            widget=forms.TextInput(attrs=_PLAIN | {"type": "search", "data-search": "", "enterkeyhint": "search"}),
        ),
        "purpose": _purpose(locale, may_state),
    }  # fmt: skip
    return _made(locale, "SearchForm", fields, data, initial={"purpose": stated})


def stating(locale: str, may_state: Iterable[str], data: Any = None, *, stated: str = "") -> Form:
    """For which purpose somebody looks on."""
    return _made(locale, "PurposeForm", {"purpose": _purpose(locale, may_state)}, data, initial={"purpose": stated})


def _purpose(locale: str, may_state: Iterable[str]) -> forms.ChoiceField:
    return forms.ChoiceField(label=say(locale, "console.purpose"), choices=[("", "—"), *purposes(locale, may_state)])


def note(locale: str, data: Any = None, files: Any = None) -> Form:
    fields: dict[str, forms.Field] = {
        "medium": forms.ChoiceField(
            label=say(locale, "people.medium"),
            choices=[(each, say(locale, f"console.file.medium.{each}")) for each in Dialogue.Medium.values],
        ),
        "direction": forms.ChoiceField(
            label=say(locale, "people.direction"),
            choices=[(each, say(locale, f"people.way.{each}")) for each in Dialogue.Direction.values],
        ),
        "at": forms.DateTimeField(
            label=say(locale, "people.when"), input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
            widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            error_messages={"invalid": say(locale, "people.error.when")},
        ),
        "text": forms.CharField(
            label=say(locale, "people.words"), max_length=_LONGEST_WORDS, widget=forms.Textarea(attrs={"rows": 5}),
            help_text=say(locale, "people.words_help"),
        ),
        "file": forms.FileField(
            label=say(locale, "people.file"), required=False, allow_empty_file=True, help_text=say(locale, "people.file_help")
        ),
    }  # fmt: skip
    zone = calendar.zone(locale)
    form = _made(
        locale, "NoteForm", fields, data, files, prefix="note",
        initial={"at": clock.now().astimezone(zone).strftime("%Y-%m-%dT%H:%M"), "medium": "phone", "direction": "in"},
    )  # fmt: skip
    return _in_zone(form, zone)


def _in_zone(form: Form, zone: ZoneInfo) -> Form:
    """Times are typed as the clock on the wall shows them."""
    if form.is_bound:
        with timezone.override(zone):
            form.is_valid()
    return form


def place(locale: str, purpose: str, data: Any = None) -> Form:
    published = current()
    declared = published.policy.purposes[purpose].fields
    fields: dict[str, forms.Field] = {
        name: _text(published.word(locale, "fields", name), required=name == "company")
        for name in ("company", "title", "role")
        if name in declared
    }
    return _made(locale, "PlaceForm", fields, data, prefix="place")


def relation(locale: str, data: Any = None, *, market: str = "") -> Form:
    published = current()
    names = published.words.get(locale, {}).get("relations", {})
    fields = {
        "relation": forms.ChoiceField(
            label=say(locale, "people.relation"),
            choices=[(key, names.get(key, {}).get("name", key)) for key in published.policy.relations],
        ),
        "market": forms.ChoiceField(label=say(locale, "people.market"), choices=editions()),
    }
    return _made(locale, "RelationForm", fields, data, prefix="relation", initial={"market": market})


def correction(locale: str, label: str, kind: str, data: Any = None, *, value: str = "") -> Form:
    field = _text(label, longest=LONGEST.get(kind, 200))
    if kind == "email":
        field.widget = forms.EmailInput(attrs=_PLAIN)
    return _made(locale, "CorrectionForm", {"value": field}, data, initial={"value": value})


def person(locale: str, may_state: Iterable[str], data: Any = None, *, stated: str = "") -> Form:
    """Somebody new: what a conversation gives. Purposes on consent are for people themselves."""
    published = current()
    word = {name: published.word(locale, "fields", name) for name in ("name", "email", "phone", "company", "title")}
    names = published.words.get(locale, {}).get("relations", {})
    offered = [
        (key, name) for key, name in purposes(locale, may_state)
        if key in published.policy.purposes and published.policy.purposes[key].basis is not Basis.CONSENT
    ]  # fmt: skip
    fields = {
        "purpose": forms.ChoiceField(label=say(locale, "people.for_what"), choices=[("", "—"), *offered]),
        "relation": forms.ChoiceField(
            label=say(locale, "people.relation"),
            choices=[("", "—"), *((key, names.get(key, {}).get("name", key)) for key in published.policy.relations)],
        ),
        "market": forms.ChoiceField(label=say(locale, "people.market"), choices=editions()),
        "name": _text(word["name"]),
        "email": _text(word["email"], required=False, longest=254),
        "phone": _text(word["phone"], required=False, longest=40),
        "company": _text(word["company"], required=False),
        "title": _text(word["title"], required=False),
    }
    fields["email"].widget = forms.EmailInput(attrs=_PLAIN)
    fields["phone"].widget = forms.TextInput(attrs=_PLAIN | {"type": "tel"})
    return _made(locale, "PersonForm", fields, data, initial={"purpose": stated, "market": _own(locale)})


def taking_in(locale: str, may_state: Iterable[str], data: Any = None, files: Any = None) -> Form:
    published = current()
    names = published.words.get(locale, {}).get("relations", {})
    offered = [
        (key, name) for key, name in purposes(locale, may_state)
        if key in published.policy.purposes and published.policy.purposes[key].basis is not Basis.CONSENT
    ]  # fmt: skip
    fields = {
        "file": forms.FileField(
            label=say(locale, "people.list.file"), help_text=say(locale, "people.list.file_help"),
            widget=forms.FileInput(attrs={"accept": ".csv,.vcf,.vcard,text/csv,text/vcard"}),
            error_messages={"empty": say(locale, "people.error.people.no-table")},
        ),
        "purpose": forms.ChoiceField(label=say(locale, "people.for_what"), choices=[("", "—"), *offered]),
        "market": forms.ChoiceField(label=say(locale, "people.market"), choices=editions()),
        "relation": forms.ChoiceField(
            label=say(locale, "people.relation"), required=False,
            choices=[("", "—"), *((key, names.get(key, {}).get("name", key)) for key in published.policy.relations)],
        ),
        "source": forms.RegexField(
            r"^[a-z0-9][a-z0-9-]{0,47}$", label=say(locale, "people.list.source"), help_text=say(locale, "people.list.source_help"),
            widget=forms.TextInput(attrs=_PLAIN), error_messages={"invalid": say(locale, "people.error.source")},
        ),
        "new_ground_since": forms.DateField(
            label=say(locale, "people.list.new_ground"), required=False, help_text=say(locale, "people.list.new_ground_help"),
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            error_messages={"invalid": say(locale, "people.error.when")},
        ),
        "encoding": forms.ChoiceField(
            label=say(locale, "people.list.encoding"), required=False,
            choices=[("", say(locale, "people.list.guess")), ("cp1252", "Windows (cp1252)"), ("latin-1", "ISO 8859-1")],
        ),
    }  # fmt: skip
    return _made(locale, "ListForm", fields, data, files, initial={"market": _own(locale)})


def columns(
    locale: str, there: Mapping[str, str], left_out: Iterable[str], offered: Iterable[str], data: Any = None
) -> Form:
    """Which column of a list is which field. Named by their place: a heading may be anything."""
    published = current()
    choices = [
        ("", say(locale, "people.list.left_out")),
        *((each, published.word(locale, "fields", each)) for each in offered),
    ]
    fields: dict[str, forms.Field] = {}
    initial = {}
    for number, column in enumerate([*there, *left_out]):
        fields[f"c{number}"] = forms.ChoiceField(label=column, required=False, choices=choices)
        initial[f"c{number}"] = there.get(column, "")
    return _made(locale, "ColumnsForm", fields, data, initial=initial)


def handing_out(locale: str, may_state: Iterable[str], data: Any = None) -> Form:
    fields = {
        "purpose": _purpose(locale, may_state),
        "form": forms.ChoiceField(
            label=say(locale, "people.out.form"), choices=[("csv", "CSV"), ("vcard", "vCard 4.0")]
        ),
    }
    return _made(locale, "OutForm", fields, data)


def editions() -> list[tuple[str, str]]:
    """Every market in each of its languages, named in that language."""
    return [
        (f"{key}/{locale}", say(locale, "common.own_name"))
        for key, market in current().policy.markets.items()
        for locale in market.locales
    ]


def _own(locale: str) -> str:
    """The edition in the console's own language, the likeliest."""
    return next((key for key, _ in editions() if key.endswith(f"/{locale}")), "")


def edition_of(chosen: str) -> dict[str, str]:
    market, _, locale = chosen.partition("/")
    return {"market": market, "locale": locale}


def _text(label: str, *, required: bool = True, longest: int = 200) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=longest, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
