"""What becomes of inquiries over time: the duties that remind, notice what did not arrive, and forget what has gone."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import links, mail, ports, publication
from lofte.core.models import Mail
from lofte.core.outbox import Fact
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.inquiries import kinds, letters
from lofte.features.outreach.inquiries.ledger import State, add, change, next_turn_of
from lofte.features.outreach.inquiries.models import Inquiry, ReplyAddress, Step
from lofte.rules import values
from lofte.rules.catalogue import say

REMIND_AT = (7, 3, 1, 0)
"""Days before the last day, each reminded of once; and once when it has passed."""
_BATCH = 500
_LOST = ("hard", "blocked")
_MAIL_IS_TRIED = timedelta(days=14)  # far longer than the queue tries a letter


@duty("inquiries.remind", every=timedelta(hours=1))
def remind(at: datetime) -> int:
    """Tell whoever answers in a market that some inquiries are near their last day, once for each step on the way.

    The letter goes to the market's contact and names references, kinds and days; nobody else learns more.
    """
    soon = at.date() + timedelta(days=max(REMIND_AT) + 1)
    rows = list(Inquiry.everyone.filter(state=State.OPEN, due_on__lte=soon).defer("sealed").order_by("due_on", "id"))
    due: dict[str, list[tuple[Inquiry, str]]] = defaultdict(list)
    for some in (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)):
        given = _given(some)
        for row in some:
            if step := _step_of(row, at, given[row.id]):
                due[row.market].append((row, step))
    for market, found in due.items():
        _write(market, found)
        for row, step in found:
            add(row, "reminded", "system", reason=step)
    return sum(map(len, due.values()))


def _given(rows: Iterable[Inquiry]) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = defaultdict(set)
    steps = Step.everyone.filter(inquiry__in=[row.id for row in rows], kind="reminded")
    for inquiry, reason in steps.values_list("inquiry", "reason"):
        found[inquiry].add(reason)
    return found


def _step_of(row: Inquiry, at: datetime, given: set[str]) -> str:
    """The reminder that is due and was not given, named by the day it is about: a later answer owed is reminded of anew."""
    assert row.due_on is not None
    left = (row.due_on - kinds.today(row.market, at)).days
    reached = "overdue" if left < 0 else next((str(day) for day in sorted(REMIND_AT) if left <= day), "")
    step = f"{row.due_on} {reached}"
    return "" if not reached or step in given else step


def _write(market: str, found: list[tuple[Inquiry, str]]) -> None:
    edition = publication.current().policy.markets[market]
    to = publication.current().policy.controllers[edition.controller].email
    here = edition.locales[0]
    lines = [
        say(
            here, "inquiries.reminder.line", reference=row.reference, kind=say(here, f"inquiries.kind.{row.kind}"),
            day=values.day(here, row.due_on) if row.due_on else "",
        )
        for row, _ in found
    ]  # fmt: skip
    text = "\n".join([say(here, "inquiries.reminder.lead"), "", *lines, "", links.link("inquiries", market, here)])
    mail.tell_house(to, say(here, "inquiries.reminder.subject", n=len(lines)), text + "\n")


@duty("inquiries.notice_undelivered", every=timedelta(minutes=5))
def notice_undelivered(at: datetime) -> int:
    """An answer that did not leave is no answer: the inquiry is open again, with its last day."""
    lost = (Mail.State.FAILED, Mail.State.SUPPRESSED)
    rows = Mail.everyone.filter(letter=letters.NAME, state__in=lost, made_at__gte=at - _MAIL_IS_TRIED)
    said = list(rows.values_list("id", flat=True))
    steps = Step.everyone.filter(mail__in=said, kind="replied")
    noticed = set(Step.everyone.filter(kind="undelivered", mail__in=said).values_list("mail", flat=True))
    return sum(_undelivered(each) for each in steps if each.mail not in noticed)


def on_came_back(fact: Fact) -> None:
    """A mailbox that is not there, or does not want it, said so after the letter had left."""
    if fact.person_id is None or fact.fact.get("kind") not in _LOST:
        return
    step = Step.objects.of(fact.person_id).filter(mail=fact.about, kind="replied").first()
    if step is not None and not Step.objects.of(fact.person_id).filter(mail=fact.about, kind="undelivered").exists():
        _undelivered(step)


@in_transaction
def _undelivered(step: Step) -> int:
    row = next_turn_of(step.inquiry)
    add(row, "undelivered", "system", mail=step.mail)
    later = Step.objects.of(row.person_id).filter(inquiry=row.id, at__gt=step.at, kind__in=("replied", "told"))
    if row.state == State.ANSWERED and not later.exists():
        change(row, state=State.OPEN, due_on=kinds.answer_by(row.market, step.at))
    return 1


# --- forgetting -----------------------------------------------------------------------------------------------------


@duty("inquiries.forget", every=timedelta(days=1))
def forget(at: datetime) -> int:
    """Inquiries all of whose letters have reached the end of their clock: the record goes with them, and what it sealed."""
    gone, last = 0, None
    while True:
        rows = Inquiry.everyone.defer("sealed").order_by("id")
        some = list((rows.filter(id__gt=last) if last else rows)[:_BATCH])
        if not some:
            return gone
        last = some[-1].id
        gone += _forget_emptied(some)


def on_partly_erased(fact: Fact) -> None:
    """Part of a person is past its clock."""
    if fact.person_id is not None:
        _forget_emptied(list(Inquiry.objects.of(fact.person_id).defer("sealed")))


@in_transaction
def _forget_emptied(rows: list[Inquiry]) -> int:
    said: dict[UUID, set[UUID]] = defaultdict(set)
    steps = Step.everyone.filter(inquiry__in=[row.id for row in rows], dialogue__isnull=False)
    for inquiry, dialogue in steps.values_list("inquiry", "dialogue"):
        said[inquiry].add(dialogue)
    held = ports.register().still_held(set().union(*said.values()))
    emptied = [row for row in rows if not said[row.id] & held]
    for row in emptied:
        Step.objects.of(row.person_id).filter(inquiry=row.id).delete()
        ReplyAddress.objects.filter(person_id=row.person_id, inquiry=row.id).delete()
        Inquiry.objects.of(row.person_id).filter(id=row.id).delete()
    return len(emptied)
