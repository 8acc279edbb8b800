"""Transfer tools on file: recorded with their dated proof, ended by a day, warned of before they run out (GDPR 44 to 49)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction

from lofte.core import actions, clock, outbox, publication
from lofte.core.country import Kind, OnFile, countries_of, may_leave
from lofte.core.gates.models import Tool
from lofte.kernel.problems import Place, Problem
from lofte.rules.packs import normal_country, shared

WARN_BEFORE = timedelta(days=60)  # the policy's `transfer_tool_on_file` says how long; this is for policies that do not
LONGEST_LISTING = timedelta(days=366)  # the Data Privacy Framework is certified for a year at a time
_CONTROL = "transfer_tool_on_file"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tool as somebody wants it recorded."""

    kind: Kind
    since: date
    reference: str
    recipient: str = ""
    country: str = ""
    until: date | None = None
    proof: str = ""
    digest: str = ""
    assessed: date | None = None
    covers_hr: bool = False
    uk_since: date | None = None
    uk_until: date | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """A tool that runs out: when, whether it has, and what would then be denied."""

    about: str
    country: str
    kind: str
    until: date
    is_over: bool
    tool: UUID | None  # None: it stands in the policy itself
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Denied:
    """A transfer the policy tells of and the country rule denies: ``reason`` is a key of `law.reason`."""

    recipient: str
    country: str
    reason: str
    markets: tuple[str, ...]


def record(wanted: Wanted, by: str) -> UUID:
    """Put a tool on file. Raises Problem `transfers.*` (422) for one without its proof, day or recipient."""
    wanted = _examined(wanted)
    with transaction.atomic():
        row = Tool.objects.create(
            kind=wanted.kind.value, recipient=wanted.recipient, country=wanted.country, reference=wanted.reference,
            proof=wanted.proof, digest=wanted.digest, since=wanted.since, until=wanted.until, assessed=wanted.assessed,
            covers_hr=wanted.covers_hr, uk_since=wanted.uk_since, uk_until=wanted.uk_until, facts=dict(wanted.facts),
            recorded_by=by,
        )  # fmt: skip
        fact = _fact(row) | {"tool": str(row.pk), "by": by, "proof": wanted.digest or wanted.proof}
        outbox.add("tool.recorded", fact, policy=publication.current().digest, about=row.pk)
        actions.record("transfers.recorded", by, tool=str(row.pk), kind=row.kind)
    return row.pk


def end(tool: UUID, by: str) -> None:
    """From today it no longer counts; the row and its history stay. Ending one that is over changes nothing."""
    today = clock.now().date()
    with transaction.atomic():
        if not Tool.objects.filter(pk=tool, ended_on__isnull=True).update(ended_on=today, ended_by=by):
            return
        row = Tool.objects.get(pk=tool)
        outbox.add(
            "tool.ended", _fact(row) | {"tool": str(tool), "by": by}, policy=publication.current().digest, about=tool
        )
        actions.record("transfers.ended", by, tool=str(tool), kind=row.kind)


def all_of() -> list[Tool]:
    return list(Tool.objects.order_by("recipient", "country", "-since"))


def one(tool: UUID) -> Tool:
    found = Tool.objects.filter(pk=tool).first()
    if found is None:
        raise Problem("transfers.unknown", "no such tool is on file", status=404)
    return found


def version() -> str:
    """Changes whenever what is on file does; decisions are cached by it. One statement."""
    rows = Tool.objects.order_by("pk").values_list("pk", "ended_on")
    return ",".join(f"{pk.hex}:{ended or ''}" for pk, ended in rows)


def on_file() -> list[OnFile]:
    """Everything on file as the country rule wants it; what was ended holds until the day before."""
    return [seen(row) for row in Tool.objects.order_by("pk")]


def seen(row: Tool) -> OnFile:
    ended = row.ended_on - timedelta(days=1) if row.ended_on else None
    until = min((each for each in (row.until, ended) if each), default=None)
    return OnFile(
        Kind(row.kind), row.since, until, row.recipient, row.country, row.reference, row.assessed, row.covers_hr,
        row.uk_since, row.uk_until, row.facts,
    )  # fmt: skip


# --- what runs out --------------------------------------------------------------------------------------------------


def warn_before() -> timedelta:
    """How long before its end a tool is warned of: the parameter ``warn_before`` of the promise's control, in days."""
    for promise in publication.current().policy.promises.values():
        for binding in promise.controls:
            said = str(binding.parameters.get("warn_before", ""))
            if binding.control == _CONTROL and said.startswith("P") and said.endswith("D") and said[1:-1].isdecimal():
                return timedelta(days=int(said[1:-1]))
    return WARN_BEFORE


def running_out(on: date, within: timedelta | None = None) -> list[Running]:
    """Tools whose last day is near or past and that nothing replaces, the first to end first; the policy's own among them."""
    last = on + (within or warn_before())
    rows = [row for row in Tool.objects.exclude(kind=Kind.STOP.value) if row.ended_on is None]
    found = [
        Running(row.recipient, row.country, row.kind, row.until, row.until < on, row.pk, row.reference)
        for row in rows
        if row.until is not None and row.until <= last and not _is_followed(row, rows)
    ]
    for name, declared in publication.current().policy.recipients.items():
        for each in declared.transfers:
            until = date.fromisoformat(each.valid_to) if each.valid_to else None
            if until is not None and until <= last:
                found.append(Running(name, each.country, each.tool.value, until, until < on, None, each.reference))
    return sorted(found, key=lambda each: (each.until, each.about))


