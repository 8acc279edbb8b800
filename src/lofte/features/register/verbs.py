"""What is done with the register. Only a declared field is kept, for a declared purpose, from a person who was not erased.

Raises `Problem`: `register.undeclared` (purpose or field the publication does not declare), `register.bad-value`,
`register.no-holding`, `register.taken` (the address is another person's), `vault.erased`.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from lofte.core import blind, clock, publication, vault
from lofte.core.models import Person, new_id
from lofte.core.retry import in_transaction
from lofte.features.register import crowds, due, erased, index, organisations
from lofte.features.register.models import Dialogue, Holding, Placement, Relation, Signal
from lofte.kernel import ids
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Basis, DataField, Purpose
from lofte.rules.published import Published

PLACED = ("company", "title", "role")  # the fields a place in an organisation consists of
_REPLY = "reply"
MANY = ("dialogue",)  # categories of which a person has many: each letter and call is its own holding


def whole() -> AbstractContextManager[None]:
    """Several acts that stand or fall together."""
    return transaction.atomic()


def welcome(*, provisional: bool = False) -> UUID:
    """A new person with a key of their own and nothing held yet. ``provisional`` until they confirm that the address is theirs."""
    person_id = ids.person_id(os.urandom(16))
    vault.make_key(person_id)  # first: a key without a person is harmless, a person without a key is not
    Person.objects.create(id=person_id, provisional=provisional, made_at=clock.now())
    return person_id


@in_transaction
def meet(
    values: Mapping[str, str], purpose: str, *, relation: str, source: str, market: str, locale: str
) -> UUID:  # fmt: skip
    """Somebody new, known from now on in a relation, with what they gave for a purpose that rests on no consent.

    Raises Problem `register.no-way-to-find` without address or number, `people.needs-consent`, `register.taken`, `register.erased`.
    """
    published = publication.current()
    declared = _declared_purpose(published, purpose)
    if declared.basis is Basis.CONSENT:
        raise Problem(
            "people.needs-consent", "this purpose rests on consent, which only the person can give", Place(key="purpose"),
            law="GDPR 7(1)", status=422,
        )  # fmt: skip
    kept = {field: value for field, value in values.items() if value.strip() and field in declared.fields}
    shapes = published.policy.fields
    country = published.policy.markets[market].country if market in published.policy.markets else ""
    found = [index.hash_of(field, shapes[field], value, country) for field, value in kept.items()]
    if not any(found):
        raise Problem(
            "register.no-way-to-find", "without an address or number the person could be neither found nor erased later",
            Place(key="email"), status=422,
        )  # fmt: skip
    if any(erased.when(each) for each in found if each):
        raise Problem(
            "register.erased", "somebody with this address or number was erased", Place(key="email"), law="GDPR 17", status=409,
            way_out="Take them in by a list with a ground newer than the erasure.",
        )  # fmt: skip
    person_id = welcome()
    try:
        with transaction.atomic():
            begin_relation(person_id, relation, market=market, locale=locale)
            more = {"source": source, "market": market, "locale": locale}
            placed = {field: kept.pop(field) for field in PLACED if field in kept} if "company" in kept else {}
            if placed:
                place(person_id, placed, purpose, **more)
            hold(person_id, kept, purpose, **more)
    except BaseException:
        vault.destroy_key(person_id, forever=False)
        raise
    return person_id


@in_transaction
def hold(
    person_id: UUID, values: Mapping[str, str], purpose: str, *, source: str, market: str, locale: str, wording: str = ""
) -> list[UUID]:  # fmt: skip
    """Hold values of declared fields for a declared purpose; an earlier value of the same field and purpose is replaced.

    Nothing is held when any of them is refused. ``source`` says where it came from: ``form:newsletter``, ``portal``,
    ``staff:<id>``, ``import``.
    """
    published = publication.current()
    declared = _declared_purpose(published, purpose)
    opener = vault.opener(person_id)
    kept = []
    for field, value in values.items():
        if value.strip():
            shape = _declared_field(published, declared, purpose, field)
            kept.append(
                _hold_one(opener, field, shape, value, purpose, declared, source, market, locale, published, wording)
            )
    index.renew(opener, values)
    refresh_due(person_id)
    return kept


def hold_value(
    person_id: UUID, field: str, value: str, purpose: str, *, source: str, market: str, locale: str, wording: str = ""
) -> UUID:
    """One value; see `hold`."""
    kept = hold(person_id, {field: value}, purpose, source=source, market=market, locale=locale, wording=wording)
    if not kept:
        raise Problem("register.bad-value", "an empty value is nothing to hold", Place(key=field), status=422)
    return kept[0]


def _hold_one(
    opener: vault.Opener, field: str, shape: DataField, value: str, purpose: str, declared: Purpose, source: str,
    market: str, locale: str, published: Published, wording: str,
) -> UUID:  # fmt: skip
    text = blind.clean(shape.kind, value)
    earlier = _earlier(opener, field, purpose, text) if shape.category not in MANY else None
    return _write(opener, earlier, field, shape, text, purpose, declared, source, market, locale, published, wording)


def _write(
    opener: vault.Opener, earlier: Holding | None, field: str, shape: DataField, value: str, purpose: str, declared: Purpose,
    source: str, market: str, locale: str, published: Published, wording: str,
) -> UUID:  # fmt: skip
    country = published.policy.markets[market].country if market in published.policy.markets else ""
    text = blind.clean(shape.kind, value)
    found = index.hash_of(field, shape, text, country)
    row_id = earlier.id if earlier else new_id()
    values = {
        "basis": declared.basis.value, "source": source, "sealed": opener.seal(row_id, text.encode()), "hash": found,
        "market": market, "locale": locale, "publication": published.digest, "wording": wording, "since": clock.now(),
    }  # fmt: skip
    if earlier:
        Holding.objects.of(opener.owner).filter(id=row_id).update(**values)
    else:
        Holding.objects.create(id=row_id, person_id=opener.owner, field=field, purpose=purpose, **values)
    return row_id


def _earlier(opener: vault.Opener, field: str, purpose: str, text: str) -> Holding | None:
    """The holding a new value replaces. What belongs to a place in an organisation stays, unless it is that organisation's name."""
    rows = Holding.objects.of(opener.owner).filter(field=field, purpose=purpose)
    if field not in PLACED:
        return rows.first()
    places = list(Placement.objects.of(opener.owner).filter(purpose=purpose))
    if field == "company":
        same = [each.company for each in places if each.organisation == organisations.id_of(text) and not each.ended_at]
        if same:
            return rows.filter(id=same[0]).first()
    return rows.exclude(id__in={getattr(each, field) for each in places} - {None}).first()


