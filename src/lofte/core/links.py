"""The addresses that leave in mails, in one place. `web.urls` serves exactly these; a code is the only thing they carry."""

from django.conf import settings

PATHS = {
    "confirm": "/news/{market}/{locale}/confirm/{code}/",
    "go": "/news/go/{code}/",
    "unsubscribe": "/news/{market}/{locale}/unsubscribe/{code}/",
    "open": "/my/{market}/{locale}/open/{code}/",
    "address": "/my/{market}/{locale}/address/{code}/",
    "keep": "/my/{market}/{locale}/keep/{code}/",
    "events": "/events/{market}/{locale}/",
    "event": "/events/{market}/{locale}/{code}/",
    "event_leave": "/events/{market}/{locale}/leave/{code}/",
    "materials": "/materials/{market}/{locale}/",
    "material": "/materials/{market}/{locale}/{code}/",
    "material_open": "/materials/{market}/{locale}/open/{code}/",
    "portal": "/my/{market}/{locale}/",
    "policy": "/lofte/policy/{market}/{locale}/",
    "requests": "/console/requests/",
    "inquiries": "/console/inquiries/",
    "transfers": "/console/transfers/",
}


def link(name: str, market: str, locale: str, code: str = "") -> str:
    """The absolute address: ``link("confirm", "SE", "sv", code)``. The market is lower case in addresses."""
    return settings.LOFTE_ORIGIN + PATHS[name].format(market=market.lower(), locale=locale, code=code)
