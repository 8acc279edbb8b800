"""The form a publication declares, made into a Django form: its fields and nothing else (P04)."""

from django import forms

from lofte.rules.model import DataField
from lofte.web.pages import Edition

TRAP = "website"
"""A field people never see. Programs fill it in; what it holds is thrown away."""

LONGEST = {"email": 254, "phone": 40, "name": 200, "text": 200, "url": 500}
AUTOCOMPLETE = {"email": "email", "name": "name", "company": "organization", "phone": "tel"}


def declared_form(here: Edition, form: str, topics: tuple[str, ...] = ()) -> type[forms.Form]:
    """A form class with the publication's fields, the topics there are, and on a consent purpose the unticked box."""
    declared = here.published.policy.forms[form]
    fields: dict[str, forms.Field] = {
        item.field: _field(here, item.field, here.published.policy.fields[item.field], required=item.required)
        for item in declared.fields
    }
    if "topics" in fields:
        # a declared choice among the topics there are (P04: the form asks for nothing the policy does not name)
        fields["topics"] = forms.MultipleChoiceField(
            label=here.say("news.topics"),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            choices=[(topic, here.word("topics", topic, "name")) for topic in topics],
        )
    if here.published.policy.purposes[declared.purpose].basis == "consent":
        fields["consent"] = forms.BooleanField(
            label=here.word("forms", form, "consent"), error_messages={"required": here.say("news.error.consent")}
        )
    fields[TRAP] = forms.CharField(required=False)
    return type("DeclaredForm", (forms.Form,), fields | {"use_required_attribute": False})


def _field(here: Edition, name: str, declared: DataField, *, required: bool) -> forms.Field:
    label = here.word("fields", name)
    attributes = {"autocomplete": AUTOCOMPLETE.get(name, "on")}
    missing = {
        "required": here.say("news.error.missing", field=label),
        "max_length": here.say("news.error.long", field=label),
    }
    if declared.kind == "email":
        return forms.EmailField(
            label=label,
            required=required,
            max_length=LONGEST["email"],
            widget=forms.EmailInput(attrs=attributes | {"spellcheck": "false", "autocapitalize": "none"}),
            error_messages=missing | {"invalid": here.say("news.error.email")},
        )
    widget = forms.TextInput(attrs=attributes | ({"type": "tel"} if declared.kind == "phone" else {}))
    return forms.CharField(
        label=label,
        required=required,
        max_length=LONGEST.get(declared.kind, 200),
        widget=widget,
        error_messages=missing,
    )
