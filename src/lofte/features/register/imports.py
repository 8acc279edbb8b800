"""Takes a list of people into the register: judged as a whole first, then written in batches that a kill cannot tear.

Each batch and the note of how far the file has come are one transaction; the same file again goes on where it was. Nobody who was
erased comes back unless the ground is newer than the erasure, and nobody who objected.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db.models import F

from lofte.core import actions, blind, clock, ports, publication, vault
from lofte.core.models import BlindIndex, Person
from lofte.core.progress import verbs as progress
from lofte.core.retry import in_transaction
from lofte.features.register import erased, index, verbs
from lofte.features.register.models import Import
from lofte.features.register.sheets import Row, Sheet, disarmed
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Basis, ClockKind
from lofte.rules.published import Published

BATCH = 100
STRETCH = 500
"""Rows judged in one go."""
_HEADINGS = {  # as spreadsheets and address books head their columns
    "e-mail": "email", "mail": "email", "e-post": "email", "epost": "email", "sähköposti": "email", "e-mail address": "email",
    "email address": "email", "telefon": "phone", "tel": "phone", "tlf": "phone", "mobil": "phone", "puhelin": "phone",
    "telephone": "phone", "mobile": "phone", "full name": "name", "navn": "name", "namn": "name", "nimi": "name",
    "company name": "company", "organisation": "company", "organization": "company", "firma": "company", "bolag": "company",
    "yritys": "company", "företag": "company", "tittel": "title", "titel": "title", "nimike": "title", "job title": "title",
}  # fmt: skip
NOT_BY_LIST = ("dialogue", "behaviour", "device")  # categories that follow from what people do, not from a list


@dataclass(frozen=True, slots=True)
class Into:
    """What a list is taken in for. ``source`` is a short name of where it comes from, kept with every value."""

    purpose: str
    market: str
    locale: str
    source: str
    relation: str = ""
    new_ground_since: date | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a row: ``new``, ``merged`` (with somebody in the register or earlier in the file) or ``refused``.

    ``reasons`` are (column, code); ``disarmed`` columns in which a formula was made text. Values are never repeated.
    """

    row: int
    outcome: str
    reasons: tuple[tuple[str, str], ...] = ()
    disarmed: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    person: UUID | None = None
    keys: tuple[str, ...] = field(default=(), repr=False)


def fields_for(purpose: str) -> tuple[str, ...]:
    """The fields a list may bring for a purpose. Raises Problem when the purpose takes none from lists."""
    published = publication.current()
    declared = published.policy.purposes.get(purpose)
    if declared is None or declared.scope != "person":
        raise Problem(
            "register.undeclared", "the policy declares no such purpose for persons", Place(key=purpose), law="GDPR 5(1)(b)",
            way_out=f"Purposes: {', '.join(_purposes(published))}.", status=422,
        )  # fmt: skip
    if declared.basis is Basis.CONSENT:
        raise Problem(
            "people.needs-consent", "this purpose rests on consent, and a list is none", Place(key=purpose), law="GDPR 7(1)",
            way_out="Let people sign up themselves, or take the list in for a purpose on another ground.", status=422,
        )  # fmt: skip
    shapes = published.policy.fields
    return tuple(each for each in declared.fields if each in shapes and shapes[each].category not in NOT_BY_LIST)


def words_for(fields: Iterable[str]) -> dict[str, str]:
    """What people call the fields in every language of the policy, in small letters: headings of files are known by them."""
    words = publication.current().words
    found = {
        name.casefold(): field
        for field in fields
        for locale in words
        if isinstance(name := words[locale].get("fields", {}).get(field), str)
    }
    return {word: field for word, field in _HEADINGS.items() if field in set(fields)} | found


def preview(sheet: Sheet, into: Into, told: Callable[[int, int], None] = lambda done, rows: None) -> list[Fate]:
    """What would happen to each row. Writes nothing."""
    check(into)
    seen: dict[str, int] = {}
    fates: list[Fate] = []
    while len(fates) < len(sheet.rows):
        fates += judged(sheet, into, len(fates), seen)
        told(len(fates), len(sheet.rows))
    return fates


def judged(sheet: Sheet, into: Into, start: int, seen: dict[str, int]) -> list[Fate]:
    """What would happen to the next rows, a stretch of a long list. ``seen`` is what earlier stretches met, and is added to."""
    fates = []
    for row in sheet.rows[start : start + STRETCH]:
        fate = _judge(row, sheet, into)
        earlier = next((seen[key] for key in fate.keys if key in seen), None)
        if fate.outcome == "new" and earlier is not None:
            fate = replace(fate, outcome="merged", reasons=(("", f"row-{earlier}"),))
        if fate.outcome != "refused":
            seen |= {key: seen.get(key, row.number) for key in fate.keys}
        fates.append(fate)
    return fates


