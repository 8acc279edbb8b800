"""What a person or an editor does with the newsletter. Every answer to the public is the same for known and unknown people.

Raises `Problem` with these codes: `form.unknown-field`, `form.missing-field`, `form.bad-value`, `form.not-here`, `code.unknown`
(wrong, used up or expired: one code for all three), `mail.no-unsubscribe`, `outreach.issue-incomplete`, `outreach.issue-sent`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from lofte.core import actions, blind, clock, codes, holdings, limits, links, mail, outbox, ports, publication, vault
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.models import Delivery, Issue, SignUp
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Form
from lofte.rules.published import Published

TOPICS = ("product", "insight", "events")
FORM = "newsletter"
CONFIRM_WITHIN = timedelta(hours=48)
PER_ADDRESS = (5, timedelta(days=1))  # tries, window: nobody's mailbox is filled by a stranger
PER_NETWORK = (30, timedelta(hours=1))
_BATCH = 200
_LONGEST = 500  # characters; the longest honest value is a company's name


@dataclass(frozen=True, slots=True)
class Confirmed:
    """``consent_id`` is the event; `rights.reads.receipt(person_id, consent_id)` gives its receipt once it is in the log."""

    person_id: UUID
    market: str
    locale: str
    consent_id: UUID


@dataclass(frozen=True, slots=True)
class Left:
    market: str
    locale: str


@dataclass(frozen=True, slots=True)
class Content:
    """One language of an issue. ``text`` and ``html`` are what stands between greeting and the way out; both are required."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Sent:
    queued: int
    suppressed: int


def ask_to_subscribe(
    market: str,
    locale: str,
    values: Mapping[str, str],
    *,
    topics: Sequence[str] = (),
    form: str = FORM,
    remote: str = "",
) -> None:
    """Somebody typed an address: a mail with a confirmation link goes there, and nothing counts until it is used.

    ``values`` are exactly the form's declared fields (an undeclared one is refused with its name). ``remote`` is the caller's
    network address, used only as a keyed hash for the limit. Says nothing about whether the address is known, nor when limits bite.
    """
    published = publication.current()
    clean = _clean(published, market, locale, form, values)
    address = blind.normalise("email", clean["email"])
    wanted = _topics(topics)
    if limits.allow("subscribe", address, *PER_ADDRESS) and (
        not remote or limits.allow("subscribe-from", remote, *PER_NETWORK)
    ):
        _keep_sign_up(published, market, locale, form, clean, address, wanted)


