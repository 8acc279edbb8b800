"""Requests in the console: the list by last day, one request with everything that can be done with it, and noting a new one."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import clock, ports, roles
from lofte.core.publication import current
from lofte.features.register import reads as register
from lofte.features.rights import assignment, behalf, cases, requests
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.rules.packs import law_pack
from lofte.rules.values import country
from lofte.web import calendar
from lofte.web.console.language import console_locale
from lofte.web.console.request_acts import ACTS, LONGEST, Act, Desk, erasure_plan, is_decided_elsewhere, offered
from lofte.web.console.request_words import DeskNames, facts, history, line
from lofte.web.console.staff import actor, needs
from lofte.web.middleware import HEADERS
from lofte.web.pages import edition as web_edition
from lofte.web.portal.copies import readable

SHOWN = ("open", "overdue", "soon", "new", "waiting", "closed")
_AT_FIELD = {
    "register.bad-value": ("value", "form.error.bad_value"), "register.taken": ("value", "form.error.taken"),
    "request.nobody": ("address", "act.identify.nobody"), "request.no-how": ("how", "form.error.how"),
    "request.no-address": (None, "act.identify.no_address"), "request.no-way": ("way", "form.error.way"),
    "request.no-desk": ("to", "form.error.desk"),
}  # fmt: skip
"""Problems that belong to one field of the form, and the words for them."""
_TOLD = frozenset(
    {
        "request.closed", "request.not-identified", "request.open-elsewhere", "request.nothing-done", "request.no-extension",
        "request.no-refusal", "request.no-reason", "request.nobody-to-write-to", "request.identified", "restriction.untold",
        "request.moved", "request.untold", "request.told",
    }
)  # fmt: skip


@require_safe
@needs("requests.read")
def listed(request: HttpRequest) -> HttpResponse:
    """Every open request by its last day; nothing on the page is about a person."""
    locale, now, wanted = console_locale(request), clock.now(), request.GET.get("find", "")
    if wanted and (found := requests.find(wanted)):
        return HttpResponseRedirect(reverse("console-request", args=(found,)))
    asked, names = _asked(request), DeskNames(locale)
    chosen = _chosen(request, asked)
    numbers = cases.counts(now, chosen)
    seen = cases.listed(chosen, now, int(asked["page"] or 1))
    return _page(
        request, "requests", rows=[line(locale, each, now, names) for each in seen.cases], shown=chosen.shown, wanted=wanted,
        counts=[_count(locale, name, numbers[name], asked) for name in SHOWN], narrow=_narrowing(locale, asked, names),
        is_narrowed=any(asked[name] for name in _NARROWING), page=seen,
        earlier=_link(asked, page=str(seen.number - 1)) if seen.number > 1 else "",
        later=_link(asked, page=str(seen.number + 1)) if seen.number < seen.pages else "",
    )  # fmt: skip


_NARROWING = ("right", "market", "desk")


def _asked(request: HttpRequest) -> dict[str, str]:
    """What the address asks for; what makes no sense is left out."""
    policy, given = current().policy, request.GET
    allowed: dict[str, Callable[[str], bool]] = {
        "show": lambda said: said in SHOWN, "right": lambda said: said in requests.Right.values,
        "market": lambda said: said in policy.markets, "page": lambda said: said.isdecimal() and len(said) < 7,
        "desk": lambda said: said in ("mine", "nobody") or said.startswith(("staff:", "role:")),
    }  # fmt: skip
    return {name: given.get(name, "") if fits(given.get(name, "")) else "" for name, fits in allowed.items()}


def _chosen(request: HttpRequest, asked: Mapping[str, str]) -> cases.Wanted:
    desks = {"": None, "mine": assignment.desks_of(request.user), "nobody": frozenset({assignment.NOBODY})}  # type: ignore[arg-type]
    on = desks.get(asked["desk"], frozenset({asked["desk"]}))
    return cases.Wanted(asked["show"] or "open", asked["right"], asked["market"], on)


def _link(asked: Mapping[str, str], **other: str) -> str:
    said = {name: value for name, value in {**asked, **other}.items() if value and (name, value) != ("page", "1")}
    return reverse("console-requests") + (f"?{urlencode(said)}" if said else "")


def _count(locale: str, name: str, number: int, asked: Mapping[str, str]) -> dict[str, Any]:
    status = {"overdue": "broken", "soon": "unproved"}.get(name, "")
    return {
        "name": say(locale, f"requests.shown.{name}"), "number": number, "status": status if number else "",
        "url": _link(asked, show="" if name == "open" else name, page=""), "current": name == (asked["show"] or "open"),
    }  # fmt: skip


def _narrowing(locale: str, asked: Mapping[str, str], names: DeskNames) -> list[dict[str, Any]]:
    """The choices that narrow the list: a right, a market, a desk."""
    markets = sorted(
        ((key, country(locale, each.country)) for key, each in current().policy.markets.items()), key=itemgetter(1)
    )
    choices = {
        "right": [(each, say(locale, f"requests.right.{each}")) for each in requests.Right.values],
        "market": markets,
        "desk": [*((each, say(locale, f"requests.desk.{each}")) for each in ("mine", "nobody")), *names.all()],
    }  # fmt: skip
    return [
        {"name": name, "label": say(locale, f"requests.narrow.{name}"), "chosen": asked[name], "choices": choices[name]}
        for name in _NARROWING
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@needs("requests.work")
def new(request: HttpRequest) -> HttpResponse:
    """Note what came by mail, telephone or post. Words and address travel in the body and are sealed.

    From the page of a person it is noted as theirs: they may have no address to be found by.
    """
    person = _person_of(request)
    form = _new_form(request)
    if person and request.method != "POST":
        form.initial["edition"] = "/".join(ports.register().market_of(person) or ())
    if request.method == "POST" and form.is_valid():
        made = _receive(form.cleaned_data, actor(request), person)
        locale, reference = console_locale(request), requests.one(made).reference
        messages.success(request, say(locale, "requests.form.done", reference=reference), extra_tags="good")
        return HttpResponseRedirect(reverse("console-request", args=(made,)))
    return _page(request, "request_new", status=422 if form.errors else 200, form=form, person=person)


def _person_of(request: HttpRequest) -> UUID | None:
    """Whose page the form was opened from."""
    try:
        person = UUID(request.POST.get("person") or request.GET.get("person") or "")
    except ValueError:
        return None
    return person if register.exists(person) else None


def _receive(said: dict[str, Any], by: str, known: UUID | None) -> UUID:
    market, _, locale = said["edition"].partition("/")
    address, now = said["address"], clock.now()
    zone = ZoneInfo(law_pack(current().policy.markets[market].law).zone)
    # Noon of that day where the controller is: the day counts, not the hour; today counts from now.
    noon = datetime.combine(said["received"], time(12), zone)
    person = known or (register.person_of("email", address) if address else None)
    made = requests.receive(
        person, said["right"], by=by, channel=said["channel"], market=market, locale=locale, at=min(noon, now),
        words=said["words"], purpose=said["purpose"], contact="" if person else address,
    )  # fmt: skip
    if said["acknowledge"]:
        requests.acknowledge(made, by)
    return made


@require_safe
@needs("requests.read")
def one(request: HttpRequest, request_id: UUID) -> HttpResponse:
    return _one(request, _desk(request, request_id))


@require_POST
@needs("requests.work")
def act(request: HttpRequest, request_id: UUID, name: str) -> HttpResponse:
    """One act, or first a look at the letter it would send."""
    desk = _desk(request, request_id)
    chosen = ACTS.get(name)
    if chosen is None:
        raise Http404
    roles.demand(request.user, chosen.permission)
    form, button = _form(chosen, desk, request.POST), request.POST.get("do", "")
    if not form.is_valid():
        return _one(request, desk, name, form, status=422)
    if button == "preview" and chosen.letter:
        shown = chosen.letter(desk, form.cleaned_data)
        return _one(request, desk, name, form, letter=shown)
    turn = request.POST.get("turn", "")
    try:
        if turn.isdecimal() and len(turn) < 10:  # what the page showed: nobody may have done anything since
            done = requests.at_turn(request_id, int(turn), lambda: chosen.do(desk, form.cleaned_data, button))
        else:
            done = chosen.do(desk, form.cleaned_data, button)
    except Problem as problem:
        return _one(request, _desk(request, request_id), name, _with(form, desk, problem), status=422)
    messages.success(request, desk.say(done), extra_tags="good")
    return HttpResponseRedirect(reverse("console-request", args=(request_id,)))


def _with(form: forms.Form, desk: Desk, problem: Problem) -> forms.Form:
    """The problem beside the field it is about, in words of the console; what we have no words for goes its own way."""
    if problem.code in _AT_FIELD:
        at, words = _AT_FIELD[problem.code]
        form.add_error(at if at in form.fields else None, desk.say(words))
    elif problem.code in _TOLD:
        form.add_error(None, desk.say(f"problem.{problem.code}"))
    else:
        raise problem
    return form


def _desk(request: HttpRequest, request_id: UUID) -> Desk:
    case = requests.one(request_id)
    return Desk(case, console_locale(request), actor(request), cases.contact_of(case))


def _one(
    request: HttpRequest, desk: Desk, opened: str = "", form: forms.Form | None = None, *, letter: Any = None, status: int = 200
) -> HttpResponse:  # fmt: skip
    case, locale, now = desk.case, desk.locale, clock.now()
    names = offered(desk, roles.permissions_of(request.user))
    if opened and opened not in names:
        names.append(opened)
    acts = [_shown(desk, name, form if name == opened else None, letter if name == opened else None) for name in names]
    before, after = cases.neighbours(case.id)
    words = _words(desk)
    desks = DeskNames(locale)
    return _page(
        request, "request", status=status, line=line(locale, case, now, desks), facts=facts(locale, case), who=_who(desk),
        first=next((each for each in acts if each["name"] == opened), acts[0] if acts else None),
        acts=[each for each in acts if each["name"] != (opened or (names[0] if names else ""))],
        is_next=not opened or opened == names[0], before=before, after=after,
        history=history(locale, case, words, desk.actor, desks), is_mine=case.assignee == desk.actor, turn=case.turn,
        prints=case.has("acted") and case.right in ("access", "portability") and case.person_id is not None,
        asked=[words[each.id] for each in case.history if each.kind == "received" and each.id in words],
        person_locale=case.locale,
    )  # fmt: skip


@require_safe
@needs("requests.work")
def letter(request: HttpRequest, request_id: UUID, step: UUID) -> HttpResponse:
    """A letter that is not mailed, to print and send or to read out; the look at name and words is kept."""
    desk = _desk(request, request_id)
    event = next((each for each in desk.case.history if each.id == step and each.kind in ("told", "untold")), None)
    text = _words(desk).get(step, "") if event else ""
    if event is None or not text:
        raise Http404
    subject, _, body = text.partition("\n\n")
    edition = web_edition(desk.case.market.lower(), desk.case.locale)
    answer = _page(
        request, "request_letter", case=desk.case, line=line(desk.locale, desk.case, clock.now()), subject=subject, text=body,
        edition=edition, day=calendar.day(desk.case.locale, event.at), who=_who(desk), person_locale=desk.case.locale,
    )  # fmt: skip
    policy = f"{HEADERS['Content-Security-Policy']}; script-src 'nonce-{request.csp_nonce}'"  # type: ignore[attr-defined]  # core.csp
    answer["Content-Security-Policy"] = f"{policy}; require-trusted-types-for 'script'; trusted-types 'none'"
    return answer


@require_POST
@needs("requests.work")
def copy(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The copy of everything as one page to print, for somebody without an e-mail address. A look at all of it is kept."""
    case = requests.one(request_id)
    made = behalf.copy_for_post(request_id, actor(request))
    return HttpResponse(readable(web_edition(case.market.lower(), case.locale), made))


