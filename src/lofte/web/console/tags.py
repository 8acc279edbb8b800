"""The live inventory: what pages load beside what the policy declares, and the alarms where the two differ."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lofte.core.publication import current
from lofte.features.findings import reads, verbs
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.web.console.language import console_locale
from lofte.web.console.staff import actor, needs

_SHOWN = 200
_ANSWERS = ("removed", "noise")


@require_safe
@needs("operation.read")
def inventory(request: HttpRequest) -> HttpResponse:
    locale, published = console_locale(request), current()
    alarms = [
        {
            "what": one.what, "seen_by": one.seen_by, "kinds": ", ".join(one.kinds), "where": ", ".join(one.markets),
            "page": one.page, "times": one.times, "first": one.first_seen, "last": one.last_seen, "is_own": one.is_own,
            "came_back": one.came_back,
            "vendor": say(locale, "tags.alarms.vendor", names=", ".join(one.vendors)) if one.vendors else "",
        }
        for one in reads.alarms(published.policy)[:_SHOWN]
    ]  # fmt: skip
    tags = [
        {"tag": one, "purpose": _purpose(locale, one.purpose), "where": ", ".join(one.markets)}
        for one in reads.inventory(published.policy)
    ]
    return render(request, "lofte/console/tags.html", {"spot": "operation", "alarms": alarms, "tags": tags})


@require_POST
@needs("promises.check")
def settle(request: HttpRequest) -> HttpResponse:
    """What staff found an alarm to be."""
    what, seen_by, answer = (request.POST.get(name, "") for name in ("what", "seen_by", "answer"))
    if answer not in _ANSWERS:
        raise Problem("findings.unknown-answer", "an alarm is settled as removed or as noise", status=400)
    verbs.settle(what, seen_by, cast(verbs.Settled, answer), actor(request))
    messages.success(request, say(console_locale(request), "tags.alarms.noted", what=what))
    return HttpResponseRedirect(reverse("console-tags"))


def _purpose(locale: str, key: str) -> str:
    try:
        return current().word(locale, "purposes", key, "name")
    except Problem:  # a policy need not speak the language of the reader
        return key
