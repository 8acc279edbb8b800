"""What each console page and each login page knows without being told (a Django context processor)."""

from typing import Any

from django.http import HttpRequest

from lofte.core import clock
from lofte.core.publication import current
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES, say
from lofte.rules.model import Audience
from lofte.web.console.language import console_locale, is_console


def console(request: HttpRequest) -> dict[str, Any]:
    if not is_console(request):
        return {}
    return {
        "locale": console_locale(request),
        "locales": [{"locale": locale, "name": say(locale, "common.own_language")} for locale in LOCALES],
        **_published(),
        "now": clock.now(),
        "spot": "account" if request.path.startswith("/accounts/") else "",
    }


def _published() -> dict[str, Any]:
    try:
        policy = current().policy
    except Problem:  # nothing is published yet
        return {"organisation": "", "verdicts_are_public": False}
    is_public = policy.verdicts_visible_to is Audience.PUBLIC
    return {"organisation": policy.organisation.name, "verdicts_are_public": is_public}
