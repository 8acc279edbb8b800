"""The forms of the sharing pages. The policy decides what is offered; a refusal stands beside the field it is about."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms

from lofte.core import clock, roles
from lofte.core.publication import current
from lofte.features.sharing import agreements, cases, disclosures
from lofte.features.sharing.models import Agreement, Case
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.values import country

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
_DAY = {"type": "date"}


class Form(forms.Form):
    """A form in a language."""

    use_required_attribute = False

    def __init__(self, locale: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.locale = locale
        for name, field in self.fields.items():
            required = say(locale, "sharing.error.required", field=field.label or name)
            field.error_messages |= {
                "required": required,
                "invalid": required,
                "invalid_choice": required,
                "invalid_list": required,
            }
            field.error_messages["max_length"] = say(locale, "sharing.error.long", field=field.label or name)

    def tell(self, problem: Problem) -> None:
        field = problem.place.key if problem.place and problem.place.key in self.fields else None
        self.add_error(field, told(self.locale, problem))


def told(locale: str, problem: Problem) -> str:
    """A refusal in words, by its code (and for the gate by its reason); raises it again where there are none."""
    words, code = room_words(locale, "sharing"), problem.code.partition(".")[2].replace("-", "_")
    if problem.code == "sharing.denied":
        return denied(locale, problem.detail.rpartition(": ")[2])
    place = f"error.{code}_{problem.place.key}" if problem.place else ""
    for key in (place, f"error.{code}"):
        if key in words:
            return say(locale, f"sharing.{key}")
    raise problem


def denied(locale: str, reason: str) -> str:
    """Why the gate keeps it shut."""
    if reason.startswith("transfer-"):
        return say(locale, "sharing.error.transfer")
    key = f"reason.{reason.replace('-', '_')}"
    return say(locale, f"gates.{key}") if key in room_words(locale, "gates") else reason


def _made(
    name: str, locale: str, fields: Mapping[str, forms.Field], data: Any, files: Any = None, **named: Any
) -> Form:
    kind = type(name, (Form,), dict(fields))
    return kind(locale, data, files, **named)  # type: ignore[no-any-return]


# --- agreements -----------------------------------------------------------------------------------------------------


def agreement(locale: str, data: Any = None, files: Any = None) -> Form:
    policy, today = current().policy, clock.now().date()
    recipients, purposes = agreements.offered(policy)
    fields = dict.fromkeys(field for purpose in purposes for field in policy.purposes[purpose].fields)
    there = dict.fromkeys(
        one for each in recipients.values() for one in (each.country, *(to.country for to in each.transfers))
    )
    countries = [(each, country(locale, each)) for each in there]
    services = [(each, say(locale, f"sharing.service.{each}").capitalize()) for each in agreements.SERVICES]
    made: dict[str, forms.Field] = {
        "partner": _text(locale, "partner", longest=120),
        "recipient": _choice(locale, "recipient", [(key, each.name) for key, each in recipients.items()]),
        "services": _many(locale, "services", services),
        "purposes": _many(locale, "purposes", [(each, word(locale, "purposes", each, "name")) for each in purposes]),
        "fields": _many(locale, "fields", [(each, word(locale, "fields", each)) for each in fields]),
        "country": _choice(locale, "country", sorted(countries, key=lambda each: each[1])),
        "signed": _day(locale, "signed"),
        "expires": _day(locale, "expires"),
        "review_at": _day(locale, "review_at"),
        "reviewer": _choice(locale, "reviewer", [(each, roles.name(each, locale)) for each in roles.declared()]),
        "contact": forms.CharField(
            label=say(locale, "sharing.form.contact"), max_length=254, help_text=say(locale, "sharing.form.contact_help"),
            widget=forms.EmailInput(attrs=_PLAIN),
        ),
        "endpoint": forms.CharField(
            label=say(locale, "sharing.form.endpoint"), max_length=300, required=False,
            help_text=say(locale, "sharing.form.endpoint_help"), widget=forms.URLInput(attrs=_PLAIN),
        ),
        "document": _file(locale, "document"),
        "without_payment": forms.BooleanField(label=say(locale, "sharing.form.without_payment")),
    }  # fmt: skip
    initial = {"expires": today + timedelta(days=365), "review_at": today + timedelta(days=300), "reviewer": roles.LEAD}
    return _made("AgreementForm", locale, made, data, files, initial=initial)


def review(locale: str, row: Agreement, data: Any = None) -> Form:
    proposed = min(clock.now().date() + timedelta(days=365), row.expires)
    return _made(
        "ReviewForm", locale, {"review_at": _day(locale, "next_review")}, data, initial={"review_at": proposed}
    )


# --- referring ------------------------------------------------------------------------------------------------------


def refer(locale: str, offered: Iterable[Agreement], held: Iterable[str], data: Any = None) -> Form:
    rows, there = list(offered), list(held)
    partners = [
        (str(row.id), f"{row.partner} ({', '.join(say(locale, f'sharing.service.{each}') for each in row.services)})")
        for row in rows
    ]
    fields = [each for each in there if any(each in row.fields for row in rows)]
    made: dict[str, forms.Field] = {
        "partner": forms.ChoiceField(label=say(locale, "sharing.form.partner"), choices=partners, widget=forms.RadioSelect),
        "fields": _many(locale, "refer_fields", [(each, word(locale, "fields", each)) for each in fields]),
        "told": forms.ChoiceField(
            label=say(locale, "sharing.form.told"), widget=forms.RadioSelect,
            choices=[(each, say(locale, f"sharing.told.{each}")) for each in disclosures.TOLD],
        ),
    }  # fmt: skip
    initial = {"partner": partners[0][0] if len(partners) == 1 else "", "told": "letter"}
    return _made("ReferForm", locale, made, data, initial=initial)


# --- cases ----------------------------------------------------------------------------------------------------------


def case(locale: str, kind: str, data: Any = None, files: Any = None) -> Form:
    policy = current().policy
    recipients = cases.offered(policy, kind)
    fields = policy.purposes[purpose].fields if (purpose := cases.purpose_of(kind)) else []
    markets = {market for each in recipients.values() for market in (each.markets or policy.markets)}
    is_authority = kind == Case.Kind.AUTHORITY
    made: dict[str, forms.Field] = {
        "name": _text(locale, f"{kind}_name", longest=120),
        "recipient": _choice(locale, "recipient", [(key, each.name) for key, each in recipients.items()]),
        "market": _choice(
            locale, "market", [(key, country(locale, each.country)) for key, each in policy.markets.items() if key in markets]
        ),
        "decision": _text(locale, "decision", longest=120),
        "law": _text(locale, f"{kind}_law", longest=120),
        "decided_on": _day(locale, f"{kind}_decided_on"),
        "relations": _many(locale, "relations", [(each, word(locale, "relations", each, "name")) for each in policy.relations]),
        "fields": _many(locale, f"{kind}_fields", [(each, word(locale, "fields", each)) for each in fields]),
        "contact": forms.CharField(
            label=say(locale, "sharing.form.contact"), max_length=254, help_text=say(locale, "sharing.form.case_contact_help"),
            widget=forms.EmailInput(attrs=_PLAIN),
        ),
        "document": _file(locale, f"{kind}_document"),
        "tells": forms.BooleanField(
            label=say(locale, "sharing.form.tells"), required=False, initial=True, help_text=say(locale, "sharing.form.tells_help")
        ),
    }  # fmt: skip
    for name in ("relations", "contact") if is_authority else ("decision", "tells"):
        del made[name]
    return _made("CaseForm", locale, made, data, files, initial={"decided_on": clock.now().date()})


def naming(locale: str, data: Any = None) -> Form:
    """Name a person in an authority's case, by exact address or number."""
    field = forms.CharField(
        label=say(locale, "sharing.form.sought"), max_length=254, help_text=say(locale, "sharing.form.sought_help"),
        widget=forms.TextInput(attrs=_PLAIN),
    )  # fmt: skip
    return _made("NamingForm", locale, {"sought": field}, data)


# --- the pieces -----------------------------------------------------------------------------------------------------


def word(locale: str, section: str, key: str, part: str | None = None) -> str:
    """A word of the policy; the key itself when this publication no longer has it."""
    try:
        return current().word(locale, section, key, part)
    except Problem:
        return key


def one_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _label(locale: str, name: str) -> dict[str, Any]:
    words = room_words(locale, "sharing")
    found: dict[str, Any] = {"label": say(locale, f"sharing.form.{name}")}
    return found | ({"help_text": say(locale, f"sharing.form.{name}_help")} if f"form.{name}_help" in words else {})


def _text(locale: str, name: str, *, longest: int) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(max_length=longest, widget=widget, **_label(locale, name))


def _day(locale: str, name: str) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"), **_label(locale, name))


def _choice(locale: str, name: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(choices=choices if len(choices) == 1 else [("", "—"), *choices], **_label(locale, name))


def _many(locale: str, name: str, choices: list[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **_label(locale, name))


def _file(locale: str, name: str) -> forms.FileField:
    accept = {"accept": ".pdf,.png,.jpg,.jpeg,.txt,.eml,.odt,.docx,.asice"}
    return forms.FileField(widget=forms.FileInput(attrs=accept), allow_empty_file=True, **_label(locale, name))
