"""Events for visitors. A GET never acts: the mailed link shows a button, and only pressing it gives up the place."""

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from lofte.core import clock
from lofte.features.outreach.events import calendars, letters, reads, seats, terms
from lofte.features.outreach.events.models import Event
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.web.doors import own_posts_only, stamp
from lofte.web.events.prose import prose
from lofte.web.forms import shape
from lofte.web.pages import Edition, edition, editions_beside, page


@require_safe
def listing(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    here = edition(market, locale)
    rows = [shown(here, each) for each in reads.ahead(here.market, clock.now())]
    return page(request, "events/list.html", here, route="events", rows=rows)


@require_safe
def event(request: HttpRequest, market: str, locale: str, slug: str) -> HttpResponse:
    """One event: what, when, where, and the form to register by while that is open."""
    here = edition(market, locale)
    row = _event(here, slug)
    text = prose(row.contents[here.locale].get("text", ""))
    beside = editions_beside(request, here, "event", [row.slug], row.markets)
    return page(
        request, "events/event.html", here, event=shown(here, row), text=text, editions=beside, form=_form(request, here, row),
    )  # fmt: skip


@require_safe
def calendar(request: HttpRequest, market: str, locale: str, slug: str) -> HttpResponse:
    """The event for a calendar; the same file for everybody."""
    here = edition(market, locale)
    row = _event(here, slug)
    content = calendars.of(row, here.market, here.locale)
    answer = HttpResponse(content, content_type=calendars.media_type(row))
    answer["Content-Disposition"] = f'attachment; filename="{row.slug}.ics"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@own_posts_only("event-leave")
def leave(request: HttpRequest, market: str, locale: str, code: str) -> HttpResponse:
    """Giving up a place: GET shows the button, POST does it, as often as one likes."""
    here = edition(market, locale)
    found = reads.open_link(code)
    if found is None:
        raise Problem("code.unknown", "the link is expired or wrong", status=410)
    is_done = found.is_over
    if request.method == "POST":
        seats.leave(code)
        is_done = True
    return page(
        request, "events/leave.html", here, event=shown(here, found.event), is_done=is_done, stamp=stamp("event-leave")
    )


def shown(here: Edition, row: Event) -> dict[str, Any]:
    """An event in the words of an edition."""
    said: dict[str, str] = row.contents.get(here.locale) or next(iter(row.contents.values()), {})
    free, is_open = reads.free(row), seats.is_open(row, clock.now())
    return {
        **{part: said.get(part, "") for part in ("title", "lead", "place")}, "id": row.id, "slug": row.slug, "free": free,
        "when": letters.when(here.locale, row), "closes": letters.when_closes(here.locale, row), "is_online": bool(row.online),
        "is_open": is_open, "state": "called_off" if row.state == Event.State.CANCELLED else _state(row, free, is_open),
    }  # fmt: skip


def _state(row: Event, free: int, is_open: bool) -> str:
    if row.ends_at <= clock.now():
        return "over"
    if not is_open:
        return "closed"
    if free:
        return "free"
    return "queue" if row.has_waiting_list else "full"


def _event(here: Edition, slug: str) -> Event:
    row = reads.shown(here.market, slug)
    if row is None or here.locale not in row.contents:
        raise Http404
    return row


def _form(request: HttpRequest, here: Edition, row: Event) -> Any:
    """The form to register by, ready to be shown; None while nobody can."""
    spec = seats.form_for(row.form, here.market)
    if spec is None or not seats.is_open(row, clock.now()) or not (row.has_waiting_list or reads.free(row)):
        return None
    form = shape.shown(here, spec.id, page=request.path, about=row.id)
    return replace(form, purpose={**form.purpose, "clock": " ".join(_kept(here, row))})


def _kept(here: Edition, row: Event) -> list[str]:
    """How long what is written in the form is kept, in words: GDPR 13(2)(a), for this event."""
    fields = reads.fields_of(row)
    lines = [here.say("events.kept_rest", period=values.period(here.locale, row.keep))]
    lines += [
        here.say(
            "events.kept_but", field=here.word("fields", field), period=values.period(here.locale, row.retention[field])
        )
        for field in fields
        if row.retention.get(field, row.keep) != row.keep
    ]
    return [*lines, here.say("events.kept_left", period=values.period(here.locale, terms.KNOWN_AFTER_LEAVING))]
