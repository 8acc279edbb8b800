"""How inquiries come: by a form, and by mail to the address an answer of ours carried.

Raises `Problem`: `inquiry.no-such-address` (404) for a token nobody was given, or whose person has been erased.
"""

import re
import unicodedata
from hashlib import sha256
from uuid import UUID

from lofte.core import actions, blind, clock, outbox, ports, publication
from lofte.core.mailing import inbound
from lofte.core.mailing.inbound import Incoming
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.features.outreach.forms import arrivals, intake, specs
from lofte.features.outreach.forms.files import Upload, judged
from lofte.features.outreach.forms.intake import Submission, Taken
from lofte.features.outreach.inquiries import kinds, letters
from lofte.features.outreach.inquiries.ledger import State, add, change, next_turn_of, reference_of, seal
from lofte.features.outreach.inquiries.models import Inquiry, ReplyAddress
from lofte.kernel.problems import Problem

MOST_FILES = 10  # of one letter that comes by mail
LONGEST = 50_000  # characters of a letter that are kept
_MESSAGE_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")  # others cannot be referred to
_THANKS = "inquiries.thanks"


# --- by a form ------------------------------------------------------------------------------------------------------


@intake.takes(*kinds.KINDS)
def arrive(sent: Submission) -> Taken:
    """Somebody wrote. Who they are rests on the address they typed, so nothing held about somebody known changes by it."""
    person_id = arrivals.person_for(sent, kinds.RELATIONS[sent.form.kind])
    row = _begin(sent, person_id)
    said = _keep_words(sent, row)
    for upload in sent.files:
        ports.register().attach(person_id, said, upload.name, upload.data, by="person")
    add(row, "received", "person", reason="form", dialogue=said)
    step = new_id()
    add(row, "acknowledged", "system", mail=letters.acknowledge(row, step), step=step)
    fact = {"inquiry": str(row.id), "kind": row.kind, "market": row.market, "due": str(row.due_on)}
    outbox.add("inquiry.received", fact, policy=publication.current().digest, person_id=person_id, about=row.id)
    actions.record("inquiry.received", "person", kind=row.kind, market=row.market)
    return Taken(_THANKS, row.reference)


def _begin(sent: Submission, person_id: UUID) -> Inquiry:
    inquiry, token = new_id(), inbound.new_token()
    row: Inquiry = Inquiry.objects.create(
        id=inquiry, person_id=person_id, reference=reference_of(inquiry), kind=sent.form.kind, purpose=sent.form.purpose,
        market=sent.market, locale=sent.locale, form=sent.form.id, received_at=sent.at, latest_at=sent.at,
        due_on=kinds.answer_by(sent.market, sent.at),
        sealed=seal(person_id, inquiry, {"values": arrivals.kept_values(sent), "token": token}),
    )  # fmt: skip
    ReplyAddress.objects.create(hash=hash_of(token), person_id=person_id, inquiry=inquiry)
    return row


def _keep_words(sent: Submission, row: Inquiry) -> UUID:
    """What was written, as dialogue of the person under the form's purpose; the form's name where nothing was."""
    spoken = publication.current().policy.fields
    texts = [value for field, value in sent.values.items() if spoken[field].category == "dialogue"]
    text = "\n\n".join(texts) or specs.words(sent.form, sent.market, sent.locale).name
    return ports.register().keep_one(
        row.person_id, kinds.spoken_field(row.purpose), text, row.purpose, source=f"form:{sent.form.id}", market=row.market,
        locale=row.locale, wording=sent.wording,
    )  # fmt: skip


# --- by mail --------------------------------------------------------------------------------------------------------


@inbound.address("reply")
def answered(token: str, message: Incoming) -> None:
    """An answer to a letter of ours. A machine's (out of office) is noted and moves nothing."""
    found = ReplyAddress.objects.filter(hash=hash_of(token)).first()
    if found is None:
        raise Problem("inquiry.no-such-address", "nobody is answered under this address", status=404)
    row = next_turn_of(found.inquiry)
    if message.is_automatic:
        add(row, "automatic", "system")
        return
    is_theirs = _is_same(letters.contact_of(row).email, message.from_address)
    kept = {"message_id": message.message_id} if _MESSAGE_ID.fullmatch(message.message_id) else {}
    kept |= {} if is_theirs else {"from": message.from_address}
    said = note(row, plain(message.text) or plain(message.subject) or "…", "mail", by="person", is_theirs=is_theirs)
    kept_files, refused = _files(message)
    for upload in kept_files:
        ports.register().attach(row.person_id, said, upload.name, upload.data, by="person")
    hear(row, is_theirs=is_theirs)
    add(row, "received", "person", reason="mail" if is_theirs else "other_address", dialogue=said, kept=kept)
    if refused:
        add(row, "files_refused", "system", reason=str(refused))


@in_transaction
def write_in(person_id: UUID, inquiry: UUID, text: str) -> None:
    """The person goes on in their own pages, where it is certain who they are."""
    row = next_turn_of(inquiry)
    if row.person_id != person_id:
        raise Problem("inquiry.unknown", "there is no such inquiry", status=404)
    said = ports.register().keep_one(
        person_id,
        kinds.spoken_field(row.purpose),
        text,
        row.purpose,
        source="portal",
        market=row.market,
        locale=row.locale,
    )
    hear(row, is_theirs=True)
    add(row, "received", "person", reason="page", dialogue=said)


def note(row: Inquiry, text: str, medium: str, *, by: str, is_theirs: bool) -> UUID:
    """Their word, in the dialogue. Whose word is not certain moves no clock."""
    return ports.register().note(
        row.person_id, text, row.purpose, medium=medium, direction="in", at=clock.now(), by=by, market=row.market,
        locale=row.locale, field=kinds.spoken_field(row.purpose), counts=is_theirs,
    )  # fmt: skip


def hear(row: Inquiry, *, is_theirs: bool) -> None:
    """They have had the word: the inquiry is open again, and we owe an answer."""
    at = clock.now()
    due = row.due_on if row.state == State.OPEN and row.due_on else kinds.answer_by(row.market, at)
    change(row, state=State.OPEN, outcome="", closed_at=None, latest_at=at, due_on=due)
    if is_theirs:
        _relate(row)


def plain(text: str) -> str:
    """Text with the line ends of one kind and without what is no text, as long as is kept."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(each for each in lines if each in "\n\t" or unicodedata.category(each) != "Cc").strip()[:LONGEST]


def _relate(row: Inquiry) -> None:
    """It is certain now who wrote: they are known as what they wrote as."""
    relation = kinds.RELATIONS[row.kind]
    if row.kind != Inquiry.Kind.INQUIRY and relation in publication.current().policy.relations:
        ports.register().relate(row.person_id, relation, market=row.market, locale=row.locale)


def _files(message: Incoming) -> tuple[list[Upload], int]:
    """The files that may be kept, and how many were not: neither the name nor the type of a file in a mail can be trusted."""
    kept, refused = list[Upload](), 0
    for each in message.files:
        try:
            (upload,) = judged(1, [Upload(each.name, each.media_type, each.data)])
        except (Problem, ValueError):
            refused += 1
            continue
        if len(kept) < MOST_FILES:
            kept.append(upload)
        else:
            refused += 1
    return kept, refused


def _is_same(one: str, other: str) -> bool:
    try:
        return blind.normalise("email", one) == blind.normalise("email", other)
    except Problem:
        return False


def hash_of(token: str) -> str:
    return sha256(token.lower().encode()).hexdigest()