@in_transaction
def place(
    person_id: UUID, values: Mapping[str, str], purpose: str, *, source: str, market: str, locale: str
) -> UUID:  # fmt: skip
    """The person's place in an organisation (`company`, and if known `title` and `role`), for a declared purpose.

    The same organisation again renews title and role; another one is a place beside the first. Returns the place's id.
    """
    if set(values) - set(PLACED) or not values.get("company", "").strip():
        raise Problem("register.bad-value", "a place has a company, and may have title and role", status=422)
    organisation = organisations.remember(blind.clean("text", values["company"]))
    here = Placement.objects.of(person_id).filter(
        organisation=organisation, purpose=purpose, market=market, ended_at__isnull=True
    )
    there: Placement | None = here.first()
    more = {"source": source, "market": market, "locale": locale}
    held: dict[str, UUID | None] = {}
    for field in PLACED:
        if text := values.get(field, "").strip():
            held[field] = _hold_placed(person_id, field, text, purpose, getattr(there, field, None), **more)
    index.renew(vault.opener(person_id), held)
    refresh_due(person_id)
    if there:
        here.update(**held)
        return there.id
    made: Placement = Placement.objects.create(
        person_id=person_id, organisation=organisation, purpose=purpose, market=market, started_at=clock.now(), **held
    )
    return made.id


def _hold_placed(
    person_id: UUID, field: str, text: str, purpose: str, replaced: UUID | None, *, source: str, market: str, locale: str
) -> UUID:  # fmt: skip
    published = publication.current()
    declared = _declared_purpose(published, purpose)
    shape = _declared_field(published, declared, purpose, field)
    opener = vault.opener(person_id)
    earlier = Holding.objects.of(person_id).filter(id=replaced).first() if replaced else None
    if earlier is None:  # a value that stands there by itself and says the same becomes the place's own
        taken = {getattr(each, field) for each in Placement.objects.of(person_id)}
        alone = Holding.objects.of(person_id).filter(field=field, purpose=purpose).exclude(id__in=taken - {None})
        said = blind.normalise("name", text)
        same = [each for each in alone if blind.normalise("name", opener.open(each.id, each.sealed).decode()) == said]
        earlier = same[0] if same else None
    return _write(opener, earlier, field, shape, text, purpose, declared, source, market, locale, published, "")


