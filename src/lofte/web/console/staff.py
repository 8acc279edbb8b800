"""Who may see the console: staff, signed in, and auditors where the policy says so. Nobody else learns anything of it.

An auditor is an account in the group `auditors` that is not staff: promises, their history, evidence and publications, nothing
about people and no button. Which audience sees verdicts is declared in the policy (`verdicts_visible_to`).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from lofte.core.accounts import AUDITORS
from lofte.core.publication import current
from lofte.kernel.problems import Problem
from lofte.rules.model import Audience

View = Callable[..., HttpResponseBase]


def staff_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, **named: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not (request.user.is_active and request.user.is_staff):
            raise Problem("web.not-staff", "the account is not a member of staff", status=403)
        return view(request, **named)

    return guarded


def promise_readers(view: View) -> View:
    """Staff, and auditors unless the policy keeps its verdicts to staff."""

    @wraps(view)
    def guarded(request: HttpRequest, **named: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        user = request.user
        is_let_in = user.is_staff or (is_auditor(user) and current().policy.verdicts_visible_to is not Audience.STAFF)
        if not (user.is_active and is_let_in):
            raise Problem("web.not-staff", "the account may not see the promises", status=403)
        return view(request, **named)

    return guarded


def is_auditor(user: Any) -> bool:
    return bool(user.groups.filter(name=AUDITORS).exists())


def actor(request: HttpRequest) -> str:
    """The name under which a look or an act by this member of staff is kept."""
    return f"staff:{request.user.pk}"
