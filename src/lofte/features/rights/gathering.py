"""Gathers what stands in every room about one person, for the person: fixed statements, whatever is held and whoever else is.

What belongs to somebody else is taken out of free text on the way (GDPR 15(4)) and leaves a mark that says what stood there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Model

from lofte.core import holdings, ports, publication
from lofte.core.models import without_rows
from lofte.core.obligations import Returned
from lofte.features.rights import cases
from lofte.features.rights.cleaning import Cleaner, free_texts, is_free, without_others
from lofte.features.rights.overview import (
    AnswerItem,
    AttachmentItem,
    BoxItem,
    CarriedItem,
    ConsentItem,
    Counted,
    DeliveryItem,
    DisclosureItem,
    EntryItem,
    FormItem,
    HeldItem,
    InquiryItem,
    LookItem,
    MailItem,
    MaterialItem,
    MergedItem,
    Overview,
    PlaceItem,
    RegistrationItem,
    RelationItem,
    RequestItem,
    RestrictionItem,
    SaidItem,
    SegmentItem,
    SignalItem,
    Standing,
    StepItem,
    TransferItem,
)
from lofte.kernel.problems import Problem
from lofte.rules.model import Basis
from lofte.rules.redaction import Redacted

SHOWN: Mapping[str, str] = {
    "consent_consent": "consents", "core_blindindex": "holdings", "core_code": "mails", "core_entry": "evidence",
    "core_mail": "mails", "mailing_bounce": "mails", "mailing_suppression": "mails",
    "core_obligation": "carried", "core_outbox": "evidence", "events_answer": "registrations",
    "events_registration": "registrations", "forms_arrival": "forms", "inquiries_inquiry": "inquiries",
    "inquiries_replyaddress": "inquiries",
    "inquiries_step": "inquiries", "materials_grant": "materials", "outreach_delivery": "deliveries",
    "outreach_signup": "mails", "register_attachment": "attachments", "register_dialogue": "dialogue",
    "register_holding": "holdings", "register_likeness": "alike", "register_look": "looks", "register_merged": "merged",
    "register_placement": "places", "register_relation": "relations", "register_signal": "signals",
    "retention_hold": "holdings", "retention_notice": "signals", "retention_planned": "signals",
    "rights_correction": "requests", "rights_erasure": "requests", "rights_request": "requests",
    "rights_restriction": "restrictions", "sharing_disclosure": "disclosures", "sharing_member": "transfers",
}  # fmt: skip
"""Which part of the copy shows each table that holds rows of persons. A test finds the table nobody thought of."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is held here and what connected systems gave, without what is somebody else's; ``counted`` is where it all stands."""

    seen: Overview
    returned: tuple[Returned, ...]
    counted: tuple[Counted, ...]


def gather(person_id: UUID, held: Sequence[Any], returned: Sequence[Returned] = ()) -> Gathered:
    """``held`` is what the register keeps, opened; ``returned`` what connected systems gave. Everything else is asked for here."""
    counted = tuple(count(person_id))
    rooms = _rooms(person_id, counted)
    entries = rooms["core"]["entries"]
    consents = tuple(_consents(rooms["consent"]["events"], {each["about"]: each["index"] for each in entries}))
    market, locale = _edition(held, consents, rooms["register"]["relations"])
    found, words = cases.opened_of(person_id)
    files = [each["name"] for each in rooms["register"]["attachments"]]
    notes = [step["words"] for each in rooms["inquiries"]["inquiries"] for step in each["history"]]
    texts = [*free_texts(held, returned), *words.values(), *files, *notes]
    cleaner = Cleaner(person_id, [(each.field, each.value) for each in held], locale, texts)
    seen = _overview(person_id, held, rooms, consents, cleaner, tuple(_requests(found, words, cleaner)))
    return Gathered(
        replace(seen, market=market, locale=locale), tuple(without_others(each, cleaner) for each in returned), counted
    )