def denied(on: date) -> list[Denied]:
    """What the country rule would deny today of what the policy says its recipients do: the gaps somebody must close."""
    policy, held = publication.current().policy, on_file()
    found: dict[tuple[str, str, str], list[str]] = {}
    for name, declared in policy.recipients.items():
        for market in declared.markets or policy.markets:
            for country in countries_of(policy, name):
                ruling = may_leave(policy, held, market, name, country, on)
                if not ruling.allowed:
                    found.setdefault((name, country, ruling.reason), []).append(market)
    return [Denied(*key, tuple(markets)) for key, markets in found.items()]


def to_warn(on: date) -> list[Running]:
    """What nears its end or is over and was not told yet."""
    told = dict(Tool.objects.values_list("pk", "warned"))
    return [
        each
        for each in running_out(on)
        if each.tool is not None and ((last := told[each.tool]) is None or last < _threshold(each))
    ]


def _threshold(each: Running) -> date:
    """The day from which this is to be told: the first day after its end, or the first of the warning."""
    return each.until + timedelta(days=1) if each.is_over else each.until - warn_before()


def warn(on: date) -> int:
    """Leave an entry in the log for each tool that runs out, once when it nears its end and once when it is over."""
    count = 0
    for each in to_warn(on):
        with transaction.atomic():
            same = Tool.objects.filter(pk=each.tool) if each.tool else Tool.objects.none()
            if same.exclude(warned__gte=_threshold(each)).update(warned=on):
                row = same.get()
                kind = "tool.over" if each.is_over else "tool.ending"
                outbox.add(kind, _fact(row) | {"tool": str(row.pk)}, policy=publication.current().digest, about=row.pk)
                actions.record(f"transfers.{kind.removeprefix('tool.')}", "system", tool=str(row.pk), kind=row.kind)
                count += 1
    return count


def _is_followed(row: Tool, rows: list[Tool]) -> bool:
    """Whether another of the same kind for the same recipient and country goes on after it without a gap."""
    same = (row.kind, row.recipient, row.country)
    return any(
        each.pk != row.pk
        and (each.kind, each.recipient, each.country) == same
        and (each.until is None or (row.until is not None and each.until > row.until))
        and (row.until is None or each.since <= row.until + timedelta(days=1))
        for each in rows
    )


def _fact(row: Tool) -> dict[str, str]:
    days = {name: getattr(row, name) for name in ("since", "until", "assessed", "ended_on")}
    said = {"kind": row.kind, "recipient": row.recipient, "country": row.country, "reference": row.reference}
    return said | {name: each.isoformat() for name, each in days.items() if each}


# --- what may be recorded -------------------------------------------------------------------------------------------


def _examined(wanted: Wanted) -> Wanted:
    """The tool with its country in ISO form. Raises Problem where something is missing or does not fit."""
    country = normal_country(wanted.country.strip().upper())
    reference, proof = wanted.reference.strip(), wanted.proof.strip()
    if not reference:
        raise _lacking("reference", "it does not say what is relied on")
    if wanted.until is not None and wanted.until < wanted.since:
        raise _lacking("until", "it ends before it begins")
    if wanted.kind in (Kind.CONFIRMATION, Kind.STOP):
        _examine_decision(reference)
    elif wanted.recipient not in publication.current().policy.recipients:
        raise _lacking("recipient", "the policy names no such recipient")
    elif len(country) != 2 or not country.isascii() or not country.isalpha():
        raise _lacking("country", "it needs a country", "two letters, ISO 3166-1")
    if wanted.kind is not Kind.STOP and not proof:
        raise _lacking("proof", "it has no proof")
    if wanted.since > clock.now().date() and wanted.kind in (Kind.LISTING, Kind.SCOPE, Kind.CONFIRMATION):
        raise _lacking("since", "it cannot have been seen on a day to come")
    if wanted.kind is Kind.LISTING:
        _examine_listing(wanted)
    if wanted.kind in (Kind.CLAUSES, Kind.RULES) and wanted.assessed is None:
        raise _lacking("assessed", "clauses count only with an assessment of the transfer", law="GDPR 46(1)")
    if wanted.kind is Kind.SCOPE and not wanted.facts:
        raise _lacking("facts", "it does not say what is met")
    return Wanted(
        wanted.kind, wanted.since, reference, wanted.recipient.strip(), country, wanted.until, proof, wanted.digest.strip().lower(),
        wanted.assessed, wanted.covers_hr, wanted.uk_since, wanted.uk_until, wanted.facts,
    )  # fmt: skip


def _examine_listing(wanted: Wanted) -> None:
    if wanted.until is None:
        raise _lacking("until", "a listing needs the day its certification must be renewed")
    if wanted.until > wanted.since + LONGEST_LISTING:
        raise _lacking("until", "a listing is proved for a year at most; look again then")


def _examine_decision(reference: str) -> None:
    rows = shared("transfers")
    known = sorted({row["decision"] for row in [*rows["adequacy"], *rows["dpf"]]})
    if reference not in known:
        raise _lacking("reference", "no such decision is known", ", ".join(known))


def _lacking(key: str, detail: str, expected: str = "", law: str = "GDPR 44") -> Problem:
    return Problem("transfers.incomplete", detail, Place(key=key), expected, law=law, status=422)
