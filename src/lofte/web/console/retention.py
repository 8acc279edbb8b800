"""Retention in the console: what goes when and who stays, holds, the brake, the runs, and why anything of a person goes.

Looking ahead changes nothing. A hold is placed and released here by whoever may; a stopped plan takes two.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import approvals, clock, roles
from lofte.core.publication import current
from lofte.features.register import reads as register
from lofte.features.retention import brake, holds, reads
from lofte.features.retention.models import Hold, Stop
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.catalogue import room_words, say
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs

_AHEAD = timedelta(days=30)
_FURTHEST = timedelta(days=366 * 30)
_DAYS_SHOWN = 60
_COUNTED = ("people", "holdings", "erased", "left", "unwarned")
_RUNS_SHOWN = 60
_NO_BREAK = "\u00a0"
_AT_FIELD = {
    "hold.no-statute": "citation", "hold.no-end": "until", "hold.past": "until", "hold.no-reviewer": "reviewer",
    "hold.too-wide": "purposes",
}  # fmt: skip
_WORDS_OF = {
    "hold.no-statute": "citation", "hold.no-end": "no_end", "hold.past": "past", "hold.no-reviewer": "reviewer",
    "hold.too-wide": "purposes",
}  # fmt: skip


# --- what goes ------------------------------------------------------------------------------------------------------


@require_safe
@needs("retention.read")
def forecast(request: HttpRequest) -> HttpResponse:
    """What goes by a day, who stays, and why."""
    words = _Words(console_locale(request))
    asked, wrong = _asked_day(request.GET.get("until", ""))
    found = reads.forecast(datetime.combine(asked, time.max, timezone.get_current_timezone()))
    days = list(found.days)
    return _page(
        request, "forecast", "retention",
        until=asked, wrong=say(words.locale, "retention.forecast.bad_day") if wrong else "", status=422 if wrong else 200,
        sentence=say(
            words.locale, "retention.forecast.sentence", day=values.day(words.locale, asked), whole=words.number(found.whole),
            registered=words.number(found.registered),
        ),
        counts=[
            {"number": words.number(found.whole), "name": words.say("forecast.whole")},
            {"number": words.number(found.people - found.whole), "name": words.say("forecast.part")},
            {"number": words.number(found.held), "name": words.say("forecast.held")},
            {"number": words.number(found.registered), "name": words.say("forecast.registered")},
        ],
        days=[
            {
                "day": each.day, "whole": words.number(each.whole), "holdings": words.number(each.holdings),
                "clocks": [
                    words.say("forecast.clock_line", name=words.rule(name), number=words.number(people))
                    for name, people in sorted(each.by_clock.items())
                ],
            }
            for each in days[:_DAYS_SHOWN]
        ],
        cut=words.say("forecast.cut", shown=_DAYS_SHOWN, all=len(days)) if len(days) > _DAYS_SHOWN else "",
        kept=[
            {"rule": words.rule(each.rule), "law": each.law, "people": words.number(each.people), "spared": each.spared}
            for each in found.kept
        ],
        stops=bool(found.stopped), pulled=brake.is_pulled(),
    )  # fmt: skip


def _asked_day(text: str) -> tuple[date, bool]:
    """The day somebody asked for, else a month from now; and whether what they gave is no day we look at."""
    today = timezone.localdate()
    if not text:
        return today + _AHEAD, False
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today + _AHEAD, True
    return (day, False) if today <= day <= today + _FURTHEST else (today + _AHEAD, True)


@require_safe
@needs("retention.read")
def runs(request: HttpRequest) -> HttpResponse:
    words = _Words(console_locale(request))
    found = reads.sweeps(_RUNS_SHOWN * 5)
    shown = [each for place, each in enumerate(found) if place == 0 or each.people or each.is_stopped or each.left][
        :_RUNS_SHOWN
    ]
    return _page(
        request, "runs", "retention_runs",
        runs=[
            {
                "started": each.started_at, "state": _run_state(each),
                "counts": {name: words.number(getattr(each, name)) for name in _COUNTED},
            }
            for each in shown
        ],
    )  # fmt: skip


def _run_state(run: reads.SweepItem) -> str:
    return "running" if run.finished_at is None else "stopped" if run.is_stopped else "done"


# --- the brake ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("retention.read")
def stop(request: HttpRequest) -> HttpResponse:
    """The plan that is held, and the way to let it go: one asks here, another approves."""
    words, me = _Words(console_locale(request)), actor(request)
    if request.method == "POST":
        roles.demand(request.user, "retention.release")
        try:
            brake.ask(UUID(request.POST.get("plan", "")), me)
        except ValueError as error:
            raise Problem("brake.unknown", "there is no such plan", status=404) from error
        messages.success(request, words.say("brake.asked"), extra_tags="good")
        return HttpResponseRedirect(reverse("console-brake"))
    declared = current().policy.retention.brake
    waiting = brake.waiting()
    return _page(
        request, "brake", "retention_brake",
        lead=words.say("brake.lead", people=words.number(declared.people), share=words.share(declared.share)),
        growth=words.say("brake.growth", times=words.decimal(declared.growth)),
        waiting=words.stop(waiting) if waiting else None,
        is_asked=waiting is not None and _is_asked(waiting),
        history=[words.stop(each) for each in brake.stops() if waiting is None or each.pk != waiting.pk],
    )  # fmt: skip


def _is_asked(row: Stop) -> bool:
    return any(each.about == row.pk and each.act == brake.ACT for each in approvals.waiting())


# --- holds ----------------------------------------------------------------------------------------------------------


@require_safe
@needs("retention.hold")
def held(request: HttpRequest) -> HttpResponse:
    words = _Words(console_locale(request))
    return _page(request, "holds", "retention_holds", holds=[words.hold(each) for each in holds.standing()])


@require_http_methods(["GET", "HEAD", "POST"])
@needs("retention.hold")
def place(request: HttpRequest) -> HttpResponse:
    """A new hold, on everybody for some purposes; on one person it is placed from their page."""
    return _place(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("retention.hold")
def place_on(request: HttpRequest, person: UUID) -> HttpResponse:
    _demand_person(person)
    return _place(request, person)


def _place(request: HttpRequest, person: UUID | None) -> HttpResponse:
    words = _Words(console_locale(request))
    form = _form(words, person is not None, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _placed(form, words, person, actor(request)):
        messages.success(request, words.say("holds.placed"), extra_tags="good")
        return HttpResponseRedirect(reverse("console-why", args=(person,)) if person else reverse("console-holds"))
    return _page(
        request, "holds", "retention_hold_new", form=form, person=person, status=422 if form.errors else 200,
    )  # fmt: skip


def _placed(form: forms.Form, words: "_Words", person: UUID | None, by: str) -> bool:
    said = form.cleaned_data
    try:
        holds.place(
            person, said["statute"], said["citation"], by=by, reviewer=said["reviewer"], fields=said["fields_needed"],
            purposes=said["purposes"], market=said.get("market", ""), until=_end_of(said["until"]),
            review_at=_end_of(said["review_at"]),
        )  # fmt: skip
    except Problem as problem:
        if problem.code not in _WORDS_OF:
            raise
        at = problem.place.key if problem.place and problem.place.key in form.fields else _AT_FIELD[problem.code]
        form.add_error(at, words.say(f"holds.wrong.{_WORDS_OF[problem.code]}"))
        return False
    return True


def _end_of(day: date | None) -> datetime | None:
    """The last day is kept whole: the hold ends with it."""
    return datetime.combine(day + timedelta(days=1), time.min, timezone.get_current_timezone()) if day else None


@require_http_methods(["GET", "HEAD", "POST"])
@needs("retention.hold")
def one(request: HttpRequest, hold: UUID) -> HttpResponse:
    """One hold: released here, or looked at and found to be needed still."""
    words, row = _Words(console_locale(request)), holds.one(hold)
    form = _review_form(words, request.POST if request.POST.get("do") == "review" else None)
    if request.method == "POST" and request.POST.get("do") == "release":
        holds.release(hold, actor(request))
        messages.success(request, words.say("holds.released"), extra_tags="good")
        return HttpResponseRedirect(reverse("console-holds"))
    if request.method == "POST" and form.is_valid():
        try:
            holds.review(hold, _end_of(form.cleaned_data["review_at"]) or clock.now(), actor(request))
        except Problem as problem:
            if problem.code not in _WORDS_OF:
                raise
            form.add_error("review_at", words.say(f"holds.wrong.{_WORDS_OF[problem.code]}"))
        else:
            messages.success(request, words.say("holds.reviewed"), extra_tags="good")
            return HttpResponseRedirect(reverse("console-holds"))
    return _page(
        request, "holds", "retention_hold", hold=words.hold(row), form=form, status=422 if form.errors else 200,
    )  # fmt: skip


# --- one person -----------------------------------------------------------------------------------------------------


@require_safe
@needs("people.read")
def why(request: HttpRequest, person: UUID) -> HttpResponse:
    """Of everything that is held: when it goes, by which rule and law. No value is opened."""
    _demand_person(person)
    words = _Words(console_locale(request))
    register.demand(person, _purpose_to_state(request), [], by=actor(request))
    return _page(
        request, "people", "retention_why", person=person,
        rows=[words.why(each) for each in reads.why(person)],
        holds=[words.hold(each) for each in holds.standing() if _reaches(each, person)],
    )  # fmt: skip


def _reaches(hold: Hold, person: UUID) -> bool:
    """On this person, or on everybody of their market."""
    if hold.person_id is not None:
        return hold.person_id == person
    place = register.market_of(person)
    return hold.market in ("", place[0] if place else "")


def _purpose_to_state(request: HttpRequest) -> str:
    stated = str(request.session.get("console_purpose", ""))
    allowed = roles.purposes_of(request.user)
    return stated if stated in allowed else min(allowed, default="rights")


def _demand_person(person: UUID) -> None:
    if not register.exists(person):
        raise Problem("register.nobody", "there is no such person", status=404)


# --- words ----------------------------------------------------------------------------------------------------------


class _Words:
    """What rows are called, in the console's language."""

    def __init__(self, locale: str) -> None:
        self.locale, self._published = locale, current()
        self._rules = room_words(locale, "retention")

    def say(self, key: str, **slots: object) -> str:
        return say(self.locale, f"retention.{key}", **slots)

    def number(self, count: int) -> str:
        return f"{count:,}".replace(",", "," if self.locale.startswith("en") else _NO_BREAK)

    def decimal(self, number: float) -> str:
        text = f"{number:g}"
        return text if self.locale.startswith("en") else text.replace(".", ",")

    def share(self, share: float) -> str:
        return self.decimal(share * 100) + ("%" if self.locale.startswith("en") else f"{_NO_BREAK}%")

    def rule(self, name: str) -> str:
        """A clock of the policy, or what stands in its place."""
        declared = self._published.policy.clocks.get(name)
        if name != brake.OWN_WILL and declared is not None:
            told = self._published.word(self.locale, "clocks", name, "name")
            return f"{values.period(self.locale, declared.period)} {told}" if declared.period else told
        return self.say(f"rule.{name}" if f"rule.{name}" in self._rules else "rule.none")

    def purposes(self, names: list[str]) -> str:
        found = [self._word("purposes", each, "name") for each in names]
        return ", ".join(found) or self.say("holds.all_purposes")

    def fields(self, names: list[str]) -> str:
        return ", ".join(self._word("fields", each) for each in names) or self.say("holds.all_fields")

    def _word(self, section: str, key: str, *more: str) -> str:
        try:
            return self._published.word(self.locale, section, key, *more)
        except (KeyError, Problem):
            return key

    def hold(self, row: Hold) -> dict[str, Any]:
        now = clock.now()
        who_for = self.say("holds.one_person") if row.person_id else self.everybody(row.market)
        return {
            "id": row.pk, "person": row.person_id, "who": who_for, "citation": row.citation,
            "statute": self.say(f"holds.statute_of.{row.statute}") if row.statute in holds.STATUTES else row.statute,
            "fields": self.fields(row.fields), "purposes": self.purposes(row.purposes),
            "until": row.until - timedelta(seconds=1) if row.until else None,
            "review_at": row.review_at - timedelta(seconds=1) if row.review_at else None,
            "reviewer": roles.name(row.reviewer, self.locale) if row.reviewer in roles.declared() else row.reviewer,
            "by": self.who(row.placed_by), "placed_at": row.placed_at,
            "is_late": bool(row.review_at and row.review_at <= now and (row.until is None or row.until > now)),
            "is_past": bool(row.until and row.until <= now), "is_released": row.released_at is not None,
        }  # fmt: skip

    def who(self, actor: str) -> str:
        user = roles.user_of(actor)
        if user is not None:
            return str(user.username)
        return say(self.locale, f"approvals.{'machine' if actor == roles.OPERATOR else 'system'}")

    def everybody(self, market: str) -> str:
        if market not in self._published.policy.markets:
            return self.say("holds.everybody")
        land = values.country(self.locale, self._published.policy.markets[market].country)
        return self.say("holds.everybody_in", market=land)

    def stop(self, row: Stop) -> dict[str, Any]:
        let_go = ""
        if row.released_by:
            let_go = self.say("brake.both", one=self.who(row.asked_by), other=self.who(row.released_by))
        return {
            "id": row.pk, "at": row.at, "made": row.made_at, "people": self.number(row.people), "of": self.number(row.registered),
            "foreseen": self.number(row.foreseen) if row.reason == "growth" else "",
            "because": self.say(f"brake.reason.{row.reason}"), "state": self.say(f"brake.state.{row.state}"), "let_go": let_go,
        }  # fmt: skip

    def why(self, each: Any) -> dict[str, Any]:
        is_clock = each.rule == each.clock
        alone = each.end if each.end is not None and not is_clock and each.rule != "undeclared" else None
        return {
            "field": self._word("fields", each.field), "purpose": self._word("purposes", each.purpose, "name"), "due": each.due,
            "rule": self.rule(each.rule), "law": each.law, "asked": each.asked,
            "is_open": each.due is None and bool(each.rule),
            "alone": self.say("why.clock_alone", day=values.day(self.locale, timezone.localtime(alone).date())) if alone else "",
        }  # fmt: skip