@in_transaction
def leave(person_id: UUID, place_id: UUID) -> None:
    """The person no longer works there. Ending it again changes nothing."""
    Placement.objects.of(person_id).filter(id=place_id, ended_at__isnull=True).update(ended_at=clock.now())


@in_transaction
def note(
    person_id: UUID, text: str, purpose: str, *, medium: str, direction: str, at: datetime, by: str, market: str, locale: str,
    field: str = "dialogue", counts: bool = True,
) -> UUID:  # fmt: skip
    """Keep what was said with a person, for a purpose that declares dialogue. Returns the entry's id.

    ``by`` is who of us it was with (``staff:<id>``), ``direction`` whether it came in or went out. A word that came in is a sign
    of interest where the policy counts replies as one, unless it is not certain that it is theirs (``counts``).
    """
    if medium not in Dialogue.Medium.values or direction not in Dialogue.Direction.values:
        raise Problem("register.bad-value", "this is no way people talk with us", Place(key="medium"), status=422)
    if at > clock.now():
        raise Problem("register.bad-value", "this has not happened yet", Place(key="at"), status=422)
    shape = publication.current().policy.fields.get(field)
    if shape is None or shape.category not in MANY:
        raise Problem("register.undeclared", "the policy declares no such dialogue", Place(key=field), status=422)
    holding = hold_value(person_id, field, text, purpose, source=by, market=market, locale=locale)
    Dialogue.objects.create(id=holding, person_id=person_id, medium=medium, direction=direction, at=at, by=by)
    if counts and direction == Dialogue.Direction.IN and _counts(_REPLY):
        record_signal(person_id, _REPLY, purpose)
    return holding


def _counts(signal: str) -> bool:
    return any(signal in each.signals for each in publication.current().policy.clocks.values())


@in_transaction
def correct_value(person_id: UUID, holding_id: UUID, value: str) -> list[UUID]:
    """Put a value right wherever the same field holds the same old value (GDPR 16). Returns the ids of the corrected holdings."""
    published = publication.current()
    row = _holding(person_id, holding_id)
    shape = _declared_field(published, _declared_purpose(published, row.purpose), row.purpose, row.field)
    opener = vault.opener(person_id)
    old = opener.open(row.id, row.sealed)
    text = blind.clean(shape.kind, value)
    if not text:
        raise Problem("register.bad-value", "an empty value is nothing to hold", Place(key=row.field), status=422)
    country = published.policy.markets[row.market].country if row.market in published.policy.markets else ""
    found = index.hash_of(row.field, shape, text, country)
    same = [
        each
        for each in Holding.objects.of(person_id).filter(field=row.field)
        if opener.open(each.id, each.sealed) == old
    ]
    for each in same:
        Holding.objects.of(person_id).filter(id=each.id).update(sealed=opener.seal(each.id, text.encode()), hash=found)
    index.renew(opener, [row.field])
    if row.field == "company":
        _move(person_id, {each.id for each in same}, text)
    return [each.id for each in same]


@in_transaction
def drop(person_id: UUID, holding_ids: Iterable[UUID]) -> int:
    """Erase single holdings and what finds them; returns how many went."""
    leaving = list(Holding.objects.of(person_id).filter(id__in=list(holding_ids)))
    gone = Holding.objects.of(person_id).filter(id__in=[each.id for each in leaving])._raw_delete(using="default")
    if leaving:
        index.renew(vault.opener(person_id), {each.field for each in leaving})
    crowds.drop_beside([person_id], [each.id for each in leaving])
    return gone


@in_transaction
def remove(person_id: UUID, holding_id: UUID) -> str:
    """Erase one holding by hand; returns its field. Raises Problem: what a statute keeps goes by its clock alone."""
    row = Holding.objects.of(person_id).filter(id=holding_id).first()
    if row is None:
        raise Problem("register.no-holding", "there is no such holding of this person", status=404)
    if row.basis == Basis.LEGAL_OBLIGATION:
        raise Problem("register.kept-by-law", "a legal obligation keeps it", law="GDPR 17(3)(b)", status=409)
    drop(person_id, [holding_id])
    return str(row.field)


