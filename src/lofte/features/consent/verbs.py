"""Consent given, withdrawn, objected: each an appended event and a fact for the evidence log.

Raises `Problem`: `consent.undeclared` (no such purpose for persons), `consent.not-consent` (the purpose does not rest on consent),
`consent.not-objectable` (the purpose rests on neither legitimate interest nor public task), `consent.unknown-wording`.
"""

from uuid import UUID

from django.db import IntegrityError, models, transaction

from lofte.core import actions, clock, mail, outbox, ports, publication
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.features.consent import reads
from lofte.features.consent.models import Consent
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Basis, Purpose
from lofte.rules.published import Published

MERGED = "merged"  # the method of a word that holds because two records of one person said different things
_STRICTER = (Consent.Action.GRANTED, Consent.Action.WITHDRAWN, Consent.Action.OBJECTED)
_ATTEMPTS = 5


@in_transaction
def grant(
    person_id: UUID, purpose: str, *, market: str, locale: str, shown: str, method: str, channel: str = reads.EMAIL
) -> UUID:  # fmt: skip
    """Record a consent to a purpose of the current publication, over one channel.

    ``shown`` names the wording the person saw (``form.newsletter``), ``method`` how they agreed (``double_opt_in``, ``portal``).
    """
    published = publication.current()
    if _declared(published, purpose).basis is not Basis.CONSENT:
        raise Problem(
            "consent.not-consent",
            "this purpose does not rest on consent",
            Place(key=purpose),
            law="GDPR 6(1)",
            status=422,
        )
    try:
        wording = published.wording(market, locale, shown)
    except KeyError:
        raise Problem(
            "consent.unknown-wording", "no such words are published in this market and locale", Place(key=shown),
            law="GDPR 7(1)", status=422,
        ) from None  # fmt: skip
    return _append(
        person_id, purpose, Consent.Action.GRANTED, published, wording, shown, market, locale, method, channel
    )


@in_transaction
def withdraw(person_id: UUID, purpose: str, *, method: str, channel: str = reads.ALL) -> UUID:
    """Record that a consent is taken back, over all channels or one. Effective at once; a second one returns the first's id."""
    published = publication.current()
    if _declared(published, purpose).basis is not Basis.CONSENT:
        raise Problem("consent.not-consent", "this purpose does not rest on consent", Place(key=purpose), status=422)
    return _take_back(person_id, purpose, Consent.Action.WITHDRAWN, published, method, channel)


@in_transaction
def object_to(person_id: UUID, purpose: str, *, method: str) -> UUID:
    """Record an objection to a use on legitimate interest (GDPR 21). A second one returns the first one's id."""
    published = publication.current()
    if _declared(published, purpose).basis not in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK):
        raise Problem(
            "consent.not-objectable", "only a use on legitimate interest can be objected to", Place(key=purpose),
            law="GDPR 21(1)", status=422,
        )  # fmt: skip
    return _take_back(person_id, purpose, Consent.Action.OBJECTED, published, method, reads.ALL)


@in_transaction
def merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """Two persons are one: every event of ``gone`` stands behind those of ``keep``, and the stricter word is the last one.

    Where the two said different things of a purpose, a withdrawal or objection of today is appended: it holds until the person
    says otherwise.
    """
    events = list(Consent.objects.of(gone).order_by("purpose", "ordinal"))
    strictest: dict[tuple[str, str], Consent] = {}
    for purpose in {event.purpose for event in events}:
        both = [reads.by_channel(_events(each, purpose)) for each in (keep, gone)]
        for channel in {*both[0], *both[1]}:
            said_of_it = [last for each in both if (last := each.get(channel) or each.get(reads.ALL))]
            strictest[purpose, channel] = max(said_of_it, key=lambda last: _STRICTER.index(Consent.Action(last.action)))
    ordinals = {purpose: last.ordinal if (last := _last(keep, purpose)) else 0 for purpose, _ in strictest}
    for event in events:
        ordinals[event.purpose] += 1
        event.person_id, event.ordinal = keep, ordinals[event.purpose]
    Consent.objects.of(gone)._raw_delete(using="default")
    models.QuerySet(Consent).bulk_create(events)
    published = publication.current()
    for (purpose, channel), said in sorted(strictest.items()):
        last = reads.by_channel(_events(keep, purpose)).get(channel)
        if last and last.action != said.action:
            action = Consent.Action(said.action)
            if channel in (reads.ALL, reads.EMAIL):
                mail.suppress(keep, purpose, action.value)
            _append(keep, purpose, action, published, "", "", said.market, said.locale, MERGED, channel)
    return {"consent_consent": len(events)}


def _take_back(
    person_id: UUID, purpose: str, action: Consent.Action, published: Published, method: str, channel: str
) -> UUID:
    latest = reads.by_channel(_events(person_id, purpose))
    last, said = _last(person_id, purpose), latest.get(channel) or latest.get(reads.ALL)
    is_said = bool(latest) and all(each.action == action for each in latest.values())
    if channel == reads.ALL and is_said and last:
        return last.id
    if channel != reads.ALL and said and said.action != Consent.Action.GRANTED:
        return said.id
    market, locale = (last.market, last.locale) if last else ports.register().market_of(person_id) or ("", "")
    # In one transaction: nothing may stand in the mail queue once the withdrawal is recorded.
    if channel in (reads.ALL, reads.EMAIL):
        mail.suppress(person_id, purpose, action.value)
    return _append(person_id, purpose, action, published, "", "", market, locale, method, channel)


def _append(
    person_id: UUID, purpose: str, action: Consent.Action, published: Published, wording: str, shown: str,
    market: str, locale: str, method: str, channel: str,
) -> UUID:  # fmt: skip
    event_id, at = new_id(), clock.now()
    for attempt in range(_ATTEMPTS):
        last = _last(person_id, purpose)
        try:
            with transaction.atomic():
                Consent.objects.create(
                    id=event_id, person_id=person_id, purpose=purpose, channel=channel,
                    ordinal=last.ordinal + 1 if last else 1, action=action,
                    wording=wording, shown=shown, publication=published.digest, market=market, locale=locale, method=method, at=at,
                )  # fmt: skip
            break
        except IntegrityError:  # another event took the ordinal
            if attempt == _ATTEMPTS - 1:
                raise
    fact = {
        "purpose": purpose, "action": action.value, "wording": wording, "market": market, "locale": locale, "method": method,
        "version": published.version, "channel": channel,
    }  # fmt: skip
    outbox.add(f"consent.{action.value}", fact, policy=published.digest, person_id=person_id, about=event_id)
    actions.record(
        f"consent.{action.value}", "system" if method == MERGED else "person", purpose=purpose, method=method
    )
    ports.register().refresh_due(person_id)
    return event_id


def _events(person_id: UUID, purpose: str) -> list[Consent]:
    return list(Consent.objects.of(person_id).filter(purpose=purpose).order_by("ordinal"))


def _last(person_id: UUID, purpose: str) -> Consent | None:
    return Consent.objects.of(person_id).filter(purpose=purpose).order_by("-ordinal").first()


def _declared(published: Published, purpose: str) -> Purpose:
    declared = published.policy.purposes.get(purpose)
    if declared is None or declared.scope != "person":
        raise Problem(
            "consent.undeclared", "the policy declares no such purpose for persons", Place(key=purpose), status=422
        )
    return declared
