"""What the event pages of the console say, from what the room knows. Decides nothing."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lofte.core import links
from lofte.core.publication import current
from lofte.features.outreach.events import attendance, letters, reads
from lofte.features.outreach.events import forgetting as gone
from lofte.features.outreach.events.models import Event
from lofte.rules import values
from lofte.rules.catalogue import say
from lofte.web.console.sharing_forms import word


def event(locale: str, row: Event, numbers: reads.Numbers, at: datetime) -> dict[str, Any]:
    state = "over" if row.state == Event.State.PUBLISHED and row.ends_at <= at else row.state
    return {
        "id": row.id, "title": title(locale, row), "when": letters.when(locale, row), "state": state, "numbers": numbers,
        "state_name": say(locale, f"events.state.{state}"), "capacity": row.capacity, "slug": row.slug,
        "places": say(locale, "events.of_places", taken=row.taken, capacity=row.capacity), "is_over": row.ends_at <= at,
        "markets": values.joined(locale, [values.country(locale, current().policy.markets[each].country) for each in row.markets
                                          if each in current().policy.markets]),
    }  # fmt: skip


def title(locale: str, row: Event) -> str:
    """In the reader's language where it is written in that, else in the first it is written in."""
    for said in (row.contents.get(locale, {}), *row.contents.values()):
        if said.get("title"):
            return str(said["title"])
    return str(row.slug)


def attendee(locale: str, each: attendance.Attendee) -> dict[str, Any]:
    fields = ("name", "company", "email", "phone")
    known = [each.answers[field] for field in fields if each.answers.get(field)]
    more = [(word(locale, "fields", field), text) for field, text in each.answers.items() if field not in fields]
    return {
        "person": each.person, "id": each.id, "reference": each.reference, "state": each.state, "since": each.made_at,
        "here": each.checked_in_at, "first": known[:1], "rest": known[1:], "more": more,
    }  # fmt: skip


def columns(row: Event) -> list[str]:
    return reads.fields_of(row)


def forgetting(locale: str, row: Event, lines: Iterable[reads.Leaving]) -> dict[str, Any]:
    shown = [_line(locale, each) for each in lines]
    return {
        "id": row.id, "title": title(locale, row), "when": letters.when(locale, row), "lines": shown,
        "overdue": sum(each["overdue"] for each in shown), "there": sum(each["there"] for each in shown),
    }  # fmt: skip


def _line(locale: str, each: reads.Leaving) -> dict[str, Any]:
    is_whole = each.field == gone.WHOLE
    return {
        "name": say(locale, "events.whole") if is_whole else word(locale, "fields", each.field), "there": each.there,
        "due": each.next_due, "overdue": each.overdue, "purges": each.purges,
    }  # fmt: skip


def kept_for(locale: str, row: Event) -> list[str]:
    """How long what is answered is kept, as the page of the event says it."""
    lines = [say(locale, "events.kept_rest", period=values.period(locale, row.keep))]
    return lines + [
        say(locale, "events.kept_but", field=word(locale, "fields", field), period=values.period(locale, period))
        for field, period in row.retention.items()
    ]


def pages(row: Event) -> list[dict[str, str]]:
    """Where the event can be seen, in each of its markets."""
    policy = current().policy
    return [
        {"url": links.link("event", market, locale, row.slug), "name": say(locale, "common.own_name"), "locale": locale}
        for market in row.markets
        if market in policy.markets
        for locale in policy.markets[market].locales
    ]
