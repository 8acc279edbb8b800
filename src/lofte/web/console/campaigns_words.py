"""A campaign in words: what it is, how far it has come, what became of it. Numbers about few are not told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lofte.core.publication import current
from lofte.features.outreach import campaigns, results
from lofte.features.outreach.segments import reads as segments
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.values import joined
from lofte.web import calendar
from lofte.web import segment_words as words

STATES = ("sent", "waiting", "put_off", "bounced", "failed", "suppressed", "skipped")
OPEN = ("draft", "scheduled")
BEGUN = ("sending", "paused", "sent", "stopped")


def campaign(locale: str, seen: campaigns.Seen) -> dict[str, Any]:
    """What lists and pages say about one."""
    return {
        "id": seen.id,
        "name": seen.name or words.topic(locale, seen.topic),
        "topic": words.topic(locale, seen.topic),
        "purpose": words.word(locale, "purposes", seen.purpose, "name"),
        "markets": joined(locale, [words.market(locale, each) for each in seen.markets]) if seen.markets else "",
        "state": seen.state,
        "state_name": say(locale, f"campaigns.state.{seen.state}"),
        "when": _when(seen),
        "changed_at": seen.changed_at,
        "written": [_language(each) for each, content in seen.contents.items() if content.is_complete],
        "lacking": joined(locale, [words.language(each) for each in seen.lacking]),
        "is_whole": not seen.lacking,
        "is_open": seen.state in OPEN,
        "has_begun": seen.state in BEGUN,
        "is_going": seen.state in ("sending", "paused"),
        **_audience(locale, seen),
    }


def description(locale: str, seen: campaigns.Seen) -> list[tuple[str, str]]:
    """What a campaign is called and whom it is for, as its form asks for it."""
    said = campaign(locale, seen)
    waits = say(locale, "campaigns.form.waits", days=seen.patience) if seen.patience else ""
    return [
        (_label(locale, "name"), seen.name),
        (_label(locale, "topic"), said["topic"]),
        (_label(locale, "markets"), said["markets"] or say(locale, "campaigns.every_market")),
        (_label(locale, "segment"), said["audience"]),
        (_label(locale, "patience"), waits or say(locale, "campaigns.form.waits_not")),
    ]


def _label(locale: str, field: str) -> str:
    return say(locale, f"campaigns.form.{field}")


def _when(seen: campaigns.Seen) -> datetime | None:
    return seen.ended_at or seen.started_at or seen.due_at


def _language(tag: str) -> dict[str, str]:
    return {"locale": tag, "name": words.language(tag)}


def _audience(locale: str, seen: campaigns.Seen) -> dict[str, Any]:
    if seen.segment is None:
        return {"audience": say(locale, "campaigns.everybody"), "segment": None}
    try:
        name, link = segments.name_of(seen.segment), seen.segment
    except Problem:
        name, link = say(locale, "campaigns.segment_gone"), None
    said = say(locale, "campaigns.segment_only", name=name)
    return {"audience": said, "segment": {"id": link, "name": name}}


def letters(seen: campaigns.Seen) -> list[dict[str, Any]]:
    """The letter in every language of the campaign's markets, and in those it was written in anyway."""
    policy = current().policy
    topic = policy.topics.get(seen.topic)
    markets = seen.markets or (topic.markets if topic else ()) or tuple(policy.markets)
    spoken = [tag for key in markets if key in policy.markets for tag in policy.markets[key].locales]
    tags = [tag for tag in policy.locales() if tag in spoken or tag in seen.contents]
    return [_letter(tag, seen.contents.get(tag)) for tag in tags]


def _letter(tag: str, content: campaigns.Content | None) -> dict[str, Any]:
    told = {"subject": content.subject, "preheader": content.preheader} if content else {}
    return _language(tag) | {"is_written": content is not None and content.is_complete} | told


# --- numbers --------------------------------------------------------------------------------------------------------


def progress(locale: str, now: results.Progress) -> str:
    """How far it has come. Whom it looked at is told in round numbers: from the exact one, a hidden group could be worked out."""
    looked = now.looked - now.looked % current().policy.outreach.smallest_group
    left, waiting = number(locale, now.left), number(locale, now.waiting)
    said = say(locale, "campaigns.running.lead", looked=looked, left=left, waiting=waiting)
    if not now.put_off:
        return said
    until = calendar.day(locale, now.current_until)
    return f"{said} {say(locale, 'campaigns.running.put_off', number=number(locale, now.put_off), until=until)}"


def outcome(locale: str, found: results.Results) -> dict[str, Any]:
    """The groups by state, and below the reasons of those left out."""
    by_state: dict[str, list[int | None]] = {}
    for each in found.groups:
        by_state.setdefault(each.state, []).append(each.count)
    states = [
        {"name": say(locale, f"campaigns.results.{state}"), "number": _sum(locale, by_state[state], found.smallest)}
        for state in STATES
        if state in by_state
    ]
    reasons = [
        {"name": reason(locale, each.reason), "number": _told(locale, each.count, found.smallest)}
        for each in found.groups
        if each.reason and each.state not in ("sent", "waiting", "put_off")
    ]
    if found.total is not None and states:
        states.append({"name": say(locale, "campaigns.results.total"), "number": str(found.total)})
    return {"states": states, "reasons": reasons}


def clicks(locale: str, counted: Sequence[tuple[str, int]]) -> list[dict[str, str]]:
    """How often each link was followed; few times are not told, since few people are behind them."""
    return [{"address": address, "number": number(locale, count)} for address, count in counted]


def _sum(locale: str, counts: list[int | None], smallest: int) -> str:
    """The sum of a state's groups, told only where each of them is: a hidden one could be worked out from the rest."""
    known = [each for each in counts if each is not None]
    if len(known) == len(counts):
        return str(sum(known))
    return say(locale, "campaigns.results.few", n=smallest) if not known else "–"


def _told(locale: str, count: int | None, smallest: int) -> str:
    return say(locale, "campaigns.results.few", n=smallest) if count is None else str(count)


def number(locale: str, count: int) -> str:
    """A number of people, unless it tells of too few."""
    smallest = current().policy.outreach.smallest_group
    return str(count) if count == 0 or count >= smallest else say(locale, "campaigns.results.few", n=smallest)


def reason(locale: str, key: str) -> str:
    """Why somebody was left out; what the law of a market says is told by the law's own words where there are any."""
    known = room_words(locale, "campaigns")
    if f"reason.{key}" in known:
        return say(locale, f"campaigns.reason.{key}")
    if key.startswith(("law-", "marketing")):
        return say(locale, "campaigns.reason.law")
    gates, under = room_words(locale, "gates"), f"reason.{key.replace('-', '_')}"
    return say(locale, f"gates.{under}") if under in gates else say(locale, "campaigns.reason.another")


def left_out(locale: str, names: tuple[str, ...]) -> list[str]:
    """What was taken away from what an editor wrote, in words."""
    named: Mapping[str, str] = room_words(locale, "campaigns")
    known = [say(locale, f"campaigns.left_out.{each}") for each in names if f"left_out.{each}" in named]
    tags = [each for each in names if f"left_out.{each}" not in named]
    return known + (
        [say(locale, "campaigns.left_out.tag", names=", ".join(f"<{each}>" for each in tags))] if tags else []
    )
