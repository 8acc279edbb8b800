"""What one room may ask of another without knowing it: each room provides its side when Django starts.

Functions, not objects: the module of the room itself is the provider. Sibling features never import each other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from lofte.kernel.problems import Problem


@dataclass(frozen=True, slots=True)
class DueCount:
    """How many holdings a person has, and how many of them are due."""

    due: int
    all: int


@dataclass(frozen=True, slots=True)
class DuePlan:
    """What the clocks ask for by some instant: ``people`` have something that is due, all that is held of ``whole`` of them is."""

    people: int
    whole: int
    holdings: int
    by_clock: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DueHolding:
    """Something that must be gone, and by which clock."""

    person_id: UUID
    id: UUID
    due: datetime
    clock: str


@dataclass(frozen=True, slots=True)
class DueDay:
    """What one clock takes on one day."""

    day: date
    clock: str
    people: int
    holdings: int


@dataclass(frozen=True, slots=True)
class Why:
    """When a holding goes and by which rule: a clock of the policy, or what stands in its place (`features.register.due`).

    ``clock`` and ``end`` are the clock of its purpose and when that alone would take it; ``law`` asks for the rule. ``due`` None:
    not while the rule stands. ``asked``: the end waits for the person's answer.
    """

    holding: UUID
    field: str
    purpose: str
    market: str
    since: datetime
    due: datetime | None
    rule: str
    law: str
    clock: str
    end: datetime | None
    asked: bool


@dataclass(frozen=True, slots=True)
class KeptByLaw:
    """A holding that a legal obligation keeps although the person is erased (GDPR 17(3)(b)), until its clock strikes."""

    id: UUID
    purpose: str
    clock: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """The latest word of a person on one purpose. ``channels`` are those over which a consent to it stands."""

    purpose: str
    action: str  # granted, withdrawn, objected
    at: datetime
    channels: frozenset[str] = frozenset({"email"})


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement on file with a recipient of the policy: for which purposes and fields, in which country, from when until when.

    ``signed`` and ``expires`` are its first and last day, both included; without ``expires`` it runs on.
    """

    recipient: str
    purposes: frozenset[str]
    fields: frozenset[str]
    country: str
    signed: date
    expires: date | None = None

    def holds(self, on: date) -> bool:
        return self.signed <= on and (self.expires is None or on <= self.expires)


class Agreements(Protocol):
    """Provided by `features.sharing` as ``agreements``. The version changes with every agreement: decisions are cached by it."""

    def agreements(self) -> Sequence[Agreement]: ...
    def agreements_version(self) -> str: ...