def carry_out(
    sheet: Sheet, into: Into, content: bytes, *, by: str, leave_out_refused: bool = False,
    told: Callable[[int, int], None] = lambda done, rows: None,
) -> Import:  # fmt: skip
    """Take the file in. Refuses as a whole while a row is refused, unless those may be left out.

    Raises Problem `people.refused` (nothing was written), `people.elsewhere` (another process is at the same file).
    """
    check(into)
    known = Import.objects.filter(pk=name_of(sheet, into, content)).first()
    if known and known.finished_at:
        return known
    refused = [] if known or leave_out_refused else [each for each in preview(sheet, into) if each.outcome == "refused"]
    if refused:
        raise Problem(
            "people.refused", f"{len(refused)} of {len(sheet.rows)} rows are refused; nothing was written",
            way_out="Mend the file, or leave the refused rows out: --leave-out-refused", status=422,
        )  # fmt: skip
    ledger = known or _begin(sheet, into, content, by)
    work = progress.begin("people.import", "lines", ledger.rows, about=str(ledger.id))
    while ledger.done < len(sheet.rows):
        _batch_or_undo(ledger, sheet, into)
        ledger.refresh_from_db()
        progress.move(work, ledger.done)
        told(ledger.done, ledger.rows)
    _finish(ledger, into, by)
    progress.finish(work)
    ledger.refresh_from_db()
    return ledger


# --- judging ----------------------------------------------------------------------------------------------------------


def check(into: Into) -> None:
    """Raises Problem for what the policy does not let a list be taken in for."""
    fields_for(into.purpose)
    policy = publication.current().policy
    market = policy.markets.get(into.market)
    if market is None or into.locale not in market.locales:
        raise Problem(
            "people.no-edition", "the policy has no such market and locale", Place(key=into.market), status=422
        )
    clock_id = policy.purposes[into.purpose].clock
    needs = clock_id in policy.clocks and policy.clocks[clock_id].kind is ClockKind.END_OF_RELATION
    if not into.relation and needs:
        raise Problem(
            "people.no-relation", "the clock of this purpose starts when a relation ends, so the list must say which",
            way_out="Give --relation.", law="GDPR 5(1)(e)", status=422,
        )  # fmt: skip
    if into.relation and (
        into.relation not in policy.relations or into.purpose not in policy.relations[into.relation].purposes
    ):
        raise Problem(
            "register.undeclared", "this relation does not serve the purpose", Place(key=into.relation), status=422
        )


def _purposes(published: Published) -> list[str]:
    return [
        key
        for key, each in published.policy.purposes.items()
        if each.scope == "person" and each.basis is not Basis.CONSENT
    ]


def _judge(row: Row, sheet: Sheet, into: Into) -> Fate:
    policy = publication.current().policy
    country = policy.markets[into.market].country
    values: dict[str, str] = {}
    hashes: dict[str, tuple[str, str]] = {}
    reasons: list[tuple[str, str]] = [("", "torn-row")] if row.is_torn else []
    harmless: list[str] = []
    for column, cell in row.cells.items():
        shape = policy.fields[sheet.columns[column]]
        text = disarmed(shape.kind, cell)
        if text != cell.strip() and not cell.startswith("'"):
            harmless.append(column)
        if not text:
            continue
        try:
            values[sheet.columns[column]] = blind.clean(shape.kind, text)
            normal = blind.normalise(shape.kind, text, country)
        except Problem:
            reasons.append((column, f"no-{shape.kind}"))
            continue
        if index.is_exact(shape):
            hashes[column] = sheet.columns[column], blind.blind_hash(sheet.columns[column], normal)
    if not hashes and not reasons:
        reasons.append(("", "nothing-to-find-by"))
    fate = Fate(
        row.number, "new", tuple(reasons), tuple(harmless), values, keys=tuple(each for _, each in hashes.values())
    )
    return replace(fate, outcome="refused") if reasons else _met(fate, hashes, into)


