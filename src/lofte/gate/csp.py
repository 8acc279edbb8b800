"""The Content Security Policy of a consent state: the wall behind the held page. W3C CSP Level 3."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from lofte.gate.consent import ConsentState

REPORT_URI = "/lofte/csp-report"


def policy(state: ConsentState, scripts: Iterable[str], *, trusted_types: bool) -> str:
    """The header's value for everything but pages read to the end, too: those add the hashes of their own scripts.

    ``scripts`` are sources besides the site itself: `sha256-...` of inline scripts that may run, and `nonce-...`. Hosts are those
    whose purposes are all allowed; there is no `strict-dynamic`, so what a tag manager injects is still bound to them. Inline
    styles stay allowed: what they could fetch is named by the other directives. ``trusted_types`` is asked for only while nothing
    third-party may run; tag managers cannot live with it.
    """
    hosts = "".join(f" {host}" for host in [*sorted(state.own_hosts), *state.hosts])
    sources = "".join(f" '{source}'" for source in dict.fromkeys(scripts))
    parts = [
        "default-src 'self'",
        f"script-src 'self'{sources}{hosts}",
        f"style-src 'self' 'unsafe-inline'{hosts}",
        f"img-src 'self' data: blob:{hosts}",
        f"font-src 'self' data:{hosts}",
        f"connect-src 'self'{hosts}",
        f"frame-src 'self'{hosts}",
        f"media-src 'self' data: blob:{hosts}",
        "worker-src 'self' blob:",
        "object-src 'self'",
        "base-uri 'self'",
        f"form-action 'self'{hosts}",
        "frame-ancestors 'self'",
    ]
    if trusted_types and state.holds_everything:
        parts.append("require-trusted-types-for 'script'")
    return "; ".join([*parts, f"report-uri {REPORT_URI}"])


def fingerprint(text: bytes) -> str:
    """How a header names an inline script or style."""
    return "sha256-" + b64encode(sha256(text).digest()).decode()