class Register(Protocol):
    """Provided by `features.register`."""

    def welcome(self, *, provisional: bool = False) -> UUID: ...
    def confirm(self, person_id: UUID) -> None: ...
    def find(self, field: str, value: str, country: str = "") -> UUID | None: ...
    def keep(
        self,
        person_id: UUID,
        values: Mapping[str, str],
        purpose: str,
        *,
        source: str,
        market: str,
        locale: str,
        wording: str = "",
    ) -> None: ...
    def read(self, person_id: UUID, purpose: str, fields: Iterable[str], *, by: str) -> Mapping[str, str]: ...
    def look(self, asked: Mapping[UUID, Iterable[str]], purpose: str, *, by: str) -> Mapping[UUID, Any]: ...
    def signal(self, person_id: UUID, kind: str, purpose: str = "", *, source: str = "") -> None: ...
    def relate(self, person_id: UUID, relation: str, *, market: str, locale: str) -> UUID: ...
    def market_of(self, person_id: UUID) -> tuple[str, str] | None: ...
    def values_of(
        self, people: Sequence[UUID], purpose: str, fields: Iterable[str], *, by: str
    ) -> Mapping[UUID, Mapping[str, str]]: ...
    def relations_of(self, people: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]: ...
    def signals_of(self, people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, datetime]]: ...
    def refresh_due(self, person_id: UUID) -> None: ...
    def refresh_due_of(self, people: Sequence[UUID]) -> int: ...
    def people_for(self, purpose: str, after: UUID | None, limit: int) -> list[UUID]: ...
    def people_in(self, relations: Iterable[str], market: str, after: UUID | None, limit: int) -> list[UUID]: ...
    def exists(self, person_id: UUID) -> bool: ...
    def kinds_held(self, person_id: UUID) -> frozenset[tuple[str, str]]: ...
    def gather(self, person_id: UUID, purpose: str, fields: Iterable[str], *, by: str) -> Mapping[str, str]: ...
    def due_people(self, at: datetime, limit: int) -> list[UUID]: ...
    def due_holdings(self, at: datetime) -> list[DueHolding]: ...
    def striking(self, at: datetime, without: Collection[str] = ()) -> int: ...
    def struck_people(self, at: datetime, without: Collection[str], after: UUID | None, limit: int) -> list[UUID]: ...
    def ends_of(self, people: Sequence[UUID], at: datetime) -> Mapping[UUID, Mapping[str, datetime]]: ...
    def ending(
        self, name: str, since: datetime, until: datetime, after: UUID | None, limit: int
    ) -> list[tuple[UUID, datetime]]: ...
    def purposes_ending(self, person_id: UUID, name: str, until: datetime) -> tuple[list[str], bool]: ...
    def waiting_for_answers(self, limit: int) -> list[UUID]: ...
    def calendar(self, until: datetime) -> list[DueDay]: ...
    def departures(self, until: datetime) -> Mapping[date, int]: ...
    def keepers(self, until: datetime) -> Mapping[tuple[str, str], int]: ...
    def put_off(self, until: datetime) -> tuple[Mapping[tuple[str, str], int], int]: ...
    def why(self, person_id: UUID) -> list[Why]: ...
    def people_count(self) -> int: ...
    def due_counts(self, person_id: UUID, at: datetime) -> DueCount: ...
    def plan(self, at: datetime) -> DuePlan: ...
    def due_after(
        self, at: datetime, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[tuple[datetime, UUID]]: ...
    def judge_due(self, people: Sequence[UUID], at: datetime) -> Mapping[UUID, DueCount]: ...
    def kept_by_law(self, person_id: UUID, at: datetime) -> list[KeptByLaw]: ...
    def leave_to_holds(self, person_id: UUID, holding_ids: Iterable[UUID]) -> None: ...
    def kept_by_law_of(self, people: Sequence[UUID], at: datetime) -> Mapping[UUID, list[KeptByLaw]]: ...
    def hashes_of(self, person_id: UUID, holding_ids: frozenset[UUID]) -> frozenset[str]: ...
    def drop_due_of(self, people: Sequence[UUID], at: datetime) -> Mapping[UUID, tuple[int, int]]: ...
    def held(self, person_id: UUID) -> list[Any]: ...
    def beside(self, person_id: UUID, holding_ids: frozenset[UUID]) -> Mapping[str, frozenset[UUID]]: ...
    def fields_held(self, person_id: UUID, purpose: str) -> frozenset[str]: ...
    def needles_of(self, person_id: UUID, purpose: str, *, by: str) -> list[tuple[str, str]]: ...
    def needles_of_crowd(
        self, people: Sequence[UUID], purpose: str, *, by: str
    ) -> Mapping[UUID, list[tuple[str, str]]]: ...
    def correct(self, person_id: UUID, holding_id: UUID, value: str) -> str: ...
    def remove(self, person_id: UUID, holding_id: UUID) -> str: ...
    def names_of_others(self, person_id: UUID, parts: Iterable[str]) -> frozenset[str]: ...
    def judge_file(self, person_id: UUID, attachment: UUID, gives: bool, *, by: str) -> None: ...
    def want_files(self, person_id: UUID) -> int: ...
    def waiting_for_files(self, among: Iterable[UUID] | None = None) -> frozenset[UUID]: ...
    def attachments(self, person_id: UUID) -> list[Any]: ...
    def attachment(self, person_id: UUID, attachment: UUID) -> tuple[Any, bytes]: ...
    def note(
        self, person_id: UUID, text: str, purpose: str, *, medium: str, direction: str, at: datetime, by: str, market: str,
        locale: str, field: str = "dialogue", counts: bool = True,
    ) -> UUID: ...  # fmt: skip
    def keep_one(
        self, person_id: UUID, field: str, value: str, purpose: str, *, source: str, market: str, locale: str, wording: str = ""
    ) -> UUID: ...  # fmt: skip
    def attach(self, person_id: UUID, dialogue: UUID, name: str, content: bytes, *, by: str) -> UUID: ...
    def words_of(
        self, person_id: UUID, entries: Iterable[UUID], purpose: str, *, by: str, fields: Iterable[str] = ()
    ) -> Mapping[UUID, str]: ...
    def still_held(self, entries: Iterable[UUID]) -> frozenset[UUID]: ...


class Consents(Protocol):
    """Provided by `features.consent`."""

    def is_granted(self, person_id: UUID, purpose: str, channel: str = "email") -> bool: ...
    def grant(
        self, person_id: UUID, purpose: str, *, market: str, locale: str, shown: str, method: str, channel: str = "email"
    ) -> UUID: ...  # fmt: skip
    def withdraw(self, person_id: UUID, purpose: str, *, method: str, channel: str = "") -> UUID: ...
    def is_standing(self, person_id: UUID, event: UUID) -> bool: ...
    def purpose_of(self, person_id: UUID, event: UUID) -> str: ...
    def object_to(self, person_id: UUID, purpose: str, *, method: str) -> UUID: ...
    def count_granted(self, purpose: str) -> int: ...
    def standings(self, person_id: UUID) -> Mapping[str, Standing]: ...
    def standings_of(self, people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Standing]]: ...