def _rooms(person_id: UUID, counted: Iterable[Counted]) -> Mapping[str, Mapping[str, Any]]:
    """What each room shows. A room with no row of the person is not asked, nor is an empty table of a room that is: most people
    meet few of them.
    """
    filled = {each.table for each in counted}
    there = set(tables_of_persons())
    tables = {
        config.label: {model._meta.db_table for model in config.get_models()}
        for config in apps.get_app_configs()
        if config.name.startswith("lofte.")
    }
    empty = [label for label, found in tables.items() if found & there and not found & filled]
    shown: dict[str, Mapping[str, Any]] = defaultdict(lambda: defaultdict(tuple))
    with without_rows(person_id, frozenset(there - filled)):
        return shown | {
            name: defaultdict(tuple, each) for name, each in holdings.export_person(person_id, empty).items()
        }


def _own(held: Iterable[Any], rooms: Mapping[str, Any]) -> ports.OwnFacts:
    """What is gathered already of what a group may ask for."""
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for each in sorted(held, key=lambda each: each.since):
        values[each.purpose][each.field] = each.value
    signals = {each["kind"]: each["at"] for each in rooms["register"]["signals"]}
    is_restricted = any(each["lifted_at"] is None for each in rooms["rights"]["restrictions"])
    return ports.OwnFacts(values, signals, is_restricted)


def _mails(rooms: Mapping[str, Any]) -> Iterator[MailItem]:
    """Letters as they were sent; those that came back; and since when none for marketing are."""
    for each in rooms["core"]["mails"]:
        yield MailItem(each["sent_at"] or each["made_at"], each["letter"], each["purpose"], each["state"])
    for each in rooms["mailing"]["came_back"]:
        yield MailItem(each["at"], each["letter"], "", f"{each['kind']} {each['status']}".strip())
    for each in rooms["mailing"]["stopped"]:
        yield MailItem(each["at"], "marketing", "", f"stopped-{each['reason']}")


def _overview(
    person_id: UUID,
    held: Sequence[Any],
    rooms: Mapping[str, Any],
    consents: tuple[ConsentItem, ...],
    cleaner: Cleaner,
    asked: tuple[RequestItem, ...],
) -> Overview:
    entries = rooms["core"]["entries"]
    items = {each.id: _item(each, cleaner) for each in held}
    register = rooms["register"]
    transfers = tuple(
        TransferItem(**{**each, "fields": tuple(each["fields"])})
        for room in rooms.values()
        for each in room.get("transfers", ())
    )
    return Overview(
        person_id=person_id, market="", locale="", holdings=tuple(items.values()), consents=consents,
        purposes=tuple(_standings({each.purpose for each in held} | {each.purpose for each in transfers}, consents)),
        relations=tuple(RelationItem(**each) for each in register["relations"]),
        places=tuple(_place(each, items) for each in register["places"]),
        dialogue=tuple(_said(each, items[each["holding"]]) for each in register["dialogue"] if each["holding"] in items),
        signals=tuple(SignalItem(each["kind"], each["at"]) for each in register["signals"]),
        looks=tuple(LookItem(**{**each, "fields": tuple(each["fields"])}) for each in register["looks"]),
        disclosures=tuple(
            DisclosureItem(**{**each, "fields": tuple(each["fields"])})
            for room in rooms.values()
            for each in room.get("disclosures", ())
        ),
        transfers=transfers,
        mails=tuple(_mails(rooms)),
        deliveries=tuple(DeliveryItem(each["at"], each["state"]) for each in rooms["outreach"]["deliveries"]),
        carried=tuple(CarriedItem(**each) for each in rooms["obligations"]["owed"]),
        requests=asked,
        inquiries=tuple(_inquiry(each, items, cleaner) for each in rooms["inquiries"]["inquiries"]),
        entries=tuple(EntryItem(each["at"], each["kind"], each["index"]) for each in entries),
        next_due=min((each.due for each in items.values() if each.due), default=None),
        restrictions=tuple(RestrictionItem(**each) for each in rooms["rights"]["restrictions"]),
        attachments=tuple(_file(each, cleaner) for each in register["attachments"]),
        merged=tuple(MergedItem(each["at"], tuple(each["kept_once"])) for each in register["merged"]),
        segments=tuple(
            SegmentItem(**{**each, "fields": tuple(each["fields"]), "conditions": tuple(each["conditions"])})
            for each in ports.segments_of(person_id, _own(held, rooms))
        ),
        registrations=tuple(_registered(each, cleaner) for each in rooms["events"]["registrations"]),
        materials=tuple(MaterialItem(**each) for each in rooms["materials"]["materials"]),
        forms=tuple(_form(each) for each in rooms["forms"]["sent"]),
    )  # fmt: skip


