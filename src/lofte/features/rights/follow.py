"""What becomes of requests over time: the duties that end, remind and forget them."""

from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lofte.core import links, mail, publication
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.rights import behalf, cases, ledger, requests
from lofte.features.rights.cases import CLOSED, Case
from lofte.features.rights.models import Request, Restriction, Step
from lofte.rules import clocks, values
from lofte.rules.catalogue import say
from lofte.rules.packs import find_value, law_pack

REMIND_AT = (14, 7, 3, 1, 0)
"""Days before the last day, each reminded of once; and once when it has passed."""

_PURPOSE = "rights"
_ASSUMED = "P24M"  # where the policy has no purpose for requests: 4 CCR 904-3, rule 6.11, the longest known
_BATCH = 200


@duty("rights.follow_requests", every=timedelta(seconds=5))
def follow(at: datetime) -> int:
    """End the requests whose last connected system has confirmed, and begin the erasures that two people approved."""
    begun = behalf.begin_erasures()
    free = [each.id for each in cases.ending(_BATCH) if not each.waiting_for]
    return begun + sum(ledger.end_if_free(each) for each in free)


@duty("rights.remind", every=timedelta(hours=1))
def remind(at: datetime) -> int:
    """Tell whoever works with requests in a market that some of them are near their last day, once for each step on the way.

    The letter goes to the market's contact for data protection and names references, rights and days; nobody else learns more.
    """
    due: dict[str, list[tuple[Case, str]]] = defaultdict(list)
    for case in cases.each_open():
        requests.reckon(case.id)  # a clock that stands moves its last day every day
        if step := _step_of(case, at):
            due[case.market].append((case, step))
    for market, found in due.items():
        _write(market, found)
        for case, step in found:
            requests.add_step(case.id, "reminded", "system", reason=step)
    return sum(map(len, due.values()))


def _step_of(case: Case, at: datetime) -> str:
    """The reminder that is due and was not given: the day nearest to the end that has come."""
    if case.waiting_for and case.ends_itself and case.deadline.due >= at.date():
        return ""
    left = (case.deadline.due - at.astimezone(ZoneInfo(case.deadline.zone)).date()).days
    reached = "overdue" if left < 0 else next((str(day) for day in sorted(REMIND_AT) if left <= day), "")
    given = {each.reason for each in case.history if each.kind == "reminded" and _since_extension(case, each.at)}
    return "" if not reached or reached in given else reached


def _since_extension(case: Case, at: datetime) -> bool:
    return case.extended_at is None or at > case.extended_at


def _write(market: str, found: list[tuple[Case, str]]) -> None:
    edition = publication.current().policy.markets[market]
    to = publication.current().policy.controllers[edition.controller].email
    here = edition.locales[0]
    lines = [
        say(
            here, "requests.reminder.line", reference=case.reference, right=say(here, f"requests.right.{case.right}"),
            day=values.day(here, case.deadline.due),
        )
        for case, _ in sorted(found, key=lambda each: each[0].deadline.due)
    ]  # fmt: skip
    text = "\n".join(
        [say(here, "requests.reminder.lead"), "", *lines, "", links.link("requests", market, here)]
    )  # fmt: skip
    mail.tell_house(to, say(here, "requests.reminder.subject", n=len(lines)), text + "\n")


@duty("rights.forget_requests", every=timedelta(days=1))
def forget(at: datetime) -> int:
    """Requests that ended longer ago than the policy keeps them: the record goes, with its history and its words."""
    gone = 0
    for law in set(Request.objects.filter(state__in=CLOSED).values_list("law", flat=True)):
        periods = _kept_for(law, at)
        for row in Request.objects.filter(law=law, state__in=CLOSED).order_by("closed_at")[:_BATCH]:
            if any(clocks.add_period(row.closed_at or at, period) > at for period in periods):
                break
            gone += _forget(row)
    return gone


def _kept_for(law: str, at: datetime) -> list[str]:
    """The policy's own clock, and never less than the statute of the market demands: both must have run out."""
    policy = publication.current().policy
    purpose = policy.purposes.get(_PURPOSE)
    declared = policy.clocks.get(purpose.clock) if purpose and purpose.clock else None
    floor = find_value(law_pack(law), "floor.request_records", at.date())
    periods = [declared.period if declared and declared.period else _ASSUMED]
    return [*periods, floor.value["add"]] if floor else periods


@in_transaction
def _forget(row: Request) -> int:
    Step.objects.filter(request=row.id).delete()
    Request.objects.filter(pk=row.id).delete()
    if row.subject is not None:
        Restriction.objects.of(row.subject).filter(request=row.id).update(request=None)
        ledger.forget_writer(row.subject)
    return 1