class Restrictions(Protocol):
    """Provided by `features.rights`: who has their data restricted (GDPR 18)."""

    def is_restricted(self, person_id: UUID) -> bool: ...
    def restricted_of(self, people: Sequence[UUID]) -> frozenset[UUID]: ...


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A hold in force on somebody: which statute asks, for which fields of which purposes (empty: all), until when.

    ``until`` None: until somebody releases it; ``review_at`` is when they must look. ``market`` limits a general hold.
    """

    id: UUID
    statute: str
    citation: str
    fields: frozenset[str]
    purposes: frozenset[str]
    until: datetime | None
    review_at: datetime | None
    market: str = ""

    def covers(self, field: str, purpose: str, market: str) -> bool:
        return (
            (not self.fields or field in self.fields)
            and (not self.purposes or purpose in self.purposes)
            and self.market in ("", market)
        )


class Retention(Protocol):
    """Provided by `features.retention`: what puts off the clocks of a person.

    ``held_fields`` gives (purpose, field) pairs, ``*`` standing for all; ``graces_of`` until when somebody who was asked too late
    may still answer, by clock.
    """

    def holds_of(self, people: Sequence[UUID]) -> Mapping[UUID, Sequence[HeldBack]]: ...
    def held_fields(self, person_id: UUID, at: datetime) -> frozenset[tuple[str, str]]: ...
    def graces_of(self, people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, datetime]]: ...
    def hold_rows(self, person_id: UUID) -> frozenset[UUID]: ...
    def answers_of(self, people: Sequence[UUID]) -> Mapping[UUID, datetime]: ...


@dataclass(frozen=True, slots=True)
class Attended:
    """What somebody registered for, for one purpose: when last, and from when each field must be gone; ``rest`` for all others."""

    since: datetime
    until: Mapping[str, datetime]
    rest: datetime


class Attendance(Protocol):
    """Provided by `features.outreach.events` as ``attendance``: who registered for what, by purpose."""

    def attended_of(self, people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Attended]]: ...


class Asking(Protocol):
    """Provided by `features.rights` as ``asking``: who waits for an answer that needs their data to be there."""

    def asking_of(self, people: Sequence[UUID]) -> frozenset[UUID]: ...


class Requests(Protocol):
    """Provided by `features.rights` as ``requests``: where what somebody asks by right is taken up."""

    def receive(
        self, person_id: UUID | None, right: str, *, by: str, channel: str, market: str, locale: str, at: datetime,
        words: str | None = None, purpose: str = "", contact: str = "",
    ) -> UUID: ...  # fmt: skip
    def acknowledge(self, request_id: UUID, by: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """What is known of somebody who looks at their own data, read already: the latest value of each field by purpose, the latest
    interest of each kind, and whether their data is restricted."""

    values: Mapping[str, Mapping[str, str]]
    signals: Mapping[str, datetime]
    is_restricted: bool


class Segments(Protocol):
    """Provided by `features.outreach.segments` as ``segments``: the groups that hold somebody, as rows for their copy."""

    def rows_of(self, person_id: UUID, own: OwnFacts) -> list[dict[str, Any]]: ...


class Sharing(Protocol):
    """Provided by `features.sharing`: who was given a person's data, and telling them what has changed (GDPR 19)."""

    def recall(self, person_id: UUID, reason: str, *, purpose: str = "") -> int: ...
    def restrict(self, person_id: UUID) -> int: ...
    def renew(self, person_id: UUID, fields: Iterable[str]) -> int: ...


