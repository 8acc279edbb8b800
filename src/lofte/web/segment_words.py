"""A segment in words: what it asks, how many are in it, and for the person why it holds them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lofte.core.publication import current
from lofte.features.outreach.segments import reads, sources
from lofte.features.outreach.segments.matching import Condition, from_rows
from lofte.features.rights.overview import SegmentItem
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.values import country
from lofte.web.pages import sentence


def word(locale: str, section: str, key: str, part: str | None = None) -> str:
    """A word of the policy; the key itself when this publication has none."""
    try:
        return current().word(locale, section, key, part)
    except (Problem, KeyError):
        return key


def market(locale: str, key: str) -> str:
    declared = current().policy.markets.get(key)
    return country(locale, declared.country) if declared else key


def language(locale: str) -> str:
    """The language in its own words, as in every choice of language."""
    try:
        return say(locale, "common.own_language")
    except KeyError:
        return locale


def topic(locale: str, key: str) -> str:
    found = word(locale, "topics", key, "name")
    old = f"topic.{key}"
    return say(locale, f"news.{old}") if found == key and old in room_words(locale, "news") else found


def condition(locale: str, each: Condition) -> str:
    """One condition as a sentence."""
    no = "not_" if each.without else ""
    if each.of == "field":
        said = {
            "field": sentence(word(locale, "fields", each.field)),
            "how": say(locale, f"segments.how.{no}{each.how}"),
        }
        if each.how == "held":
            return say(locale, "segments.why.held", **said)
        return say(locale, "segments.why.field", values=_either(locale, each.values), **said)
    values = _either(locale, [_value(locale, each.of, one) for one in each.values])
    return say(locale, f"segments.why.{no}{each.of}", values=values, days=each.days)


def _value(locale: str, of: str, value: str) -> str:
    match of:
        case "market":
            return market(locale, value)
        case "locale":
            return language(value)
        case "relation":
            return _inside(word(locale, "relations", value, "name"))
        case "topic":
            return topic(locale, value)
        case "interest":
            return say(locale, f"segments.signal.{value}")
        case "event" | "material":
            known: Mapping[str, str] = dict(sources.offered(of, locale))
            return known.get(value, "–")
    return value


def _inside(words: str) -> str:
    """The words with a small first letter, for where they stand in a sentence."""
    return words[:1].lower() + words[1:]


def _either(locale: str, values: Sequence[str]) -> str:
    said = list(dict.fromkeys(values))
    if len(said) < 2:
        return said[0] if said else ""
    return say(locale, "segments.why.or", before=", ".join(said[:-1]), last=said[-1])


def size(locale: str, each: reads.Size) -> dict[str, Any]:
    """How many, in words, with what must be said beside it."""
    smallest = current().policy.outreach.smallest_group
    if each.is_counting:
        return {
            "said": say(locale, "segments.size.counting"),
            "lead": say(locale, "segments.size.counting_lead", n=each.looked_at),
        }
    if each.is_small:
        return {
            "said": say(locale, "segments.size.small", n=smallest),
            "lead": say(locale, "segments.size.small_lead"),
            "at": each.counted_at,
        }
    if each.is_nearly_all:
        return {
            "said": say(locale, "segments.size.nearly_all", n=smallest), "lead": say(locale, "segments.size.nearly_all_lead"),
            "at": each.counted_at,
        }  # fmt: skip
    if each.count is None:
        return {"said": say(locale, "segments.size.unknown")}
    return {"said": say(locale, "segments.size.count", n=each.count), "at": each.counted_at}


def segment(locale: str, each: reads.Seen) -> dict[str, Any]:
    uses = dict.fromkeys(one.uses for one in each.conditions if one.uses)
    return {
        "id": each.id,
        "name": each.name,
        "purpose": word(locale, "purposes", each.purpose, "name"),
        "asks": [condition(locale, one) for one in each.conditions],
        "uses": fields(locale, uses),
        "changed_at": each.changed_at,
        "is_away": each.put_away_at is not None,
        "is_faulty": each.fault is not None,
        "size": size(locale, each.size),
    }


def own(locale: str, found: Iterable[SegmentItem]) -> list[dict[str, Any]]:
    """The segments that hold somebody, for that person."""
    return [
        {
            "name": each.name,
            "purpose": word(locale, "purposes", each.purpose, "name"),
            "because": [condition(locale, one) for one in from_rows(each.conditions)],
            "uses": fields(locale, each.fields),
        }
        for each in found
    ]


def fields(locale: str, keys: Iterable[str]) -> str:
    return ", ".join(word(locale, "fields", each) for each in keys)
