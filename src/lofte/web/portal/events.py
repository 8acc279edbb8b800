"""Giving up a place at an event from one's own page."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from lofte.features.outreach.events import seats
from lofte.features.rights import verbs
from lofte.web.pages import Edition
from lofte.web.portal.routes import to
from lofte.web.portal.session import for_a_person


@require_POST
@for_a_person
def leave(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    try:
        registration = UUID(request.POST.get("registration", ""))
    except ValueError:
        raise Http404 from None
    seats.withdraw(grant.person_id, registration, by="person")
    messages.success(request, here.say("events.own.left"), extra_tags="good")
    return to(here, "portal-data", part="events")
