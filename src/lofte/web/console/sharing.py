"""Sharing in the console: who may get what, agreements, referrals, and what is called back. Nothing leaves that the room denies."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import clock, ports, roles
from lofte.features.register import reads as register
from lofte.features.sharing import agreements, chores, disclosures, letters, papers, reads, recalls
from lofte.features.sharing.models import Disclosure
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.rules.values import country
from lofte.web.console import sharing_forms as forms
from lofte.web.console import sharing_words as words
from lofte.web.console.language import console_locale
from lofte.web.console.people import PURPOSE
from lofte.web.console.staff import actor, needs

_SHOWN = {"waiting": ("recorded",), "gone": ("handed_over",), "back": ("recalled", "cancelled")}


# --- recipients -----------------------------------------------------------------------------------------------------


@require_safe
@needs("sharing.read")
def recipients(request: HttpRequest) -> HttpResponse:
    """The map and the list of everybody the policy names; nothing on it is about a person."""
    locale, at = console_locale(request), clock.now()
    parties = reads.parties(at)
    return page(
        request, "sharing", "recipients", rows=[words.party(locale, each, at.date()) for each in parties],
        chart=words.chart(locale, parties, at), faults=_faults(locale, at),
        alarms=[say(locale, f"sharing.alarm.{name}", n=number) for name, number in chores.alarms(at).items() if number],
    )  # fmt: skip


def _faults(locale: str, at: Any) -> list[str]:
    """What contradicts a promise, found in the rows themselves."""
    return [say(locale, f"sharing.fault.{each.kind.replace('-', '_')}", n=each.count) for each in reads.faults(at)]


# --- agreements -----------------------------------------------------------------------------------------------------


@require_safe
@needs("sharing.read")
def agreement_list(request: HttpRequest) -> HttpResponse:
    locale, today = console_locale(request), clock.now().date()
    rows = [words.agreement(locale, row, today) for row in agreements.listed()]
    return page(request, "agreements", "agreements", rows=rows)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("sharing.manage")
def agreement_new(request: HttpRequest) -> HttpResponse:
    locale, is_given = console_locale(request), request.method == "POST"
    form = forms.agreement(locale, request.POST if is_given else None, request.FILES if is_given else None)
    if is_given and form.is_valid():
        said = form.cleaned_data
        given = agreements.Given(
            document_name=said["document"].name, document=said["document"].read(),
            **{name: said[name] for name in said if name != "document"},
        )  # fmt: skip
        try:
            made = agreements.record(given, by=actor(request))
        except Problem as problem:
            form.tell(problem)
        else:
            messages.success(request, say(locale, "sharing.done.agreement"), extra_tags="good")
            return HttpResponseRedirect(reverse("console-agreement", args=(made,)))
    return page(request, "agreement_new", "agreements", status=422 if form.errors else 200, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("sharing.read")
def agreement(request: HttpRequest, agreement: UUID) -> HttpResponse:
    """One agreement, what went under it, and what can be done with it."""
    locale, today = console_locale(request), clock.now().date()
    row = agreements.row_of(agreement)
    is_given = request.method == "POST"
    if is_given:
        roles.demand(request.user, "sharing.manage")
    form = forms.review(locale, row, request.POST if is_given and request.POST.get("do") == "review" else None)
    if is_given and (done := _agreement_act(request, row.id, form)):
        messages.success(request, say(locale, f"sharing.done.{done}"), extra_tags="good")
        return HttpResponseRedirect(reverse("console-agreement", args=(row.id,)))
    latest = reads.disclosures(agreement=row.id, limit=20)
    seen = words.agreement(locale, row, today)
    return page(
        request, "agreement", "agreements", status=422 if form.errors else 200, agreement=seen, form=form,
        rows=[words.given(locale, each) for each in latest], reviewer=roles.name(row.reviewer, locale),
        holds=sum(each.state == "handed_over" for each in latest),
        contact=agreements.contact_of(row.id) if _may(request, "sharing.manage") else "",
        secret=agreements.secret_of(row.id) if _may(request, "sharing.manage") else "",
    )  # fmt: skip


def _agreement_act(request: HttpRequest, row_id: UUID, form: forms.Form) -> str:
    """Do what the button said; the word for what was done, empty when the form was refused."""
    me = actor(request)
    match request.POST.get("do", ""):
        case "review":
            if not form.is_valid():
                return ""
            try:
                agreements.reviewed(row_id, form.cleaned_data["review_at"], by=me)
            except Problem as problem:
                form.tell(problem)
                return ""
            return "reviewed"
        case "end":
            agreements.end(row_id, by=me)
            return "ended"
        case "recall":
            recalls.recall_all(row_id, by=me)
            return "recalled"
    raise Http404


@require_safe
@needs("sharing.manage")
def agreement_document(request: HttpRequest, agreement: UUID) -> HttpResponse:
    return file_answer(agreements.document_of(agreement, by=actor(request)))


# --- referring ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("sharing.refer")
def refer(request: HttpRequest, person: UUID) -> HttpResponse:
    """Refer a person to a partner, for the purpose that was stated. The letter can be read before it is sent."""
    locale, stated = console_locale(request), str(request.session.get(PURPOSE, ""))
    if not stated:
        return HttpResponseRedirect(reverse("console-people"))
    register.demand(person, stated, [], by=actor(request))
    offered = disclosures.choices(person, stated)
    held = sorted(field for purpose, field in register.kinds_held(person) if purpose == stated)
    form = forms.refer(locale, offered, held, request.POST if request.method == "POST" else None)
    letter = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        chosen = next((row for row in offered if str(row.id) == said["partner"]), None)
        if chosen is None:
            raise Http404
        if request.POST.get("do") == "preview":
            letter = _letter(person, chosen, stated, said["fields"])
        else:
            try:
                made = disclosures.refer(
                    person, chosen.recipient, stated, said["fields"], actor(request), partner=chosen.id, told=said["told"]
                )  # fmt: skip
            except Problem as problem:
                form.tell(problem)
            else:
                messages.success(request, say(locale, "sharing.done.referred"), extra_tags="good")
                return HttpResponseRedirect(reverse("console-referral", args=(person, made)))
    return page(
        request, "refer", "referrals", status=422 if form.errors else 200, form=form, person=person, letter=letter,
        offered=[words.agreement(locale, row, clock.now().date()) for row in offered],
        purpose=forms.word(locale, "purposes", stated, "name"),
        rows=[words.given(locale, each) for each in reads.of_person(person)],
    )  # fmt: skip


def _letter(person: UUID, row: Any, purpose: str, fields: list[str]) -> Any:
    market, locale = ports.register().market_of(person) or ("", "")
    if not market:
        return None
    kind = letters.Referral(row.partner, tuple(row.services))
    return {"words": letters.compose(kind, market, locale, purpose, sorted(fields), row.country), "locale": locale}


@require_safe
@needs("sharing.read")
def referrals(request: HttpRequest) -> HttpResponse:
    """What waits to go, what has gone and what was called back. About whom is behind each reference."""
    locale, at = console_locale(request), clock.now()
    shown = request.GET.get("show", "waiting")
    shown = shown if shown in (*_SHOWN, "recalls") else "waiting"
    counted = reads.counts()
    numbers = {name: sum(counted.get(state, 0) for state in states) for name, states in _SHOWN.items()}
    numbers["recalls"] = counted.get("unconfirmed", 0)
    rows = [words.given(locale, each) for each in reads.disclosures(_SHOWN[shown])] if shown in _SHOWN else []
    late = [row for row in recalls.waiting() if row.due <= at]
    return page(
        request, "referrals", "referrals", rows=rows, shown=shown,
        recalls=[words.recall(locale, row, at) for row in (*recalls.waiting(), *recalls.settled())] if shown == "recalls" else [],
        counts=[
            {
                "name": say(locale, f"sharing.shown.{name}"), "number": numbers[name], "current": name == shown,
                "url": reverse("console-referrals") + ("" if name == "waiting" else f"?show={name}"),
                "status": "broken" if name == "recalls" and late else "",
            }
            for name in (*_SHOWN, "recalls")
        ],
    )  # fmt: skip


@require_POST
@needs("sharing.manage")
def confirm(request: HttpRequest, recall: UUID) -> HttpResponse:
    """The partner has said that it is done."""
    recalls.confirm(recall, by=actor(request))
    messages.success(request, say(console_locale(request), "sharing.done.confirmed"), extra_tags="good")
    return HttpResponseRedirect(reverse("console-referrals") + "?show=recalls")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("sharing.read")
def referral(request: HttpRequest, person: UUID, disclosure: UUID) -> HttpResponse:
    """One disclosure: where it stands, and handing it over, cancelling it or calling it back."""
    locale = console_locale(request)
    row = disclosures.one(person, disclosure)
    error = ""
    if request.method == "POST":
        roles.demand(request.user, "sharing.refer")
        try:
            return _referral_act(request, row)
        except Problem as problem:
            error = forms.told(locale, problem)
    seen = next(each for each in reads.of_person(person) if each.id == disclosure)
    return page(
        request, "referral", "referrals", status=409 if error else 200, row=row, given=words.given(locale, seen), error=error,
        country=country(locale, row.country), ground=say(locale, f"sharing.ground.{row.ground}"),
        told=say(locale, f"sharing.was_told.{row.told}"), person=person,
    )  # fmt: skip


def _referral_act(request: HttpRequest, row: Disclosure) -> HttpResponse:
    me, locale = actor(request), console_locale(request)
    match request.POST.get("do", ""):
        case "hand_over":
            handed = disclosures.hand_over(row.person_id, row.id, by=me)
            answer = HttpResponse(handed.content, content_type="application/json")
            answer["Content-Disposition"] = f'attachment; filename="{handed.reference}.json"'
            return answer
        case "cancel":
            disclosures.cancel(row.person_id, row.id, by=me)
            done = "cancelled"
        case "recall":
            recalls.recall(row.person_id, "staff", only=[row.id])
            done = "recalled"
        case _:
            raise Http404
    messages.success(request, say(locale, f"sharing.done.{done}"), extra_tags="good")
    return HttpResponseRedirect(reverse("console-referral", args=(row.person_id, row.id)))


# --- what the pages share -------------------------------------------------------------------------------------------


def file_answer(paper: papers.Paper) -> HttpResponse:
    """A document, always as a download: nothing that somebody sent is shown inside the console."""
    answer = HttpResponse(paper.content, content_type=paper.kind)
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(paper.name)}"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def page(request: HttpRequest, template: str, tab: str, /, *, status: int = 200, **seen: Any) -> HttpResponse:
    return render(
        request, f"lofte/console/sharing/{template}.html", {"spot": "sharing", "tab": tab} | seen, status=status
    )


def _may(request: HttpRequest, permission: str) -> bool:
    return permission in roles.permissions_of(request.user)