# --- forms and pages ------------------------------------------------------------------------------------------------


def _form(words: _Words, is_of_person: bool, data: Any) -> forms.Form:
    policy = current().policy
    day = {"type": "date"}
    purposes = [(key, words.purposes([key])) for key, each in policy.purposes.items() if each.scope == "person"]
    used = {field for each in policy.purposes.values() if each.scope == "person" for field in each.fields}
    fields = [(key, words.fields([key])) for key in policy.fields if key in used]
    statutes = [(key, words.say(f"holds.statute_of.{key}")) for key in holds.STATUTES]
    reviewers = [
        (key, roles.name(key, words.locale))
        for key, each in roles.declared().items()
        if each.grants() & {"retention.hold"}
    ]
    bad_day = {"invalid": words.say("holds.wrong.day"), "required": words.say("holds.wrong.no_end")}
    made: dict[str, Any] = {
        "statute": forms.ChoiceField(
            label=words.say("holds.statute"), choices=[("", "—"), *statutes],
            error_messages=dict.fromkeys(("required", "invalid_choice"), words.say("holds.wrong.statute")),
        ),
        "citation": forms.CharField(
            label=words.say("holds.citation"), help_text=words.say("holds.citation_help"), max_length=160,
            error_messages=dict.fromkeys(("required", "max_length"), words.say("holds.wrong.citation")),
        ),
    }  # fmt: skip
    if not is_of_person:
        markets = [(key, values.country(words.locale, each.country)) for key, each in policy.markets.items()]
        made["market"] = forms.ChoiceField(
            label=words.say("holds.market"), required=False, choices=[("", words.say("holds.any_market")), *markets]
        )
    box = forms.CheckboxSelectMultiple
    help_text = "" if is_of_person else words.say("holds.purposes_help")
    more: Mapping[str, Any] = {
        "purposes": forms.MultipleChoiceField(
            label=words.say("holds.purposes"), choices=purposes, required=False, widget=box, help_text=help_text
        ),
        "fields_needed": forms.MultipleChoiceField(
            label=words.say("holds.fields"), choices=fields, required=False, widget=box, help_text=words.say("holds.fields_help")
        ),
        "until": forms.DateField(
            label=words.say("holds.until"), required=False, help_text=words.say("holds.until_help"), error_messages=bad_day,
            widget=forms.DateInput(format="%Y-%m-%d", attrs=day),
        ),
        "review_at": forms.DateField(
            label=words.say("holds.review"), required=False, help_text=words.say("holds.review_help"), error_messages=bad_day,
            widget=forms.DateInput(format="%Y-%m-%d", attrs=day),
        ),
        "reviewer": forms.ChoiceField(
            label=words.say("holds.reviewer"), choices=reviewers,
            error_messages=dict.fromkeys(("required", "invalid_choice"), words.say("holds.wrong.reviewer")),
        ),
    }  # fmt: skip
    return _made("HoldForm", {**made, **more}, data)


def _review_form(words: _Words, data: Any) -> forms.Form:
    wrong = {"invalid": words.say("holds.wrong.day"), "required": words.say("holds.wrong.no_end")}
    field = forms.DateField(
        label=words.say("holds.review"),
        error_messages=wrong,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    return _made("ReviewForm", {"review_at": field}, data)


def _made(name: str, fields: Mapping[str, Any], data: Any) -> forms.Form:
    kind = type(name, (forms.Form,), {**fields, "use_required_attribute": False})
    form: forms.Form = kind(data)
    return form


def _page(request: HttpRequest, tab: str, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    known = {"spot": "people" if tab == "people" else "retention", "tab": tab}
    return render(request, f"lofte/console/{template}.html", known | context, status=status)
