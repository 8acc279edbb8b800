"""A campaign's life: draft, scheduled, sending, paused and on again, sent or stopped. `sending` does the work.

    draft -> scheduled -> sending <-> paused -> sent | stopped

Each step is one conditional UPDATE: of two people who press at once one is told `outreach.wrong-state`. Raises `Problem` with
these codes: `outreach.no-campaign` (404), `outreach.wrong-state` (409), `outreach.issue-incomplete`, `outreach.past`,
`outreach.changed-meanwhile` (409), `outreach.no-topic`, `outreach.other-purpose`, `outreach.no-address` (422),
`mail.no-server` (503).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model

from lofte.core import actions, clock, links, mail, outbox, publication, tasks
from lofte.core.mailing import inbound
from lofte.core.retry import in_transaction
from lofte.features.outreach import topics
from lofte.features.outreach.clicks import counting
from lofte.features.outreach.models import Campaign, Delivery
from lofte.kernel.problems import Place, Problem
from lofte.rules.catalogue import say
from lofte.rules.published import Published

State = Campaign.State
DUTY = "outreach.send"
_LONGEST_NAME = 120
PATIENCE = 7  # days
_PLACE = "https://way-out.invalid/"


@dataclass(frozen=True, slots=True)
class Content:
    """One language of a campaign. ``text`` and ``html`` stand between greeting and the way out; both are required.

    ``source`` is what the editor wrote, in ``form``; it is kept for the next change and never sent.
    """

    subject: str
    text: str
    html: str
    preheader: str = ""
    source: str = ""
    form: Literal["markdown", "html"] = "markdown"

    @property
    def is_complete(self) -> bool:
        return bool(self.subject.strip() and self.text.strip() and self.html.strip())


@dataclass(frozen=True, slots=True)
class Seen:
    """A campaign as staff see it. ``lacking`` are the languages of its markets that are not written yet; ``halted`` is the code of
    what stopped the sending by itself."""

    id: UUID
    name: str
    topic: str
    purpose: str
    markets: tuple[str, ...]
    segment: UUID | None
    contents: Mapping[str, Content]
    lacking: tuple[str, ...]
    state: str
    by: str
    made_at: datetime
    changed_at: datetime
    due_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    halted: str
    patience: int
    mark: str


# --- written --------------------------------------------------------------------------------------------------------


@in_transaction
def draft(
    name: str, topic: str, by: str, *, contents: Mapping[str, Content] | None = None, markets: Sequence[str] = (),
    segment: UUID | None = None, patience: int = PATIENCE,
) -> UUID:  # fmt: skip
    """Begin a campaign on a topic. It goes to whoever wants the topic, in ``markets`` (every one of the topic's when empty);
    with ``segment`` only to those of them who are in it."""
    published = publication.current()
    row = Campaign(name=name.strip()[:_LONGEST_NAME], by=by, made_at=clock.now(), contents={}, patience=patience)
    _describe(published, row, topic, contents or {}, markets, segment)
    row.save(force_insert=True)
    actions.record("issue.drafted", by, topic=topic)
    return row.id


@in_transaction
def change(
    campaign_id: UUID, by: str, *, name: str | None = None, topic: str | None = None,
    contents: Mapping[str, Content] | None = None, markets: Sequence[str] | None = None,
    segment: UUID | Literal["keep"] | None = "keep", patience: int | None = None, mark: str | None = None,
) -> None:  # fmt: skip
    """Change what is given, while nothing has been sent. A scheduled one must stay complete.

    ``mark`` is `Seen.mark` as it was when the changer looked. Raises Problem `outreach.changed-meanwhile` when it is another now.
    """
    row = row_of(campaign_id)
    if mark is not None and mark != _mark_of(row):
        raise _changed_meanwhile()
    _rewrite(
        row, by, row.name if name is None else name, topic, contents, markets, segment,
        row.patience if patience is None else patience,
    )  # fmt: skip


@in_transaction
def change_letter(campaign_id: UUID, tag: str, content: Content | None, by: str, *, mark: str) -> None:
    """Write one language anew, or take it out (None). Other languages that somebody writes meanwhile stay as they are.

    ``mark`` is `letter_mark` as it was when the writer looked. Raises Problem `outreach.changed-meanwhile` when it is another now.
    """
    row = row_of(campaign_id)
    written = contents_of(row)
    if mark != letter_mark(written.get(tag)):
        raise _changed_meanwhile()
    contents = {key: each for key, each in written.items() if key != tag} | ({tag: content} if content else {})
    _rewrite(row, by, row.name, None, contents, None, "keep", row.patience)


def letter_mark(content: Content | None) -> str:
    """Tells one writing of a letter from another; empty for none."""
    return sha256(repr(content).encode()).hexdigest()[:32] if content else ""


def _mark_of(row: Campaign) -> str:
    """Tells one description of a campaign from another: what it is called and whom it is for."""
    return sha256(repr((row.name, row.topic, row.markets, row.segment, row.patience)).encode()).hexdigest()[:32]


def _changed_meanwhile() -> Problem:
    return Problem(
        "outreach.changed-meanwhile", "somebody else has changed this meanwhile", way_out="Look at both and save again.",
        status=409,
    )  # fmt: skip


def _rewrite(
    row: Campaign, by: str, name: str, topic: str | None, contents: Mapping[str, Content] | None,
    markets: Sequence[str] | None, segment: UUID | Literal["keep"] | None, patience: int,
) -> None:  # fmt: skip
    """Of two who write on the same version one changes the row, and the other is told."""
    version = row.version
    _describe(
        publication.current(), row, row.topic if topic is None else topic,
        contents_of(row) if contents is None else contents, row.markets if markets is None else markets,
        row.segment if segment == "keep" else segment,
    )  # fmt: skip
    if row.state == State.SCHEDULED:
        _demand_complete(row)
    mine = Campaign.objects.filter(pk=row.id, state__in=(State.DRAFT, State.SCHEDULED))
    if not mine.exists():
        raise _wrong_state()
    if not mine.filter(version=version, state=row.state).update(
        name=name.strip()[:_LONGEST_NAME], topic=row.topic, purpose=row.purpose, contents=row.contents, markets=row.markets,
        segment=row.segment, patience=patience, version=version + 1, changed_at=clock.now(),
    ):  # fmt: skip
        raise _changed_meanwhile()
    actions.record("campaign.changed", by)


@in_transaction
def copy(campaign_id: UUID, by: str) -> UUID:
    """A new draft that says the same."""
    row = row_of(campaign_id)
    return draft(
        row.name,
        row.topic,
        by,
        contents=contents_of(row),
        markets=row.markets,
        segment=row.segment,
        patience=row.patience,
    )


@in_transaction
def discard(campaign_id: UUID, by: str) -> None:
    """Throw a draft away."""
    gone, _ = Campaign.objects.filter(pk=row_of(campaign_id).id, state=State.DRAFT).delete()
    if not gone:
        raise _wrong_state()
    actions.record("campaign.discarded", by)


def _describe(
    published: Published, row: Campaign, topic: str, contents: Mapping[str, Content], markets: Sequence[str],
    segment: UUID | None,
) -> None:  # fmt: skip
    declared = published.policy.topics.get(topic)
    if declared is None:
        raise Problem("outreach.no-topic", "there is no such topic", Place(key=topic[:64]), status=422)
    if stray := [
        each for each in markets if topic not in topics.of_market(each) or each not in published.policy.markets
    ]:
        raise Problem("outreach.no-topic", "the topic is not offered there", Place(key=stray[0][:64]), status=422)
    if stray := [each for each in contents if each not in published.policy.locales()]:
        raise Problem("outreach.issue-incomplete", "there is no such language", Place(key=stray[0][:64]), status=422)
    row.topic, row.purpose, row.segment = topic, declared.purpose, segment
    row.markets = sorted(set(markets))
    row.contents = {locale: asdict(each) for locale, each in contents.items()}


# --- its life -------------------------------------------------------------------------------------------------------


@in_transaction
def schedule(campaign_id: UUID, at: datetime, by: str) -> None:
    """Let it begin by itself at an instant that has not passed."""
    row = row_of(campaign_id)
    _demand_complete(row)
    if at <= clock.now():
        raise Problem("outreach.past", "this hour has passed", Place(key="at"), status=422)
    _turn(row, (State.DRAFT, State.SCHEDULED), State.SCHEDULED, due_at=at)
    actions.record("campaign.scheduled", by, topic=row.topic)


@in_transaction
def unschedule(campaign_id: UUID, by: str) -> None:
    """Make it a draft again."""
    row = row_of(campaign_id)
    _turn(row, (State.SCHEDULED,), State.DRAFT, due_at=None)
    actions.record("campaign.unscheduled", by, topic=row.topic)


@in_transaction
def start(campaign_id: UUID, by: str) -> None:
    """Begin to send now."""
    row = row_of(campaign_id)
    _demand_complete(row)
    begin(row, by)


def begin(row: Campaign, by: str) -> None:
    """Begin to send, in the caller's transaction."""
    _turn(row, (State.DRAFT, State.SCHEDULED), State.SENDING, started_at=clock.now())
    fact = {
        "topic": row.topic,
        "purpose": row.purpose,
        "markets": list(row.markets),
        "by_segment": row.segment is not None,
    }
    outbox.add("action.campaign_started", fact, about=row.id)
    actions.record("campaign.started", by, topic=row.topic)
    tasks.hurry(DUTY, clock.now())


@in_transaction
def begin_due(at: datetime) -> int:
    """Begin those whose hour has come. One that the policy in force no longer allows goes back to its draft and says why."""
    due = list(Campaign.objects.filter(state=State.SCHEDULED, due_at__lte=at))
    for row in due:
        try:
            _describe(publication.current(), row, row.topic, contents_of(row), row.markets, row.segment)
            _demand_complete(row)
            begin(row, row.by)
        except Problem as problem:
            _turn(row, (State.SCHEDULED,), State.DRAFT, due_at=None, halted=problem.code[:64])
    return len(due)


@in_transaction
def pause(campaign_id: UUID, by: str, *, halted: str = "") -> None:
    """Send nothing more for now. What waits in the queue is taken out, and decided anew when it goes on."""
    row = row_of(campaign_id)
    _turn(row, (State.SENDING,), State.PAUSED, halted=halted[:64])
    _take_out(row, "paused", state=Delivery.State.WAITING, mail_id=None, reason="")
    actions.record("campaign.paused", by, topic=row.topic)


@in_transaction
def resume(campaign_id: UUID, by: str) -> None:
    """Go on from where it was."""
    row = row_of(campaign_id)
    _turn(row, (State.PAUSED,), State.SENDING, halted="")
    actions.record("campaign.resumed", by, topic=row.topic)
    tasks.hurry(DUTY, clock.now())


@in_transaction
def stop(campaign_id: UUID, by: str) -> None:
    """End it for good; what waits in the queue never leaves."""
    row = row_of(campaign_id)
    _turn(row, (State.SENDING, State.PAUSED), State.STOPPED, sent_at=clock.now())
    _take_out(row, "stopped", state=Delivery.State.SUPPRESSED, reason="stopped")
    held = (Delivery.State.WAITING, Delivery.State.PUT_OFF)
    Delivery.everyone.filter(campaign_id=row.id, state__in=held).update(
        state=Delivery.State.SUPPRESSED, reason="stopped"
    )
    outbox.add("action.campaign_stopped", {"topic": row.topic, "looked": row.looked}, about=row.id)
    actions.record("campaign.stopped", by, topic=row.topic)


def _take_out(row: Campaign, why: str, **becomes: Any) -> None:
    waiting = list(mail.waiting_about(row.id))
    mail.take_back(row.id, why)
    for start in range(0, len(waiting), 500):
        some = Delivery.everyone.filter(campaign_id=row.id, mail_id__in=waiting[start : start + 500])
        some.filter(state=Delivery.State.QUEUED).update(**becomes)


def _turn(row: Campaign, among: Sequence[str], to: str, **values: Any) -> None:
    """One step of its life; the row itself decides between two who take it at once."""
    mine = Campaign.objects.filter(pk=row.id, state__in=among)
    if not mine.update(state=to, changed_at=clock.now(), **values):
        raise _wrong_state()
    row.refresh_from_db()


def _wrong_state() -> Problem:
    return Problem("outreach.wrong-state", "the campaign has moved on", way_out="Look at it again.", status=409)


# --- shown ----------------------------------------------------------------------------------------------------------


def row_of(campaign_id: UUID) -> Campaign:
    row = Campaign.objects.filter(pk=campaign_id).first()
    if row is None:
        raise Problem("outreach.no-campaign", "there is no such campaign", status=404)
    return row


def campaign(campaign_id: UUID) -> Seen:
    return _seen(row_of(campaign_id))


def campaigns(limit: int = 50, before: datetime | None = None) -> list[Seen]:
    """The latest first."""
    rows = Campaign.objects.order_by("-made_at")
    return [_seen(row) for row in (rows.filter(made_at__lt=before) if before else rows)[:limit]]


def _seen(row: Campaign) -> Seen:
    return Seen(
        row.id, row.name, row.topic, row.purpose, tuple(row.markets), row.segment, contents_of(row), lacking(row), row.state,
        row.by, row.made_at, row.changed_at, row.due_at, row.started_at, row.sent_at, row.halted,
        row.patience, _mark_of(row),
    )  # fmt: skip


def contents_of(row: Campaign) -> dict[str, Content]:
    return {locale: Content(**each) for locale, each in row.contents.items()}


def current_until(row: Campaign) -> datetime:
    """Until when it is worth reading for who had too many letters. Right away over where it waits for nobody."""
    return (row.started_at or clock.now()) + timedelta(days=row.patience)


def lacking(row: Campaign) -> tuple[str, ...]:
    """The languages of its markets that are not written yet."""
    policy, written = publication.current().policy, contents_of(row)
    declared = policy.topics.get(row.topic)
    markets = row.markets or (declared.markets if declared else ()) or list(policy.markets)
    spoken = dict.fromkeys(tag for key in markets if key in policy.markets for tag in policy.markets[key].locales)
    return tuple(tag for tag in spoken if tag not in written or not written[tag].is_complete)


def _demand_complete(row: Campaign) -> None:
    if missing := lacking(row):
        raise Problem(
            "outreach.issue-incomplete", "the campaign needs a subject, a text and an HTML form in each language of its markets",
            Place(key=missing[0]), status=422,
        )  # fmt: skip


# --- as it will look ------------------------------------------------------------------------------------------------


def compose(row: Campaign, market: str, locale: str, way_out: str, *, counts: bool = False) -> mail.Words:
    """What leaves in one language, with its way out. ``counts`` leads its links past the counter, where the policy has one."""
    content = row.contents[locale]
    html = counting.counted(row.id, content["html"]) if counts else content["html"]
    return mail.compose("issue", market, locale, **{**content, "html": html}, unsubscribe_url=way_out)


def preview(campaign_id: UUID, market: str, locale: str) -> mail.Words:
    """As it will look; its way out leads nowhere."""
    return compose(row_of(campaign_id), market, locale, links.link("unsubscribe", market, locale, "preview"))


def test_send(campaign_id: UUID, locale: str, to_staff: int, by: str, *, market: str = "") -> None:  # noqa: PT028  # no test of ours
    """Send one language to a member of staff, at once. Its way out is real to look at and opens nothing."""
    row, published = row_of(campaign_id), publication.current()
    written = contents_of(row).get(locale)
    if written is None or not written.is_complete:
        raise Problem("outreach.issue-incomplete", "this language is not written yet", Place(key=locale), status=422)
    staff = get_user_model().objects.filter(pk=to_staff, is_active=True).first()
    if staff is None or not staff.email:
        raise Problem("outreach.no-address", "this member of staff has no address on file", status=422)
    spoken = [key for key, each in published.policy.markets.items() if locale in each.locales]
    at = market if market in spoken else spoken[0]
    words = compose(row, at, locale, links.link("unsubscribe", at, locale, inbound.new_token()))
    if not mail.tell_house(
        staff.email, say(locale, "mail.test_subject", subject=words.subject), words.text, words.html
    ):
        raise Problem("mail.no-server", "no mail server is set", way_out="Set LOFTE_SMTP.", status=503)
    actions.record("campaign.tested", by, topic=row.topic, locale=locale)


test_send.__test__ = False  # type: ignore[attr-defined]  # pytest must not take it for a test of its own


def placeholder() -> str:
    """An address that stands for each person's own way out while a language is rendered once for all."""
    return f"{_PLACE}{uuid4().hex}/"
