"""Segments in the console: what they ask, how many are in them, and describing one. Who is in one is shown to nobody here."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import roles
from lofte.core.publication import current
from lofte.features.outreach.segments import reads, terms, verbs
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.web import segment_words as words
from lofte.web.console.language import console_locale
from lofte.web.console.segments_forms import SegmentForm
from lofte.web.console.staff import actor, needs


@require_safe
@needs("campaigns.read")
def listed(request: HttpRequest) -> HttpResponse:
    locale = console_locale(request)
    return page(request, "segments", rows=[words.segment(locale, each) for each in reads.segments()])


@require_http_methods(["GET", "HEAD", "POST"])
@needs("campaigns.write")
def new(request: HttpRequest) -> HttpResponse:
    locale = console_locale(request)
    offered = terms.purposes(current().policy)
    purpose = request.POST.get("purpose") or request.GET.get("purpose") or next(iter(offered), "")
    if purpose not in offered:
        raise Problem("segments.purpose", "people subscribe to nothing for this purpose", status=404)
    form = SegmentForm(locale, purpose, data=request.POST if request.method == "POST" else None)
    if _is_saved(request, form):
        try:
            made = verbs.describe(form.cleaned_data["name"], purpose, form.conditions(), by=actor(request))
        except Problem as problem:
            form.tell(problem)
        else:
            return _done(request, made, "described")
    return _edit(request, form, purpose, offered)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("campaigns.write")
def change(request: HttpRequest, segment: UUID) -> HttpResponse:
    locale, seen = console_locale(request), reads.segment(segment)
    purpose = seen.purpose if seen.purpose in terms.purposes(current().policy) else ""
    if not purpose:
        raise Problem("segments.purpose", "people no longer subscribe to anything for this purpose", status=409)
    form = SegmentForm(locale, purpose, seen, request.POST if request.method == "POST" else None)
    if _is_saved(request, form):
        try:
            verbs.change(segment, form.cleaned_data["name"], form.conditions(), by=actor(request))
        except Problem as problem:
            form.tell(problem)
        else:
            return _done(request, segment, "changed")
    return _edit(request, form, purpose, [purpose], words.segment(locale, seen))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("campaigns.read")
def one(request: HttpRequest, segment: UUID) -> HttpResponse:
    """One segment, and what can be done with it."""
    locale = console_locale(request)
    if request.method == "POST":
        roles.demand(request.user, "campaigns.write")
        return _done(request, segment, _act(request, segment))
    return page(request, "segment", segment=words.segment(locale, reads.segment(segment)))


def _act(request: HttpRequest, segment: UUID) -> str:
    """Do what the button said; the word for what was done."""
    verbs.row_of(segment)
    match request.POST.get("do", ""):
        case "recount":
            verbs.recount(segment)
            return "recount"
        case "put_away":
            verbs.put_away(segment, by=actor(request))
            return "put_away"
        case "take_out":
            verbs.take_out(segment, by=actor(request))
            return "taken_out"
    raise Http404


def _is_saved(request: HttpRequest, form: SegmentForm) -> bool:
    """Whether the form is to be kept: one more line is only shown."""
    return request.method == "POST" and request.POST.get("do") != "more" and form.is_valid()


def _edit(
    request: HttpRequest, form: SegmentForm, purpose: str, offered: list[str], seen: object = None
) -> HttpResponse:
    locale = console_locale(request)
    is_refused = form.is_bound and request.POST.get("do") != "more" and bool(form.errors)
    purposes = [
        {"id": each, "name": words.word(locale, "purposes", each, "name"), "current": each == purpose}
        for each in offered
    ]
    return page(
        request, "segment_edit", status=422 if is_refused else 200, form=form, is_refused=is_refused, purpose=purpose,
        purposes=purposes, purpose_name=words.word(locale, "purposes", purpose, "name"), segment=seen,
        can_have_more=form.count < 12,
    )  # fmt: skip


def _done(request: HttpRequest, segment: UUID, done: str) -> HttpResponse:
    messages.success(request, say(console_locale(request), f"segments.done.{done}"), extra_tags="good")
    return HttpResponseRedirect(reverse("console-segment", args=(segment,)))


def page(request: HttpRequest, template: str, *, status: int = 200, **seen: object) -> HttpResponse:
    known = {"spot": "campaigns", "tab": "segments"}
    return render(request, f"lofte/console/campaigns/{template}.html", known | seen, status=status)
