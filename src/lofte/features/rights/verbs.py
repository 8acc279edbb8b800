"""What a person does with their rights. The door is a link mailed to the address on file; it opens one session for one person.

Raises `Problem` with these codes: `code.unknown` (wrong, used or expired), `register.undeclared`, `register.bad-value`,
`rights.not-withdrawable` (the purpose does not rest on consent), `rights.not-objectable`, `rights.closed` (the session is over).
"""

from datetime import datetime, timedelta
from uuid import UUID

from lofte.core import actions, blind, clock, codes, limits, links, mail, obligations, outbox, ports, publication, vault
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.core.systems import Change
from lofte.core.tasks import duty
from lofte.features.rights import erasure, own_acts, requests, together
from lofte.features.rights.models import Ask, Correction, Step
from lofte.features.rights.nouns import Erased, Grant, PlanItem, Residue
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Basis

LINK_LASTS = timedelta(hours=24)
SESSION_LASTS = timedelta(minutes=30)
ADDRESS_LASTS = timedelta(hours=24)
PER_ADDRESS = (3, timedelta(hours=1))  # links, window: nobody's mailbox is filled by a stranger
PER_NETWORK = (30, timedelta(hours=1))
_BATCH = 100
_LONGEST_ADDRESS = 320  # what a form field may hand over; longer is no address

__all__ = [
    "Erased", "Grant", "PlanItem", "Residue", "answer_asks", "ask_for_link", "close_portal", "confirm_address", "correct", "erase",
    "erase_made_up", "forget_corrections", "object_to", "open_portal", "plan_erasure", "resume", "withdraw",
]  # fmt: skip


def ask_for_link(market: str, locale: str, address: str, *, remote: str = "") -> None:
    """Somebody wants into the portal. Always the same answer in the same time; the work is done by a duty afterwards.

    A malformed address, an unknown one and one over its limit are all silently nothing. ``remote`` is hashed for the limit.
    """
    edition = publication.current().policy.markets.get(market)
    if edition is None or locale not in edition.locales:
        raise Problem("form.not-here", "there is no such market and language", status=404)
    try:
        normal = blind.normalise("email", address[:_LONGEST_ADDRESS])
    except Problem:
        return
    if limits.allow("link", normal, *PER_ADDRESS) and (not remote or limits.allow("link-from", remote, *PER_NETWORK)):
        row_id = new_id()
        Ask.objects.create(
            id=row_id,
            sealed=vault.seal_for_house(row_id, normal.encode()),
            market=market,
            locale=locale,
            asked_at=clock.now(),
        )


@duty("rights.answer_asks", every=timedelta(seconds=1))
def answer_asks(at: datetime) -> int:
    """Mail a link to each who asked and is known; forget the question either way. Returns how many questions were looked at."""
    waiting = list(Ask.objects.filter(asked_at__lte=at).order_by("asked_at").values_list("id", flat=True)[:_BATCH])
    for row_id in waiting:
        _answer(row_id)
    return len(waiting)


