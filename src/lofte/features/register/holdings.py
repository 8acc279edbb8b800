"""What this room holds, and its side of `core.ports`."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from lofte.core import ports
from lofte.core.holdings import HANDLE, Holds, NotPersonal, Room, declare, register
from lofte.features.register import (
    attachments,
    clocked,
    crowds,
    due,
    duplicates,
    erased,
    exports,
    groups,
    index,
    lists,
    merging,
    models,
    organisations,
    reads,
    verbs,
)

_POLICY = NotPersonal("a key of the policy or a few words of the code")
_WHEN = Holds("*", "interest")

declare(
    models.Relation,
    relation=Holds("*", "relation"),
    market=_POLICY,
    locale=Holds("*", "locale"),
    started_at=_WHEN,
    ended_at=_WHEN,
)
declare(
    models.Holding, field=_POLICY, purpose=_POLICY, basis=_POLICY, source=_POLICY, sealed=Holds("*", "*"), hash=Holds("*", "*"),
    market=_POLICY, locale=Holds("*", "locale"), publication=_POLICY, wording=_POLICY, since=_WHEN, clock=_POLICY, due_at=_WHEN,
)  # fmt: skip
declare(models.Signal, kind=Holds("*", "interest"), at=_WHEN, purpose=_POLICY, source=_POLICY)
declare(
    models.Look, by=NotPersonal("a room, or a staff member's number"), role=_POLICY, purpose=_POLICY, fields=_POLICY,
    allowed=_POLICY, reason=_POLICY, at=_WHEN,
)  # fmt: skip

_ORGANISATION = NotPersonal("a keyed hash of an organisation's name")
declare(
    models.Organisation,
    sealed=NotPersonal(
        "an organisation's name, sealed because it may be a sole trader's; goes with the last person there"
    ),
    made_at=NotPersonal("when somebody there was first known"),
)
declare(
    models.Placement, organisation=_ORGANISATION, purpose=_POLICY, market=_POLICY, company=HANDLE, title=HANDLE, role=HANDLE,
    started_at=_WHEN, ended_at=_WHEN,
)  # fmt: skip
_TALK = Holds("*", "dialogue")
_STAFF = NotPersonal("a room, or a staff member's number")
_JUDGED = NotPersonal("whether somebody has looked at the file before it goes out")
declare(models.Dialogue, medium=_TALK, direction=_TALK, at=_TALK, by=NotPersonal("a room, or a staff member's number"))
declare(
    models.Attachment, dialogue=HANDLE, sealed_name=_TALK, sealed=_TALK, kind=_TALK, size=_TALK, by=_STAFF, at=_TALK,
    state=_JUDGED, opened_by=_STAFF, judged_by=_STAFF, judged_at=_JUDGED, wanted_at=Holds("rights", "dialogue"),
)  # fmt: skip
declare(
    models.Likeness, other=Holds("*", "handle"), reason=NotPersonal("a word of the code: what the two share"), found_at=_WHEN,
    settled_by=_STAFF, settled_at=NotPersonal("when a member of staff looked"),
)  # fmt: skip
declare(
    models.Merged, gone=Holds("*", "handle"), by=_STAFF, at=NotPersonal("when two members of staff agreed"),
    counts=NotPersonal("names of tables and numbers of rows"), sealed=Holds("*", "*"),
)  # fmt: skip
declare(
    models.ErasedMark,
    mark=NotPersonal("a keyed hash of a keyed hash; it can only say yes to a value that is given again"),
    at=NotPersonal("when something was erased"),
)
_LEDGER = NotPersonal("says what was done with a file, not what stood in it")
declare(
    models.Import, purpose=_POLICY, market=_POLICY, source=_POLICY, by=NotPersonal("a staff member's number"), rows=_LEDGER,
    done=_LEDGER, counts=_LEDGER, started_at=_LEDGER, finished_at=_LEDGER,
)  # fmt: skip
declare(
    models.ListInHand, by=_STAFF, sealed=Holds("*", "*"), purpose=_POLICY, market=_POLICY, locale=_POLICY, source=_POLICY,
    relation=_POLICY, new_ground_since=_LEDGER, leave_out_refused=_LEDGER, state=_LEDGER, problem=_POLICY, ledger=_LEDGER,
    rows=_LEDGER, judged=_LEDGER, told=Holds("*", "*"), expires_at=_LEDGER,
)  # fmt: skip


class _Register:
    """This room as `core.ports.Register`."""

    find = staticmethod(reads.person_of)
    signal = staticmethod(verbs.record_signal)
    market_of = staticmethod(reads.market_of)
    people_for = staticmethod(reads.people_for)
    gather = staticmethod(reads.gather)
    look = staticmethod(reads.look)
    note = staticmethod(verbs.note)
    keep_one = staticmethod(verbs.hold_value)
    attach = staticmethod(attachments.attach)
    words_of = staticmethod(reads.words_of)
    still_held = staticmethod(reads.still_held)
    exists = staticmethod(reads.exists)
    people_in = staticmethod(reads.people_in)
    values_of = staticmethod(groups.values_of)
    relations_of = staticmethod(groups.relations_of)
    signals_of = staticmethod(groups.signals_of)
    kinds_held = staticmethod(reads.kinds_held)
    due_people = staticmethod(reads.due_people)
    beside = staticmethod(reads.beside)
    due_holdings = staticmethod(reads.due_holdings)
    striking = staticmethod(clocked.striking)
    struck_people = staticmethod(clocked.struck_people)
    ends_of = staticmethod(clocked.ends_of)
    ending = staticmethod(clocked.ending)
    purposes_ending = staticmethod(clocked.purposes_ending)
    waiting_for_answers = staticmethod(clocked.waiting_for_answers)
    calendar = staticmethod(clocked.calendar)
    departures = staticmethod(clocked.departures)
    keepers = staticmethod(clocked.keepers)
    put_off = staticmethod(clocked.put_off)
    why = staticmethod(clocked.why)
    people_count = staticmethod(reads.people_count)
    due_counts = staticmethod(reads.due_counts)
    plan = staticmethod(crowds.plan)
    due_after = staticmethod(crowds.due_after)
    judge_due = staticmethod(due.judge)
    drop_due_of = staticmethod(crowds.drop_due)
    kept_by_law_of = staticmethod(reads.kept_by_law_of)
    needles_of_crowd = staticmethod(crowds.open_crowd)
    kept_by_law = staticmethod(reads.kept_by_law)
    leave_to_holds = staticmethod(due.leave_to_holds)
    hashes_of = staticmethod(reads.hashes_of)
    judge_file = staticmethod(attachments.judge)
    want_files = staticmethod(attachments.want)
    waiting_for_files = staticmethod(attachments.people_waiting)
    attachment = staticmethod(attachments.content_of)
    attachments = staticmethod(attachments.of_person)
    names_of_others = staticmethod(index.names_of_others)
    remove = staticmethod(verbs.remove)

    def welcome(self, *, provisional: bool = False) -> UUID:
        return verbs.welcome(provisional=provisional)

    def confirm(self, person_id: UUID) -> None:
        verbs.confirm_person(person_id)

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
    ) -> None:
        verbs.hold(person_id, values, purpose, source=source, market=market, locale=locale, wording=wording)

    def read(self, person_id: UUID, purpose: str, fields: Iterable[str], *, by: str) -> Mapping[str, str]:
        found = sorted(reads.holdings_of(person_id, purpose, by=by, fields=fields), key=lambda each: each.since)
        return {each.field: each.value for each in found}

    def relate(self, person_id: UUID, relation: str, *, market: str, locale: str) -> UUID:
        return verbs.begin_relation(person_id, relation, market=market, locale=locale)

    def refresh_due(self, person_id: UUID) -> None:
        verbs.refresh_due(person_id)

    refresh_due_of = staticmethod(due.refresh)

    def fields_held(self, person_id: UUID, purpose: str) -> frozenset[str]:
        """Which fields are held for a purpose. Nothing is opened, so it leaves no look."""
        rows = models.Holding.objects.of(person_id).filter(purpose=purpose)
        return frozenset(rows.values_list("field", flat=True))

    def held(self, person_id: UUID) -> list[reads.Held]:
        """Everything, for the person themself; leaves one look."""
        return list(reads.holdings_of(person_id, "portal", by="person"))

    def needles_of(self, person_id: UUID, purpose: str, *, by: str) -> list[tuple[str, str]]:
        """(field, value) of all that is held: to search for it, or to name the person to a connected system. Leaves a look."""
        return [(each.field, each.value) for each in reads.open_all(person_id, purpose, by=by).values()]

    def correct(self, person_id: UUID, holding_id: UUID, value: str) -> str:
        """Put a value right; returns the field's id."""
        row = models.Holding.objects.of(person_id).get(id=holding_id)
        verbs.correct_value(person_id, holding_id, value)
        return str(row.field)