class Eraser(Protocol):
    """Provided by `features.rights`."""

    def erase(self, person_id: UUID, by: str = "person") -> Any: ...
    def begin(self, person_id: UUID, by: str) -> None: ...
    def begin_crowd(self, people: Sequence[UUID], by: str) -> int: ...
    def resume(self, at: datetime) -> int: ...


_providers: dict[str, Any] = {}


def provide(name: str, provider: Any) -> None:
    """Called by a room's AppConfig.ready."""
    _providers[name] = provider


def _of(name: str) -> Any:
    if name not in _providers:
        raise Problem("room.missing", f"the room {name} is not installed", status=500)
    return _providers[name]


def register() -> Register:
    return _of("register")  # type: ignore[no-any-return]  # what each room provides is checked against its Protocol there


def consents() -> Consents:
    return _of("consents")  # type: ignore[no-any-return]


def agreements() -> Agreements | None:
    """Who keeps the agreements with recipients; None where no room does, and then none is on file."""
    return _providers.get("agreements")


def is_restricted(person_id: UUID) -> bool:
    """Whether the person's data may only be stored now; nobody's is where no room keeps restrictions."""
    provider: Restrictions | None = _providers.get("restrictions")
    return provider is not None and provider.is_restricted(person_id)


def restricted_of(people: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these people have their data restricted now."""
    provider: Restrictions | None = _providers.get("restrictions")
    return provider.restricted_of(people) if provider is not None else frozenset()


def retention() -> Retention | None:
    """Who knows of holds and warnings; None where no room does, and then the clocks alone decide."""
    return _providers.get("retention")


def attended_of(people: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Attended]]:
    """What of these people must be gone a while after an event; of nobody anything where no room holds events."""
    provider: Attendance | None = _providers.get("attendance")
    return provider.attended_of(people) if provider is not None else {}


def asking_of(people: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these people wait for the answer to a request of theirs."""
    provider: Asking | None = _providers.get("asking")
    return provider.asking_of(people) if provider is not None else frozenset()


def requests() -> Requests:
    return _of("requests")  # type: ignore[no-any-return]


def sharing() -> Sharing | None:
    """Who tells recipients what has changed; None where no room shares anything."""
    return _providers.get("sharing")


def segments_of(person_id: UUID, own: OwnFacts) -> list[dict[str, Any]]:
    """The groups that hold somebody; none where no room describes any."""
    provider: Segments | None = _providers.get("segments")
    return provider.rows_of(person_id, own) if provider is not None else []


def eraser() -> Eraser:
    return _of("eraser")  # type: ignore[no-any-return]
