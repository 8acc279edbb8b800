"""The Content Security Policy of a consent state: the wall behind the held page. W3C CSP Level 3."""

from lofte.gate.consent import ConsentState

NONCE = "{nonce}"
REPORT_URI = "/lofte/csp-report"


def policy(state: ConsentState, *, trusted_types: bool) -> str:
    """The header's value with ``{nonce}`` where each response puts its own.

    Scripts need the nonce, the site's own origin, or a host whose purposes are all allowed; there is no
    `strict-dynamic`, so what a tag manager injects is still bound to those hosts. Inline styles stay allowed: what
    they could fetch is named by the other directives. ``trusted_types`` is asked for only while nothing third-party
    may run; tag managers cannot live with it.
    """
    hosts = "".join(f" {host}" for host in [*sorted(state.own_hosts), *state.hosts])
    parts = [
        "default-src 'self'",
        f"script-src 'self' 'nonce-{NONCE}'{hosts}",
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