def _export(person_id: UUID) -> dict[str, Any]:
    return {
        "relations": [
            {
                "relation": each.relation,
                "market": each.market,
                "started_at": each.started_at,
                "ended_at": each.ended_at,
                "id": each.id,
            }
            for each in reads.relations_of(person_id)
        ],
        "looks": list(
            models.Look.objects.of(person_id)
            .order_by("-at")
            .values("at", "by", "role", "purpose", "fields", "allowed", "reason")
        ),
        "places": [
            {
                "organisation": each.organisation,
                "purpose": each.purpose,
                "market": each.market,
                "company": each.company,
                "title": each.title,
                "role": each.role,
                "started_at": each.started_at,
                "ended_at": each.ended_at,
            }
            for each in models.Placement.objects.of(person_id).order_by("started_at")
        ],
        "dialogue": [
            {"holding": each.id, "medium": each.medium, "direction": each.direction, "at": each.at, "by": each.by}
            for each in models.Dialogue.objects.of(person_id).order_by("at")
        ],
        "attachments": [
            {
                "id": each.id,
                "holding": each.dialogue,
                "name": each.name,
                "kind": each.kind,
                "size": each.size,
                "at": each.at,
                "state": each.state,
            }
            for each in attachments.of_person(person_id)
        ],
        "merged": merging.history(person_id, own=True),
        "signals": [{"kind": each.kind, "at": each.at} for each in models.Signal.objects.of(person_id).order_by("at")],
    }


def _erase(person_id: UUID, hashes: frozenset[str]) -> dict[str, int]:
    """Organisations nobody else is in; what was erased is remembered so that a list cannot bring it back unseen."""
    left = set(models.Placement.objects.of(person_id).values_list("organisation", flat=True))
    places = models.Placement.objects.of(person_id)._raw_delete(using="default")
    models.Likeness.everyone.filter(other=person_id).delete()
    erased.remember(index.only_theirs(person_id, hashes))
    lists.let_go_of(index.only_theirs(person_id, hashes))
    return {"register_placement": places, "register_organisation": organisations.forget_empty(left)}


ports.provide("register", _Register())
register(Room("register", export=_export, erase=_erase, merge=merging.follow, erase_crowd=crowds.erase))

__all__ = ["duplicates", "exports", "lists"]
