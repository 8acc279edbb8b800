"""Inquiries in the console: the inbox by last day, and one inquiry with its thread and everything that can be done with it."""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lofte.core import clock, roles
from lofte.core.publication import current
from lofte.features.outreach.inquiries import desks, kinds, reads, verbs
from lofte.features.register import attachments
from lofte.features.rights import requests
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.web.console import inquiry_words as words
from lofte.web.console.inquiry_acts import ACTS, Desk, letter, offered, told
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs

_NARROWING = ("kind", "market", "desk")


# --- the inbox ------------------------------------------------------------------------------------------------------


@require_safe
@needs("inquiries.read")
def listed(request: HttpRequest) -> HttpResponse:
    """The inbox by last day; nothing on the page is about a person."""
    locale, now, sought = console_locale(request), clock.now(), request.GET.get("find", "")
    if sought and (found := reads.find(sought)):
        return HttpResponseRedirect(reverse("console-inquiry", args=(found,)))
    asked, names = _asked(request), words.DeskNames(locale)
    wanted = _wanted(request, asked)
    numbers, seen = reads.counts(wanted, now), reads.listed(wanted, now, int(asked["page"] or 1))
    return _page(
        request, "inquiries", rows=[words.line(locale, each, now, names) for each in seen.lines], shown=wanted.shown,
        may_note="inquiries.work" in roles.permissions_of(request.user), wanted=sought,
        counts=[_count(locale, name, numbers[name], asked) for name in reads.SHOWN],
        narrow=_narrowing(locale, asked, names), is_narrowed=any(asked[name] for name in _NARROWING), page=seen,
        earlier=_link(asked, page=str(seen.number - 1)) if seen.number > 1 else "",
        later=_link(asked, page=str(seen.number + 1)) if seen.number < seen.pages else "",
    )  # fmt: skip


def _asked(request: HttpRequest) -> dict[str, str]:
    """What the address asks for; what makes no sense is left out."""
    policy, given = current().policy, request.GET
    allowed: dict[str, Callable[[str], bool]] = {
        "show": lambda said: said in reads.SHOWN, "kind": lambda said: said in kinds.KINDS,
        "market": lambda said: said in policy.markets, "page": lambda said: said.isdecimal() and len(said) < 7,
        "desk": lambda said: said in ("mine", "nobody") or said.startswith(("staff:", "role:")),
    }  # fmt: skip
    return {name: given.get(name, "") if fits(given.get(name, "")) else "" for name, fits in allowed.items()}


def _wanted(request: HttpRequest, asked: Mapping[str, str]) -> reads.Wanted:
    """Only what is for purposes this account may state: nobody is shown what they could not open."""
    at_desk = {"": None, "mine": desks.desks_of(request.user), "nobody": frozenset({desks.NOBODY})}  # type: ignore[arg-type]
    on = at_desk.get(asked["desk"], frozenset({asked["desk"]}))
    return reads.Wanted(asked["show"] or "open", asked["kind"], asked["market"], on, roles.purposes_of(request.user))


def _link(asked: Mapping[str, str], **other: str) -> str:
    said = {name: value for name, value in {**asked, **other}.items() if value and (name, value) != ("page", "1")}
    return reverse("console-inquiries") + (f"?{urlencode(said)}" if said else "")


def _count(locale: str, name: str, number: int, asked: Mapping[str, str]) -> dict[str, Any]:
    status = {"overdue": "broken", "soon": "unproved"}.get(name, "")
    return {
        "name": say(locale, f"inquiries.shown.{name}"), "number": number, "status": status if number else "",
        "url": _link(asked, show="" if name == "open" else name, page=""), "current": name == (asked["show"] or "open"),
    }  # fmt: skip


def _narrowing(locale: str, asked: Mapping[str, str], names: words.DeskNames) -> list[dict[str, Any]]:
    """The choices that narrow the inbox: a kind, a market, a desk."""
    markets = sorted(((key, words.country_of(locale, key)) for key in current().policy.markets), key=itemgetter(1))
    choices = {
        "kind": [(each, say(locale, f"inquiries.kind.{each}")) for each in kinds.KINDS],
        "market": markets,
        "desk": [*((each, say(locale, f"inquiries.desk.{each}")) for each in ("mine", "nobody")), *names.all()],
    }
    return [
        {
            "name": name,
            "label": say(locale, f"inquiries.narrow.{name}"),
            "chosen": asked[name],
            "choices": choices[name],
        }
        for name in _NARROWING
    ]


# --- one ------------------------------------------------------------------------------------------------------------


@require_safe
@needs("inquiries.read")
def one(request: HttpRequest, inquiry: UUID) -> HttpResponse:
    return _one(request, _desk(request, inquiry))


