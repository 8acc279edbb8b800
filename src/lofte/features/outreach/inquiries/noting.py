"""Inquiries that came by telephone, in person or by post, noted by staff: the same purpose, notice and last day as by the form.

Raises `Problem`: `inquiry.no-such-form` where no form of the kind says what is asked and why, `inquiry.not-told` where the
person has not been told, `inquiry.no-contact`, `inquiry.no-words`, `inquiry.no-medium`, `inquiry.no-desk`, `inquiry.not-yet`, and
what the forms and the register raise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from lofte.core import actions, clock, outbox, ports, publication, vault
from lofte.core.mailing import inbound
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.features.outreach.forms import intake as forms
from lofte.features.outreach.forms import specs
from lofte.features.outreach.forms.specs import FormSpec
from lofte.features.outreach.inquiries import desks, intake, kinds, letters, verbs
from lofte.features.outreach.inquiries.ledger import add, reference_of, seal
from lofte.features.outreach.inquiries.models import Inquiry, ReplyAddress
from lofte.kernel.problems import Place, Problem

MEDIA = ("phone", "meeting", "post")


@dataclass(frozen=True, slots=True)
class Noted:
    """What came. ``values`` are fields of the form; ``told`` that the person has heard what the form says of purpose,
    ground and time; ``to`` the desk it is put on."""

    kind: str
    market: str
    locale: str
    medium: str
    at: datetime
    values: Mapping[str, str]
    words: str
    told: bool
    to: str = ""


def form_for(kind: str, market: str) -> FormSpec:
    """The form people would have used: it says what may be asked, for which purpose, and what they are told."""
    found = specs.forms_of_kind(kind, market) if kind in kinds.KINDS else []
    if not found:
        raise Problem("inquiry.no-such-form", "no form takes this kind here", Place(key="kind"), status=422)
    return found[0]


def fields_of(form: FormSpec) -> list[str]:
    """The fields that are asked for one by one: not what is said in the person's own words."""
    shapes = publication.current().policy.fields
    return [each.field for each in form.fields if shapes[each.field].category != "dialogue"]


@in_transaction
def begin(said: Noted, by: str) -> UUID:
    """A new inquiry, of the person whose address or number this is, or of somebody new. Returns its id."""
    form = form_for(said.kind, said.market)
    values, words = _judged(said, form), verbs.worded(said.words)
    wording = specs.words(form, said.market, said.locale).wording
    person_id = _known(values, said.market) or _met(said, form, values, wording, by)
    inquiry, token = new_id(), inbound.new_token()
    row: Inquiry = Inquiry.objects.create(
        id=inquiry, person_id=person_id, reference=reference_of(inquiry), kind=said.kind, purpose=form.purpose, market=said.market,
        locale=said.locale, form=form.id, received_at=said.at, latest_at=said.at, due_on=kinds.answer_by(said.market, said.at),
        assignee=said.to, sealed=seal(person_id, inquiry, {"values": values, "token": token}),
    )  # fmt: skip
    ReplyAddress.objects.create(hash=intake.hash_of(token), person_id=person_id, inquiry=inquiry)
    entry = ports.register().note(
        person_id, words, form.purpose, medium=said.medium, direction="in", at=said.at, by=by, market=said.market,
        locale=said.locale, field=kinds.spoken_field(form.purpose),
    )  # fmt: skip
    add(row, "received", "person", reason=said.medium, dialogue=entry, kept={"wording": wording})
    if values.get("email"):
        step = new_id()
        add(row, "acknowledged", "system", mail=letters.acknowledge(row, step), step=step)
    if said.to:
        add(row, "assigned", by, reason=said.to)
    fact = {
        "inquiry": str(inquiry), "kind": row.kind, "market": row.market, "due": str(row.due_on), "medium": said.medium,
        "purpose": form.purpose, "wording": wording, "told": True,
    }  # fmt: skip
    outbox.add("inquiry.received", fact, policy=publication.current().digest, person_id=person_id, about=inquiry)
    actions.record("inquiry.noted", by, kind=row.kind, market=row.market, medium=said.medium)
    return inquiry


def _judged(said: Noted, form: FormSpec) -> dict[str, str]:
    """The values as they are kept."""
    if said.medium not in MEDIA:
        raise Problem("inquiry.no-medium", "this is no way an inquiry is noted", Place(key="medium"), status=422)
    if said.at > clock.now():
        raise Problem("inquiry.not-yet", "this has not happened yet", Place(key="received"), status=422)
    if said.to and said.to not in {each.key for each in desks.desks()}:
        raise Problem("inquiry.no-desk", "nobody there works with inquiries", Place(key="to"), status=422)
    if not said.told:
        raise Problem(
            "inquiry.not-told", "nobody is taken in without being told why", Place(key="told"), law="GDPR 13(1)", status=422
        )  # fmt: skip
    asked = fields_of(form)
    if stray := sorted(set(said.values) - set(asked)):
        raise Problem("form.unknown-field", "the form does not ask for this", Place(key=stray[0][:64]), status=422)
    found = {name: forms.clean_one(name, said.values.get(name, ""), required=name == "name") for name in asked}
    if not found.get("email") and not found.get("phone"):
        raise Problem(
            "inquiry.no-contact", "without an address or number they can be neither answered nor found", Place(key="email"),
            status=422,
        )  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _known(values: Mapping[str, str], market: str) -> UUID | None:
    """Whose address or number it is. Nothing held about them changes: whoever rang has proved nothing."""
    register, country = ports.register(), publication.current().policy.markets[market].country
    for field in ("email", "phone"):
        if values.get(field) and (person_id := register.find(field, values[field], country)):
            return person_id
    return None


def _met(said: Noted, form: FormSpec, values: Mapping[str, str], wording: str, by: str) -> UUID:
    register = ports.register()
    person_id = register.welcome()
    try:
        with transaction.atomic():
            register.relate(person_id, kinds.RELATIONS[said.kind], market=said.market, locale=said.locale)
            register.keep(
                person_id, values, form.purpose, source=by, market=said.market, locale=said.locale, wording=wording
            )  # fmt: skip
    except BaseException:
        vault.destroy_key(person_id, forever=False)
        raise
    return person_id
