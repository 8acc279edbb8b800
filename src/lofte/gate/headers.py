"""Response headers, lower case and in order: what is read out of them, and what the gate changes. Values in, values out."""

import re
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

from lofte.gate.hosts import bare, host_of

Scope = MutableMapping[str, Any]
Headers = list[tuple[bytes, bytes]]

_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[^;,=\"]+(?:=(?:\"[^\"]*\"|[^;,\"]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*\"?([^\";]*)", re.IGNORECASE)
_REPORTS = re.compile(r"(^|[;,])\s*report-uri\s+([^;,]*)", re.IGNORECASE)
_HARMLESS_RELS = frozenset(
    ("alternate", "canonical", "next", "prev", "license", "shortlink", "https://api.w.org/", "self")
)


def links(value: str, passes: Callable[[str], bool]) -> str:
    """A Link header without what would make the browser fetch or connect (RFC 8288). ``passes(host)`` may report what it stops."""
    kept = []
    for found in _LINK.finditer(value):
        host = host_of(found.group(1))
        rel = _REL.search(found.group(2))
        rels = frozenset((rel.group(1) if rel else "").lower().split())
        if not host or (rels and rels <= _HARMLESS_RELS) or passes(host):
            kept.append(found.group())
    return ", ".join(kept)


def addresses(value: str) -> list[str]:
    """The hosts of the addresses in a header that names some."""
    hosts = (host_of(found) for found in re.findall(r"(?:https?:)?//[^\s\"';,]+", value.replace("\\", "/")))
    return [host for host in hosts if host]


def reporting_home(policy: str, passes: Callable[[str], bool]) -> str:
    """A policy of the site's own that tells nobody else of its violations (CSP 3, 6.5.1); all else of it stays."""

    def mended(found: re.Match[str]) -> str:
        kept = [where for where in found.group(2).split() if not (host := host_of(where)) or passes(host)]
        return f"{found.group(1)} report-uri {' '.join(kept)}" if kept else found.group(1)

    return _REPORTS.sub(mended, policy)


def first(headers: Headers, wanted: bytes) -> bytes | None:
    """The value of the first header of a name."""
    return next((value for name, value in headers if name == wanted), None)


def without(headers: Headers, *names: bytes) -> Headers:
    """All but those of some names."""
    return [(name, value) for name, value in headers if name not in names]


def with_defaults(headers: Headers, scope: Scope) -> Headers:
    """Security headers the site did not send itself."""
    defaults = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"strict-origin-when-cross-origin")]
    if scope.get("scheme") == "https":
        defaults.append((b"strict-transport-security", b"max-age=31536000"))
    present = {name for name, _ in headers}
    return [*headers, *((name, value) for name, value in defaults if name not in present)]


def admitting(own_policy: bytes, scripts: Iterable[str], styles: Iterable[str]) -> bytes:
    """The site's own CSP, with what of ours and of the page may run where it lists sources."""
    ours = {"script": scripts, "style": styles}
    parts = []
    for part in own_policy.decode("latin-1").split(";"):
        name = part.split()[0].lower() if part.split() else ""
        if name in ("script-src", "script-src-elem", "style-src", "style-src-elem") and "'unsafe-inline'" not in part:
            sources = "".join(f" '{source}'" for source in ours[name.partition("-")[0]])
            part = part.replace("'none'", "") + sources
        parts.append(part)
    return ";".join(parts).encode("latin-1")


def deletes(set_cookie: bytes) -> bool:
    """Whether a cookie is set only to be taken away: with no age, or a date that was over before anybody used this."""
    return bool(re.search(rb"(?i);\s*(?:max-age=(?:0|-\d+)|expires=[^;]*[ -](?:19|20[01])\d\d?\b)\s*", set_cookie))


def folders(path: str) -> list[str]:
    """The folders above a path, where a script may have left a cookie that only they see."""
    parts = [quote(part, safe="~._-") for part in path.split("/") if part][:4]
    return ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]


def domains(host: str) -> list[str]:
    """Host-only, then the host and its parents as Domain attributes; addresses and single names have none."""
    name = bare(host)
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not re.fullmatch(r"[a-z0-9.-]+", name):
        return [""]
    return ["", *(f"; Domain={'.'.join(labels[n:])}" for n in range(len(labels) - 1))]