# --- the parts ------------------------------------------------------------------------------------------------------


def _item(each: Any, cleaner: Cleaner | None) -> HeldItem:
    cleaned = cleaner.clean(each.value) if cleaner and is_free(each.field) else Redacted(each.value, ())
    return HeldItem(
        id=each.id, field=each.field, value=cleaned.text, purpose=each.purpose, basis=each.basis, source=each.source,
        clock=each.clock, since=each.since, due=each.due, taken_out=cleaned.kinds,
    )  # fmt: skip


def _place(each: Mapping[str, Any], items: Mapping[UUID, HeldItem]) -> PlaceItem:
    def value(name: str) -> str:
        return items[each[name]].value if each[name] in items else ""

    return PlaceItem(
        company=value("company"), title=value("title"), role=value("role"), purpose=each["purpose"], market=each["market"],
        started_at=each["started_at"], ended_at=each["ended_at"],
    )  # fmt: skip


def _registered(each: Mapping[str, Any], cleaner: Cleaner) -> RegistrationItem:
    def value(field: str, text: str) -> str:
        return cleaner.clean(text).text if is_free(field) else text

    answers = tuple(AnswerItem(field, value(field, text)) for field, text in sorted(each["answers"].items()))
    return RegistrationItem(**{**each, "answers": answers})


def _file(each: Mapping[str, Any], cleaner: Cleaner) -> AttachmentItem:
    """Of a file that is not given out, the name may lead to somebody else too."""
    item = AttachmentItem(**each)
    return item if item.state == "given" else replace(item, name=cleaner.clean(item.name).text)


def _said(each: Mapping[str, Any], words: HeldItem) -> SaidItem:
    return SaidItem(
        id=words.id, at=each["at"], medium=each["medium"], direction=each["direction"], by=each["by"], purpose=words.purpose,
        words=words.value, taken_out=words.taken_out,
    )  # fmt: skip


def _inquiry(each: Mapping[str, Any], items: Mapping[UUID, HeldItem], cleaner: Cleaner) -> InquiryItem:
    """The words of letters are among what is held; what staff noted is cleaned here."""
    history = tuple(
        StepItem(
            step["at"], step["kind"], step["by"], step["reason"],
            items[step["holding"]].value if step["holding"] in items else cleaner.clean(step["words"]).text,
        )
        for step in each["history"]
    )  # fmt: skip
    return InquiryItem(**{**each, "history": history})


def _consents(events: Iterable[Mapping[str, Any]], indexes: Mapping[UUID | None, int]) -> Iterator[ConsentItem]:
    for each in events:
        yield ConsentItem(
            **each,
            evidence_index=indexes.get(each["id"]),
            words=_words_shown(each["publication"], each["locale"], each["shown"], each["purpose"]),
        )


def _words_shown(digest: str, locale: str, shown: str, purpose: str) -> tuple[str, ...]:
    """What the form or banner said, in the version that was in force; nothing for an event nobody was shown words for."""
    if not shown:
        return ()
    try:
        words = publication.load(settings.LOFTE_HOME, digest).words.get(locale, {})
    except Problem:
        return ()
    kind, _, form = shown.partition(".")
    if kind == "form":
        said = words.get("forms", {}).get(form, {})
        lines = [said.get(part) for part in ("lead", "consent", "submit")]
    else:
        said = words.get("banner", {})
        lines = [said.get("title"), said.get("lead")]
    about = words.get("purposes", {}).get(purpose, {})
    return tuple(line for line in [*lines, about.get("name"), about.get("why")] if isinstance(line, str) and line)


def _edition(
    held: Sequence[Any], consents: Sequence[ConsentItem], relations: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    if held:
        newest = max(held, key=lambda each: each.since)
        return newest.market, newest.locale
    if relations:
        return relations[-1]["market"], consents[-1].locale if consents else ""
    return (consents[-1].market, consents[-1].locale) if consents else ("", "")


def _standings(purposes: set[str], consents: Iterable[ConsentItem]) -> Iterator[Standing]:
    policy = publication.current().policy
    last = {each.purpose: each.action for each in consents}
    for purpose in sorted(purposes | set(last)):
        declared = policy.purposes.get(purpose)
        if declared is None:
            continue
        said = last.get(purpose, "")
        yield Standing(
            purpose=purpose, basis=declared.basis.value, state=said or "in_use",
            may_withdraw=declared.basis is Basis.CONSENT and said == "granted",
            may_object=declared.basis in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK) and said != "objected",
        )  # fmt: skip