def _words(desk: Desk) -> Mapping[UUID, str]:
    """What was written, opened after the look at it is kept."""
    case = desk.case
    if desk.is_known and case.person_id and any(each.has_words for each in case.history):
        register.demand(case.person_id, "rights", ["dialogue"], by=desk.actor)
    return cases.words_of(case)


def _who(desk: Desk) -> dict[str, Any]:
    """Name and address for whoever works with the request; the look is kept."""
    case = desk.case
    if case.person_id is None:
        erased = any(each.kind == "acted" for each in case.history) and case.right == "erasure"
        return {"state": "erased" if erased or (not case.is_open and case.identified_at) else "unknown"}
    if not desk.is_known:
        return {"state": "writer", "address": desk.contact}
    held = ports.register().read(case.person_id, "rights", ("name", "email"), by=desk.actor)
    return {
        "state": "sure" if case.identified_at else "claimed", "name": held.get("name", ""), "address": held.get("email", ""),
        "looked": True,
    }  # fmt: skip


def _form(chosen: Act, desk: Desk, data: Any = None) -> forms.Form:
    fields = chosen.fields(desk)
    if data is not None and "way" in fields and "way" not in data and desk.is_reachable:
        data = {**data.dict(), "way": fields["way"].initial}
    made: forms.Form = type("ActForm", (forms.Form,), {**fields, "use_required_attribute": False})(data)
    return made


