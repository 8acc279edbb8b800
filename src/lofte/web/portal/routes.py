"""Addresses of the portal's pages. None of them holds anything about a person."""

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from lofte.web.pages import Edition


def address(here: Edition, route: str, *parts: object) -> str:
    return reverse(route, args=(here.market.lower(), here.locale, *parts))


def to(here: Edition, route: str, *parts: object, part: str = "") -> HttpResponse:
    """Lead there; ``part`` is the id of a section of the page."""
    return HttpResponseRedirect(address(here, route, *parts) + (f"#{part}" if part else ""))
