"""Before a clock takes what is held, the person is asked. They press keep, or it goes on the day they were told.

A question goes out once for each end, `warn` before it. Where the end came nearer than that (a new policy, a server that stood
still), the end waits for the answer by the clock's `grace`. Nobody is kept because they could not be asked: that is noted, and
they go like the others. Nothing in the letter tells who opened it; only the button on the page counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from lofte.core import clock, codes, links, mail, many, outbox, ports, publication
from lofte.core.models import Mail
from lofte.core.retry import in_transaction
from lofte.core.tasks import AGAIN, duty
from lofte.features.retention import brake
from lofte.features.retention.models import Notice, Sweep
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem
from lofte.rules import values
from lofte.rules.catalogue import say
from lofte.rules.clocks import add_period
from lofte.rules.packs import law_pack

LETTER = "keep"
KEPT = "kept"
_PAGE = 200
_A_ROUND = timedelta(minutes=2)
State = Notice.State


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page behind the button shows: which purposes, until when, and whether that is all that is held."""

    purposes: tuple[str, ...]
    is_all: bool
    until: datetime
    is_kept: bool


# --- asking ---------------------------------------------------------------------------------------------------------


@duty("retention.warn", every=timedelta(hours=1))
def warn(at: datetime) -> object:
    """Ask everybody whose end has come as near as their clock's `warn`. Nobody while a plan waits for two people."""
    if brake.is_pulled() or not _is_settled():
        return 0
    began, count = clock.now(), 0
    for name, ahead in _asking_clocks().items():
        after: UUID | None = None
        while page := ports.register().ending(name, at, add_period(at, ahead), after, _PAGE):
            after = page[-1][0]
            known = _known(name, [person for person, _ in page])
            for person, end in page:
                if end not in known.get(person, ()):
                    count += ask(person, name, end) is not None
            if clock.now() - began > _A_ROUND:
                return AGAIN
    return count


@in_transaction
def ask(person_id: UUID, name: str, end: datetime, wait_until: datetime | None = None) -> UUID | None:
    """Ask one person about one end, in one transaction with the letter. None when they were asked about it before."""
    if Notice.objects.of(person_id).filter(clock=name, due_at=end).exists():
        return None
    row = Notice(person_id=person_id, clock=name, due_at=end, wait_until=wait_until, warned_at=clock.now())
    row.mail = _write(row, wait_until or end)
    row.state = State.ASKED if row.mail else State.UNREACHED
    row.save(force_insert=True)
    fact = {
        "clock": name,
        "end": rfc3339(end),
        "reached": row.mail is not None,
        "waits_until": rfc3339(wait_until or end),
    }
    outbox.add("retention.warned", fact, policy=publication.current().digest, person_id=person_id, about=row.id)
    if wait_until is not None:
        ports.register().refresh_due(person_id)
    return row.id


def ask_late(people: Sequence[UUID], at: datetime, rules: str) -> tuple[list[UUID], int]:
    """Of people a run may take: those who go now, and how many of them without having been asked.

    Whoever should have been asked and was not is asked now and waits: the grace of their clock from the end, or from the day the
    rules changed if the end had passed by then.
    """
    asking = {name: grace for name, grace in _graces().items() if grace}
    if not asking:
        return list(people), 0
    ends = ports.register().ends_of(people, at)
    came_into_force = _since(rules)
    known = {name: _known(name, people) for name in asking}
    going, unwarned = [], 0
    for person in people:
        late = {}
        for name in asking.keys() & ends.get(person, {}).keys():
            end = ends[person][name]
            if end in known[name].get(person, ()):
                continue
            begins = max(end, came_into_force) if came_into_force else end
            if (wait := add_period(begins, asking[name])) > at:
                late[name] = (end, wait)
            else:
                unwarned += 1
        for name, (end, wait) in late.items():
            ask(person, name, end, wait)
        if not late:
            going.append(person)
    return going, unwarned + _unreached(going, ends, asking)


def _unreached(people: Sequence[UUID], ends: Mapping[UUID, Mapping[str, datetime]], asking: Mapping[str, str]) -> int:
    """Of those who go: how many were to be asked and no letter reached them."""
    rows = Notice.everyone.filter(person_id__in=many.among(people), clock__in=list(asking)).order_by()
    mails = {each.mail: each for each in rows if each.mail}
    failed = set(
        Mail.everyone.filter(
            person_id__in=many.among(people), id__in=many.among(mails), state=Mail.State.FAILED
        ).values_list("id", flat=True)
    )
    return len({
        each.person_id
        for each in rows
        if (each.state == State.UNREACHED or each.mail in failed)
        and ends.get(each.person_id, {}).get(each.clock) in (each.due_at, each.wait_until)
    })  # fmt: skip


# --- the answer -----------------------------------------------------------------------------------------------------


def asked(code: str) -> Asked | None:
    """What a link to the keep page is about; None when it is unknown, used, or the end has passed. Changes nothing."""
    opened = codes.peek(code, LETTER)
    row = _notice(opened)
    if opened is None or row is None:
        return None
    end = row.wait_until or row.due_at
    purposes, is_all = ports.register().purposes_ending(opened.person_id, row.clock, end)
    return Asked(tuple(purposes), is_all, end, row.state == State.KEPT)


