"""Long work as the console shows it, and the one that two people may start from here. About nobody: names and counts."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from lofte.core import approvals
from lofte.core.progress import verbs as progress
from lofte.rules.catalogue import say
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs

_SHOWN = 12
_APART = {"sv": "\u00a0", "nb": "\u00a0", "fi": "\u00a0"}
_KNOWN = {
    "vault.rotate": "rotate",
    "retention.recompute": "recompute",
    "rights.search": "search",
    "rights.clear": "search",
    "retention.sweep": "sweep",
    "register.index": "index",
    "people.import": "import",
}


def newest(locale: str) -> list[dict[str, Any]]:
    """What is under way and what was finished last."""
    return [
        {
            "name": say(locale, f"work.{_KNOWN.get(each.name, 'other')}"),
            "state": "done" if each.finished_at else "stands" if each.stands else "moves",
            "done": each.done,
            "total": each.total,
            "percent": each.percent,
            "said": say(
                locale, f"work.so_far_{each.unit}", done=_number(locale, each.done), total=_number(locale, each.total)
            ),
            "moved_at": each.moved_at,
            "started_at": each.started_at,
            "finished_at": each.finished_at,
        }
        for each in progress.newest(_SHOWN)
    ]


@require_POST
@needs("roles.manage")
def rotate(request: HttpRequest) -> HttpResponse:
    """Ask for a new epoch of the vault. Somebody else must approve; the next round of duties then begins."""
    approvals.ask("vault.rotate", actor(request))
    messages.success(request, say(console_locale(request), "work.rotate_asked"))
    return HttpResponseRedirect(reverse("console-approvals"))


def _number(locale: str, number: int) -> str:
    return f"{number:,}".replace(",", _APART.get(locale, ","))
