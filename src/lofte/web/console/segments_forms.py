"""The form that describes a segment. Offers only what the policy lets the purpose use; works without script, a line at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from lofte.core.publication import current
from lofte.features.outreach.segments import reads, sources, terms
from lofte.features.outreach.segments.matching import HOWS, Condition, How
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.web import segment_words as words
from lofte.web.pages import sentence

GROUPS = ("market", "locale", "relation", "topic", "interest", "event", "material")
_LINES = 2
_MOST_LINES = 12
_DAYS = 365


class SegmentForm(forms.Form):
    """A segment in a language. ``groups`` and ``lines`` give its fields as the page lays them out."""

    use_required_attribute = False

    def __init__(
        self, locale: str, purpose: str, seen: reads.Seen | None = None, data: QueryDict | None = None
    ) -> None:
        super().__init__(data, initial=_initial(seen))
        self.locale, self.purpose = locale, purpose
        held = [each for each in (seen.conditions if seen else ()) if each.of == "field"]
        self.count = _lines_asked(data, len(held))
        self.fields["name"] = forms.CharField(
            label=say(locale, "segments.form.name"), help_text=say(locale, "segments.name_read"), max_length=120,
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )  # fmt: skip
        self._groups = list(_groups(locale, purpose))
        for of, choices in self._groups:
            self.fields[of] = forms.MultipleChoiceField(
                label=say(locale, f"segments.form.{of}"),
                choices=choices,
                widget=forms.CheckboxSelectMultiple,
                required=False,
            )
            self.fields[f"{of}_mode"] = _mode(locale, self.fields[of].label)
        if "interest" in self.fields:
            self.fields["days"] = forms.IntegerField(
                label=say(locale, "segments.form.days"),
                min_value=terms.FEWEST_DAYS,
                max_value=terms.LONGEST_AGO,
                required=False,
            )
        for number in range(1, self.count + 1):
            self._add_line(number)
        for field in self.fields.values():
            self._say_errors(field)

    def _add_line(self, number: int) -> None:
        policy, locale = current().policy, self.locale
        allowed = terms.fields(policy, self.purpose)
        offered = [(each, sentence(words.word(locale, "fields", each))) for each in allowed]
        ways = [each for each in HOWS if any(each in one for one in allowed.values())]
        how = [(f"{no}{each}", say(locale, f"segments.how.{no}{each}")) for each in ways for no in ("", "not_")]
        nothing = [("", say(locale, "segments.form.nothing"))]
        named: dict[str, Any] = {"label": say(locale, "segments.form.field"), "required": False}
        self.fields[f"field_{number}"] = forms.ChoiceField(
            choices=nothing + sorted(offered, key=lambda each: each[1]), **named
        )
        self.fields[f"how_{number}"] = forms.ChoiceField(
            label=say(locale, "segments.form.how"), choices=how, required=False
        )
        self.fields[f"words_{number}"] = forms.CharField(
            label=say(locale, "segments.form.words"), required=False, max_length=1000,
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        )  # fmt: skip

    def _say_errors(self, field: forms.Field) -> None:
        said = say(self.locale, "segments.error.required", field=field.label or "")
        days = say(self.locale, "segments.error.days")
        value = say(self.locale, "segments.error.value")
        field.error_messages |= {"required": said, "invalid_choice": value, "invalid_list": value, "invalid": days}
        field.error_messages["max_length"] = say(self.locale, "segments.error.long", field=field.label or "")
        for validator in field.validators:
            if hasattr(validator, "limit_value") and isinstance(field, forms.IntegerField):
                validator.message = days  # type: ignore[attr-defined]  # both validators of a number have one

    def tell(self, problem: Problem) -> None:
        """A refusal beside the field it is about; raises it again where there are no words for it."""
        known, code = room_words(self.locale, "segments"), problem.code.partition(".")[2].replace("-", "_")
        if f"error.{code}" not in known:
            raise problem
        at = problem.place.key if problem.place.key in self.fields else None
        spot = next((f"field_{n}" for n in self._numbers() if self.data.get(f"field_{n}") == problem.place.key), at)
        self.add_error(spot, say(self.locale, f"segments.error.{code}"))

    def _numbers(self) -> range:
        return range(1, self.count + 1)

    def groups(self) -> Iterator[dict[str, Any]]:
        for of, _ in self._groups:
            yield {
                "of": of,
                "values": self[of],
                "mode": self[f"{of}_mode"],
                "days": self["days"] if of == "interest" else None,
            }

    def lines(self) -> Iterator[dict[str, Any]]:
        for number in self._numbers():
            yield {
                "title": say(self.locale, "segments.form.line", n=number),
                "parts": [self[f"{part}_{number}"] for part in ("field", "how", "words")],
            }

    def conditions(self) -> list[Condition]:
        """What the form says, as conditions; valid by its own rules, not yet by the policy's."""
        said = self.cleaned_data
        found = [
            Condition(
                of=of, values=tuple(said[of]), without=said[f"{of}_mode"] == "without",
                days=(said.get("days") or _DAYS) if of == "interest" else 0,
            )
            for of, _ in self._groups
            if said[of]
        ]  # fmt: skip
        return found + [each for number in self._numbers() if (each := self._condition(number))]

    def _condition(self, number: int) -> Condition | None:
        field = self.cleaned_data[f"field_{number}"]
        if not field:
            return None
        how = self.cleaned_data[f"how_{number}"] or HOWS[0]
        values = tuple(filter(None, (each.strip() for each in self.cleaned_data[f"words_{number}"].split(","))))
        plain: How = next((each for each in HOWS if each == how.removeprefix("not_")), HOWS[0])
        return Condition("field", () if plain == "held" else values, how.startswith("not_"), field, plain)


