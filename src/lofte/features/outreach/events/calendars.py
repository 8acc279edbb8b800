"""The event as an iCalendar file (RFC 5545): when and where, with the rules of its time zone. Nobody who comes is named in it."""

from datetime import UTC
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings

from lofte.core import clock, links, publication
from lofte.features.outreach.events.models import Event

PRODUCT = "-//Lofte//Events//EN"


def of(event: Event, market: str, locale: str) -> bytes:
    """The file in one language. The same event keeps its UID; a later SEQUENCE replaces what a calendar has of it."""
    policy = publication.current().policy
    controller = policy.controllers[policy.markets[market].controller]
    said, zone = event.contents.get(locale, {}), ZoneInfo(event.zone)
    is_off = event.state == Event.State.CANCELLED
    page = page_url(event, market, locale)
    entry = icalendar.Event()
    entry.add("uid", uid(event))
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", clock.now().astimezone(UTC))
    entry.add("dtstart", event.starts_at.astimezone(zone))
    entry.add("dtend", event.ends_at.astimezone(zone))
    entry.add("summary", said.get("title", ""), parameters={"LANGUAGE": locale})
    entry.add("location", said.get("place", ""), parameters={"LANGUAGE": locale})
    entry.add("description", "\n".join([said.get("lead", ""), "", page]), parameters={"LANGUAGE": locale})
    entry.add("url", page)
    entry.add("status", "CANCELLED" if is_off else "CONFIRMED")
    entry.add("transp", "TRANSPARENT" if is_off else "OPAQUE")
    organiser = icalendar.vCalAddress(f"mailto:{controller.email}")
    organiser.params["CN"] = icalendar.vText(controller.name)
    entry.add("organizer", organiser)
    file = icalendar.Calendar()
    file.add("prodid", PRODUCT)
    file.add("version", "2.0")
    file.add("method", method(event))
    file.add_component(entry)
    file.add_missing_timezones()
    return bytes(file.to_ical())


def method(event: Event) -> str:
    return "CANCEL" if event.state == Event.State.CANCELLED else "PUBLISH"


def media_type(event: Event) -> str:
    return f"text/calendar; charset=utf-8; method={method(event)}"


def uid(event: Event) -> str:
    host = settings.LOFTE_ORIGIN.rpartition("//")[2].partition(":")[0] or "localhost"
    return f"{event.id}@{host}"


def page_url(event: Event, market: str, locale: str) -> str:
    return links.link("event", market, locale, event.slug)
