"""Moves a population into a house: the rows the register's own verbs would leave, written in bulk. A test compares both."""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from bench.population import SEED, Somebody, people
from django.apps import apps
from django.db import connections, models, transaction

from lofte.core import blind, evidence, publication, vault
from lofte.evidence.log import Committed, Draft
from lofte.features.register import due, index, organisations
from lofte.kernel import ids
from lofte.kernel.canonical import canonical_bytes
from lofte.kernel.instants import rfc3339
from lofte.rules.model import DataField

_BATCH = 2_000  # people
_PURPOSE = {"prospect": "contact", "customer": "customer", "subscriber": "newsletter", "attendee": "event"}
_FIELDS = {
    "prospect": ("name", "email", "phone", "company", "title", "role"),
    "customer": ("name", "email", "phone", "company", "title", "role"),
    "subscriber": ("name", "email", "company"),
    "attendee": ("name", "email", "phone", "company"),
}
_RELATION = {"prospect": "prospect", "customer": "customer", "subscriber": "prospect", "attendee": "attendee"}


def settle(count: int, at: datetime, told: Callable[[int, int], None], seed: int = SEED) -> None:
    """So many people into the house that is open in this process."""
    move = Move(at, random.Random(seed + 1))
    everybody, done = people(count, seed), 0
    for alias in ("default", "keys"):
        _hurry(alias)
    while batch := list(islice(everybody, _BATCH)):
        move.take(batch)
        done += len(batch)
        told(done, count)
    for alias in ("default", "keys"):
        _rest(alias)


