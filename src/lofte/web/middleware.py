"""Around every answer of the Django doors: headers, the language of the console, and problems shown as pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from lofte.kernel.problems import Problem
from lofte.web import problems
from lofte.web.console.language import console_locale

HEADERS = {
    # There is no script on these pages, so none is allowed; data: is for the QR code of the second factor.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # same-origin, not no-referrer: with the latter a browser sends `Origin: null` on our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), browsing-topics=()",
    "Cache-Control": "no-store",
}


class People:
    def __init__(self, answer_to: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer_to = answer_to

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(console_locale(request).lower()):  # only for the words of Django's own checks
            answer = self._answer_to(request)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return problems.shown(request, error) if isinstance(error, Problem) else None
