"""The console: the board of promises, publications, people by stated purpose, and operation."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from lofte.core import actions, clock, roles
from lofte.core.evidence import log
from lofte.core.publication import current
from lofte.features.findings import reads as findings
from lofte.features.promises import reads as promises
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES, say
from lofte.rules.control import Status
from lofte.web.console import checks, copies, long_work
from lofte.web.console import operation as running
from lofte.web.console.language import CHOSEN, console_locale
from lofte.web.console.publications import clauses_of, shelf
from lofte.web.console.staff import actor, needs, promise_readers
from lofte.web.pages import Edition
from lofte.web.receipts import download

STATUSES = ("broken", "unproved", "kept")


@require_safe
@promise_readers
def board(request: HttpRequest) -> HttpResponse:
    locale, lines = console_locale(request), promises.board()
    shown = request.GET.get("show", "")
    shown = shown if shown in STATUSES else ""
    numbers = promises.counts(lines)
    return _page(
        request,
        "board",
        spot="board",
        version=current().policy.version,
        total=len(lines) or 1,
        promises=[_row(line, locale) for line in _broken_first(lines) if shown in ("", line.status.value)],
        counts=[_count(locale, "", len(lines), shown)]
        + [_count(locale, status, numbers[status], shown) for status in STATUSES],
        shares=_shares(numbers),
        checking=checks.is_running(),
    )


@require_safe
@promise_readers
def promise(request: HttpRequest, promise: str) -> HttpResponse:
    locale, line = console_locale(request), promises.promise(promise)
    past = [
        {"status": item.verdict.status.value, "at": item.at, "reason": item.reason(locale), "evidence": item.evidence}
        for item in promises.history(promise, limit=50)
    ]
    return _page(
        request,
        "promise",
        spot="board",
        promise=_row(line, locale),
        history=past,
        checking=checks.is_running(),
        controls=[_control(control, locale) for control in line.controls],
        clauses=clauses_of(current(), promise, locale, clock.now().date()),
    )


@require_POST
@needs("promises.check")
def check(request: HttpRequest) -> HttpResponse:
    """Start the probes of one promise, or of all, in the background."""
    locale, chosen = console_locale(request), request.POST.get("promise", "")
    if chosen:
        promises.promise(chosen)  # 404 for one the policy does not make
    try:
        has_started = checks.start((chosen,) if chosen else ())
    except LookupError:
        messages.warning(request, say(locale, "console.check_unavailable"), extra_tags="warn")
    else:
        actions.record("promises.check", actor(request), promise=chosen or "all")
        messages.info(request, say(locale, "console.check_started" if has_started else "console.check_busy"))
    return HttpResponseRedirect(reverse("console-promise", args=(chosen,)) if chosen else reverse("console"))


@require_safe
@promise_readers
def publications(request: HttpRequest) -> HttpResponse:
    return _page(request, "publications", spot="publications", publications=shelf())


@require_safe
@promise_readers
def evidence(request: HttpRequest, index: int) -> HttpResponse:
    """The proof of a verdict as a page that checks itself, for policies whose verdicts are not public."""
    opened = log().opened(index)  # 404 beyond the log
    if opened.kind != "verdict":
        raise Problem("evidence.not-a-verdict", "this entry is not about a promise", status=404)
    published = current()
    market = next(iter(published.policy.markets))
    return download(log().sealed_receipt(index), "html", Edition(market, console_locale(request), published))


@require_safe
@needs("operation.read")
def operation(request: HttpRequest) -> HttpResponse:
    locale = console_locale(request)
    return _page(
        request,
        "operation",
        spot="operation",
        duties=running.duties(clock.now()),
        queues=running.queues(locale),
        works=long_work.newest(locale),
        copies=copies.seen(clock.now()),
        may_rotate="roles.manage" in roles.permissions_of(request.user),
        alarms=_drift(),
    )


@require_POST
def locale(request: HttpRequest) -> HttpResponse:
    """The language of the console for this visit. Open to the login page as well."""
    wanted, back = request.POST.get("locale", ""), request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    answer = HttpResponseRedirect(
        back if is_ours and back.startswith(("/console/", "/accounts/")) else reverse("console")
    )
    if wanted in LOCALES:
        request.session[CHOSEN] = wanted
    return answer


def _page(request: HttpRequest, name: str, *, status: int = 200, **seen: Any) -> HttpResponse:
    return render(request, f"lofte/console/{name}.html", seen, status=status)


def _drift() -> int:
    """Open alarms about our own pages; none while nothing is published."""
    try:
        return findings.count_alarms(current().policy)
    except Problem:
        return 0


def _broken_first(lines: list[promises.Line]) -> list[promises.Line]:
    """What needs somebody on top; the rest in the order of the policy."""
    return sorted(lines, key=lambda line: line.status != Status.BROKEN)


def _row(line: promises.Line, locale: str) -> dict[str, Any]:
    return {
        "id": line.promise,
        "title": line.title(locale),
        "status": line.status.value,
        "reason": line.reason(locale),
        "seen_at": line.at,
        "evidence": line.evidence,
    }


def _control(control: promises.ControlLine, locale: str) -> dict[str, Any]:
    return {
        "id": control.id,
        "name": control.name(locale),
        "asserts": control.asserts(locale),
        "status": control.verdict.status.value,
        "reason": control.reason(locale),
        "law": control.law,
        "fresh_for": _span(control, locale),
        "seen_at": control.at,
        "evidence": control.evidence,
        "parameters": [(name, _plain(value)) for name, value in control.parameters.items()],
        "facts": list(control.verdict.facts.items()),
    }


def _span(control: promises.ControlLine, locale: str) -> str:
    if control.control is None:
        return ""
    hours = int(control.control.fresh_for.total_seconds() // 3600)
    whole_days = hours % 24 == 0 and hours > 24
    return say(locale, "units.days", n=hours // 24) if whole_days else say(locale, "units.hours", n=hours)


def _plain(value: Any) -> str:
    """A parameter as it stands in the policy, without brackets."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _count(locale: str, status: str, number: int, shown: str) -> dict[str, Any]:
    address = reverse("console") + (f"?show={status}" if status else "")
    return {
        "status": status,
        "number": number,
        "name": say(locale, f"console.{status or 'all'}"),
        "url": address,
        "current": status == shown,
    }


def _shares(numbers: dict[str, int]) -> list[dict[str, Any]]:
    """Where each stretch of the bar begins, counted in promises."""
    order = ("kept", "unproved", "broken")
    return [
        {"status": status, "x": sum(numbers[before] for before in order[:place]), "width": numbers[status]}
        for place, status in enumerate(order)
    ]