class Move:
    def __init__(self, at: datetime, rng: random.Random) -> None:
        self._at, self._rng, self._ordinal = at, rng, 0
        self._published = publication.current()
        self._known: set[UUID] = set()
        self._parts: dict[str, str] = {}

    def take(self, batch: list[Somebody]) -> None:
        keys = vault.make_keys([each.id for each in batch])
        self._rows: dict[str, list[dict[str, Any]]] = {}
        granted: list[tuple[dict[str, Any], UUID]] = []
        for each in batch:
            self._add("core.Person", id=each.id, made_at=self._at - timedelta(days=400))
            self._struck: dict[tuple[str, datetime], Any] = {}
            granted += self._one(each, keys[each.id])
        for (consent, person), committed in zip(granted, _logged(granted, self._published.digest), strict=True):
            self._add(
                "core.Entry", id=self._id(), person_id=person, kind="consent.granted", index=committed.index, at=consent["at"],
                about=consent["id"],
            )  # fmt: skip
        with transaction.atomic():
            for label, rows in self._rows.items():
                _write(apps.get_model(label), rows)

    def _one(self, who: Somebody, key: vault.Opener) -> Iterator[tuple[dict[str, Any], UUID]]:
        since = self._at - timedelta(days=self._rng.randrange(30, 400), seconds=self._rng.randrange(86_400))
        purpose = _PURPOSE[who.kind]
        edition = {"market": who.market, "locale": who.locale}
        relation: Any = SimpleNamespace(relation=_RELATION[who.kind], started_at=since, ended_at=None)
        self._add(
            "register.Relation",
            id=self._id(),
            person_id=who.id,
            relation=relation.relation,
            started_at=since,
            **edition,
        )
        self._add("register.Signal", id=self._id(), person_id=who.id, kind="event", at=since)
        seen = due.Surroundings({"event": since}, (relation,), {})
        held: dict[str, UUID] = {}
        for field in _FIELDS[who.kind]:
            if value := getattr(who, field):
                held[field] = self._hold(who, key, field, value, purpose, since, seen)
        organisation = organisations.id_of(who.company)
        self._add(
            "register.Placement", id=self._id(), person_id=who.id, organisation=organisation, purpose=purpose, market=who.market,
            company=held["company"], title=held.get("title"), role=held.get("role"), started_at=since,
        )  # fmt: skip
        if organisation not in self._known:
            self._known.add(organisation)
            sealed = vault.seal_for_house(organisation, who.company.encode())
            self._add("register.Organisation", id=organisation, sealed=sealed, made_at=since)
        for number, note in enumerate(who.notes):
            at = since + timedelta(days=number)
            holding = self._hold(who, key, "dialogue", note, purpose, at, seen)
            self._add(
                "register.Dialogue", id=holding, person_id=who.id, medium="phone", direction="in", at=at, by="staff:1"
            )
        if who.is_subscriber and who.kind != "subscriber":
            for field in ("email", "name"):
                self._hold(who, key, field, getattr(who, field), "newsletter", since, seen)
        self._enter(who)
        self._look(who, purpose, held, since)
        if who.is_subscriber:
            consent = {
                "id": self._id(), "purpose": "newsletter", "ordinal": 1, "action": "granted", "at": since,
                "wording": self._published.wording(who.market, who.locale, "form.newsletter"), "shown": "form.newsletter",
                "publication": self._published.digest, "method": "double_opt_in", "channel": "email", **edition,
            }  # fmt: skip
            self._add("consent.Consent", person_id=who.id, **consent)
            yield consent, who.id

    def _hold(
        self, who: Somebody, key: vault.Opener, field: str, value: str, purpose: str, since: datetime, seen: due.Surroundings
    ) -> UUID:  # fmt: skip
        declared, shape = self._published.policy.purposes[purpose], self._published.policy.fields[field]
        row_id = self._id()
        if (purpose, since) not in self._struck:
            row: Any = SimpleNamespace(purpose=purpose, since=since)
            self._struck[purpose, since] = due.due_of(row, seen, self._published)
        struck = self._struck[purpose, since]
        self._add(
            "register.Holding", id=row_id, person_id=who.id, field=field, purpose=purpose, basis=declared.basis.value,
            source="import:fair", sealed=key.seal(row_id, value.encode()), hash=self._hash(who, field, shape, value),
            market=who.market, locale=who.locale, publication=self._published.digest, since=since,
            clock=struck.clock if struck else "", due_at=struck.at if struck else None,
        )  # fmt: skip
        return row_id

    def _hash(self, who: Somebody, field: str, shape: DataField, value: str) -> str:
        return (
            blind.blind_hash(field, who.email) if field == "email" else index.hash_of(field, shape, value, who.market)
        )

    def _enter(self, who: Somebody) -> None:
        """What the person is found by; see `register.index`."""
        shapes = self._published.policy.fields
        found = [("email", "email", blind.blind_hash("email", who.email))]
        if who.phone and shapes["phone"].indexed and "phone" in _FIELDS[who.kind]:
            found.append(("phone", "phone", index.hash_of("phone", shapes["phone"], who.phone, who.market)))
        if shapes["name"].indexed:
            for part in blind.parts(who.name):
                if part not in self._parts:
                    self._parts[part] = blind.part_hash("name", part)
                found.append(("name", "name", self._parts[part]))
        found.append(("company", "text", index.house_key(organisations.id_of(who.company))))
        for field, kind, hashed in found:
            entry = blind.entry_key(kind, hashed, who.id.bytes)
            self._add("core.BlindIndex", entry=entry, hash=hashed, field=field, person_id=who.id)

    def _look(self, who: Somebody, purpose: str, held: Iterable[str], since: datetime) -> None:
        fields = sorted(held)
        for number in range(who.looks):
            self._add(
                "register.Look", id=self._id(), person_id=who.id, by="staff:1", purpose=purpose, fields=fields, allowed=True,
                reason="allowed", at=since + timedelta(days=number),
            )  # fmt: skip
        for number in range(who.mails):
            at = since + timedelta(days=10 * number)
            self._add(
                "core.Mail", id=self._id(), person_id=who.id, letter="issue", purpose="newsletter", is_marketing=True,
                state="sent", made_at=at, next_at=at, sent_at=at, attempts=1,
            )  # fmt: skip

    def _id(self) -> UUID:
        """In order of making, as in life."""
        self._ordinal += 1
        return ids.ordered_id(int(self._at.timestamp() * 1000) + self._ordinal // 1000, self._rng.randbytes(10))

    def _add(self, label: str, **values: Any) -> None:
        self._rows.setdefault(label, []).append(values)


def _logged(granted: list[tuple[dict[str, Any], UUID]], digest: str) -> list[Committed]:
    futures = []
    for consent, person in granted:
        fact = {"event": "consent.granted", "at": rfc3339(consent["at"]), "purpose": consent["purpose"]}
        who = canonical_bytes({"person": str(person)})
        futures.append(evidence.log().submit(Draft("consent", canonical_bytes(fact), who, digest, str(consent["id"]))))
    return [each.result(timeout=600) for each in futures]


# --- writing rows past the ORM, which would take an hour for a million people ---------------------------------------


def _write(model: type[models.Model], rows: list[dict[str, Any]]) -> None:
    connection = connections["default"]
    fields = model._meta.concrete_fields
    unsaid = {each.attname: each.get_default() for each in fields}
    columns = ", ".join(f'"{each.column}"' for each in fields)
    table = model._meta.db_table
    is_json = {each.attname for each in fields if isinstance(each, models.JSONField)}
    names = [(each.attname, each.attname in is_json) for each in fields]
    lines = [
        [_cell(row[name] if name in row else unsaid[name], json_too, connection.vendor) for name, json_too in names]
        for row in rows
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["?"] * len(fields))
            connection.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", lines)
        else:
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)


def _cell(value: Any, is_json: bool, vendor: str) -> Any:
    if is_json:
        return json.dumps(value)
    if vendor == "sqlite":
        if isinstance(value, UUID):
            return value.hex
        if isinstance(value, datetime):
            return str(value.astimezone(UTC).replace(tzinfo=None))
    return value


def _hurry(alias: str) -> None:
    """Loading a made-up population need not survive a power cut."""
    connection = connections[alias]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-400000")


def _rest(alias: str) -> None:
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute("VACUUM ANALYZE")
    connection.close()
