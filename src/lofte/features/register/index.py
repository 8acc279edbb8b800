"""What people are found by: the rows of the blind index that follow from a person's holdings, and from nothing else.

An address or number by its hash, a name by each of its parts, an organisation by its id. Of these only an address is one person's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import IntegrityError, transaction

from lofte.core import blind, publication, vault
from lofte.core.models import BlindIndex
from lofte.features.register import organisations
from lofte.features.register.models import Holding
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import DataField

COMPANY = "company"


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


def is_exact(shape: DataField) -> bool:
    """Whether a value of the field is found whole, as an address is, and not by its parts, as a name is."""
    return shape.indexed and shape.kind != "name"


def hash_of(field: str, shape: DataField, value: str, country: str) -> str:
    """What a holding keeps of its value to be found by; empty where it is not found whole."""
    return blind.blind_hash(field, blind.normalise(shape.kind, value, country)) if is_exact(shape) else ""


def _wanted(opener: vault.Opener, fields: set[str], shapes: Mapping[str, DataField]) -> set[tuple[str, str]]:
    wanted: set[tuple[str, str]] = set()
    for row in Holding.objects.of(opener.owner).filter(field__in=fields):
        if row.field == COMPANY:
            name = opener.open(row.id, row.sealed).decode()
            wanted.add((row.field, organisations.id_of(name).hex))
        elif shapes[row.field].kind == "name":
            name = opener.open(row.id, row.sealed).decode()
            wanted |= {(row.field, blind.part_hash(row.field, part)) for part in blind.parts(name)}
        elif row.hash:
            wanted.add((row.field, row.hash))
    return wanted


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