@require_POST
@needs("inquiries.work")
def act(request: HttpRequest, inquiry: UUID, name: str) -> HttpResponse:
    """One act, or first a look at the letter it would send."""
    desk, chosen, button = _desk(request, inquiry), ACTS.get(name), request.POST.get("do", "")
    if chosen is None:
        raise Http404
    form = _form(chosen.fields(desk), request)
    if button == "mine" and name == "assign":
        form = _form({}, request)
    if not form.is_valid():
        return _one(request, desk, name, form, status=422)
    if button == "preview" and chosen.has_letter:
        return _one(request, desk, name, form, shown=letter(desk, form.cleaned_data))
    turn = request.POST.get("turn", "")
    try:
        if turn.isdecimal() and len(turn) < 10:  # what the page showed: nobody may have done anything since
            done = verbs.at_turn(inquiry, int(turn), lambda: chosen.do(desk, form.cleaned_data, button))
        else:
            done = chosen.do(desk, form.cleaned_data, button)
    except Problem as problem:
        at = problem.place.key if problem.place.key in form.fields else None
        form.add_error(at, told(desk, problem))
        return _one(request, _desk(request, inquiry), name, form, status=422)
    messages.success(request, done, extra_tags="good")
    return HttpResponseRedirect(reverse("console-inquiry", args=(inquiry,)))


@require_safe
@needs("inquiries.read")
def file(request: HttpRequest, inquiry: UUID, attachment: UUID) -> HttpResponse:
    """A file of the thread, always as a download: nothing that somebody sent is shown inside the console."""
    line = _desk(request, inquiry).line
    found, content = attachments.open_one(line.person_id, attachment, line.purpose, by=actor(request))
    if found.dialogue not in reads.entries_of(line):
        raise Http404
    answer = HttpResponse(content, content_type=found.kind)
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name)}"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _desk(request: HttpRequest, inquiry: UUID) -> Desk:
    """One inquiry for whoever may state what it is for; for others there is none."""
    line = reads.one(inquiry)
    if line.purpose not in roles.purposes_of(request.user):
        raise Http404
    return Desk(line, console_locale(request), actor(request))


def _one(
    request: HttpRequest, desk: Desk, at: str = "", form: forms.Form | None = None, *, shown: Any = None, status: int = 200
) -> HttpResponse:  # fmt: skip
    line, locale, names = desk.line, desk.locale, words.DeskNames(desk.locale)
    opened, is_denied = _opened(desk)
    files = attachments.of(line.person_id, reads.entries_of(line)) if opened else []
    events = reads.history(line)
    acts = [
        _shown(desk, name, form if name == at else None, shown if name == at else None) for name in _names(desk, at)
    ]
    first = next((each for each in acts if each["name"] == at), acts[0])
    before, after = reads.neighbours(line, roles.purposes_of(request.user))
    is_proven = any(each.kind == "received" and each.reason in ("mail", "page") for each in events)
    return _page(
        request, "inquiry", status=status, line=words.line(locale, line, clock.now(), names), facts=words.facts(locale, line),
        writer=_writer(locale, opened), person=line.person_id, is_proven=is_proven, is_denied=is_denied,
        thread=words.thread(locale, events, opened, files, desk.actor, names), first=first,
        acts=[each for each in acts if each is not first], before=before, after=after, person_locale=line.locale,
        is_mine=line.assignee == desk.actor, request_id=line.request,
        request_reference=requests.one(line.request).reference if line.request else "",
    )  # fmt: skip


def _opened(desk: Desk) -> tuple[reads.Opened | None, bool]:
    """What was written, by one look that is kept; nothing where the person's word stands against it."""
    try:
        return reads.opened(desk.line, desk.line.purpose, by=desk.actor), False
    except Problem as problem:
        if problem.code != "register.denied":
            raise
        return None, True


def _writer(locale: str, opened: reads.Opened | None) -> list[tuple[str, str, str]]:
    """What they wrote about themselves: field, its name, value."""
    if opened is None:
        return []
    return [(field, current().word(locale, "fields", field), value) for field, value in opened.writer.items()]


def _names(desk: Desk, at: str) -> list[str]:
    found = offered(desk)
    return found if not at or at in found else [at, *found]


def _form(fields: dict[str, forms.Field], request: HttpRequest | None = None) -> forms.Form:
    kind = type("ActForm", (forms.Form,), {**fields, "use_required_attribute": False})
    made: forms.Form = kind(request.POST, request.FILES) if request else kind()
    return made


def _shown(desk: Desk, name: str, form: forms.Form | None, letter: Any) -> dict[str, Any]:
    chosen = ACTS[name]
    bound = form or _form(chosen.fields(desk))
    for key, each in bound.fields.items():  # several forms on one page: ids must differ
        each.widget.attrs.setdefault("id", f"id_{name}_{key}")
    language = desk.say(f"language.{desk.line.locale}")
    return {
        "name": name, "title": desk.say(f"act.{name}.title"), "lead": desk.say(f"act.{name}.lead", language=language),
        "form": bound, "buttons": [{"value": value, "text": desk.say(f"act.{name}.{key}")} for value, key in chosen.buttons],
        "preview": desk.say(f"act.{name}.preview") if chosen.has_letter else "", "letter": letter, "turn": desk.line.turn,
        "has_files": "files" in bound.fields, "url": reverse("console-inquiry-act", args=(desk.line.id, name)),
    }  # fmt: skip


def _page(request: HttpRequest, name: str, *, status: int = 200, **seen: Any) -> HttpResponse:
    return render(request, f"lofte/console/{name}.html", {"spot": "inquiries", **seen}, status=status)
