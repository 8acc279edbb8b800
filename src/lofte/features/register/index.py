"""What people are found by: the rows of the blind index that follow from a person's holdings, and from nothing else.

An address or number by its hash, a name by each of its parts, an organisation by its id. Of these only an address is one person's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from lofte.core import blind, clock, many, publication, vault
from lofte.core.models import BlindIndex, Person
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.register import organisations
from lofte.features.register.models import Holding
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import DataField

COMPANY = "company"
HOUSE = "o"
_LAYOUT = "2"  # a new number has every entry written anew
_WORK = "register.index"
_BATCH = 100
_WORDS_AT_ONCE = 10_000


def renew(opener: vault.Opener, fields: Iterable[str]) -> None:
    """Make the index say what the holdings of these fields say now. Raises Problem `register.taken`."""
    shapes = publication.current().policy.fields
    asked = {field for field in fields if field == COMPANY or (field in shapes and shapes[field].indexed)}
    if not asked:
        return
    wanted = _wanted(opener, asked, shapes)
    there = {(row.field, row.hash): row for row in BlindIndex.objects.filter(person_id=opener.owner, field__in=asked)}
    if stale := [row.entry for key, row in there.items() if key not in wanted]:
        BlindIndex.objects.filter(pk__in=stale, person_id=opener.owner).delete()
    for field, found in sorted(wanted - set(there)):
        _enter(opener.owner, field, "text" if field == COMPANY else shapes[field].kind, found)


def forget_of(fields: Mapping[UUID, set[str]]) -> None:
    """Of many people, whom some holdings have just left: what no holding of these fields says any more leaves the index."""
    shapes = publication.current().policy.fields
    named = {each for some in fields.values() for each in some}
    asked = [each for each in sorted(named) if each == COMPANY or (each in shapes and shapes[each].indexed)]
    if not asked:
        return
    people, openers = list(fields), vault.openers(list(fields))
    wanted: set[tuple[UUID, str, str]] = set()
    rows = Holding.everyone.filter(person_id__in=many.among(people), field__in=asked)
    for row in rows.values_list("id", "person_id", "field", "hash", "sealed", named=True):
        if row.person_id in openers:
            wanted |= {(row.person_id, row.field, found) for found in _found_by(row, openers[row.person_id], shapes)}
    there = BlindIndex.objects.filter(person_id__in=many.among(people), field__in=asked)
    stale = [
        row.entry for row in there if row.field in fields[row.person_id]
        and (row.person_id, row.field, row.hash) not in wanted and row.person_id in openers
    ]  # fmt: skip
    BlindIndex.objects.filter(pk__in=many.among_texts(stale), person_id__in=many.among(people)).delete()


def house_key(organisation: UUID) -> str:
    """Under what the people of an organisation stand in the index; it begins as no other hash does, so that they lie together."""
    return f"{HOUSE}{organisation.hex}"


def is_exact(shape: DataField) -> bool:
    """Whether a value of the field is found whole, as an address is, and not by its parts, as a name is."""
    return shape.indexed and shape.kind != "name"


def hash_of(field: str, shape: DataField, value: str, country: str) -> str:
    """What a holding keeps of its value to be found by; empty where it is not found whole."""
    return blind.blind_hash(field, blind.normalise(shape.kind, value, country)) if is_exact(shape) else ""


def _wanted(opener: vault.Opener, fields: set[str], shapes: Mapping[str, DataField]) -> set[tuple[str, str]]:
    wanted: set[tuple[str, str]] = set()
    for row in Holding.objects.of(opener.owner).filter(field__in=fields):
        wanted |= {(row.field, found) for found in _found_by(row, opener, shapes)}
    return wanted


def _found_by(row: Any, opener: vault.Opener, shapes: Mapping[str, DataField]) -> set[str]:
    """Under which hashes one holding is found."""
    if row.field == COMPANY:
        return {house_key(organisations.id_of(opener.open(row.id, row.sealed).decode()))}
    if shapes[row.field].kind == "name":
        return {blind.part_hash(row.field, part) for part in blind.parts(opener.open(row.id, row.sealed).decode())}
    return {row.hash} if row.hash else set()


def _enter(person_id: UUID, field: str, kind: str, found: str) -> None:
    entry = blind.entry_key(kind, found, person_id.bytes)
    there = BlindIndex.objects.filter(pk=entry).first()
    if there is None:
        try:
            with transaction.atomic():
                BlindIndex.objects.create(entry=entry, hash=found, field=field, person_id=person_id)
            return
        except IntegrityError:
            there = BlindIndex.objects.get(pk=entry)
    if there.person_id != person_id:
        raise Problem("register.taken", "this value already belongs to another person", Place(key=field), status=409)


def of(person_id: UUID) -> dict[str, set[str]]:
    """What one person is found by: hashes by field."""
    found: dict[str, set[str]] = defaultdict(set)
    for field, each in BlindIndex.objects.filter(person_id=person_id).values_list("field", "hash"):
        found[field].add(each)
    return found


def only_theirs(person_id: UUID, hashes: Iterable[str]) -> frozenset[str]:
    """Those of the hashes that nobody else is found by: a switchboard's number outlives the one who answered it."""
    asked = frozenset(hashes)
    others = BlindIndex.objects.filter(hash__in=asked).exclude(person_id=person_id)
    return asked - frozenset(others.values_list("hash", flat=True))


