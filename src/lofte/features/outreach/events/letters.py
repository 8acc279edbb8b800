"""Letters about an event somebody registered for: part of the contract, so they need no consent and carry no advertising."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from lofte.core import clock, codes, links, mail, ports, vault
from lofte.features.outreach.events import calendars, terms
from lofte.features.outreach.events.models import Answer, Event, Registration
from lofte.rules import values
from lofte.rules.catalogue import say

KINDS = ("registered", "waiting", "promoted", "reminder", "changed", "left", "called_off")
_WITH_CALENDAR = ("registered", "promoted", "changed", "called_off")
_WITH_WAY_OUT = ("registered", "waiting", "promoted", "reminder", "changed")
_WITH_ADDRESS_TO_JOIN = ("registered", "promoted", "reminder", "changed")
_BY = "events"


def to_one(event: Event, row: Registration, kind: str, *, again: bool = False) -> UUID | None:
    """Queue a letter, in the caller's transaction. None where the address is gone already (nobody is written to then)."""
    to = _address(row, row.purpose, by=_BY)
    if not to:
        return None
    locale = row.locale
    words = compose(event, row, kind, code=_way_out(event, row) if kind in _WITH_WAY_OUT else "", again=again)
    files: tuple[mail.Attached, ...] = ()
    has_place = row.state == Registration.State.REGISTERED
    if kind in _WITH_CALENDAR and (has_place or kind == "called_off"):
        content = calendars.of(event, row.market, locale)
        files = (mail.Attached(f"{event.slug}.ics", calendars.media_type(event), content),)
    letter = mail.Letter(f"event_{kind}", row.person_id, to, words, row.purpose, about=row.id, attachments=files)
    return mail.send(letter)


def compose(event: Event, row: Registration, kind: str, *, code: str, again: bool = False) -> mail.Words:
    """The letter as it is sent."""
    market, locale = row.market, row.locale
    said = event.contents.get(locale, {})
    period = values.period(locale, terms.KNOWN_AFTER_LEAVING)
    slots = {"title": said.get("title", ""), "day": when(locale, event), "period": period}
    facts = [(say(locale, "events.when"), when(locale, event)), (say(locale, "events.where"), said.get("place", ""))]
    if kind in _WITH_ADDRESS_TO_JOIN and event.online:
        facts.append((say(locale, "events.join"), event.online))
    if row.state == Registration.State.REGISTERED and kind in _WITH_ADDRESS_TO_JOIN:
        facts.append((say(locale, "events.reference"), row.reference))
    after = [say(locale, f"events.mail.{kind}.after", **slots)]
    after += [say(locale, "events.mail.again")] if again else []
    after += [say(locale, "events.mail.no_marketing")] if kind in ("registered", "waiting") else []
    url = links.link("event_leave", market, locale, code) if code else links.link("events", market, locale)
    return mail.compose(
        "shared", market, locale, subject=say(locale, f"events.mail.{kind}.subject", **slots),
        lead=say(locale, f"events.mail.{kind}.lead", **slots), facts=facts, after=after, url=url,
        button=say(locale, "events.mail.leave" if code else "events.mail.others"),
    )  # fmt: skip


def when(locale: str, event: Event) -> str:
    """The day and hours of the event, in its own time zone: ``3 March 2027, 09:00–12:00 (CET)``."""
    zone = ZoneInfo(event.zone)
    begins, ends = event.starts_at.astimezone(zone), event.ends_at.astimezone(zone)
    slots = {
        "day": values.day(locale, begins), "from": clock_time(locale, begins), "until": clock_time(locale, ends),
        "zone": begins.strftime("%Z") if not begins.strftime("%Z").startswith(("+", "-")) else event.zone,
    }  # fmt: skip
    if begins.date() == ends.date():
        return say(locale, "events.one_day", **slots)
    return say(locale, "events.many_days", **slots, last=values.day(locale, ends))


def when_closes(locale: str, event: Event) -> str:
    """Until when people can register."""
    local = (event.closes_at or event.starts_at).astimezone(ZoneInfo(event.zone))
    return say(locale, "common.moment", day=values.day(locale, local), time=clock_time(locale, local))


def clock_time(locale: str, local: datetime) -> str:
    if locale == "en-US":
        return f"{local.hour % 12 or 12}:{local.minute:02} {'AM' if local.hour < 12 else 'PM'}"
    separator = "." if locale in ("fi", "nb") else ":"
    return f"{local.hour:02}{separator}{local.minute:02}"


def _way_out(event: Event, row: Registration) -> str:
    """A link that gives up the place; it works until the event is over, however often it is looked at."""
    lasts = max(event.ends_at - clock.now(), timedelta(minutes=1))
    return codes.issue(
        "event-leave", row.person_id, market=row.market, locale=row.locale, lasts=lasts, single_use=False, about=row.id
    )


def _address(row: Registration, purpose: str, *, by: str) -> str:
    """Where this registration is written to: the address it was made with. Leaves a look, like every reading."""
    found = Answer.objects.of(row.person_id).filter(registration=row.id, field="email").first()
    if found is None or not vault.has_key(row.person_id):
        return ""
    decided = ports.register().look({row.person_id: ["email"]}, purpose, by=by)[row.person_id]
    if not decided.allowed:  # their data may only be stored now
        return ""
    return vault.opener(row.person_id).open(found.id, found.sealed).decode()
