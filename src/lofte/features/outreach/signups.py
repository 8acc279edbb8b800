"""Double opt-in: somebody types an address, a mail goes there, and nothing counts until its link is used.

Every answer is the same for known and unknown people. A confirmation link works until it expires, however often it is used, and
says yes once: a link scanner cannot use it up, and pressing again never brings back a consent that was withdrawn meanwhile.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from lofte.core import actions, blind, clock, codes, holdings, limits, links, mail, ports, publication, vault
from lofte.core.codes import Opened
from lofte.core.mailing import inbound
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach import topics as offered
from lofte.features.outreach.forms import arrivals
from lofte.features.outreach.models import SignUp
from lofte.kernel.problems import Place, Problem
from lofte.rules.model import Form
from lofte.rules.published import Published

FORM = "newsletter"
CONFIRM_WITHIN = timedelta(hours=48)
PER_ADDRESS = (5, timedelta(days=1))  # tries, window: nobody's mailbox is filled by a stranger
PER_NETWORK = (30, timedelta(hours=1))
_BATCH = 200
_LONGEST = 500  # characters; the longest honest value is a company's name
_METHOD = "double_opt_in"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What somebody would agree to: a purpose over a channel, in words the publication knows as ``shown``."""

    purpose: str
    channel: str
    shown: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """``consent_id`` is the event; `rights.reads.receipt(person_id, consent_id)` gives its receipt once it is in the log.

    ``way_out`` opens the choice of topics and the way out, given on the first press alone.
    """

    person_id: UUID
    market: str
    locale: str
    consent_id: UUID
    way_out: str = ""


def ask_to_subscribe(
    market: str,
    locale: str,
    values: Mapping[str, str],
    *,
    topics: Sequence[str] = (),
    form: str = FORM,
    remote: str = "",
    agreed: Agreed | None = None,
) -> UUID | None:
    """Somebody typed an address: a mail with a confirmation link goes there, and nothing counts until it is used.

    ``values`` are exactly the form's declared fields (an undeclared one is refused with its name). ``agreed`` is what a box on
    a form asked for, whose values `forms.intake` has checked; without it, what ``form`` itself asks. ``remote`` is the caller's
    network address, used only as a keyed hash for the limit. Says nothing about whether the address is known, nor when limits
    bite. Returns the provisional person the question hangs on, if it was asked.
    """
    published = publication.current()
    clean = dict(values) if agreed else _clean(published, market, locale, form, values)
    address = blind.normalise("email", clean["email"])
    to = agreed or Agreed(published.policy.forms[form].purpose, offered.EMAIL, f"form.{form}")
    wanted = offered.demand(topics, market, to.purpose)
    if limits.allow("subscribe", address, *PER_ADDRESS) and (
        not remote or limits.allow("subscribe-from", remote, *PER_NETWORK)
    ):
        return _keep(published, market, locale, form, clean, address, wanted, to)
    return None


