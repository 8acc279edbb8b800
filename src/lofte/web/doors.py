"""Who may knock: cross-site posts refused without a cookie, and forms stamped with a time.

Newsletter and link forms must work for a browser that blocks cookies (P39) and set none before consent (P34), so they
carry no CSRF cookie: the browser's own word on where a request comes from (Sec-Fetch-Site, else Origin) decides, and a
signed stamp proves the form was shown by us, not long ago. Pages behind a session keep Django's CSRF token.
"""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from lofte.kernel.problems import Problem

View = Callable[..., HttpResponseBase]

STAMP_MAX_AGE_S = 12 * 3600
"""A form left open over a working day still sends; one copied and replayed tomorrow does not."""


def stamp(form: str) -> str:
    """The hidden value that says this form was shown by us, and when. Holds nothing about the visitor."""
    return signing.dumps(form, salt="lofte.web.stamp")


def is_stamped(request: HttpRequest, form: str) -> bool:
    try:
        shown = signing.loads(request.POST.get("stamp", ""), salt="lofte.web.stamp", max_age=STAMP_MAX_AGE_S)
    except signing.BadSignature:
        return False
    return bool(shown == form)


def is_from_here(request: HttpRequest) -> bool:
    """Whether the browser says the request began on this origin. Browsers set these headers; pages cannot."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc in (
        request.get_host(),
        urlsplit(settings.LOFTE_ORIGIN).netloc,
    )


def is_by_hand(request: HttpRequest) -> bool:
    """Whether a human pressed the button, as far as the browser tells: a program inside a browser that posts by itself says no.

    Some mail gateways open links in a real browser and press what they find. Where the browser is silent it is asked once more.
    """
    return "Sec-Fetch-Mode" not in request.headers or request.headers.get("Sec-Fetch-User") == "?1"


def own_posts_only(form: str) -> Callable[[View], View]:
    """For forms without a session: a post must come from our own page and carry its stamp. Raises Problem otherwise."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method == "POST":
                if not is_from_here(request):
                    raise Problem("web.cross-site", "the form was sent from another site", status=403)
                if not is_stamped(request, form):
                    raise Problem("web.stale-form", "the form was shown too long ago, or not by us", status=403)
            return view(request, *args, **kwargs)

        return csrf_exempt(guarded)

    return guard


def caller(request: HttpRequest) -> str:
    """The caller's network address, for limits only; verbs keep it as a keyed hash that soon goes."""
    return str(request.META.get("REMOTE_ADDR", ""))
