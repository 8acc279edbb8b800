"""A strict Content-Security-Policy with a nonce a response, for every Django page.

Templates write ``<script nonce="{{ csp_nonce }}">``. There is no unsafe-inline and no third-party host.
"""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "manifest-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
)


class ContentSecurityPolicy:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        made = secrets.token_urlsafe(16)
        request.csp_nonce = made  # type: ignore[attr-defined]  # Django's way to hand a view something
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=made))
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), browsing-topics=()"
        )
        return response


def nonce(request: HttpRequest) -> dict[str, str]:
    """Template context: ``csp_nonce``."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}