def _groups(locale: str, purpose: str) -> Iterator[tuple[Any, list[tuple[str, str]]]]:
    """The kinds of condition this purpose allows, each with what can be chosen; a kind with nothing to choose is left out."""
    policy = current().policy
    allowed = terms.kinds(policy, purpose)
    offered: Mapping[str, list[tuple[str, str]]] = {
        "market": [(key, words.market(locale, key)) for key in policy.markets],
        "locale": [(key, words.language(key)) for key in policy.locales()] if _has_two_languages() else [],
        "relation": [(key, sentence(words.word(locale, "relations", key, "name"))) for key in policy.relations],
        "topic": [(key, words.topic(locale, key)) for key in policy.topics],
        "interest": [(key, sentence(say(locale, f"segments.signal.{key}"))) for key in terms.signals(policy)],
        "event": sources.offered("event", locale),
        "material": sources.offered("material", locale),
    }
    for of in GROUPS:
        if of in allowed and offered[of]:
            yield of, offered[of]


def _has_two_languages() -> bool:
    """Where each market has one language, asking for the market says it all."""
    return any(len(each.locales) > 1 for each in current().policy.markets.values())


def _mode(locale: str, label: Any) -> forms.ChoiceField:
    choices = [(each, say(locale, f"segments.form.{each}")) for each in ("any", "without")]
    return forms.ChoiceField(label=say(locale, "segments.form.mode"), choices=choices, initial="any", required=False)


def _initial(seen: reads.Seen | None) -> dict[str, Any]:
    """The form as it was filled in when the segment was last saved."""
    if seen is None:
        return {"days": _DAYS}
    found: dict[str, Any] = {"name": seen.name, "days": _DAYS}
    number = 0
    for each in seen.conditions:
        if each.of != "field":
            found |= {each.of: list(each.values), f"{each.of}_mode": "without" if each.without else "any"}
            found |= {"days": each.days} if each.of == "interest" else {}
            continue
        number += 1
        found |= {
            f"field_{number}": each.field, f"how_{number}": ("not_" if each.without else "") + each.how,
            f"words_{number}": ", ".join(each.values),
        }  # fmt: skip
    return found


def _lines_asked(data: QueryDict | None, held: int) -> int:
    if data is None:
        return min(_MOST_LINES, held + _LINES)
    numbers = [key.partition("_")[2] for key in data if key.startswith("field_")]
    there = max((int(each) for each in numbers if each.isdecimal() and len(each) < 3), default=_LINES)
    return min(_MOST_LINES, there + (data.get("do") == "more"))
