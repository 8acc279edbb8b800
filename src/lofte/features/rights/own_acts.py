"""What people do themselves in the portal, as requests: begun with the act, ended by themselves when it is done everywhere.

Also what becomes of somebody's requests when they are erased, or turn out to be somebody else.
"""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import F

from lofte.core import clock, many, ports, publication
from lofte.core.retry import in_transaction
from lofte.features.rights.cases import OPEN, one
from lofte.features.rights.ledger import add, begin, change, close, end_if_free, forget_writer, seal_anew
from lofte.features.rights.models import Request, Step

Right, Channel, State = Request.Right, Request.Channel, Request.State


@in_transaction
def begun_by_person(
    person_id: UUID, right: str, *, purpose: str = "", about: UUID | None = None, kind: str = "acted"
) -> UUID:
    """A person used a right in the portal: a request that ends by itself when what it asked for is done everywhere.

    ``about`` is what was ordered by it. Inside the caller's transaction, so that neither stands without the other.
    """
    market, locale = ports.register().market_of(person_id) or _some_edition()
    row = begin(person_id, right, "person", Channel.PORTAL, market, locale, clock.now(), None, purpose, "")
    change(row, ends_itself=True)
    add(row, kind, "person", about=about)
    end_if_free(row.id)
    return row.id


def continues(person_id: UUID, right: str, about: UUID) -> bool:
    """Whether an open request of this person waits for the same already (asked again before the first was confirmed)."""
    mine = Request.objects.filter(subject=person_id, right=right, state__in=OPEN, ends_itself=True)
    row = mine.filter(id__in=Step.objects.filter(kind="address_asked").values("request")).first()
    if row is None or one(row.id).has("acted"):
        return False
    add(row, "address_asked", "person", about=about)
    return True


def went_on(person_id: UUID, waited_for: UUID, about: UUID) -> None:
    """What a request of this person waited for has come; ``about`` is what follows from it."""
    for step in Step.objects.filter(about=waited_for, kind="address_asked"):
        row = Request.objects.filter(pk=step.request, subject=person_id, state__in=OPEN).first()
        if row is not None:
            add(row, "acted", "person", about=about)
            end_if_free(row.id)


def ordered(person_id: UUID, order_id: UUID, by: str) -> None:
    """An erasure was ordered, in the caller's transaction: it belongs to the open request for it, or to a new one of the person."""
    mine = Request.objects.filter(subject=person_id, right=Right.ERASURE, state__in=OPEN, identified_at__isnull=False)
    row = mine.order_by("received_at").first()
    if row is not None:
        add(row, "acted", by, about=order_id)
        change(row, ends_itself=True)
    elif by == "person":
        begun_by_person(person_id, Right.ERASURE, about=order_id)


def end_about(order_id: UUID) -> None:
    """End the requests that waited for this alone."""
    for step in Step.objects.filter(about=order_id, kind="acted"):
        end_if_free(step.request)


@in_transaction
def lapse(request_id: UUID) -> None:
    """What the person had to confirm was not confirmed in time: nothing was done, and nothing more will be."""
    row = Request.objects.filter(pk=request_id, state__in=OPEN, ends_itself=True).first()
    if row is not None and not one(row.id).has("acted"):
        close(row, State.ANSWERED, "lapsed", "system")


def forget_person(person_id: UUID, order_id: UUID | None, hashes: frozenset[str]) -> None:
    """The person is erased: their requests stay as bare records, without words and without them; so do those that somebody nobody
    knew sent from their address. What they still asked for ends with the erasure. Inside the transaction that erases the rows.
    """
    mine = Request.objects.filter(subject=person_id)
    for row in mine.filter(state__in=OPEN):
        if not Step.objects.filter(request=row.id, about=order_id, kind="acted").exists():
            add(row, "acted", "system", about=order_id, reason="erased")
            change(row, ends_itself=True)
    theirs = Request.objects.filter(hash__in=hashes).exclude(hash="")
    ids = list((mine | theirs).values_list("id", flat=True))
    writers = set(theirs.exclude(subject=person_id).values_list("subject", flat=True))
    # The requests first: whoever is writing a step to one of them ends before, or is told that it moved.
    Request.objects.filter(id__in=ids).update(subject=None, owner=None, sealed=None, hash="", turn=F("turn") + 1)
    Step.objects.filter(request__in=ids).update(sealed=None)
    for writer in writers:
        if writer:
            forget_writer(writer)


def who_asked(people: Mapping[UUID, frozenset[str]], hashes: frozenset[str]) -> set[UUID]:
    """Those of the people who have a request, or from whose address (given as keyed hashes) somebody unknown sent one."""
    asked = set(Request.objects.filter(subject__in=many.among(people)).values_list("subject", flat=True))
    written = set(
        Request.objects.exclude(hash="").filter(hash__in=many.among_texts(hashes)).values_list("hash", flat=True)
    )
    return {each for each in asked if each} | {each for each, mine in people.items() if written & mine}


def merge(keep: UUID, gone: UUID) -> None:
    """The requests of somebody who turned out to be another person, sealed anew."""
    for row in Request.objects.filter(subject=gone):
        Request.objects.filter(pk=row.pk).update(subject=keep)
        row.subject = keep
        if row.owner is not None:
            seal_anew(row, keep)


def _some_edition() -> tuple[str, str]:
    markets = publication.current().policy.markets
    return next((key, each.locales[0]) for key, each in markets.items())
