"""Sends campaigns a stretch at a time: each stretch is decided, queued and noted in one transaction, or not at all.

Killed at any moment it goes on where it was: a person and campaign have one row, and the place is written with it. The queue is
kept short, so that a pause or a withdrawal has little to take back.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F

from lofte.core import actions, clock, codes, links, mail, outbox
from lofte.core.mailing import inbound
from lofte.core.retry import in_transaction
from lofte.core.tasks import AGAIN, duty
from lofte.features.outreach import audience, campaigns
from lofte.features.outreach.audience import Reached, Refused
from lofte.features.outreach.models import Campaign, Delivery
from lofte.kernel.problems import Problem

AHEAD = 1000  # letters in the queue beyond which no more are written
STRETCH = 200
AGAIN_AFTER = timedelta(hours=1)  # until somebody who had too many letters is looked at again
_ROUND_S = 5  # other duties wait meanwhile
_logger = logging.getLogger("lofte.outreach")


@dataclass(frozen=True, slots=True)
class Sent:
    queued: int
    suppressed: int


@duty("outreach.send", every=timedelta(seconds=2))
def _send(at: datetime) -> object:
    """Begin what is due, and write the next letters of what is being sent."""
    campaigns.begin_due(at)
    ends = time.monotonic() + _ROUND_S
    sending = Campaign.objects.filter(state=Campaign.State.SENDING).order_by("started_at").values_list("pk", flat=True)
    more = [each for each in list(sending) if go_on(each, ends)]
    return AGAIN if more else None


def go_on(campaign_id: UUID, ends: float) -> bool:
    """Write letters until the queue is full, nobody is left or ``ends`` (monotonic seconds); whether more can be done at once."""
    try:
        while True:
            room = AHEAD - len(mail.waiting_about(campaign_id))
            if room <= 0:
                return False
            if not step(campaign_id, min(room, STRETCH)):
                _finish(campaign_id)
                return False
            if time.monotonic() > ends:
                return True
    except Problem as problem:  # the segment is gone, or the policy in force does not allow it any more
        _logger.warning("a campaign was paused", extra={"fields": {"error": problem.code}})
        campaigns.pause(campaign_id, "system", halted=problem.code)
        return False


@in_transaction
def step(campaign_id: UUID, limit: int) -> bool:
    """Decide the next people and queue their letters; False when nobody is left or somebody else has moved it on."""
    campaign = Campaign.objects.filter(pk=campaign_id, state=Campaign.State.SENDING).first()
    if campaign is None or not _is_mine(campaign):
        return False
    waiting = Delivery.everyone.filter(campaign_id=campaign.id, state=Delivery.State.WAITING)
    if again := list(waiting.values_list("person_id", flat=True)[:limit]):
        waiting.filter(person_id__in=again).delete()
        _write(campaign, audience.decided(campaign, again))
        return True
    if campaign.is_at_end:
        return _try_again(campaign, limit)
    found = audience.after(campaign, campaign.place, limit)
    _write(campaign, audience.decided(campaign, _without_known(campaign, found.people)))
    Campaign.objects.filter(pk=campaign.id).update(
        place=found.last, looked=F("looked") + found.looked, is_at_end=found.is_end
    )
    return True


def _try_again(campaign: Campaign, limit: int) -> bool:
    """Decide anew, an hour after the last time, on those who had too many letters."""
    put_off = Delivery.everyone.filter(campaign_id=campaign.id, state=Delivery.State.PUT_OFF)
    due = list(put_off.filter(at__lte=clock.now() - AGAIN_AFTER).values_list("person_id", flat=True)[:limit])
    if not due or clock.now() >= campaigns.current_until(campaign):
        return False
    put_off.filter(person_id__in=due).delete()
    _write(campaign, audience.decided(campaign, due))
    return True


def _is_mine(campaign: Campaign) -> bool:
    """Of two senders that take the same stretch, one changes the row; a pause waits for the one that did."""
    mine = Campaign.objects.filter(pk=campaign.id, state=Campaign.State.SENDING, step=campaign.step)
    return bool(mine.update(step=F("step") + 1))


def _without_known(campaign: Campaign, people: Sequence[UUID]) -> list[UUID]:
    known = set(
        Delivery.everyone.filter(campaign_id=campaign.id, person_id__in=people).values_list("person_id", flat=True)
    )
    return [each for each in people if each not in known]


def _write(campaign: Campaign, decided: Sequence[Reached | Refused]) -> None:
    """Queue a letter for whom it reaches, and note everybody: in one transaction with the decision."""
    reached = [each for each in decided if isinstance(each, Reached)]
    ids = mail.send_many(_letters(campaign, reached))
    at = clock.now()
    waits = at < campaigns.current_until(campaign)
    rows = [
        Delivery(person_id=each.person_id, campaign_id=campaign.id, mail_id=mail_id, state=Delivery.State.QUEUED, at=at)
        for each, mail_id in zip(reached, ids, strict=True)
        if mail_id is not None  # erased meanwhile: nothing of theirs is written
    ]
    for each in decided:
        if isinstance(each, Refused):
            state = Delivery.State.SKIPPED if each.is_skipped else Delivery.State.SUPPRESSED
            if waits and each.reason == audience.TOO_OFTEN:
                state = Delivery.State.PUT_OFF
            reason = each.reason[:32]
            rows.append(Delivery(person_id=each.person_id, campaign_id=campaign.id, state=state, reason=reason, at=at))
    Delivery.everyone.bulk_create(rows, batch_size=500)


def _letters(campaign: Campaign, reached: Sequence[Reached]) -> list[mail.MarketingLetter]:
    """Each language is rendered once; only the way out differs from person to person."""
    tokens = codes.issue_many(
        "unsubscribe", [(each.person_id, each.market, each.locale) for each in reached], about=campaign.id,
        make=inbound.new_token,
    )  # fmt: skip
    rendered: dict[tuple[str, str], tuple[str, mail.Words]] = {}
    letters = []
    for each, token in zip(reached, tokens, strict=True):
        key = (each.market, each.locale)
        if key not in rendered:
            stands_for = campaigns.placeholder()
            rendered[key] = stands_for, campaigns.compose(campaign, *key, stands_for, counts=True)
        letters.append(_letter(campaign, each, token, *rendered[key]))
    return letters


def _letter(campaign: Campaign, to: Reached, token: str, stands_for: str, words: mail.Words) -> mail.MarketingLetter:
    way_out = links.link("unsubscribe", to.market, to.locale, token)
    own = mail.Words(words.subject, words.text.replace(stands_for, way_out), words.html.replace(stands_for, way_out))
    return mail.MarketingLetter(
        "issue", to.person_id, to.address, own, campaign.purpose, about=campaign.id, list_id=campaign.topic,
        unsubscribe_url=way_out, unsubscribe_mailto=inbound.address_for("unsubscribe", token),
    )  # fmt: skip


@in_transaction
def _finish(campaign_id: UUID, *, waits_for_queue: bool = True) -> bool:
    """Close a campaign when everybody was looked at, nobody who had too many letters is waited for any more and, unless told
    otherwise, the last letter has left the queue."""
    done = Campaign.objects.filter(pk=campaign_id, state=Campaign.State.SENDING, is_at_end=True)
    if waits_for_queue and mail.waiting_about(campaign_id):
        return False
    put_off = Delivery.everyone.filter(campaign_id=campaign_id, state=Delivery.State.PUT_OFF)
    row = done.first()
    if row is None or (clock.now() < campaigns.current_until(row) and put_off.exists()):
        return False
    put_off.update(state=Delivery.State.SUPPRESSED)
    if not done.update(state=Campaign.State.SENT, sent_at=clock.now(), changed_at=clock.now()):
        return False
    campaign, sent = campaigns.row_of(campaign_id), counted(campaign_id)
    fact: dict[str, str | int | bool] = {
        "topic": campaign.topic, "queued": sent.queued, "suppressed": sent.suppressed
    }  # fmt: skip
    outbox.add("action.issue_sent", fact)
    actions.record("issue.sent", campaign.by, **fact)
    return True


def counted(campaign_id: UUID) -> Sent:
    """How many letters were queued, and to how many people it did not go although they were meant."""
    rows = Delivery.everyone.filter(campaign_id=campaign_id).order_by().values_list("state").annotate(count=Count("id"))
    by_state: Mapping[str, int] = dict(rows)
    return Sent(by_state.get(Delivery.State.QUEUED, 0), by_state.get(Delivery.State.SUPPRESSED, 0))


def send_whole(campaign_id: UUID, by: str, *, only: Sequence[UUID] | None = None) -> Sent:
    """Queue the whole campaign at once, whatever is written of it: for a small house, and for the walk that proves the way.

    ``only`` narrows it to these people; they too get it on their consent alone, however many letters they had. Run again after a
    crash, nobody gets it twice.
    """
    row = campaigns.row_of(campaign_id)
    if row.state == Campaign.State.SENT:
        raise Problem("outreach.issue-sent", "this issue has been sent", status=409)
    if only is None:
        if row.state != Campaign.State.SENDING:
            _begin(row, by)
        while step(campaign_id, STRETCH):
            pass
        _finish(campaign_id, waits_for_queue=False)
    else:
        _send_only(row, by, only)
    return counted(campaign_id)


@in_transaction
def _send_only(row: Campaign, by: str, people: Sequence[UUID]) -> None:
    """Begun, sent and ended in one: the duty that goes on with whatever is being sent would write to everybody."""
    if row.state != Campaign.State.SENDING:
        _begin(row, by)
    _send_to(row.id, people)
    _finish(row.id, waits_for_queue=False)


@in_transaction
def _begin(row: Campaign, by: str) -> None:
    campaigns.begin(row, by)


@in_transaction
def _send_to(campaign_id: UUID, people: Sequence[UUID]) -> None:
    campaign = campaigns.row_of(campaign_id)
    if _is_mine(campaign):
        _write(campaign, audience.decided(campaign, _without_known(campaign, people), is_capped=False))
        Campaign.objects.filter(pk=campaign.id).update(is_at_end=True)