@in_transaction
def _keep_sign_up(
    published: Published,
    market: str,
    locale: str,
    form: str,
    values: Mapping[str, str],
    address: str,
    topics: Sequence[str],
) -> None:
    # The same for a known address and an unknown one: whose it is, is asked only when the mail proves it.
    person_id, row_id = ports.register().welcome(provisional=True), new_id()
    plain = json.dumps({"values": dict(values), "topics": list(topics)}).encode()
    SignUp.objects.create(
        id=row_id, person_id=person_id, sealed=vault.opener(person_id).seal(row_id, plain), hash=blind.blind_hash("email", address),
        form=form, market=market, locale=locale, wording=published.wording(market, locale, f"form.{form}"),
        publication=published.digest, asked_at=clock.now(), expires_at=clock.now() + CONFIRM_WITHIN,
    )  # fmt: skip
    code = codes.issue("confirm", person_id, market=market, locale=locale, lasts=CONFIRM_WITHIN, about=row_id)
    hours = int(CONFIRM_WITHIN.total_seconds() // 3600)
    words = mail.compose("confirm", market, locale, url=links.link("confirm", market, locale, code), hours=hours)
    mail.send(mail.Letter("confirm", person_id, values["email"], words, published.policy.forms[form].purpose))
    actions.record("subscription.asked", "person", market=market)


@in_transaction
def confirm(code: str) -> Confirmed:
    """The link of the confirmation mail was used (POST, never GET): consent is recorded and the person is in the register."""
    opened = codes.redeem(code, "confirm")
    row: SignUp | None = SignUp.objects.of(opened.person_id).filter(id=opened.about).first()
    if row is None:
        raise Problem("code.unknown", "this link is not valid, or no longer", way_out="Sign up again.", status=410)
    asked = json.loads(vault.opener(row.person_id).open(row.id, row.sealed))
    published, register = publication.current(), ports.register()
    purpose = published.policy.forms[row.form].purpose
    known = register.find("email", asked["values"]["email"])
    person_id = known or row.person_id
    if known is None:
        register.confirm(person_id)
    _enter(published, person_id, row, purpose, asked)
    event = ports.consents().grant(
        person_id, purpose, market=row.market, locale=row.locale, shown=f"form.{row.form}", method="double_opt_in"
    )
    SignUp.objects.of(row.person_id).filter(id=row.id).delete()
    if known is not None and known != row.person_id:
        _forget_provisional(row.person_id)
    actions.record("subscription.confirmed", "person", market=row.market)
    return Confirmed(person_id, row.market, row.locale, event)


def _enter(published: Published, person_id: UUID, row: SignUp, purpose: str, asked: Mapping[str, Any]) -> None:
    """Hold what the form asked for, under the purpose the form declares."""
    register = ports.register()
    values = {field: value for field, value in asked["values"].items() if value}
    if asked["topics"] and "topics" in published.policy.purposes[purpose].fields:
        values["topics"] = ",".join(asked["topics"])
    relation = _relation(published, purpose)
    if relation:
        register.relate(person_id, relation, market=row.market, locale=row.locale)
    register.keep(
        person_id, values, purpose, source=f"form:{row.form}", market=row.market, locale=row.locale, wording=row.wording
    )
    if any("sign_up" in each.signals for each in published.policy.clocks.values()):
        register.signal(person_id, "sign_up", source=f"form:{row.form}")


def _relation(published: Published, purpose: str) -> str | None:
    """What somebody becomes by using a form: the relation with the purpose's own clock, else any that has the purpose.

    Never the first in the file: a publication keeps no order, and a subscriber must not become a customer by alphabet.
    """
    clock_id = published.policy.purposes[purpose].clock
    having = {key: each for key, each in published.policy.relations.items() if purpose in each.purposes}
    return min(having, key=lambda key: (having[key].clock != clock_id, len(having[key].purposes), key), default=None)


def _forget_provisional(person_id: UUID) -> None:
    """A provisional person who turned out to be somebody known, or nobody at all."""
    holdings.erase_rows(person_id)
    transaction.on_commit(lambda: vault.destroy_key(person_id) and None)


def unsubscribe(code: str) -> Left | None:
    """One click (RFC 8058) out. Idempotent; None when the code is not known (say the same thing all the same)."""
    opened = codes.peek(code, "unsubscribe")
    if opened is None:
        return None
    issue = Issue.objects.filter(pk=opened.about).first() if opened.about else None
    purpose = issue.purpose if issue else publication.current().policy.forms[FORM].purpose
    ports.consents().withdraw(opened.person_id, purpose, method="one_click")
    return Left(opened.market, opened.locale)


def choose_topics(person_id: UUID, topics: Sequence[str]) -> None:
    """Replace the topics a subscriber wants; an empty choice is no withdrawal, it means all topics."""
    purpose = publication.current().policy.forms[FORM].purpose
    market, locale = ports.register().market_of(person_id) or ("", "")
    wanted = _topics(topics) or TOPICS
    ports.register().keep(
        person_id, {"topics": ",".join(wanted)}, purpose, source="portal", market=market, locale=locale
    )


@in_transaction
def draft_issue(topic: str, contents: Mapping[str, Content], by: str) -> UUID:
    """Keep an issue to be sent: one `Content` a locale. ``by`` is the staff member's id."""
    published = publication.current()
    _topics([topic])
    for locale, content in contents.items():
        if locale not in published.policy.locales() or not (
            content.subject.strip() and content.text.strip() and content.html.strip()
        ):
            raise Problem(
                "outreach.issue-incomplete", "an issue needs a subject, a text and an HTML form in each of its languages",
                Place(key=locale), status=422,
            )  # fmt: skip
    if not contents:
        raise Problem("outreach.issue-incomplete", "an issue needs at least one language", status=422)
    kept = {
        locale: {"subject": each.subject, "text": each.text, "html": each.html} for locale, each in contents.items()
    }
    row = Issue.objects.create(
        topic=topic, purpose=published.policy.forms[FORM].purpose, contents=kept, by=by, made_at=clock.now()
    )
    actions.record("issue.drafted", by, topic=topic)
    return row.id


def send_issue(issue_id: UUID, *, only: Sequence[UUID] | None = None) -> Sent:
    """Queue the issue for each subscriber whose consent stands at that very moment. Run again after a crash, nobody gets it twice.

    ``only`` narrows it to these people (the canary that proves the path); they too get it on their consent alone.
    """
    issue = Issue.objects.filter(pk=issue_id).first()
    if issue is None:
        raise Problem("outreach.no-issue", "there is no such issue", status=404)
    if issue.state == "sent":
        raise Problem("outreach.issue-sent", "this issue has been sent", status=409)
    Issue.objects.filter(pk=issue_id).update(state="sending")
    after: UUID | None = None
    for person_id in only or ():
        _queue_one(issue, person_id)
    while only is None and (people := ports.register().people_for(issue.purpose, after, _BATCH)):
        for person_id in people:
            _queue_one(issue, person_id)
        after = people[-1]
    return _finish(issue)


@in_transaction
def _finish(issue: Issue) -> Sent:
    sent = Sent(
        queued=Delivery.everyone.filter(issue_id=issue.id, state="queued").count(),
        suppressed=Delivery.everyone.filter(issue_id=issue.id, state="suppressed").count(),
    )
    if Issue.objects.filter(pk=issue.id, state="sending").update(state="sent", sent_at=clock.now()):
        outbox.add("action.issue_sent", {"topic": issue.topic, "queued": sent.queued, "suppressed": sent.suppressed})
        actions.record("issue.sent", issue.by, topic=issue.topic, queued=sent.queued, suppressed=sent.suppressed)
    return sent


@in_transaction
def _queue_one(issue: Issue, person_id: UUID) -> None:
    """Ask the consent of this moment, and queue in the same transaction: a withdrawal is before it or after it, never inside."""
    if Delivery.objects.of(person_id).filter(issue_id=issue.id).exists():
        return
    if not ports.consents().is_granted(person_id, issue.purpose):
        _note(issue, person_id, "suppressed", "no-consent")
        return
    if ports.is_restricted(person_id):
        _note(issue, person_id, "suppressed", "restricted")
        return
    held = ports.register().read(person_id, issue.purpose, ("email", "name", "topics"), by="outreach")
    wanted = [each for each in held.get("topics", "").split(",") if each]
    market, locale = ports.register().market_of(person_id) or ("", "")
    content = issue.contents.get(locale)
    if wanted and issue.topic not in wanted:
        _note(issue, person_id, "skipped", "other-topic")
    elif not held.get("email") or content is None:
        _note(issue, person_id, "suppressed", "no-translation" if held.get("email") else "no-address")
    else:
        letter = _letter(issue, person_id, held["email"], held.get("name", ""), market, locale, content)
        _note(issue, person_id, "queued", "", mail.send(letter))


def _letter(
    issue: Issue, person_id: UUID, to: str, name: str, market: str, locale: str, content: Mapping[str, str]
) -> mail.MarketingLetter:
    code = codes.issue(
        "unsubscribe", person_id, market=market, locale=locale, lasts=None, single_use=False, about=issue.id
    )
    way_out = links.link("unsubscribe", market, locale, code)
    seen = {**content, "unsubscribe_url": way_out, "name": name}
    return mail.MarketingLetter(
        "issue",
        person_id,
        to,
        mail.compose("issue", market, locale, **seen),
        issue.purpose,
        about=issue.id,
        unsubscribe_url=way_out,
    )


def _note(issue: Issue, person_id: UUID, state: str, reason: str, mail_id: UUID | None = None) -> None:
    Delivery.objects.create(
        person_id=person_id, issue_id=issue.id, state=state, reason=reason, mail_id=mail_id, at=clock.now()
    )


@duty("outreach.forget_unconfirmed", every=timedelta(minutes=10))
def forget_unconfirmed(at: datetime) -> int:
    """Erase who did not confirm in time: they were never in the register, and now nothing of them is anywhere."""
    expired = list(SignUp.everyone.filter(expires_at__lte=at).values_list("person_id", flat=True)[:_BATCH])
    for person_id in expired:
        _forget(person_id)
    return len(expired)


@in_transaction
def _forget(person_id: UUID) -> None:
    _forget_provisional(person_id)


def _clean(published: Published, market: str, locale: str, form: str, values: Mapping[str, str]) -> dict[str, str]:
    """The form's own fields, trimmed and checked; anything else is refused by name."""
    declared = _form(published, market, locale, form)
    known = {each.field: each for each in declared.fields}
    if stray := sorted(set(values) - set(known)):
        raise Problem(
            "form.unknown-field",
            "the form does not ask for this",
            Place(key=stray[0][:64]),
            law="GDPR 5(1)(c)",
            status=422,
        )
    clean = {}
    for field, asked in known.items():
        value = values.get(field, "").strip()
        if not value and asked.required:
            raise Problem("form.missing-field", "this field is needed", Place(key=field), status=422)
        try:
            clean[field] = blind.clean(published.policy.fields[field].kind, value) if value else ""
        except Problem:
            raise Problem("form.bad-value", "this does not look right", Place(key=field), status=422) from None
        if len(clean[field]) > _LONGEST:
            raise Problem("form.bad-value", "this is too long", Place(key=field), status=422)
    return clean


def _form(published: Published, market: str, locale: str, form: str) -> Form:
    declared = published.policy.forms.get(form)
    edition = published.policy.markets.get(market)
    if (
        declared is None
        or edition is None
        or locale not in edition.locales
        or (declared.markets and market not in declared.markets)
    ):
        raise Problem("form.not-here", "there is no such form in this market and language", status=404)
    return declared


def _topics(topics: Sequence[str]) -> list[str]:
    if stray := [each for each in topics if each not in TOPICS]:
        raise Problem("form.bad-value", "there is no such topic", Place(key=stray[0][:64]), status=422)
    return list(dict.fromkeys(topics))