@in_transaction
def _keep(
    published: Published, market: str, locale: str, form: str, values: Mapping[str, str], address: str, topics: Sequence[str],
    to: Agreed,
) -> UUID:  # fmt: skip
    # The same for a known address and an unknown one: whose it is, is asked only when the mail proves it.
    person_id, row_id = ports.register().welcome(provisional=True), new_id()
    plain = json.dumps({"values": dict(values), "topics": list(topics)}).encode()
    SignUp.objects.create(
        id=row_id, person_id=person_id, sealed=vault.opener(person_id).seal(row_id, plain), hash=blind.blind_hash("email", address),
        form=form, purpose=to.purpose, channel=to.channel, shown=to.shown, market=market, locale=locale,
        wording=published.wording(market, locale, to.shown), publication=published.digest, asked_at=clock.now(),
        expires_at=clock.now() + CONFIRM_WITHIN,
    )  # fmt: skip
    code = codes.issue(
        "confirm", person_id, market=market, locale=locale, lasts=CONFIRM_WITHIN, about=row_id, single_use=False
    )
    hours = int(CONFIRM_WITHIN.total_seconds() // 3600)
    words = mail.compose("confirm", market, locale, url=links.link("confirm", market, locale, code), hours=hours)
    mail.send(mail.Letter("confirm", person_id, values["email"], words, to.purpose))
    actions.record("subscription.asked", "person", market=market)
    return person_id


@in_transaction
def confirm(code: str) -> Confirmed:
    """The link of the confirmation mail was used (POST, never GET): consent is recorded and the person is in the register."""
    opened = codes.peek(code, "confirm")
    row: SignUp | None = SignUp.objects.of(opened.person_id).filter(id=opened.about).first() if opened else None
    if opened is None:
        raise _unknown()
    # Of two presses at once the one that takes the row away says yes.
    if row is None or not SignUp.objects.of(row.person_id).filter(id=row.id).delete()[0]:
        return _confirmed_before(opened)
    asked = json.loads(vault.opener(row.person_id).open(row.id, row.sealed))
    published, register = publication.current(), ports.register()
    known = register.find("email", asked["values"]["email"])
    person_id = known or row.person_id
    if known is None:
        register.confirm(person_id)
    _enter(published, person_id, row, row.purpose, asked)
    event = ports.consents().grant(
        person_id,
        row.purpose,
        market=row.market,
        locale=row.locale,
        shown=row.shown,
        method=_METHOD,
        channel=row.channel,
    )
    codes.point(code, "confirm", person_id, event)
    if known is not None and known != row.person_id:
        arrivals.follow(known, row.person_id)
        _forget_provisional(row.person_id)
    actions.record("subscription.confirmed", "person", market=row.market)
    way_out = codes.issue(
        "unsubscribe", person_id, market=row.market, locale=row.locale, lasts=None, single_use=False, about=event,
        token=inbound.new_token(),
    )  # fmt: skip
    return Confirmed(person_id, row.market, row.locale, event, way_out)


def _confirmed_before(opened: Opened) -> Confirmed:
    """The answer of the first time, as long as it is true."""
    if opened.about is None or not ports.consents().is_standing(opened.person_id, opened.about):
        raise _unknown()
    return Confirmed(opened.person_id, opened.market, opened.locale, opened.about)


def _unknown() -> Problem:
    return Problem("code.unknown", "this link is not valid, or no longer", way_out="Sign up again.", status=410)


def _enter(published: Published, person_id: UUID, row: SignUp, purpose: str, asked: Mapping[str, Any]) -> None:
    """Hold what the form asked for, under the purpose that was agreed to."""
    register = ports.register()
    uses = published.policy.purposes[purpose].fields
    values = {field: value for field, value in asked["values"].items() if value and field in uses}
    if asked["topics"] and offered.FIELD in uses:
        values[offered.FIELD] = ",".join(
            each if row.channel == offered.EMAIL else f"{each}.{row.channel}" for each in asked["topics"]
        )
    relation = _relation(published, purpose)
    if relation:
        register.relate(person_id, relation, market=row.market, locale=row.locale)
    register.keep(
        person_id, values, purpose, source=f"form:{row.form}", market=row.market, locale=row.locale, wording=row.wording
    )
    if any("sign_up" in each.signals for each in published.policy.clocks.values()):
        register.signal(person_id, "sign_up", source=f"form:{row.form}")


def _relation(published: Published, purpose: str) -> str | None:
    """What somebody becomes by using a form: the relation with the purpose's own clock, else any that has the purpose.

    Never the first in the file: a publication keeps no order, and a subscriber must not become a customer by alphabet.
    """
    clock_id = published.policy.purposes[purpose].clock
    having = {key: each for key, each in published.policy.relations.items() if purpose in each.purposes}
    return min(having, key=lambda key: (having[key].clock != clock_id, len(having[key].purposes), key), default=None)


def _forget_provisional(person_id: UUID) -> None:
    """A provisional person who turned out to be somebody known, or nobody at all."""
    holdings.erase_rows(person_id)
    transaction.on_commit(lambda: vault.destroy_key(person_id) and None)


@duty("outreach.forget_unconfirmed", every=timedelta(minutes=10))
def forget_unconfirmed(at: datetime) -> int:
    """Erase who did not confirm in time: they were never in the register, and now nothing of them is anywhere."""
    expired = list(SignUp.everyone.filter(expires_at__lte=at).values_list("person_id", flat=True)[:_BATCH])
    for person_id in expired:
        _forget(person_id)
    return len(expired)


@in_transaction
def _forget(person_id: UUID) -> None:
    _forget_provisional(person_id)


def _clean(published: Published, market: str, locale: str, form: str, values: Mapping[str, str]) -> dict[str, str]:
    """The form's own fields, trimmed and checked; anything else is refused by name."""
    declared = _form(published, market, locale, form)
    known = {each.field: each for each in declared.fields}
    if stray := sorted(set(values) - set(known)):
        raise Problem(
            "form.unknown-field",
            "the form does not ask for this",
            Place(key=stray[0][:64]),
            law="GDPR 5(1)(c)",
            status=422,
        )
    clean = {}
    for field, asked in known.items():
        value = values.get(field, "").strip()
        if not value and asked.required:
            raise Problem("form.missing-field", "this field is needed", Place(key=field), status=422)
        try:
            clean[field] = blind.clean(published.policy.fields[field].kind, value) if value else ""
        except Problem:
            raise Problem("form.bad-value", "this does not look right", Place(key=field), status=422) from None
        if len(clean[field]) > _LONGEST:
            raise Problem("form.bad-value", "this is too long", Place(key=field), status=422)
    return clean


def _form(published: Published, market: str, locale: str, form: str) -> Form:
    declared = published.policy.forms.get(form)
    edition = published.policy.markets.get(market)
    if (
        declared is None
        or edition is None
        or locale not in edition.locales
        or (declared.markets and market not in declared.markets)
    ):
        raise Problem("form.not-here", "there is no such form in this market and language", status=404)
    return declared
