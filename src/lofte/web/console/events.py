"""Events in the console: planned, published, called off; who comes, for a stated purpose; and what is still kept of past ones."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import clock, roles
from lofte.features.outreach.events import attendance, planning, reads, seats, telling
from lofte.features.outreach.events.models import Event, Registration
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.web.console import events_forms as forms
from lofte.web.console import events_words as words
from lofte.web.console.language import console_locale
from lofte.web.console.sharing_forms import word
from lofte.web.console.staff import actor, needs

_SHOWN = ("ahead", "over", "forgetting")
_STATED = "events.stated"
State = Registration.State


# --- all of them ----------------------------------------------------------------------------------------------------


@require_safe
@needs("events.read")
def events(request: HttpRequest) -> HttpResponse:
    locale, at = console_locale(request), clock.now()
    tab = request.GET.get("show", "ahead")
    tab = tab if tab in _SHOWN else "ahead"
    rows = reads.done(at) if tab == "forgetting" else reads.listed(over=tab == "over", at=at)
    ids = [each.id for each in rows]
    if tab == "forgetting":
        kept = reads.leaving(ids, at)
        shown = [words.forgetting(locale, each, kept[each.id]) for each in rows if kept[each.id]]
        shown.sort(key=lambda each: not each["overdue"])
        return _page(request, "forgetting", tab, rows=shown, half_gone=reads.half_forgotten(at))
    numbers = reads.numbers(ids)
    return _page(request, "events", tab, rows=[words.event(locale, each, numbers[each.id], at) for each in rows])


@require_http_methods(["GET", "HEAD", "POST"])
@needs("events.manage")
def new(request: HttpRequest) -> HttpResponse:
    locale = console_locale(request)
    form = forms.event(locale, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = planning.draft(forms.planned(form), by=actor(request))
        except Problem as problem:
            form.tell(problem)
        else:
            return _done(request, "drafted", made)
    return _page(request, "edit", "ahead", status=422 if form.errors else 200, form=form)


# --- one event ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("events.manage")
def edit(request: HttpRequest, event: UUID) -> HttpResponse:
    locale, row = console_locale(request), planning.row_of(event)
    form = forms.event(locale, request.POST if request.method == "POST" else None, row)
    if request.method == "POST" and form.is_valid():
        try:
            planning.change(row.id, forms.planned(form), by=actor(request))
        except Problem as problem:
            form.tell(problem)
        else:
            return _done(request, "changed", row.id)
    return _page(request, "edit", "ahead", status=422 if form.errors else 200, form=form, event=_seen(request, row))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("events.read")
def event(request: HttpRequest, event: UUID) -> HttpResponse:
    """One event: its numbers, what can be done with it, and what it keeps of people until when."""
    locale, at, row = console_locale(request), clock.now(), planning.row_of(event)
    error = ""
    if request.method == "POST":
        roles.demand(request.user, "events.manage")
        try:
            return _act(request, row)
        except Problem as problem:
            error = forms.told(locale, problem)
    kept = reads.leaving([row.id], at)[row.id]
    return _page(
        request, "event", _tab(row), status=409 if error else 200, event=_seen(request, row), error=error,
        kept=words.forgetting(locale, row, kept), pages=words.pages(row), untold=telling.waiting(row),
        terms=words.kept_for(locale, row),
    )  # fmt: skip


def _act(request: HttpRequest, row: Event) -> HttpResponse:
    me = actor(request)
    match request.POST.get("do", ""):
        case "publish":
            planning.publish(row.id, by=me)
            return _done(request, "published", row.id)
        case "call_off":
            return _done(request, "called_off", row.id, n=planning.call_off(row.id, by=me))
        case "discard":
            planning.discard(row.id, by=me)
            messages.success(request, say(console_locale(request), "events.done.discarded"), extra_tags="good")
            return HttpResponseRedirect(reverse("console-events"))
    raise Http404


# --- who comes ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("events.receive")
def people(request: HttpRequest, event: UUID) -> HttpResponse:
    """The list, once its purpose is stated for this event; each opening leaves a look for everybody on it."""
    locale, row = console_locale(request), planning.row_of(event)
    purpose = _purpose(row)
    may = purpose in roles.purposes_of(request.user)
    if request.method == "POST" and may:
        request.session[_STATED] = [str(row.id), purpose]
        return HttpResponseRedirect(reverse("console-event-people", args=(row.id,)))
    return _list(request, row, purpose, forms.reference(locale), may=may)


def _list(
    request: HttpRequest, row: Event, purpose: str, form: forms.Form, *, may: bool = True, status: int = 200
) -> HttpResponse:
    locale = console_locale(request)
    is_stated = may and _is_stated(request, row, purpose)
    seen = attendance.attendees(row.id, purpose, by=actor(request), states=seats.COMING) if is_stated else []
    lines = [words.attendee(locale, each) for each in seen]
    return _page(
        request, "people", _tab(row), status=status, event=_seen(request, row), form=form,
        is_stated=is_stated, may_state=may, purpose=word(locale, "purposes", purpose, "name"),
        coming=[each for each in lines if each["state"] == State.REGISTERED],
        queue=[each for each in lines if each["state"] == State.WAITING], at_door=attendance.may_check_in(row, clock.now()),
        fields=[word(locale, "fields", each) for each in words.columns(row)],
    )  # fmt: skip


def _is_stated(request: HttpRequest, row: Event, purpose: str) -> bool:
    """Whether this session said what it opens the list of this very event for."""
    return bool(request.session.get(_STATED) == [str(row.id), purpose])


@require_POST
@needs("events.receive")
def tick(request: HttpRequest, event: UUID) -> HttpResponse:
    """At the door: somebody is here (by their reference, or their line), was not, or will not come."""
    locale, row, me = console_locale(request), planning.row_of(event), actor(request)
    form = forms.reference(locale, request.POST if "reference" in request.POST else None)
    try:
        done = _ticked(request, row, form, me)
    except Problem as problem:
        if "reference" not in request.POST:
            raise
        form.tell(problem)
        done = ""
    if not done:
        return _list(request, row, _purpose(row), form, status=422)
    messages.success(request, say(locale, f"events.done.{done}"), extra_tags="good")
    return HttpResponseRedirect(reverse("console-event-people", args=(row.id,)))


def _ticked(request: HttpRequest, row: Event, form: forms.Form, me: str) -> str:
    """The word for what was done; empty when the form was refused."""
    if "reference" in request.POST:
        if not form.is_valid():
            return ""
        is_new = attendance.check_in_by(row.id, form.cleaned_data["reference"], by=me)
        return "checked_in" if is_new else "was_checked_in"
    person, registration = _uuid(request.POST.get("person")), _uuid(request.POST.get("registration"))
    match request.POST.get("do", ""):
        case "here":
            return "checked_in" if attendance.check_in(row.id, registration, person, by=me) else "was_checked_in"
        case "undo":
            attendance.undo(row.id, registration, person, by=me)
            return "undone"
        case "take_off":
            seats.withdraw(person, registration, by=me)
            return "taken_off"
    raise Http404


@require_POST
@needs("events.receive")
def sheet(request: HttpRequest, event: UUID) -> HttpResponse:
    """The list for the door as a file: reference and name, no more."""
    locale, row = console_locale(request), planning.row_of(event)
    if not _is_stated(request, row, _purpose(row)):
        return HttpResponseRedirect(reverse("console-event-people", args=(row.id,)))
    shown = [(each, word(locale, "fields", each)) for each in words.columns(row)[:1]]
    header = [("reference", say(locale, "events.reference")), *shown]
    content = attendance.sheet(row.id, _purpose(row), header, by=actor(request))
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{row.slug}.csv"'
    return answer


# --- what the pages share -------------------------------------------------------------------------------------------


def _tab(row: Event) -> str:
    return "over" if row.ends_at <= clock.now() else "ahead"


def _purpose(row: Event) -> str:
    for market in row.markets:
        if spec := seats.form_for(row.form, market):
            return spec.purpose
    raise Problem("events.no-form", "the form of the event is not there any more", status=409)


def _seen(request: HttpRequest, row: Event) -> dict[str, Any]:
    return words.event(console_locale(request), row, reads.numbers([row.id])[row.id], clock.now())


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise Http404 from None


def _done(request: HttpRequest, what: str, event: UUID, **slots: Any) -> HttpResponse:
    messages.success(request, say(console_locale(request), f"events.done.{what}", **slots), extra_tags="good")
    return HttpResponseRedirect(reverse("console-event", args=(event,)))


def _page(request: HttpRequest, template: str, tab: str, /, *, status: int = 200, **seen: Any) -> HttpResponse:
    return render(
        request, f"lofte/console/events/{template}.html", {"spot": "events", "tab": tab} | seen, status=status
    )
