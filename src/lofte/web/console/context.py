"""What each console page and each login page knows without being told (a Django context processor)."""

from typing import Any

from django.http import HttpRequest

from lofte.core import approvals, clock, roles
from lofte.core.publication import current
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES, say
from lofte.rules.model import Audience
from lofte.web.console.language import console_locale, is_console
from lofte.web.console.staff import ON_THE_WAY_TO, actor


def console(request: HttpRequest) -> dict[str, Any]:
    if not is_console(request):
        return {}
    return {
        "locale": console_locale(request),
        "locales": [{"locale": locale, "name": say(locale, "common.own_language")} for locale in LOCALES],
        **_published(),
        **_authority(request),
        "now": clock.now(),
        "spot": "account" if request.path.startswith("/accounts/") else "",
    }


def _authority(request: HttpRequest) -> dict[str, Any]:
    """What the account may do, for the navigation; what waits for it; where it was going when a second factor was asked for."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"may": {}, "onward": ""}
    try:
        may = roles.permissions_of(user)
    except Problem:  # a file of roles with a fault: the page itself says so
        return {"may": {}, "onward": ""}
    waiting = approvals.count_waiting(actor(request)) if "approvals.decide" in may else 0
    onward = request.session.get(ON_THE_WAY_TO, "") if request.path.startswith("/accounts/") else ""
    # named with a line below, not with a dot: templates read `may.people_read`
    return {"may": {each.replace(".", "_"): True for each in may}, "approvals_waiting": waiting, "onward": onward}


def _published() -> dict[str, Any]:
    try:
        policy = current().policy
    except Problem:  # nothing is published yet
        return {"organisation": "", "verdicts_are_public": False}
    is_public = policy.verdicts_visible_to is Audience.PUBLIC
    return {"organisation": policy.organisation.name, "verdicts_are_public": is_public}
