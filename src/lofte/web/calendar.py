"""Days and moments as the five languages write them, in the time of their country. Pure: `now` is handed in."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lofte.rules import values
from lofte.rules.catalogue import say


def day(locale: str, at: date | datetime) -> str:
    """`3 mars 2026`, `3. mars 2026`, `3. maaliskuuta 2026`, `3 March 2026`, `March 3, 2026`."""
    local = at.astimezone(zone(locale)) if isinstance(at, datetime) else at
    return values.day(locale, local)


def moment(locale: str, at: datetime) -> str:
    """The day and the time of day."""
    local = at.astimezone(zone(locale))
    return say(locale, "common.moment", day=day(locale, at), time=clock_time(locale, local))


def clock_time(locale: str, local: datetime) -> str:
    if locale == "en-US":
        return f"{local.hour % 12 or 12}:{local.minute:02} {'AM' if local.hour < 12 else 'PM'}"
    if locale in ("fi", "nb"):
        return f"{local.hour:02}.{local.minute:02}"
    return f"{local.hour:02}:{local.minute:02}"


def ago(locale: str, at: datetime, now: datetime) -> str:
    """How long since, to the coarsest unit that says something; the day itself when more than a month ago."""
    passed = max(now - at, timedelta())
    if passed < timedelta(minutes=1):
        return say(locale, "common.ago_now")
    if passed < timedelta(hours=1):
        return say(locale, "common.ago_minutes", n=passed // timedelta(minutes=1))
    if passed < timedelta(days=1):
        return say(locale, "common.ago_hours", n=passed // timedelta(hours=1))
    if passed < timedelta(days=31):
        return say(locale, "common.ago_days", n=passed // timedelta(days=1))
    return day(locale, at)


def left(locale: str, due: date | datetime, now: datetime) -> str:
    """How long until a deadline: days when near, months when far; past deadlines say so."""
    due_day = due.astimezone(zone(locale)).date() if isinstance(due, datetime) else due
    today = now.astimezone(zone(locale)).date()
    days = (due_day - today).days
    if days < 0:
        return say(locale, "common.overdue")
    if days == 0:
        return say(locale, "common.left_today")
    if days < 60:
        return say(locale, "common.left_days", n=days)
    months = (due_day.year - today.year) * 12 + due_day.month - today.month - (due_day.day < today.day)
    return say(locale, "common.left_months", n=months)


def size(locale: str, octets: int) -> str:
    """`12 kB`, `1,4 MB`."""
    if octets < 1_000_000:
        return f"{max(1, round(octets / 1000))}\u00a0kB"
    number = f"{octets / 1_000_000:.1f}"
    return (number if locale.startswith("en") else number.replace(".", ",")) + "\u00a0MB"


def zone(locale: str) -> ZoneInfo:
    return ZoneInfo(say(locale, "common.zone"))
