"""The forms of a campaign: whom it is for, what it says in a language, when it begins."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms

from lofte.core import clock
from lofte.core.publication import current
from lofte.features.outreach import campaigns
from lofte.features.outreach.segments import reads as segments
from lofte.features.outreach.writing import LONGEST
from lofte.kernel.problems import Place, Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.packs import law_pack
from lofte.web import segment_words as words

_DAYS = (0, 3, 7, 14, 30)
_OFF = {"autocomplete": "off"}


class Form(forms.Form):
    """A form in a language."""

    use_required_attribute = False

    def __init__(self, locale: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.locale = locale
        for name, field in self.fields.items():
            label = field.label or name
            field.error_messages |= {
                "required": say(locale, "campaigns.error.required", field=label),
                "max_length": say(locale, "campaigns.error.long", field=label),
                "invalid_choice": say(locale, "campaigns.error.choice", field=label),
                "invalid": say(locale, "campaigns.error.when"),
            }

    def tell(self, problem: Problem) -> None:
        """A refusal beside the field it is about; raises it again where there are no words for it."""
        said = told(self.locale, problem)
        self.add_error(problem.place.key if problem.place.key in self.fields else None, said)


def told(locale: str, problem: Problem) -> str:
    """A refusal in words, by its code; raises it again where there are none."""
    known, code = room_words(locale, "campaigns"), problem.code.partition(".")[2].replace("-", "_")
    found = _SAME.get(code, code)
    if f"error.{found}" not in known:
        raise problem
    return say(locale, f"campaigns.error.{found}")


_SAME = {
    "issue_incomplete": "incomplete", "wrong_state": "state", "unknown": "segment", "put_away": "segment", "field": "segment",
    "value": "segment", "how": "segment", "purpose": "segment_purpose", "other_purpose": "segment_purpose", "no_topic": "topic",
    "changed_meanwhile": "meanwhile",
}  # fmt: skip


def _made(name: str, locale: str, fields: Mapping[str, forms.Field], data: Any, **named: Any) -> Form:
    kind = type(name, (Form,), dict(fields))
    return kind(locale, data, **named)  # type: ignore[no-any-return]


# --- whom it is for -------------------------------------------------------------------------------------------------


def campaign(locale: str, data: Any = None, initial: Mapping[str, Any] | None = None) -> Form:
    """Name, topic, markets and segment."""
    policy = current().policy
    topics = [(key, words.topic(locale, key)) for key in policy.topics]
    markets = [(key, words.market(locale, key)) for key in policy.markets]
    made: dict[str, forms.Field] = {
        "name": forms.CharField(
            label=say(locale, "campaigns.form.name"), help_text=say(locale, "campaigns.form.name_help"), max_length=120,
            widget=forms.TextInput(attrs=_OFF),
        ),
        "topic": forms.ChoiceField(label=say(locale, "campaigns.form.topic"), choices=topics, widget=forms.RadioSelect),
        "markets": forms.MultipleChoiceField(
            label=say(locale, "campaigns.form.markets"), help_text=say(locale, "campaigns.form.markets_help"), choices=markets,
            required=False, widget=forms.CheckboxSelectMultiple,
        ),
        "segment": forms.ChoiceField(
            label=say(locale, "campaigns.form.segment"), help_text=say(locale, "campaigns.form.segment_help"), required=False,
            choices=[("", say(locale, "campaigns.form.no_segment")), *_segments()],
        ),
    }  # fmt: skip
    if policy.outreach.frequency:
        made["patience"] = forms.TypedChoiceField(
            label=say(locale, "campaigns.form.patience"), help_text=say(locale, "campaigns.form.patience_help"), coerce=int,
            choices=[(days, _patience(locale, days)) for days in _DAYS], initial=campaigns.PATIENCE,
            required=False,
        )  # fmt: skip
    return _made("CampaignForm", locale, made, data, initial=dict(initial or {}))


def patience_of(form: Form, otherwise: int) -> int:
    """For how many days it waits for those who have had enough letters; ``otherwise`` where the form does not say."""
    said = form.cleaned_data.get("patience", "")
    return otherwise if said == "" else int(said)


def _patience(locale: str, days: int) -> str:
    return say(locale, "campaigns.form.waits", days=days) if days else say(locale, "campaigns.form.waits_not")


def _segments() -> list[tuple[str, str]]:
    return [
        (str(each.id), each.name) for each in segments.segments() if each.put_away_at is None and each.fault is None
    ]


def segment_of(form: Form) -> UUID | None:
    """The segment that was chosen. Raises Problem `outreach.other-purpose` for one that is not for what the topic is for."""
    if not form.cleaned_data["segment"]:
        return None
    found = segments.segment(UUID(form.cleaned_data["segment"]))
    if found.purpose != current().policy.topics[form.cleaned_data["topic"]].purpose:
        raise Problem("outreach.other-purpose", "the segment is for another purpose", Place(key="segment"), status=422)
    return found.id


# --- what it says ---------------------------------------------------------------------------------------------------


def letter(locale: str, data: Any = None, initial: Mapping[str, Any] | None = None) -> Form:
    kinds = [(each, say(locale, f"campaigns.form.{each}")) for each in ("markdown", "html")]
    made: dict[str, forms.Field] = {
        "subject": forms.CharField(
            label=say(locale, "campaigns.form.subject"), max_length=150, widget=forms.TextInput(attrs=_OFF)
        ),
        "preheader": forms.CharField(
            label=say(locale, "campaigns.form.preheader"), help_text=say(locale, "campaigns.form.preheader_help"), max_length=150,
            required=False, widget=forms.TextInput(attrs=_OFF),
        ),
        "kind": forms.ChoiceField(
            label=say(locale, "campaigns.form.kind"), choices=kinds, widget=forms.RadioSelect, initial="markdown"
        ),
        "source": forms.CharField(
            label=say(locale, "campaigns.form.source"), help_text=say(locale, "campaigns.form.source_help"), max_length=LONGEST,
            widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "true"}),
        ),
    }  # fmt: skip
    return _made("LetterForm", locale, made, data, initial={"kind": "markdown"} | dict(initial or {}))


# --- when it begins -------------------------------------------------------------------------------------------------


def schedule(locale: str, data: Any = None) -> Form:
    """A day and a time by the clock of a market."""
    markets = [(key, words.market(locale, key)) for key in current().policy.markets]
    made: dict[str, forms.Field] = {
        "day": forms.DateField(
            label=say(locale, "campaigns.form.day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        ),
        "time": forms.TimeField(
            label=say(locale, "campaigns.form.time"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        ),
        "zone": forms.ChoiceField(label=say(locale, "campaigns.form.zone"), choices=markets),
    }
    own = next((key for key, each in current().policy.markets.items() if locale in each.locales), markets[0][0])
    return _made("ScheduleForm", locale, made, data, initial={"zone": own})


def chosen_moment(form: Form) -> datetime | None:
    """The instant that was chosen, or None with an error in the form where it has passed already."""
    at = moment(form.cleaned_data["day"], form.cleaned_data["time"], form.cleaned_data["zone"])
    if at <= clock.now():
        form.add_error("day", say(form.locale, "campaigns.error.past"))
        return None
    return at


def moment(day: date, at: time, market: str) -> datetime:
    """A day and a time of day by the clock of a market. An hour that the spring skips is the one after it."""
    local = datetime.combine(day, at, tzinfo=zone_of(market))
    return local.astimezone(UTC)


def zone_of(market: str) -> ZoneInfo:
    return ZoneInfo(law_pack(current().policy.markets[market].law).zone)
