"""The records as rows of words, in one language: for the page and for the CSV file."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from lofte.rules.catalogue import room_words, say
from lofte.rules.model import Controller, Locale, MarketId
from lofte.rules.published import Published
from lofte.rules.records import MEASURES, Activity, Sending
from lofte.rules.values import clock_words, country, day

COLUMNS = (
    "market", "controller", "contact", "purpose", "why", "basis", "people", "data", "recipients", "transfers", "kept", "security",
    "version",
)  # fmt: skip
"""The columns of the file, in order. Words: records.column.<name>."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run these (OWASP, CSV injection)


@dataclass(frozen=True, slots=True)
class Row:
    """One activity in words."""

    purpose: str
    why: str
    basis: str
    people: tuple[str, ...]
    data: tuple[str, ...]
    recipients: tuple[str, ...]
    transfers: tuple[str, ...]
    kept: tuple[str, ...]
    has_gap: bool  # a transfer with nothing on file


def rows(published: Published, locale: Locale, activities: Iterable[Activity]) -> tuple[Row, ...]:
    return tuple(_row(published, locale, each) for each in activities)


def _row(published: Published, locale: Locale, activity: Activity) -> Row:
    policy = published.policy
    letter = say(locale, f"policy.basis.{activity.basis.value}")
    return Row(
        purpose=published.word(locale, "purposes", activity.purpose, "name"),
        why=published.word(locale, "purposes", activity.purpose, "why"),
        basis=f"{letter}, {activity.law}",
        people=_running([_people(published, locale, each) for each in activity.people]),
        data=_running([published.word(locale, "fields", each) for each in activity.fields]),
        recipients=tuple(
            f"{policy.recipients[each].name} ({say(locale, f'policy.role.{policy.recipients[each].role}').lower()})"
            for each in activity.recipients
        ),
        transfers=tuple(_sending(published, locale, each) for each in activity.sendings),
        kept=tuple(_kept(published, locale, each) for each in activity.clocks),
        has_gap=any(not each.tool for each in activity.sendings),
    )


def _running(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels as they stand in a sentence: only the first keeps its capital, abbreviations theirs."""
    rest = (each if each[1:2].isupper() else each[:1].lower() + each[1:] for each in labels[1:])
    return (*labels[:1], *rest)


def _people(published: Published, locale: Locale, relation: str) -> str:
    return (
        say(locale, "records.visitor")
        if relation == "visitor"
        else published.word(locale, "relations", relation, "name")
    )


def _kept(published: Published, locale: Locale, clock: str) -> str:
    declared, name = published.policy.clocks[clock], published.word(locale, "clocks", clock, "name")
    return f"{clock_words(locale, declared)} {name}" if declared.period else name


def _sending(published: Published, locale: Locale, sending: Sending) -> str:
    slots = {"name": published.policy.recipients[sending.recipient].name, "country": country(locale, sending.country)}
    if not sending.tool:
        return say(locale, "records.no_tool", **slots)
    slots |= {"tool": _tool(locale, sending.tool), "reference": sending.reference}
    if sending.until is None:
        return say(locale, "records.sending", **slots)
    return say(locale, "records.sending_until", day=day(locale, sending.until), **slots)


def _tool(locale: Locale, tool: str) -> str:
    """Both the policy's names of tools and those of what is on file."""
    words = room_words(locale, "gates")
    return words.get(f"transfers.kinds.{tool}", tool)


def measures(locale: Locale) -> tuple[str, ...]:
    return tuple(say(locale, f"records.measure.{name}") for name in MEASURES)


def contact(controller: Controller) -> str:
    return ", ".join([controller.email, controller.phone, *controller.post])


def as_csv(published: Published, locale: Locale, by_market: Sequence[tuple[MarketId, Sequence[Activity]]]) -> bytes:
    """One line an activity and market, UTF-8 with a byte order mark so that a spreadsheet reads the letters."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow([say(locale, f"records.column.{name}") for name in COLUMNS])
    for market, activities in by_market:
        for line in _lines(published, locale, market, activities):
            writer.writerow([_cell(each) for each in line])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _lines(
    published: Published, locale: Locale, market: MarketId, activities: Sequence[Activity]
) -> Iterator[list[str]]:
    policy = published.policy
    declared = policy.markets[market]
    controller = policy.controllers[declared.controller]
    head = [country(locale, declared.country), controller.name, contact(controller)]
    tail = ["; ".join(measures(locale)), policy.version]
    for row in rows(published, locale, activities):
        lists = (row.people, row.data, row.recipients, row.transfers, row.kept)
        yield [*head, row.purpose, row.why, row.basis, *("; ".join(each) for each in lists), *tail]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
