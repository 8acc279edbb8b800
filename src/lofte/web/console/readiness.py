"""Is the domain letters are sent from ready? Asked of the name servers when somebody presses the button, and kept nowhere."""

from ipaddress import ip_address
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from lofte.core.mailing import readiness
from lofte.core.mailing.names import Dns
from lofte.core.mailing.readiness import Line, State
from lofte.rules.catalogue import say
from lofte.web.console.language import console_locale
from lofte.web.console.staff import needs

_SHAPES = {State.READY: "kept", State.FAULT: "broken", State.WARNING: "unproved", State.UNKNOWN: "unproved"}


@require_http_methods(["GET", "HEAD", "POST"])
@needs("operation.read")
def sending(request: HttpRequest) -> HttpResponse:
    locale, typed = console_locale(request), request.POST.get("address", "").strip()
    seen: dict[str, Any] = {"spot": "operation", "sender": readiness.ours(), "typed": typed}
    if request.method != "POST":
        return render(request, "lofte/console/readiness.html", seen)
    if typed and not _is_address(typed):
        return render(
            request, "lofte/console/readiness.html", seen | {"error": say(locale, "readiness.form.wrong")}, status=422
        )
    sender = readiness.ours(addresses=(str(ip_address(typed)),) if typed else ())
    lines = readiness.check(sender, Dns())
    faults = sum(line.state is State.FAULT for line in lines)
    if faults:
        summary = say(locale, "readiness.faults", n=faults)
    else:
        is_whole = all(line.state is State.READY for line in lines)
        summary = say(locale, "readiness.all_ready" if is_whole else "readiness.no_faults")
    return render(
        request, "lofte/console/readiness.html",
        seen | {"checks": _by_check(locale, lines), "summary": summary, "tone": "bad" if faults else "good"},
    )  # fmt: skip


def _by_check(locale: str, lines: list[Line]) -> list[dict[str, Any]]:
    """What was seen, under the names of the checks."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        said, way_out = readiness.told(line, locale)
        shown = {
            "said": said, "way_out": way_out, "shape": _SHAPES[line.state], "state": say(locale, f"readiness.state.{line.state}"),
        }  # fmt: skip
        found.setdefault(line.check, []).append(shown)
    return [{"id": name, "name": say(locale, f"readiness.check.{name}"), "lines": each} for name, each in found.items()]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
