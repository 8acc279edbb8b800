"""Asks by the inquiry form of every market, is answered by mail, writes back, and sees the matter closed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from lofte.core.mailing import inbound, taking
from lofte.features.outreach.inquiries import intake, verbs
from lofte.features.outreach.inquiries.models import Inquiry, Step
from lofte.probes.instruments.canary import flock, forms, person
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.mailbox import Letter
from lofte.probes.world import World
from lofte.rules.clocks import add_period
from lofte.rules.controls.inquiries_answered import Inquired

_BY = "probe"
_ANSWER = "We do, and this is the proof."
_MORE = "Thank you. And how do you know?"


def walk(world: World, form: str, within: str) -> tuple[Inquired, ...]:
    """What one canary a market met. Raises Unable without a mailbox or a site."""
    walked: tuple[Inquired, ...] = world.once("inquiries", lambda: _walk(world, form, within))
    return walked


def _walk(world: World, form: str, within: str) -> tuple[Inquired, ...]:
    with flock.flock(world) as canaries:
        opened = flock.each(canaries, lambda one: forms.find(one, f"/forms/{one.tail}{form}/"))
        forms.read()
        sent = [one for one in canaries if one.market in opened]
        flock.each(sent, lambda one: forms.send(opened[one.market]))
        met = flock.each(sent, lambda one: _arrived(one, within))
        for step in (_told, _answered, _written_back, _closed):
            met = flock.go_on(_settled(sent, met), met, step)
        return tuple(replace(met[one.market], let_be=flock.is_let_be(one)) for one in sent if one.market in met)


def _settled(canaries: list[Canary], met: Mapping[str, Inquired]) -> list[Canary]:
    """Those whose inquiry arrived, once nothing of theirs waits in the queue."""
    known = [one for one in canaries if one.market in met and met[one.market].taken]
    person.settle(one.handle for one in known)
    return known


def _row(canary: Canary) -> Inquiry:
    row: Inquiry = Inquiry.objects.of(canary.handle).get()
    return row


def _letters(canary: Canary) -> list[Letter]:
    """Oldest first."""
    return canary.mailbox.letters_to(canary.address)[::-1]


def _arrived(canary: Canary, within: str) -> Inquired:
    row = Inquiry.objects.of(canary.handle).first() if flock.recognise(canary) else None
    if row is None:
        return Inquired(canary.market)
    at = canary.world.now()
    last = (add_period(at, within) + timedelta(days=1)).date()  # a day, for it is another one where the market is
    in_time = row.due_on is not None and at.date() - timedelta(days=1) <= row.due_on <= last
    return Inquired(canary.market, taken=True, in_market=row.market == canary.market, in_time=in_time)


def _told(canary: Canary, met: Inquired) -> Inquired:
    told = bool(_letters(canary))
    verbs.reply(_row(canary).id, _ANSWER, _BY)
    return replace(met, told=told)


def _answered(canary: Canary, met: Inquired) -> Inquired:
    letters = _letters(canary)
    answer = next((one for one in letters if _ANSWER in one.text), None)
    if answer is None:
        return met
    source = canary.mailbox.source(answer)
    first = letters[0].message_id
    threaded = bool(answer.reply_to) and first in str(source.get("In-Reply-To", "")) + str(source.get("References", ""))
    _write_back(canary, answer)
    return replace(met, answered=True, threaded=threaded)


def _write_back(canary: Canary, answer: Letter) -> None:
    """By mail where mail reaches us, else on the page of their own."""
    row = _row(canary)
    if not inbound.is_on():
        intake.write_in(row.person_id, row.id, _MORE)
        return
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = canary.address, answer.reply_to, f"Re: {answer.subject}"
    message["Message-ID"], message["In-Reply-To"] = (
        make_msgid(domain=canary.world.canary_domain),
        f"<{answer.message_id}>",
    )
    message["Date"] = format_datetime(canary.world.now())
    message.set_content(_MORE)
    if taking.is_ours(answer.reply_to):
        taking.take(answer.reply_to, message.as_bytes(), canary.address)


def _written_back(canary: Canary, met: Inquired) -> Inquired:
    row = _row(canary)
    came = Step.objects.of(canary.handle).filter(inquiry=row.id, kind="received").count()
    heard = came > 1 and row.state == Inquiry.State.OPEN and row.due_on is not None
    verbs.reply(row.id, _ANSWER, _BY, closes=True)
    return replace(met, heard=heard)


def _closed(canary: Canary, met: Inquired) -> Inquired:
    row = _row(canary)
    return replace(met, closed=row.state == Inquiry.State.CLOSED and row.due_on is None)