@in_transaction
def keep(code: str) -> None:
    """The person pressed keep: that is a sign of interest, and the clock begins anew. Raises Problem `code.unknown`."""
    opened = codes.redeem(code, LETTER)
    row = _notice(opened)
    if row is None:
        raise Problem("code.unknown", "this link is not valid, or no longer", status=410)
    at = clock.now()
    Notice.objects.of(opened.person_id).filter(id=row.id).update(state=State.KEPT, answered_at=at)
    if _hears(row.clock):
        ports.register().signal(opened.person_id, KEPT, source=f"notice:{row.id}")
    ports.register().refresh_due(opened.person_id)
    fact = {"clock": row.clock, "end": rfc3339(row.due_at)}
    outbox.add("retention.kept", fact, policy=publication.current().digest, person_id=opened.person_id, about=row.id)


def _notice(opened: codes.Opened | None) -> Notice | None:
    """The question a link leads to: its own person's and no other's."""
    if opened is None or opened.about is None:
        return None
    found: Notice | None = Notice.objects.of(opened.person_id).filter(id=opened.about).first()
    return found


# --- what the clocks ask --------------------------------------------------------------------------------------------


def graces_of(people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, datetime]]:
    """Until when those who were asked too late may still answer, by clock."""
    found: dict[UUID, dict[str, datetime]] = {}
    rows = Notice.everyone.filter(person_id__in=many.among(people), wait_until__isnull=False).exclude(state=State.KEPT)
    for person_id, name, until in rows.order_by("wait_until").values_list("person_id", "clock", "wait_until"):
        found.setdefault(person_id, {})[name] = until
    return found


def answers_of(people: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When these people last said that what is held should be kept: nothing else is a sign `kept`."""
    rows = Notice.everyone.filter(person_id__in=many.among(people), state=State.KEPT, answered_at__isnull=False)
    return dict(rows.order_by("answered_at").values_list("person_id", "answered_at"))


def counted(since: datetime) -> Mapping[str, int]:
    """How many questions since then were asked, could not be delivered, and were answered by keep."""
    rows = Notice.everyone.filter(warned_at__gte=since)
    return {state: rows.filter(state=state).count() for state in State.values}


# --- within ---------------------------------------------------------------------------------------------------------


def _asking_clocks() -> dict[str, str]:
    """The clocks that ask, with how long before the end."""
    return {name: each.warn for name, each in publication.current().policy.clocks.items() if each.warn}


def _graces() -> dict[str, str]:
    declared = publication.current().policy.clocks.items()
    return {name: each.grace for name, each in declared if each.warn and each.grace}


def _hears(name: str) -> bool:
    declared = publication.current().policy.clocks.get(name)
    return declared is not None and KEPT in declared.signals


def _is_settled() -> bool:
    """Whether every deadline follows from the rules in force: else somebody would be told a day that is not true."""
    last = Sweep.objects.filter(finished_at__isnull=False).order_by("-started_at").first()
    return last is not None and last.rules == brake.rules_now()


def _since(rules: str) -> datetime | None:
    """When the rules in force took the place of others; None where there never were others."""
    before = Sweep.objects.exclude(rules__in=["", rules]).order_by("-started_at").first()
    if before is None:
        return None
    first = Sweep.objects.filter(started_at__gt=before.started_at).order_by("started_at").first()
    return first.started_at if first else None


def _known(name: str, people: Sequence[UUID]) -> dict[UUID, set[datetime]]:
    """Which ends these people were asked about, and until when they may answer."""
    found: dict[UUID, set[datetime]] = {}
    rows = Notice.everyone.filter(person_id__in=many.among(people), clock=name)
    for person, end, wait in rows.values_list("person_id", "due_at", "wait_until"):
        found.setdefault(person, set()).update({end, wait} - {None})
    return found


def _write(row: Notice, until: datetime) -> UUID | None:
    """Queue the letter; None when there is no address to write to, or no purpose may use it."""
    place = ports.register().market_of(row.person_id)
    purposes, is_all = ports.register().purposes_ending(row.person_id, row.clock, until)
    published = publication.current()
    if place is None or place[0] not in published.policy.markets:
        return None
    market, locale = place
    for purpose in purposes:
        if "email" not in published.policy.purposes[purpose].fields:
            continue
        try:
            to = ports.register().read(row.person_id, purpose, ["email"], by="retention").get("email", "")
        except Problem:
            continue  # this purpose may not use it any more; the refusal is on record
        if to:
            code = codes.issue(
                LETTER,
                row.person_id,
                market=market,
                locale=locale,
                lasts=max(until - clock.now(), timedelta(hours=1)),
                about=row.id,
            )
            words = compose(market, locale, purposes, is_all, until, code)
            return mail.send(mail.Letter(LETTER, row.person_id, to, words, purpose, about=row.id))
    return None


def compose(market: str, locale: str, purposes: Sequence[str], is_all: bool, until: datetime, code: str) -> mail.Words:
    """The letter as it is sent."""
    published = publication.current()
    zone = ZoneInfo(law_pack(published.policy.markets[market].law).zone)
    names = [] if is_all else [published.word(locale, "purposes", each, "name") for each in purposes]
    day = values.day(locale, until.astimezone(zone).date())
    return mail.compose(
        LETTER, market, locale, day=day, is_all=is_all, names=values.joined(locale, names),
        subject=say(locale, "retention.letter.subject", organisation=published.policy.organisation.name),
        url=links.link("keep", market, locale, code),
    )  # fmt: skip