def _shown(desk: Desk, name: str, form: forms.Form | None, letter: Any) -> dict[str, Any]:
    chosen = ACTS[name]
    is_talk = desk.case.right in requests.TALKS
    buttons = list(chosen.buttons)
    if name == "complete":
        waits = bool(desk.case.waiting_for)
        buttons = [("later", "later")] if waits else [("", "button_talk" if is_talk else "button")]
        if waits and desk.case.ends_itself:
            buttons = []
    if name == "hand_over" and not desk.is_reachable:
        buttons = [("", "button_print")]
    if name == "erase" and (desk.case.has("approved") or is_decided_elsewhere(desk.case)):
        buttons = []
    title = "title_talk" if name == "reply" and is_talk else "title"
    bound = form or _form(chosen, desk)
    for key, each in bound.fields.items():  # several forms on one page: ids must differ
        each.widget.attrs.setdefault("id", f"id_{name}_{key}")
    return {
        "name": name, "title": desk.say(f"act.{name}.{title}"), "lead": chosen.lead(desk, name), "form": bound,
        "buttons": [{"value": value, "text": desk.say(f"act.{name}.{words}")} for value, words in buttons],
        "may_preview": chosen.letter is not None, "letter": letter, "is_danger": name in ("refuse", "erase"),
        "plan": erasure_plan(desk) if name == "erase" else None,
        "url": reverse("console-request-act", args=(desk.case.id, name)), "turn": desk.case.turn,
    }  # fmt: skip


