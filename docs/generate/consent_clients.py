"""consent-clients.md: ours beside other consent clients, from what `scripts/bench banner --save` kept."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from docs.generate.markdown import ROOT, page, table

NAME = "consent-clients.md"
MEASURED = ROOT / "bench" / "peers" / "measured.json"

Row = tuple[str, Callable[[Mapping[str, Any]], str]]


def made() -> str:
    run = json.loads(MEASURED.read_text(encoding="utf-8"))
    everyone = {one["client"]: one for one in run["clients"]}
    bare, shown = everyone.pop("none"), list(everyone.values())
    head = ("", *(f"{one['client']} {one['version']}".strip() for one in shown))
    return page(
        "Beside other consent clients",
        _LEAD.format(**run),
        "## What a page pays",
        table(head, [(name, *map(said, shown)) for name, said in _COSTS]),
        "## What a visitor gets",
        table(head, [(name, *map(said, shown)) for name, said in _WORTH]),
        _CARGO.format(requests=bare["cargo_requests"], keys=bare["cargo_keys"]),
        _LIMITS,
    )


_LEAD = """Measured {measured} by `scripts/bench banner --save`: one interleaved run of {rounds} rounds in headless Chromium on a
shared machine of two cores. In each round every client is visited once, so noise hits all alike. Bytes are of all
answers after gzip -9, CPU is the main thread's own; both less those of the same page without a client, medians of the
rounds. Read the milliseconds as ratios."""

_CARGO = """The page that is visited holds eight kinds of third-party load and two scripts that write storage, none of
them marked up for any client: style sheet, script, frame, image, injected script, image beacon, `sendBeacon` and
`fetch`. Without a client, {requests} requests leave the browser before any choice, and {keys} keys are written.

*Left behind* is what remains after accepting, four things that statistics would leave (a cookie, a cookie with a path
of its own, an HttpOnly cookie, a key in local storage) and withdrawing, each named to every client as far as it can
be told."""

_LIMITS = """## What this does not say

- The others are used as their own documentation describes, in English, with a banner and settings. Each blocks a tag
  that the site's author marks up for it; that is not measured here, since ours needs no marks.
- Ours works only where its gate or its edge stands in front of the site, or the WordPress plugin in it. The others are
  files that any page can include.
- c15t runs in the mode that needs no server of its own, with React, as its components do."""


def _rules(found: list[str] | None) -> str:
    if found is None:
        return "not opened"
    return f"{len(found)}: {', '.join(found)}" if found else "0"


def _left(one: Mapping[str, Any]) -> str:
    if one["left_behind"] is None:
        return "could not be done"
    kinds = {
        "_bench_js": "cookie", "_bench_path": "path cookie", "_bench_http": "HttpOnly cookie", "bench.local": "local storage",
    }  # fmt: skip
    names = [kinds[name] for name in one["left_behind"]]
    return f"{len(names)}: {', '.join(names)}" if names else "0"


_COSTS: tuple[Row, ...] = (
    ("requests of its own", lambda one: str(one["requests"])),
    ("bytes", lambda one: f"{one['raw_bytes']:,}"),
    ("bytes, gzip", lambda one: f"{one['gzip_bytes']:,}"),
    ("script CPU, ms", lambda one: f"{one['script_ms']:.1f}"),
    ("all CPU of the main thread, ms", lambda one: f"{one['task_ms']:.0f}"),
    ("banner seen after the first paint, ms", lambda one: str(one["late_ms"])),
    ("layout shift", lambda one: f"{one['shift']:g}"),
)
_WORTH: tuple[Row, ...] = (
    ("unmarked requests before consent", lambda one: str(one["cargo_requests"])),
    ("unmarked keys before consent", lambda one: str(one["cargo_keys"])),
    ("presses to withdraw", lambda one: "-" if one["withdraw_presses"] is None else str(one["withdraw_presses"])),
    ("left behind after withdrawal", _left),
    ("axe, banner: rules broken", lambda one: _rules(one["axe_banner"])),
    ("axe, settings: rules broken", lambda one: _rules(one["axe_settings"])),
)
