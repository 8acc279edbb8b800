"""Cases in the console: decisions of authorities, mergers and sales, from the document to the last handing over."""

from uuid import UUID

from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lofte.core import approvals, clock, roles
from lofte.features.register import search
from lofte.features.sharing import cases
from lofte.features.sharing.models import Case, Member
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.rules.values import period
from lofte.web.console import sharing_forms as forms
from lofte.web.console import sharing_words as words
from lofte.web.console.language import console_locale
from lofte.web.console.sharing import file_answer, page
from lofte.web.console.staff import actor, needs


@require_safe
@needs("sharing.read")
def listed(request: HttpRequest) -> HttpResponse:
    locale, today = console_locale(request), clock.now().date()
    return page(request, "cases", "cases", rows=[words.case(locale, row, today) for row in cases.listed()])


@require_http_methods(["GET", "HEAD", "POST"])
@needs("sharing.manage")
def new(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in Case.Kind.values:
        raise Http404
    locale, is_given = console_locale(request), request.method == "POST"
    form = forms.case(locale, kind, request.POST if is_given else None, request.FILES if is_given else None)
    if is_given and form.is_valid():
        said = form.cleaned_data
        given = cases.Given(
            kind=kind, document_name=said["document"].name, document=said["document"].read(),
            **{name: said[name] for name in said if name != "document"},
        )  # fmt: skip
        try:
            made = cases.begin(given, by=actor(request))
        except Problem as problem:
            form.tell(problem)
        else:
            messages.success(request, say(locale, "sharing.done.case"), extra_tags="good")
            return HttpResponseRedirect(reverse("console-case", args=(made,)))
    return page(
        request, "case_new", "cases", status=422 if form.errors else 200, form=form, kind=kind,
        title=say(locale, f"sharing.case_new.{kind}"),
        lead=say(locale, f"sharing.case_new.{kind}_lead", period=period(locale, cases.notice_period())),
    )  # fmt: skip


@require_safe
@needs("sharing.read")
def one(request: HttpRequest, case: UUID) -> HttpResponse:
    return _shown(request, case)


@require_POST
@needs("sharing.manage")
def act(request: HttpRequest, case: UUID) -> HttpResponseBase:
    """Do what the button said."""
    locale, me, do = console_locale(request), actor(request), request.POST.get("do", "")
    try:
        match do:
            case "name":
                return _name(request, case)
            case "unname":
                cases.remove_person(case, _person(request), by=me)
            case "announce":
                cases.announce(case, by=me)
            case "told":
                cases.told_otherwise(case, _person(request), by=me)
            case "release":
                cases.ask_release(case, by=me)
            case "withdraw":
                cases.withdraw(case, by=me)
            case "close":
                cases.close(case, by=me)
            case "hand_over":
                return _handed(case, me)
            case _:
                raise Http404
    except Problem as problem:
        return _shown(request, case, error=forms.told(locale, problem))
    messages.success(request, say(locale, f"sharing.done.case_{do}"), extra_tags="good")
    return HttpResponseRedirect(reverse("console-case", args=(case,)))


@require_safe
@needs("sharing.manage")
def document(request: HttpRequest, case: UUID) -> HttpResponse:
    return file_answer(cases.document_of(case, by=actor(request)))


def _name(request: HttpRequest, case: UUID) -> HttpResponse:
    """Name somebody the decision is about. What was sought travels in the body and is kept nowhere."""
    locale = console_locale(request)
    form = forms.naming(locale, request.POST)
    if form.is_valid():
        person = search.sole(form.cleaned_data["sought"])
        if person is None:
            form.add_error("sought", say(locale, "sharing.error.nobody"))
        else:
            is_new = cases.add_person(case, person, by=actor(request))
            messages.success(
                request,
                say(locale, "sharing.done.case_name" if is_new else "sharing.done.case_named"),
                extra_tags="good",
            )
            return HttpResponseRedirect(reverse("console-case", args=(case,)))
    return _shown(request, case, form=form)


def _person(request: HttpRequest) -> UUID:
    found = forms.one_of(request.POST.get("person", ""))
    if found is None:
        raise Http404
    return found


def _handed(case: UUID, me: str) -> StreamingHttpResponse:
    lines = cases.hand_over(case, by=me)
    answer = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    answer["Content-Disposition"] = f'attachment; filename="{cases.row_of(case).reference}.jsonl"'
    return answer


def _shown(request: HttpRequest, case: UUID, *, error: str = "", form: forms.Form | None = None) -> HttpResponse:
    locale, row = console_locale(request), cases.row_of(case)
    seen = words.case(locale, row, clock.now().date())
    waiting = [each for each in approvals.waiting() if each.act == cases.ACT and each.about == case]
    named = cases.members(case) if row.kind == Case.Kind.AUTHORITY else []
    unreached = (
        [each for each in cases.members(case, 1000) if each.state == Member.State.UNREACHED][:50]
        if row.kind == Case.Kind.MERGER
        else []
    )
    steps = _steps(locale, row, seen["state"], bool(waiting))
    return page(
        request, "case", "cases", status=409 if error else 422 if form else 200, case=seen, error=error,
        form=form or forms.naming(locale), named=[_named(locale, each) for each in named],
        unreached=unreached, waiting=waiting[0] if waiting else None, steps=steps, signers=len(set(row.released_by)),
        may_release=(row.state == Case.State.OPEN and row.kind == Case.Kind.AUTHORITY and bool(named)) or seen["state"] == "free",
        period=period(locale, cases.notice_period()), may_see="sharing.manage" in roles.permissions_of(request.user),
    )  # fmt: skip


def _named(locale: str, each: Member) -> tuple[Member, str, str]:
    return each, say(locale, f"sharing.member.{each.state}"), forms.denied(locale, each.reason) if each.reason else ""


def _steps(locale: str, row: Case, state: str, is_asked: bool) -> list[dict[str, str]]:
    """How far it has come, as a row of steps."""
    is_merger = row.kind == Case.Kind.MERGER
    names = (
        ["document", "notice", "period", "two", "handing", "end"]
        if is_merger
        else ["document", "people", "two", "handing", "end"]
    )
    now = {
        "open": "notice" if is_merger else "two" if is_asked else "people", "telling": "notice", "period": "period", "free": "two",
        "released": "handing", "ready": "handing", "closed": "", "withdrawn": "",
    }[state]  # fmt: skip
    at = names.index(now) if now else len(names)
    if state == "withdrawn":
        at = 0
    return [
        {
            "name": say(locale, f"sharing.step.{name}"),
            "state": "done" if number < at else "now" if number == at else "next",
        }
        for number, name in enumerate(names)
    ]