@in_transaction
def _answer(row_id: UUID) -> None:
    row = Ask.objects.filter(pk=row_id).first()
    # Whoever deletes the row answers it: two processes never both mail.
    if row is None or not Ask.objects.filter(pk=row_id).delete()[0]:
        return
    person_id = ports.register().find("email", vault.open_for_house(row.id, row.sealed).decode())
    if person_id is None:
        return
    # To the address on file, as it was written there, never to what was typed.
    address = ports.register().read(person_id, "rights", ("email",), by="rights").get("email")
    if not address:
        return
    code = codes.issue("open", person_id, market=row.market, locale=row.locale, lasts=LINK_LASTS)
    words = mail.compose(
        "open", row.market, row.locale, url=links.link("open", row.market, row.locale, code),
        hours=int(LINK_LASTS.total_seconds() // 3600),
    )  # fmt: skip
    mail.send(mail.Letter("open", person_id, address, words, "rights"))
    actions.record("portal.link_sent", "system", market=row.market)


@in_transaction
def open_portal(code: str) -> Grant:
    """Use up the link (POST, never GET): a session of 30 minutes for the person it was mailed to."""
    opened = codes.redeem(code, "open")
    if opened.about:  # the link was sent to learn who a request is from
        requests.proved(opened.about, opened.person_id)
    token = codes.issue(
        "session", opened.person_id, market=opened.market, locale=opened.locale, lasts=SESSION_LASTS, single_use=False
    )
    if any("portal_visit" in each.signals for each in publication.current().policy.clocks.values()):
        ports.register().signal(opened.person_id, "portal_visit", source="link:open")
    actions.record("portal.opened", "person", market=opened.market)
    made = codes.peek(token, "session")
    assert made is not None
    assert made.expires_at is not None
    return Grant(token, opened.person_id, opened.market, opened.locale, made.expires_at)


def close_portal(token: str) -> None:
    """The session is over; closing it again changes nothing."""
    codes.revoke(token, "session")


@in_transaction
def correct(person_id: UUID, holding_id: UUID, value: str) -> bool:
    """Put a value right, in every purpose it is held for (GDPR 16). True when it is done now.

    A new address must prove itself first: False means that a link went there, and `confirm_address` does the rest.
    """
    held = next((each for each in ports.register().held(person_id) if each.id == holding_id), None)
    if held is None:
        raise Problem("register.no-holding", "there is no such holding of this person", status=404)
    published = publication.current()
    shape = published.policy.fields[held.field]
    text = blind.clean(shape.kind, value)
    if not text:
        raise Problem("register.bad-value", "an empty value is nothing to hold", Place(key=held.field), status=422)
    if shape.kind == "email" and blind.normalise("email", text) != blind.normalise("email", held.value):
        asked = _ask_new_address(person_id, holding_id, text, held.market, held.locale)
        if asked and not own_acts.continues(person_id, "rectification", asked):
            own_acts.begun_by_person(person_id, "rectification", about=asked, kind="address_asked")
        return False
    about = correct_everywhere(person_id, holding_id, text)
    own_acts.begun_by_person(person_id, "rectification", about=about)
    actions.record("person.corrected", "person", field=held.field)
    return True


def correct_everywhere(person_id: UUID, holding_id: UUID, text: str) -> UUID:
    """Here at once, and owed to every connected system in the same transaction (GDPR 16, 19). Returns what they know it by."""
    register = ports.register()
    before = register.needles_of(person_id, "rights", by="rights")
    field = register.correct(person_id, holding_id, text)
    after = register.needles_of(person_id, "rights", by="rights")
    old = next((value for name, value in before if name == field and (name, value) not in after), "")
    known = dict.fromkeys([*before, *after])  # a system may know them by the old value or by the new one
    about = new_id()
    obligations.owe("correct", person_id, known, about=about, change=Change(field, old, text))
    _tell_recipients(person_id, field)
    return about


@in_transaction
def remove_everywhere(person_id: UUID, holding_id: UUID) -> UUID:
    """One value goes: here at once, in every connected system as soon as it answers, and from whoever was given it (GDPR 17, 19).

    Nothing is owed elsewhere while the same value is held for another purpose. Returns what the systems know it by.
    """
    register, about = ports.register(), new_id()
    before = register.needles_of(person_id, "rights", by="rights")
    field = register.remove(person_id, holding_id)
    left = register.needles_of(person_id, "rights", by="rights")
    for name, value in dict.fromkeys(before):
        if name == field and (name, value) not in left:
            obligations.owe("correct", person_id, dict.fromkeys(before), about=about, change=Change(field, value, ""))
    _tell_recipients(person_id, field)
    # For who keeps an eye on what is no longer held: whoever was given the last of something is told to erase it.
    outbox.add("erasure.partial", {"by": "hand", "erased": {"register_holding": 1}}, person_id=person_id, about=about)
    return about


def _tell_recipients(person_id: UUID, field: str) -> None:
    sharing = ports.sharing()
    if sharing is not None:
        sharing.renew(person_id, [field])


def _ask_new_address(person_id: UUID, holding_id: UUID, address: str, market: str, locale: str) -> UUID | None:
    """Returns the id of what now waits for the new address; None when too many links went there already."""
    if not limits.allow("address", blind.normalise("email", address), *PER_ADDRESS):
        return None
    row_id, at = new_id(), clock.now()
    sealed = vault.opener(person_id).seal(row_id, address.encode())
    Correction.objects.of(person_id).filter(holding_id=holding_id).delete()
    Correction.objects.create(
        id=row_id, person_id=person_id, holding_id=holding_id, sealed=sealed, asked_at=at, expires_at=at + ADDRESS_LASTS
    )
    code = codes.issue("address", person_id, market=market, locale=locale, lasts=ADDRESS_LASTS, about=row_id)
    words = mail.compose(
        "address", market, locale, url=links.link("address", market, locale, code),
        hours=int(ADDRESS_LASTS.total_seconds() // 3600),
    )  # fmt: skip
    mail.send(mail.Letter("address", person_id, address, words, "rights"))
    return row_id


@in_transaction
def confirm_address(code: str) -> tuple[str, str]:
    """The link in the mail to the new address was used (POST): it replaces the old one. Returns market and locale.

    Raises Problem `register.taken` when the address already belongs to another person of the register.
    """
    opened = codes.redeem(code, "address")
    row: Correction | None = Correction.objects.of(opened.person_id).filter(id=opened.about).first()
    if row is None:
        raise Problem("code.unknown", "this link is not valid, or no longer", way_out="Ask for a new one.", status=410)
    address = vault.opener(row.person_id).open(row.id, row.sealed).decode()
    about = correct_everywhere(row.person_id, row.holding_id, address)
    Correction.objects.of(row.person_id).filter(id=row.id).delete()
    own_acts.went_on(row.person_id, row.id, about)
    actions.record("person.corrected", "person", field="email")
    return opened.market, opened.locale


@duty("rights.forget_corrections", every=timedelta(hours=1))
def forget_corrections(at: datetime) -> int:
    """Addresses that never proved themselves."""
    late = list(Correction.everyone.filter(expires_at__lte=at).values_list("id", flat=True))
    gone, _ = Correction.everyone.filter(id__in=late).delete()
    for request in Step.objects.filter(about__in=late, kind="address_asked").values_list("request", flat=True):
        own_acts.lapse(request)
    return gone


@in_transaction
def withdraw(person_id: UUID, purpose: str) -> UUID:
    """Take back a consent, at once. Returns the id of the consent event."""
    event = take_back(person_id, purpose, "portal")
    own_acts.begun_by_person(person_id, "withdrawal", purpose=purpose, about=event)
    return event


def take_back(person_id: UUID, purpose: str, method: str) -> UUID:
    """As `withdraw`, by any way the person chose; the caller keeps the request."""
    if _basis(purpose) is not Basis.CONSENT:
        raise Problem(
            "rights.not-withdrawable", "this purpose does not rest on consent", Place(key=purpose), status=422
        )
    return ports.consents().withdraw(person_id, purpose, method=method)


@in_transaction
def object_to(person_id: UUID, purpose: str) -> UUID:
    """Object to a use that rests on legitimate interest; for marketing it is absolute (GDPR 21(2))."""
    event = take_objection(person_id, purpose, "portal")
    own_acts.begun_by_person(person_id, "objection", purpose=purpose, about=event)
    return event


def take_objection(person_id: UUID, purpose: str, method: str) -> UUID:
    """As `object_to`, by any way the person chose; the caller keeps the request."""
    if _basis(purpose) not in (Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK):
        raise Problem(
            "rights.not-objectable", "this purpose does not rest on legitimate interest", Place(key=purpose), status=422
        )
    return ports.consents().object_to(person_id, purpose, method=method)


def _basis(purpose: str) -> Basis | None:
    declared = publication.current().policy.purposes.get(purpose)
    return declared.basis if declared and declared.scope == "person" else None


def plan_erasure(person_id: UUID) -> list[PlanItem]:
    """What would go and what must stay under which statute; changes nothing."""
    return erasure.plan(person_id)


def erase(person_id: UUID, by: str = "person") -> Erased:
    """Erase the person: key, rows, index, codes, sessions, queued mail; search for residue; log it; give the receipt.

    Can be killed at any moment; `resume` (a duty) or calling it again carries it to its end. ``by``: person, staff:<id> or sweep.
    """
    done = erasure.erase(person_id, by)
    own_acts.end_about(done.id)
    return done


def erase_made_up(person_id: UUID, by: str) -> Erased:
    """As `erase`, for somebody who never was: what a statute keeps of people goes too."""
    done = erasure.erase_made_up(person_id, by)
    own_acts.end_about(done.id)
    return done


@duty("rights.resume_erasures", every=timedelta(minutes=1))
def resume(at: datetime) -> int:
    """Carry on with every erasure that is not proved yet; returns how many came to their end."""
    return together.resume(at)