def names_of_others(person_id: UUID, parts: Iterable[str]) -> frozenset[str]:
    """Which of these words are a part of somebody else's name in the register: one question for thousands of words."""
    fields = [
        field for field, shape in publication.current().policy.fields.items() if shape.indexed and shape.kind == "name"
    ]
    asked = {blind.part_hash(field, part): part for part in parts for field in fields}
    quote, person = connection.ops.quote_name, BlindIndex._meta.get_field("person")
    table, here = quote(BlindIndex._meta.db_table), person.get_db_prep_value(person_id, connection)
    hashes, found = list(asked), set[str]()
    for start in range(0, len(hashes), _WORDS_AT_ONCE):
        some = hashes[start : start + _WORDS_AT_ONCE]
        rows = ", ".join(["(%s)"] * len(some))
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH asked(word) AS (VALUES {rows}) SELECT word FROM asked WHERE EXISTS "  # noqa: S608  # our own names
                f"(SELECT 1 FROM {table} WHERE hash = asked.word AND person_id <> %s)",
                [*some, here],
            )
            found |= {asked[word] for (word,) in cursor.fetchall()}
    return frozenset(found)


# --- when the policy finds people by something else ------------------------------------------------------------------


@duty("register.index", every=timedelta(minutes=1))
def follow_policy(at: datetime) -> int:
    """A publication may find people by other fields than the one before: every person's entries are renewed, in stretches.

    Nothing to do, and one question asked, while the fields are the same. Killed anywhere, it goes on where it was.
    """
    about = _fields_now()
    if progress.last_finished(_WORK, about):
        return 0
    progress.drop(_WORK, but=about)
    work = progress.begin(_WORK, "people", Person.objects.count(), about=about)
    until, renewed = at + progress.A_ROUND, 0
    while clock.now() < until:
        people = list(Person.objects.filter(pk__gt=_after(work)).order_by("pk").values_list("pk", flat=True)[:_BATCH])
        if not people:
            progress.finish(work)
            break
        _renew_all(work, people)
        renewed += len(people)
    return renewed


@in_transaction
def _renew_all(work: Work, people: list[UUID]) -> None:
    for person in people:
        if vault.has_key(person):
            renew_person(person)
    progress.move(work, work.done + len(people), place={"after": str(people[-1])})


def renew_person(person_id: UUID) -> None:
    """Everything one person is found by, from what is held of them now."""
    policy = publication.current().policy
    exact = {field for field, shape in policy.fields.items() if is_exact(shape)}
    asked = {field for field, shape in policy.fields.items() if shape.indexed} | {COMPANY}
    opener = vault.opener(person_id)
    rows = Holding.objects.of(person_id)
    rows.exclude(field__in=exact).exclude(hash="").update(hash="")
    BlindIndex.objects.filter(person_id=person_id).exclude(field__in=asked).delete()
    for row in rows.filter(field__in=exact, hash=""):
        country = policy.markets[row.market].country if row.market in policy.markets else ""
        with suppress(Problem):  # what is no value of its kind stays findable by the others
            text = opener.open(row.id, row.sealed).decode()
            rows.filter(id=row.id).update(hash=hash_of(row.field, policy.fields[row.field], text, country))
    with suppress(Problem), transaction.atomic():  # an address two people have: they are told of as duplicates
        renew(opener, asked)


def _fields_now() -> str:
    """The fields people are found by, as one short word."""
    fields = publication.current().policy.fields.items()
    said = _LAYOUT + ",".join(sorted(f"{field}:{shape.kind}" for field, shape in fields if shape.indexed))
    return sha256(said.encode()).hexdigest()[:16]


def _after(work: Work) -> UUID:
    return UUID(work.place["after"]) if "after" in work.place else UUID(int=0)