def _new_form(request: HttpRequest) -> forms.Form:
    locale, policy = console_locale(request), current().policy

    def told(key: str) -> str:
        return say(locale, f"requests.form.{key}")

    def choice(name: str, choices: list[tuple[str, str]], **more: Any) -> forms.ChoiceField:
        wrong = {"required": told(f"error.{name}"), "invalid_choice": told(f"error.{name}")}
        return forms.ChoiceField(label=told(name), choices=[("", "—"), *choices], error_messages=wrong, **more)

    editions = [
        (f"{market}/{each}", f"{country(locale, declared.country)}, {say(each, 'common.own_language')}")
        for market, declared in policy.markets.items()
        for each in declared.locales
    ]
    purposes = [
        (key, current().word(locale, "purposes", key, "name"))
        for key, declared in policy.purposes.items()
        if declared.scope == "person"
    ]
    fields: dict[str, Any] = {
        "right": choice("right", [(each, say(locale, f"requests.right.{each}")) for each in requests.Right.values]),
        "channel": choice(
            "channel", [(each, say(locale, f"requests.channel.{each}")) for each in requests.Channel.values if each != "portal"]
        ),
        "received": forms.DateField(
            label=told("received"), initial=clock.now().date, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[_not_after_today(told("error.future"))],
            error_messages={"required": told("error.received"), "invalid": told("error.received")},
        ),
        "edition": choice("edition", sorted(editions, key=lambda each: each[1])),
        "address": forms.CharField(
            label=told("address"), required=False, max_length=254, help_text=told("address_help"),
            validators=[_address(told("error.address"))],
            widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
        ),
        "words": forms.CharField(
            label=told("words"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 6}),
            error_messages={"required": told("error.words")},
        ),
        "purpose": forms.ChoiceField(label=told("purpose"), required=False, choices=[("", told("purpose_any")), *purposes]),
        "acknowledge": forms.BooleanField(label=told("acknowledge"), required=False, initial=True),
        "use_required_attribute": False,
    }  # fmt: skip
    form: forms.Form = type("NewForm", (forms.Form,), fields)(request.POST if request.method == "POST" else None)
    return form


def _not_after_today(words: str) -> Any:
    def check(day: date) -> None:
        if day > clock.now().date():
            raise forms.ValidationError(words)

    return check


def _address(words: str) -> Any:
    def check(text: str) -> None:
        try:
            validate_email(text)
        except forms.ValidationError:
            raise forms.ValidationError(words) from None

    return check


def _page(request: HttpRequest, name: str, *, status: int = 200, **seen: Any) -> HttpResponse:
    return render(request, f"lofte/console/{name}.html", {"spot": "requests", **seen}, status=status)
