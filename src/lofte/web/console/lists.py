"""Lists of people in and out of the console. In: what would happen is shown first. Out: two people, and a look for each person."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from lofte.core import approvals, clock, roles
from lofte.features.register import exports, imports, lists
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.web.console import people_forms as forms
from lofte.web.console.language import console_locale
from lofte.web.console.people import page
from lofte.web.console.staff import actor, needs


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people.import")
def taking_in(request: HttpRequest) -> HttpResponse:
    """Give a file; it is judged at once and nothing is written."""
    locale, me = console_locale(request), actor(request)
    is_given = request.method == "POST"
    form = forms.taking_in(
        locale, roles.purposes_of(request.user), request.POST if is_given else None, request.FILES if is_given else None
    )
    if is_given and form.is_valid():
        said = form.cleaned_data
        into = imports.Into(
            purpose=said["purpose"], source=said["source"], relation=said["relation"], new_ground_since=said["new_ground_since"],
            **forms.edition_of(said["market"]),
        )  # fmt: skip
        try:
            made = lists.take(said["file"].name, said["file"].read(), into, by=me, encoding=said["encoding"])
        except Problem as problem:
            form.tell(problem)
        else:
            return HttpResponseRedirect(reverse("console-list", args=(made,)))
    names = dict(forms.purposes(locale, roles.purposes_of(request.user)))
    waiting = [
        {"id": each.id, "purpose": names.get(each.purpose, each.purpose), "row": each} for each in lists.in_hand(me)
    ]
    return page(request, "people_import", status=422 if form.errors else 200, form=form, waiting=waiting)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people.import")
def one(request: HttpRequest, list: UUID) -> HttpResponse:
    """The table of what would happen; later how far it has come and how it ended."""
    locale, me = console_locale(request), actor(request)
    error = ""
    if request.method == "POST":
        try:
            if answer := _told(request, list, me):
                return answer
        except Problem as problem:
            error = forms.told(locale, problem)
    number = request.GET.get("page", "1")
    seen = lists.one(list, by=me, page=int(number) if number.isdecimal() and len(number) < 7 else 1)
    columns = None
    if seen.state == lists.State.JUDGED:
        offered = imports.fields_for(seen.into.purpose)
        columns = forms.columns(locale, seen.columns, seen.left_out, offered)
    return page(
        request, "people_list", status=422 if error else 200, list=seen, columns=columns, error=error,
        stopped=spoken_problem(locale, seen.problem), counts=_counts(locale, seen),
        lines=[_line(locale, each) for each in seen.lines], purpose=_name(locale, seen.into.purpose),
    )  # fmt: skip


def _told(request: HttpRequest, list_id: UUID, me: str) -> HttpResponse | None:
    """Do what the button said. Raises Problem with what stands in its way."""
    locale, seen = console_locale(request), lists.one(list_id, by=me)
    match request.POST.get("do", ""):
        case "columns":
            offered = imports.fields_for(seen.into.purpose)
            form = forms.columns(locale, seen.columns, seen.left_out, offered, request.POST)
            if form.is_valid():
                headings = [*seen.columns, *seen.left_out]
                chosen = {headings[int(name[1:])]: field for name, field in form.cleaned_data.items() if field}
                lists.judge_again(list_id, chosen, by=me)
        case "cancel":
            lists.cancel(list_id, by=me)
            messages.info(request, say(locale, "people.list.cancelled"))
            return HttpResponseRedirect(reverse("console-import"))
        case "apply":
            lists.order(list_id, by=me, leave_out_refused=bool(request.POST.get("leave_out")))
    return HttpResponseRedirect(reverse("console-list", args=(list_id,)))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("people.export")
def handing_out(request: HttpRequest) -> HttpResponse:
    """Ask for a list; somebody else approves; then whoever asked takes it out, once."""
    locale, me = console_locale(request), actor(request)
    given = request.POST if request.method == "POST" else None
    form = forms.handing_out(locale, roles.purposes_of(request.user), given)
    if given is not None and form.is_valid():
        approvals.ask(exports.ACT, me, purpose=form.cleaned_data["purpose"], form=form.cleaned_data["form"])
        messages.success(request, say(locale, "people.out.asked"))
        return HttpResponseRedirect(reverse("console-export"))
    ready = [_asked(locale, each) for each in approvals.ready(me) if each.act == exports.ACT]
    waiting = [_asked(locale, each) for each in approvals.waiting() if each.act == exports.ACT and each.asked_by == me]
    return page(request, "people_export", status=422 if form.errors else 200, form=form, ready=ready, waiting=waiting)


@require_POST
@needs("people.export")
def take_out(request: HttpRequest, approval: UUID) -> HttpResponseBase:
    """The file of an approved list, as it is written: once."""
    me = actor(request)
    approved = approvals.use(approval, me, exports.ACT)
    purpose, form = str(approved.details["purpose"]), str(approved.details["form"])
    kind, ending = ("text/vcard", "vcf") if form == "vcard" else ("text/csv", "csv")
    pieces = exports.export(purpose, "vcard" if form == "vcard" else "csv", by=me, count=exports.Count())
    answer = StreamingHttpResponse(_encoded(pieces), content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{purpose}-{clock.now():%Y-%m-%d}.{ending}"'
    return answer


def _encoded(pieces: Iterator[str]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece.encode()


def _asked(locale: str, asked: approvals.Asked) -> dict[str, Any]:
    purpose = str(asked.details.get("purpose", ""))
    return {
        "id": asked.id, "purpose": _name(locale, purpose), "at": asked.asked_at, "until": asked.expires_at,
        "form": {"csv": "CSV", "vcard": "vCard"}.get(str(asked.details.get("form")), ""),
    }  # fmt: skip


def _name(locale: str, purpose: str) -> str:
    return dict(forms.purposes(locale, {purpose})).get(purpose, purpose)


def _counts(locale: str, seen: lists.List) -> list[dict[str, Any]]:
    return [
        {"number": seen.counts.get(each, 0), "name": say(locale, f"people.fate.{each}")}
        for each in ("new", "merged", "refused")
    ]


def _line(locale: str, line: lists.Line) -> dict[str, Any]:
    notes = [{"column": column, "why": _why(locale, why)} for column, why in line.reasons]
    notes += [{"column": column, "why": say(locale, "people.reason.disarmed")} for column in line.disarmed]
    return {
        "row": line.row,
        "outcome": line.outcome,
        "name": say(locale, f"people.fate_one.{line.outcome}"),
        "notes": notes,
    }


def _why(locale: str, code: str) -> str:
    if code.startswith("row-"):
        return say(locale, "people.reason.row", row=code[4:])
    return spoken_problem(locale, code, "reason")


def spoken_problem(locale: str, code: str, kind: str = "error") -> str:
    words = room_words(locale, "people")
    return words.get(f"{kind}.{code}", code)