def _move(person_id: UUID, companies: set[UUID], name: str) -> None:
    """A company's name was put right: the places named by it are in that organisation."""
    places = Placement.objects.of(person_id).filter(company__in=companies)
    if left := set(places.values_list("organisation", flat=True)):
        places.update(organisation=organisations.remember(name))
        organisations.forget_empty(left)


@in_transaction
def begin_relation(person_id: UUID, relation: str, *, market: str, locale: str) -> UUID:
    """The company knows the person in this way from now on; an open relation of the same kind in the market stays as it is."""
    if relation not in publication.current().policy.relations:
        raise Problem("register.undeclared", f"the policy declares no relation {relation}", status=422)
    there = Relation.objects.of(person_id).filter(relation=relation, market=market, ended_at__isnull=True).first()
    if there:
        return there.id  # type: ignore[no-any-return]  # the manager answers Any on purpose
    made: Relation = Relation.objects.create(person_id=person_id, relation=relation, market=market, locale=locale)
    refresh_due(person_id)
    return made.id


@in_transaction
def end_relation(person_id: UUID, relation_id: UUID) -> None:
    """The relation is over: its clock starts. Ending it again changes nothing."""
    Relation.objects.of(person_id).filter(id=relation_id, ended_at__isnull=True).update(ended_at=clock.now())
    refresh_due(person_id)


@in_transaction
def record_signal(person_id: UUID, kind: str, purpose: str = "", *, source: str = "") -> None:
    """The person showed interest (a kind that some clock of the policy names): inactivity counts from now.

    ``source`` is where it was noticed; a reply is one in the dialogue.
    """
    if all(kind not in each.signals for each in publication.current().policy.clocks.values()):
        raise Problem("register.undeclared", f"no clock of the policy counts {kind} as interest", status=422)
    at = clock.now()
    latest = Signal.objects.of(person_id).filter(kind=kind)
    noticed = {"at": at, "purpose": purpose, "source": source or ("dialogue" if kind == _REPLY else "register")}
    if not latest.filter(at__lte=at).update(**noticed) and not latest.exists():
        Signal.objects.create(person_id=person_id, kind=kind, **noticed)
    refresh_due(person_id)


@in_transaction
def refresh_due(person_id: UUID) -> int:
    """Work out every deadline of the person anew and write those that moved; returns how many did."""
    published, seen, moved = publication.current(), due.surroundings(person_id), 0
    for row in Holding.objects.of(person_id).defer("sealed"):
        at, name = due.written(due.ruling_of(row, seen, published))
        if (row.due_at, row.clock) != (at, name):
            moved += Holding.objects.of(person_id).filter(id=row.id).update(due_at=at, clock=name)
    return moved


@in_transaction
def confirm_person(person_id: UUID) -> None:
    """A provisional person has shown that the address is theirs."""
    Person.objects.filter(pk=person_id).update(provisional=False)


def _holding(person_id: UUID, holding_id: UUID) -> Holding:
    row: Holding | None = Holding.objects.of(person_id).filter(id=holding_id).first()
    if row is None:
        raise Problem("register.no-holding", "there is no such holding of this person", status=404)
    return row


def _declared_purpose(published: Published, purpose: str) -> Purpose:
    declared = published.policy.purposes.get(purpose)
    if declared is None or declared.scope != "person":
        raise Problem(
            "register.undeclared", "the policy declares no such purpose for persons", Place(key=purpose), law="GDPR 5(1)(b)",
            way_out="Declare the purpose and publish, or do not collect.", status=422,
        )  # fmt: skip
    return declared


def _declared_field(published: Published, declared: Purpose, purpose: str, field: str) -> DataField:
    if field not in declared.fields or field not in published.policy.fields:
        raise Problem(
            "register.undeclared", f"the purpose {purpose} does not declare this field", Place(key=field), law="GDPR 5(1)(c)",
            way_out="Declare the field for the purpose and publish, or do not collect it.", status=422,
        )  # fmt: skip
    return published.policy.fields[field]