def _met(fate: Fate, hashes: Mapping[str, tuple[str, str]], into: Into) -> Fate:
    """Who in the register this is, if anybody: an address names one person; a shared number names nobody by itself."""
    fields = publication.current().policy.fields
    unique = {column: each for column, each in hashes.items() if fields[each[0]].kind == "email"}
    asked = unique or hashes
    people = {person for each in asked.values() for person in _having(*each)}
    fate = replace(fate, keys=tuple(each for _, each in asked.values()))
    column = next(iter(asked))
    if len(people) > 1:
        return replace(fate, outcome="refused", reasons=((column, "several-people"),))
    if people:
        return _merged(fate, people.pop(), column, into)
    for column, (_, found) in hashes.items():
        at = erased.when(found)
        if at and not (into.new_ground_since and into.new_ground_since > at.date()):
            return replace(fate, outcome="refused", reasons=((column, "erased-before"),))
    return fate


def _merged(fate: Fate, person: UUID, column: str, into: Into) -> Fate:
    if Person.objects.filter(pk=person, provisional=True).exists():
        return replace(fate, outcome="refused", reasons=((column, "unconfirmed"),))
    said = ports.consents().standings(person).get(into.purpose)
    if said and said.action != "granted":
        return replace(fate, outcome="refused", reasons=((column, "objected"),))
    return replace(fate, outcome="merged", person=person)


def _having(field: str, found: str) -> Iterator[UUID]:
    yield from BlindIndex.objects.filter(field=field, hash=found).values_list("person_id", flat=True)[:2]


# --- writing ----------------------------------------------------------------------------------------------------------


def name_of(sheet: Sheet, into: Into, content: bytes) -> UUID:
    """The same file for the same use is the same import. Keyed, so that the name of a file tells nothing of it."""
    parts = (
        sha256(content).hexdigest(),
        into.purpose,
        into.market,
        into.locale,
        into.source,
        into.relation,
        *sheet.columns,
    )
    found = hmac.new(settings.LOFTE_BLIND_KEY, "\0".join(("lofte/import/1", *parts)).encode(), sha256)
    return UUID(bytes=found.digest()[:16], version=4)


@in_transaction
def _begin(sheet: Sheet, into: Into, content: bytes, by: str) -> Import:
    made, _ = Import.objects.get_or_create(
        id=name_of(sheet, into, content),
        defaults={
            "purpose": into.purpose, "market": into.market, "source": into.source, "by": by, "rows": len(sheet.rows),
            "counts": {"new": 0, "merged": 0, "refused": 0}, "started_at": clock.now(),
        },
    )  # fmt: skip
    return made


def _batch_or_undo(ledger: Import, sheet: Sheet, into: Into) -> None:
    """A batch that fails takes back the keys it made; they live in a store of their own."""
    made: list[UUID] = []
    try:
        _batch(ledger, sheet.rows[ledger.done : ledger.done + BATCH], sheet, into, made)
    except BaseException:
        for person in made:
            vault.destroy_key(person, forever=False)
        raise


@in_transaction
def _batch(ledger: Import, rows: Sequence[Row], sheet: Sheet, into: Into, made: list[UUID]) -> None:
    counts = dict(ledger.counts)
    if not Import.objects.filter(pk=ledger.pk, done=ledger.done).update(done=F("done") + len(rows)):
        raise Problem("people.elsewhere", "another process is taking in the same file", status=409)
    for row in rows:
        fate = _judge(row, sheet, into)
        counts[fate.outcome] += 1
        if fate.outcome != "refused":
            _take_in(fate, into, made)
    Import.objects.filter(pk=ledger.pk).update(counts=counts)


def _take_in(fate: Fate, into: Into, made: list[UUID]) -> None:
    person = fate.person
    if person is None:
        person = verbs.welcome()
        made.append(person)
    if into.relation:
        verbs.begin_relation(person, into.relation, market=into.market, locale=into.locale)
    more = {"source": f"import:{into.source}", "market": into.market, "locale": into.locale}
    placed = {name: value for name, value in fate.values.items() if name in verbs.PLACED}
    if "company" in placed:
        verbs.place(person, placed, into.purpose, **more)
    else:
        placed = {}
    rest = {name: value for name, value in fate.values.items() if name not in placed}
    verbs.hold(person, rest, into.purpose, **more)


@in_transaction
def _finish(ledger: Import, into: Into, by: str) -> None:
    if Import.objects.filter(pk=ledger.pk, finished_at=None).update(finished_at=clock.now()):
        since = into.new_ground_since.isoformat() if into.new_ground_since else ""
        actions.record(
            "people.imported", by, purpose=into.purpose, market=into.market, source=into.source, new_ground_since=since,
            **ledger.counts,
        )  # fmt: skip
