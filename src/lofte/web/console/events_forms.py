"""The forms of the event pages. The policy decides markets, languages, forms and how long answers may be kept."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from lofte.core import clock
from lofte.core.publication import current
from lofte.features.outreach.events import planning, reminders, terms
from lofte.features.outreach.events.models import Event
from lofte.features.outreach.events.planning import Plan
from lofte.features.outreach.forms import specs
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.catalogue import room_words, say
from lofte.rules.packs import law_pack
from lofte.web.console.sharing_forms import word

KEPT = ("P1D", "P3D", "P7D", "P14D", "P30D", "P60D", "P90D", "P6M", "P12M", "P24M")
"""How long after an event things can be kept; what the policy does not let its purpose be kept is not offered."""
_FIRST = (
    "slug", "markets", "starts_at", "ends_at", "zone", "closes_at", "online", "capacity", "has_waiting_list", "is_listed",
    "reminders",
)  # fmt: skip
_MOMENT = "%Y-%m-%dT%H:%M"


class Form(forms.Form):
    """A form in a language, in groups as they stand on the page."""

    use_required_attribute = False
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __init__(self, locale: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.locale = locale
        for field in self.fields.values():
            label = str(field.label or "")
            field.error_messages |= {"required": say(locale, "events.error.required", field=label)}
            wrong = ("invalid", "invalid_choice", "invalid_list", "min_value", "max_value")
            field.error_messages |= {each: say(locale, "events.error.invalid", field=label) for each in wrong}
            field.error_messages["max_length"] = say(locale, "events.error.long", field=label)

    def grouped(self) -> list[dict[str, Any]]:
        """The groups; one of a language is folded while nothing stands in it."""
        found = []
        for title, names in self.groups:
            fields = [self[name] for name in names]
            is_language = names[0].startswith("title-")
            is_open = any(each.errors or each.value() for each in fields)
            found.append({"title": title, "fields": fields, "folds": is_language, "open": is_open})
        return found

    def tell(self, problem: Problem) -> None:
        field = problem.place.key if problem.place and problem.place.key in self.fields else None
        self.add_error(field, told(self.locale, problem))


def told(locale: str, problem: Problem) -> str:
    """A refusal in words, by its code; raises it again where there are none."""
    code = problem.code.partition(".")[2].replace("-", "_")
    place = f"error.{code}_{problem.place.key}" if problem.place else ""
    for key in (place, f"error.{code}"):
        if key in room_words(locale, "events"):
            return say(locale, f"events.{key}", field="")
    raise problem


def event(locale: str, data: Any = None, row: Event | None = None) -> Form:
    """The form an event is written in; ``row`` the one that is changed."""
    offered = _forms()
    names = [(each, _form_name(locale, spec)) for each, spec in offered.items()]
    asked = list(dict.fromkeys(each.field for spec in offered.values() for each in spec.fields))
    fields: dict[str, forms.Field] = {
        "slug": _text(locale, "slug", longest=64), "markets": _markets(locale),
        "starts_at": _moment(locale, "starts_at"), "ends_at": _moment(locale, "ends_at"),
        "zone": forms.ChoiceField(choices=_zones(row), **_label(locale, "zone")),
        "closes_at": _moment(locale, "closes_at", required=False),
        "online": _text(locale, "online", longest=300, required=False),
        "capacity": forms.IntegerField(min_value=1, max_value=100_000, **_label(locale, "capacity")),
        "has_waiting_list": forms.BooleanField(required=False, **_label(locale, "has_waiting_list")),
        "is_listed": forms.BooleanField(required=False, **_label(locale, "is_listed")),
        "form": forms.ChoiceField(choices=names, **_label(locale, "form")),
        "keep": forms.ChoiceField(choices=_kept(locale, offered), **_label(locale, "keep")),
    }  # fmt: skip
    for field in asked:
        label = say(locale, "events.form.retention", field=word(locale, "fields", field))
        choices = [("", say(locale, "events.same_as_others")), *_kept(locale, offered)]
        fields[f"retention-{field}"] = forms.ChoiceField(label=label, choices=choices, required=False)
    reminder = [(each, say(locale, f"events.remind.{each}")) for each in reminders.PERIODS]
    fields["reminders"] = forms.MultipleChoiceField(
        choices=reminder, widget=forms.CheckboxSelectMultiple, required=False, **_label(locale, "reminders")
    )
    languages = current().policy.locales()
    for each in languages:
        fields |= {f"{part}-{each}": _words(locale, part) for part in planning.PARTS}
    kind = type("EventForm", (Form,), fields)
    form: Form = kind(locale, data, initial=_initial(row, offered))
    form.groups = _groups(locale, asked, languages)
    return form


def planned(form: Form) -> Plan:
    """The plan of a valid form."""
    said = form.cleaned_data
    zone, policy = ZoneInfo(said["zone"]), current().policy
    wanted = {locale for market in said["markets"] for locale in policy.markets[market].locales}
    contents = {
        locale: {part: said[f"{part}-{locale}"] for part in planning.PARTS}
        for locale in policy.locales()
        if locale in wanted or any(said[f"{part}-{locale}"] for part in planning.PARTS)
    }
    spec = _forms().get(said["form"])
    asked = {each.field for each in spec.fields} if spec else set()
    retention = {field: said[f"retention-{field}"] for field in sorted(asked) if said.get(f"retention-{field}")}
    return Plan(
        slug=said["slug"], markets=tuple(said["markets"]), contents=contents, starts_at=_at(said["starts_at"], zone),
        ends_at=_at(said["ends_at"], zone), zone=said["zone"], capacity=said["capacity"], form=said["form"], keep=said["keep"],
        retention=retention, reminders=tuple(said["reminders"]), online=said["online"], has_waiting_list=said["has_waiting_list"],
        is_listed=said["is_listed"],
        closes_at=_at(said["closes_at"], zone) if said["closes_at"] else None,
    )  # fmt: skip


def reference(locale: str, data: Any = None) -> Form:
    """Ticking somebody off by the reference in their letter."""
    field = forms.CharField(
        max_length=16, widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        label=say(locale, "events.form.reference"), help_text=say(locale, "events.at_door_lead"),
    )  # fmt: skip
    return type("ReferenceForm", (Form,), {"reference": field})(locale, data)  # type: ignore[no-any-return]


# --- what stands in it ----------------------------------------------------------------------------------------------


def _initial(row: Event | None, offered: Mapping[str, specs.FormSpec]) -> dict[str, Any]:
    if row is None:
        return {
            "capacity": 50,
            "has_waiting_list": True,
            "is_listed": True,
            "keep": "P30D",
            "reminders": ["P1D"],
            "zone": _zones(None)[0][0],
        }
    zone = ZoneInfo(row.zone)
    found: dict[str, Any] = {
        name: getattr(row, name)
        for name in (
            "slug",
            "markets",
            "zone",
            "online",
            "capacity",
            "has_waiting_list",
            "is_listed",
            "form",
            "keep",
            "reminders",
        )
    }
    for name in ("starts_at", "ends_at", "closes_at"):
        at = getattr(row, name)
        found[name] = at.astimezone(zone).strftime(_MOMENT) if at else ""
    found |= {f"retention-{field}": period for field, period in row.retention.items()}
    for locale, said in row.contents.items():
        found |= {f"{part}-{locale}": said.get(part, "") for part in planning.PARTS}
    return found


def _groups(locale: str, asked: list[str], languages: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    words = []
    for each in languages:
        title = say(each, "common.own_language")
        words.append(
            (title[:1].upper() + title[1:], tuple(f"{part}-{each}" for part in ("title", "lead", "place", "text")))
        )
    kept = ("form", "keep", *(f"retention-{field}" for field in asked))
    return ((say(locale, "events.facts"), _FIRST), *words, (say(locale, "events.kept_title"), kept))


def _forms() -> dict[str, specs.FormSpec]:
    return {each.id: each for each in specs.every() if each.kind == "event"}


def _form_name(locale: str, spec: specs.FormSpec) -> str:
    policy = current().policy
    for market in spec.markets:
        for each in policy.markets[market].locales:
            if each == locale:
                return specs.words(spec, market, each).name
    market = spec.markets[0]
    return specs.words(spec, market, policy.markets[market].locales[0]).name


def _kept(locale: str, offered: Mapping[str, specs.FormSpec]) -> list[tuple[str, str]]:
    limits = [longest for spec in offered.values() if (longest := terms.longest(spec.purpose))]
    at = clock.now()
    fitting = [each for each in KEPT if not any(terms.is_longer(each, limit, at=at) for limit in limits)]
    return [(each, values.period(locale, each)) for each in fitting]


def _markets(locale: str) -> forms.MultipleChoiceField:
    choices = [(key, values.country(locale, each.country)) for key, each in current().policy.markets.items()]
    return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **_label(locale, "markets"))


def _zones(row: Event | None) -> list[tuple[str, str]]:
    """The time zones of the markets, and the event's own."""
    found = dict.fromkeys(law_pack(each.law).zone for each in current().policy.markets.values())
    return [(each, each.replace("_", " ")) for each in (*found, *([row.zone] if row and row.zone not in found else ()))]


def _at(local: datetime, zone: ZoneInfo) -> datetime:
    """A time on the wall where the event is, as an instant."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def _label(locale: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"label": say(locale, f"events.form.{name}")}
    is_helped = f"form.{name}_help" in room_words(locale, "events")
    return found | ({"help_text": say(locale, f"events.form.{name}_help")} if is_helped else {})


def _text(locale: str, name: str, *, longest: int, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(max_length=longest, widget=widget, required=required, **_label(locale, name))


def _words(locale: str, part: str) -> forms.CharField:
    rows = {"lead": 2, "text": 8}.get(part)
    widget: forms.Widget = (
        forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput(attrs={"autocomplete": "off"})
    )
    return forms.CharField(max_length=planning.LONGEST[part], widget=widget, required=False, **_label(locale, part))


class _Moment(forms.Field):
    """A day and hour on the wall; which wall is another field's."""

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            return datetime.fromisoformat(str(value)[:16])
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


def _moment(locale: str, name: str, *, required: bool = True) -> forms.Field:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT)
    return _Moment(widget=widget, required=required, **_label(locale, name))
