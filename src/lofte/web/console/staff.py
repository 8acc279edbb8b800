"""Who may see which page of the console. Roles say it (`core.roles`); a page that reaches people asks for a second factor as well.

An auditor is an account with the role `auditors`, which is not staff: promises, their history, evidence and publications, nothing
about people and no button. Which audience sees verdicts is declared in the policy (`verdicts_visible_to`).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from lofte.core import roles
from lofte.core.accounts import AUDITORS
from lofte.core.publication import current
from lofte.kernel.problems import Problem
from lofte.rules.model import Audience

View = Callable[..., HttpResponseBase]

SHOWN_BY = "second_factor_of"
"""Where the session keeps whose second factor it has seen."""
ON_THE_WAY_TO = "second_factor_for"
"""Where the session keeps the page somebody wanted when they were asked for a second factor."""


def needs(*permissions: str) -> Callable[[View], View]:
    """Only for accounts with a role that has one of the permissions, and with a second factor where the page reaches people."""

    def over(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **named: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            held = roles.permissions_of(request.user)
            permission = next((each for each in permissions if each in held), permissions[0])
            roles.demand(request.user, permission)
            return _second_factor(request, permission) or view(request, **named)

        guarded.permissions = permissions  # type: ignore[attr-defined]  # read by the test that no page is left unguarded
        return guarded

    return over


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
        return _second_factor(request, "promises.read") or view(request, **named)

    return guarded


def _second_factor(request: HttpRequest, permission: str) -> HttpResponseBase | None:
    """Where to go first when this page asks for a second factor that this session has not seen; None to go on."""
    user = request.user
    if not roles.wants_second_factor(user, permission):
        return None
    is_enrolled = is_mfa_enabled(user)
    if is_enrolled and request.session.get(SHOWN_BY) == user.pk:
        if ON_THE_WAY_TO in request.session:
            del request.session[ON_THE_WAY_TO]
        return None
    back = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("console")
    request.session[ON_THE_WAY_TO] = back
    if is_enrolled:
        return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': back})}")
    return HttpResponseRedirect(reverse("mfa_activate_totp"))


def is_auditor(user: Any) -> bool:
    return AUDITORS in roles.roles_of(user)


def actor(request: HttpRequest) -> str:
    """The name under which a look or an act by this member of staff is kept."""
    return f"staff:{request.user.pk}"
