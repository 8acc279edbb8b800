"""Who may see the console: staff, signed in. Everybody else is led to the login and learns nothing of it."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from lofte.kernel.problems import Problem

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


def actor(request: HttpRequest) -> str:
    """The name under which a look or an act by this member of staff is kept."""
    return f"staff:{request.user.pk}"
