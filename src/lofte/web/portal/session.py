"""Which person this browser may see: the token of a `rights` session, in the Django session, asked anew each time."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from lofte.core import clock
from lofte.features.rights import freshness, reads, verbs
from lofte.web.pages import Edition, edition

KEY = "portal"
ONWARD = "portal-onward"
"""Where to go on once a code was given: the name of a page and what it is about."""

View = Callable[..., HttpResponseBase]


def begin(request: HttpRequest, grant: verbs.Grant) -> None:
    """Let this browser see one person. The session's id changes, so that one planted before is worth nothing."""
    request.session.cycle_key()
    request.session[KEY] = grant.token
    if not request.user.is_authenticated:
        request.session.set_expiry(max(60, int((grant.expires_at - clock.now()).total_seconds())))


def end(request: HttpRequest) -> None:
    request.session.pop(ONWARD, None)
    if token := request.session.pop(KEY, ""):
        verbs.close_portal(token)
    if not request.user.is_authenticated:
        request.session.flush()


def for_a_person(view: View) -> View:
    """The view gets the edition and the grant. A browser without one is led to the page that mails a link."""

    @wraps(view)
    def guarded(request: HttpRequest, market: str, locale: str, **named: object) -> HttpResponseBase:
        here: Edition = edition(market, locale)
        token = request.session.get(KEY, "")
        grant = reads.session(token) if token else None
        if grant is None:
            if token:
                request.session.pop(KEY)
                messages.warning(request, here.say("portal.session_over"), extra_tags="warn")
            return HttpResponseRedirect(reverse("portal", args=(market, locale)))
        return view(request, here, grant, **named)

    return guarded


def fresh(act: str, onward: str) -> Callable[[View], View]:
    """For acts the policy asks a fresh code for: an older visit is led to the page that mails one, and from there to ``onward``."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, here: Edition, grant: verbs.Grant, **named: object) -> HttpResponseBase:
            if freshness.is_fresh(grant, act):
                return view(request, here, grant, **named)
            about = [str(each) for each in named.values()] if onward == "portal-correct" else []
            request.session[ONWARD] = [onward, *about]
            return HttpResponseRedirect(reverse("portal-code", args=(here.market.lower(), here.locale)))

        return guarded

    return guard
