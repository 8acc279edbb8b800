"""What people read when something cannot be done: one page, in the language of the page they were on."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.web.console.language import console_locale
from lofte.web.pages import Edition, edition

log = logging.getLogger(__name__)

CODES = {
    "code.unknown", "web.cross-site", "web.stale-form", "rights.closed", "roles.not-allowed", "roles.unreadable", "approvals.own",
    "approvals.closed",
}  # fmt: skip
"""Problems that have their own words, `common.problem.<code>.{title,lead}`; the rest are told by status."""


def shown(request: HttpRequest, problem: Problem) -> HttpResponse:
    if problem.status >= 500:
        log.error("problem shown to a person", extra={"code": problem.code, "status": problem.status})
    key = problem.code if problem.code in CODES else _by_status(problem.status)
    return _page(request, key, problem.status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "not-found", 404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "forbidden", 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, "web.stale-form", 403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "bad-request", 400)


def failed(request: HttpRequest) -> HttpResponse:
    return _page(request, "failed", 500)


def _by_status(status: int) -> str:
    return {403: "forbidden", 404: "not-found"}.get(status, "failed" if status >= 500 else "bad-request")


def _page(request: HttpRequest, key: str, status: int) -> HttpResponse:
    here = _edition_of(request.path)
    locale = here.locale if here else console_locale(request)
    words = {
        "title": say(locale, f"common.problem.{key}.title"),
        "lead": say(locale, f"common.problem.{key}.lead"),
    }
    if here:
        news = request.path.startswith("/news/")
        words["next_url"] = here.newsletter_url if news else here.portal_url
        words["next_label"] = say(locale, "common.to_newsletter" if news else "common.portal")
    context = {"locale": locale, "edition": here} | words
    answer = render(request, "lofte/problem.html" if here else "lofte/console/problem.html", context, status=status)
    answer["Content-Language"] = locale
    return answer


def _edition_of(path: str) -> Edition | None:
    parts = path.split("/")
    if len(parts) < 5 or parts[1] not in ("my", "news", "forms", "events", "materials"):
        return None
    try:
        return edition(parts[2], parts[3])
    except (Http404, Problem):
        return None