def requests_of(person_id: UUID, locale: str) -> tuple[RequestItem, ...]:
    """Everything the person asked for, the latest first, with the words of its history."""
    found, words = cases.opened_of(person_id)
    values = ports.register().needles_of(person_id, "portal", by="person")
    return tuple(_requests(found, words, Cleaner(person_id, values, locale, words.values())))


def inquiries_of(person_id: UUID, locale: str) -> tuple[InquiryItem, ...]:
    """What the person wrote to us about, the latest first, with what was said."""
    held = ports.register().held(person_id)
    shown = [
        each
        for room in holdings.rooms()
        if room.name == "inquiries" and room.export
        for each in room.export(person_id)["inquiries"]
    ]
    notes = [step["words"] for each in shown for step in each["history"]]
    cleaner = Cleaner(person_id, [(each.field, each.value) for each in held], locale, [*free_texts(held, ()), *notes])
    theirs = {step["holding"] for each in shown for step in each["history"] if _is_between_us(step)}
    items = {each.id: _item(each, None if each.id in theirs else cleaner) for each in held}
    return tuple(_inquiry(each, items, cleaner) for each in reversed(shown))


def _form(sent: Mapping[str, Any]) -> FormItem:
    return FormItem(**{**sent, "boxes": tuple(BoxItem(**box) for box in sent["boxes"])})


def _is_between_us(step: Mapping[str, Any]) -> bool:
    """A letter the person wrote, or was sent: nothing in it is news to them, so nothing is taken out."""
    return step["kind"] == "replied" or (step["kind"] == "received" and step["reason"] in ("form", "mail", "page"))


def _requests(found: Iterable[cases.Case], words: Mapping[UUID, str], cleaner: Cleaner) -> Iterator[RequestItem]:
    """Every request with the words of its history."""
    for case in found:
        yield RequestItem(
            id=case.id, reference=case.reference, right=case.right, purpose=case.purpose, channel=case.channel, state=case.state,
            outcome=case.outcome, received_at=case.received_at, due=case.deadline.due, closed_at=case.closed_at,
            waiting_for=case.waiting_for,
            history=tuple(
                StepItem(step.at, step.kind, step.by, step.reason, cleaner.clean(words.get(step.id, "")).text)
                for step in case.history
            ),
        )  # fmt: skip


# --- complete? ------------------------------------------------------------------------------------------------------


_TO_A_PERSON = ("person_id", "subject", "other")


def tables_of_persons() -> dict[str, tuple[type[Model], tuple[str, ...]]]:
    """Every table with rows of persons, and the columns that lead to the person."""
    found: dict[str, tuple[type[Model], tuple[str, ...]]] = {}
    for model in holdings.our_models():
        names = {field.attname for field in model._meta.concrete_fields}
        if columns := tuple(name for name in _TO_A_PERSON if name in names):
            found[model._meta.db_table] = model, columns
    return found


def count(person_id: UUID) -> list[Counted]:
    """How many rows about the person stand in each table, asked in one statement. Tables without any are left out."""
    quote = connection.ops.quote_name
    parts, values = [], []
    for name, (model, columns) in sorted(tables_of_persons().items()):
        fields = [each for each in model._meta.concrete_fields if each.attname in columns]
        leads = " OR ".join(f"{quote(str(field.column))} = %s" for field in fields)
        parts.append(f"SELECT %s AS name, COUNT(*) AS count FROM {quote(name)} WHERE {leads}")  # noqa: S608  # our own names
        values += [name, *(field.get_db_prep_value(person_id, connection) for field in fields)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        return [Counted(name, rows, SHOWN.get(name, "")) for name, rows in cursor.fetchall() if rows]


def unshown() -> list[str]:
    """Tables with rows of persons that no part of the copy shows; an empty list is the promise."""
    return sorted(set(tables_of_persons()) - set(SHOWN))
