"""The forms of the material pages. The policy decides markets, languages and which forms there are."""

from typing import Any

from django import forms

from lofte.core.publication import current
from lofte.features.outreach.forms import specs
from lofte.features.outreach.materials import files, shelf
from lofte.features.outreach.materials.models import Material
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.values import country
from lofte.web.console.sharing_forms import word

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
EVERY = "every"
"""What the choice of a file for every language is called in the form; `shelf.EVERY` is empty, which browsers take for no choice."""
_LONGEST = {"title": 120, "summary": 400, "inside": 4000}


class Form(forms.Form):
    """A form in a language, in groups as they stand on the page."""

    use_required_attribute = False
    groups: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    """Title, fields, and the language where a group is one."""

    def __init__(self, locale: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.locale = locale
        for field in self.fields.values():
            label = str(field.label or "")
            wrong = ("required", "invalid", "invalid_choice", "invalid_list", "min_value", "max_value")
            field.error_messages |= {each: say(locale, "materials.error.required", field=label) for each in wrong}
            field.error_messages["max_length"] = say(locale, "materials.error.too_long", field=label)

    def grouped(self) -> list[dict[str, Any]]:
        """A language folds away unless something is written or wrong in it, or one of the chosen markets speaks it."""
        found = []
        for title, names, of in self.groups:
            fields = [self[name] for name in names]
            found.append({"title": title, "fields": fields, "folds": bool(of), "open": self._is_open(fields, of)})
        return found

    def _is_open(self, fields: list[Any], of: str) -> bool:
        chosen = self["markets"].value() or ()
        spoken = {each for key, market in current().policy.markets.items() if key in chosen for each in market.locales}
        return not of or of in spoken or any(each.errors or each.value() for each in fields)

    def tell(self, problem: Problem) -> None:
        """Put a refusal beside the field it is about."""
        key = problem.place.key if problem.place else ""
        label = str(self.fields[key].label or "") if key in self.fields else ""
        self.add_error(key if key in self.fields else None, told(self.locale, problem, label))


def told(locale: str, problem: Problem, label: str = "") -> str:
    """A refusal in words, by its code; raises it again where there are none."""
    code = problem.code.partition(".")[2].replace("-", "_")
    if f"error.{code}" not in room_words(locale, "materials"):
        raise problem
    return say(locale, f"materials.error.{code}", field=label)


def material(locale: str, data: Any = None, row: Material | None = None) -> Form:
    """The form a material is written in; ``row`` the one that is changed."""
    policy, languages = current().policy, current().policy.locales()
    markets = [(key, country(locale, each.country)) for key, each in policy.markets.items()]
    fields: dict[str, forms.Field] = {
        "slug": forms.CharField(max_length=50, widget=forms.TextInput(attrs=_PLAIN), **_label(locale, "slug")),
        "markets": forms.MultipleChoiceField(
            choices=markets, widget=forms.CheckboxSelectMultiple, **_label(locale, "markets")
        ),
        "form": forms.ChoiceField(choices=_offered(locale), **_label(locale, "form")),
        "downloads": forms.IntegerField(min_value=1, max_value=shelf.MOST_DOWNLOADS, **_label(locale, "downloads")),
    }
    for each in languages:
        fields |= {f"{part}-{each}": _words(locale, part) for part in shelf.PARTS}
    form: Form = type("MaterialForm", (Form,), fields)(locale, data, initial=_initial(row))
    form.groups = (
        (say(locale, "materials.facts"), ("slug", "markets", "form", "downloads"), ""),
        *((in_language(locale, each), tuple(f"{part}-{each}" for part in shelf.PARTS), each) for each in languages),
    )
    return form


def planned(form: Form) -> shelf.Plan:
    """The plan of a valid form."""
    said = form.cleaned_data
    written = {
        locale: {part: said[f"{part}-{locale}"] for part in shelf.PARTS}
        for locale in current().policy.locales()
        if any(said[f"{part}-{locale}"] for part in shelf.PARTS)
    }
    return shelf.Plan(said["slug"], tuple(said["markets"]), written, said["form"], said["downloads"])


def file(locale: str, row: Material, data: Any = None, given: Any = None) -> Form:
    """Giving a material a file, for every language or for one."""
    languages = [(each, language(locale, each)) for each in shelf.locales_of(row)]
    accept = {"accept": ",".join(f".{each}" for each in files.KINDS)}
    fields: dict[str, forms.Field] = {
        "language": forms.ChoiceField(
            choices=[(EVERY, say(locale, "materials.console.every")), *languages], **_label(locale, "language")
        ),
        "file": forms.FileField(widget=forms.FileInput(attrs=accept), allow_empty_file=True, **_label(locale, "file")),
    }  # fmt: skip
    return type("FileForm", (Form,), fields)(locale, data, given)  # type: ignore[no-any-return]


def language(locale: str, of: str) -> str:
    """A language by its own name."""
    return say(of, "common.own_language")


def in_language(locale: str, of: str) -> str:
    return say(locale, "materials.console.in_language", language=language(locale, of))


def form_name(locale: str, form: str) -> str:
    """What a form is called; its id where it has no words in this language."""
    return dict(_offered(locale)).get(form, form)


def _offered(locale: str) -> list[tuple[str, str]]:
    return [(each.id, _name(locale, each)) for each in specs.every() if each.kind == "material"]


def _name(locale: str, spec: specs.FormSpec) -> str:
    if spec.origin == "policy":
        return word(locale, "forms", spec.id, "name")
    said = specs.version(spec.version).asked["words"]
    known: Any = said.get(locale) or next(iter(said.values()), {})
    return str(known.get("name", spec.id))


def _initial(row: Material | None) -> dict[str, Any]:
    if row is None:
        return {"downloads": 5}
    found: dict[str, Any] = {name: getattr(row, name) for name in ("slug", "markets", "form", "downloads")}
    return found | {f"{part}-{locale}": text for locale, said in row.words.items() for part, text in said.items()}


def _words(locale: str, part: str) -> forms.CharField:
    widget = forms.TextInput if part == "title" else forms.Textarea
    attributes = {"autocomplete": "off"} | ({"rows": 3 if part == "summary" else 8} if part != "title" else {})
    return forms.CharField(
        max_length=_LONGEST[part], required=False, widget=widget(attrs=attributes), **_label(locale, part)
    )


def _label(locale: str, name: str) -> dict[str, Any]:
    known = room_words(locale, "materials")
    found: dict[str, Any] = {"label": say(locale, f"materials.form.{name}")}
    return found | ({"help_text": say(locale, f"materials.form.{name}_help")} if f"form.{name}_help" in known else {})
