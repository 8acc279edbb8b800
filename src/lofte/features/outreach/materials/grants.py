"""Asking for a material, and being given it. Asked for is asked for: nothing else follows, unless a box was ticked and confirmed.

The link is personal and ends: by its day, by the number of days it was used on, with the material, with an objection, and with the
person. Within them it gives the file as often as it is pressed: a program that opens mail and presses what it finds takes nothing
from whoever it was written to. Only giving the file to a person counts as interest, once a day; a look at the page does not.

Raises `Problem`: `materials.none` (404), `code.unknown` (410).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from lofte.core import actions, blind, clock, codes, limits, ports, publication
from lofte.core.decisions import Act
from lofte.core.models import new_id
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.forms import arrivals, intake
from lofte.features.outreach.forms.intake import Submission, Taken
from lofte.features.outreach.materials import files, letters, shelf, terms
from lofte.features.outreach.materials.models import File, Grant, Material
from lofte.kernel.problems import Problem
from lofte.rules import clocks

RELATION = "prospect"
SIGNAL = "download"
CODE = "material"
PER_ADDRESS = (6, timedelta(days=1))  # letters, window: nobody's mailbox is filled by a stranger
DAY = timedelta(days=1)
"""The first one after the letter uses nothing up, whoever presses; later ones are counted, each once."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class OpenLink:
    """What a mailed link would give."""

    grant: Grant
    material: Material
    file: File


@dataclass(frozen=True, slots=True)
class Handed:
    """A file in hand."""

    name: str
    media_type: str
    content: bytes


# --- asking ---------------------------------------------------------------------------------------------------------


@intake.takes("material")
def take(sent: Submission) -> Taken:
    """A form for a material was sent in: a link goes to the address. The answer is the same for everybody."""
    row = offered(sent.market, about=sent.about, form=sent.form.id)
    if not limits.allow("material", blind.normalise("email", sent.values["email"]), *PER_ADDRESS):
        return Taken("materials.thanks")
    person_id = arrivals.person_for(sent, _relation(sent.form.purpose))
    if terms.may(Act.SEND, person_id, sent.form.purpose, sent.market):
        grant = _grant(sent, row, person_id)
        code = codes.issue(
            CODE, person_id, market=sent.market, locale=sent.locale, lasts=grant.ends_at - sent.at, single_use=False,
            about=grant.id,
        )  # fmt: skip
        letters.send_link(row, grant, sent.values["email"], code)
        actions.record("material.asked", "person", material=str(row.id), market=sent.market)
    return Taken("materials.thanks")


def offered(market: str, *, about: UUID | None = None, slug: str = "", form: str = "") -> Material:
    """A material that can be asked for in a market, by its id or its address. Raises Problem `materials.none`."""
    rows = Material.objects.filter(state=Material.State.PUBLISHED)
    row = (rows.filter(slug=slug) if slug else rows.filter(pk__in=[about] if about else [])).first()
    if row is None or market not in row.markets or (form and row.form != form):
        raise Problem("materials.none", "there is no such material here", status=404)
    return row


def _grant(sent: Submission, row: Material, person_id: UUID) -> Grant:
    """The grant of this person, made or renewed."""
    columns = {
        "form": sent.form.id, "purpose": sent.form.purpose, "market": sent.market, "locale": sent.locale,
        "left": row.downloads, "asked_at": sent.at, "ends_at": clocks.add_period(sent.at, terms.link_valid()),
        "due_at": clocks.add_period(sent.at, terms.kept(sent.form.purpose)),
    }  # fmt: skip
    mine = Grant.objects.of(person_id).filter(material_id=row.id)
    if not mine.update(**columns):
        try:
            with transaction.atomic():
                Grant.objects.create(id=new_id(), person_id=person_id, material_id=row.id, **columns)
        except IntegrityError:  # they asked twice at the same moment
            mine.update(**columns)
    made: Grant = mine.get()
    return made


def _relation(purpose: str) -> str:
    """What somebody becomes by asking: a prospect, or whichever relation has the purpose and its clock."""
    policy = publication.current().policy
    having = {name: each for name, each in policy.relations.items() if purpose in each.purposes}
    if not having:
        raise Problem(
            "materials.undeclared", "no relation of the policy has this purpose", law="GDPR 5(1)(b)", status=500
        )
    own = policy.purposes[purpose].clock
    return min(having, key=lambda name: (name != RELATION, having[name].clock != own, name))


# --- being given it -------------------------------------------------------------------------------------------------


def open_link(code: str) -> OpenLink | None:
    """What a mailed link gives now; None when it is wrong or has ended, for whatever reason. Changes nothing."""
    opened = codes.peek(code, CODE)
    if opened is None:
        return None
    at = clock.now()
    grant = Grant.objects.of(opened.person_id).filter(alive(at), id=opened.about).first()
    row = Material.objects.filter(pk=grant.material_id, state=Material.State.PUBLISHED).first() if grant else None
    file = shelf.file_for(row, grant.locale) if row and grant else None
    if grant is None or row is None or file is None:
        return None
    if not terms.may(Act.USE, grant.person_id, grant.purpose, grant.market):
        return None
    return OpenLink(grant, row, file)


def alive(at: datetime) -> Q:
    """Grants whose link gives the file: on a day that is counted already, on the first one, or while there are days left."""
    return Q(ends_at__gt=at) & (Q(left__gt=0) | Q(counted_at__gt=at - DAY) | Q(asked_at__gt=at - DAY))


def hand_over(code: str, *, by_hand: bool = True) -> Handed:
    """Give the file. ``by_hand`` says that a person pressed: then the day is counted, and the interest noted, once.

    What a program pressed gives the file too, for nobody can be sure; it counts as nothing.
    """
    found = open_link(code)
    if found is None:
        raise unknown()
    content = files.content(found.file)  # before it is counted: who gets nothing has used nothing
    if by_hand:
        _count(found)
    return Handed(found.file.name, found.file.media_type, content)


@in_transaction
def _count(found: OpenLink) -> None:
    """Of two at once one counts; a day that is counted already is not counted again."""
    grant, at = found.grant, clock.now()
    mine = Grant.objects.of(grant.person_id).filter(alive(at), id=grant.id)
    uncounted = mine.filter(Q(counted_at=None) | Q(counted_at__lte=at - DAY))
    counted = {"times": F("times") + 1, "taken_at": Coalesce(F("taken_at"), at), "counted_at": at}
    is_new = uncounted.filter(asked_at__gt=at - DAY).update(**counted)
    is_new = is_new or uncounted.filter(left__gt=0).update(**counted, left=F("left") - 1)
    if not is_new and mine.exists():
        return
    if not is_new:
        raise unknown()
    if any(SIGNAL in each.signals for each in publication.current().policy.clocks.values()):
        ports.register().signal(grant.person_id, SIGNAL, grant.purpose, source=f"material:{found.material.slug}")
    actions.record("material.taken", "person", material=str(found.material.id), market=grant.market)


def unknown() -> Problem:
    """One answer for wrong, expired, used up and withdrawn."""
    return Problem(
        "code.unknown", "this link is not valid, or no longer", way_out="Ask for the material again.", status=410
    )


# --- letting go -----------------------------------------------------------------------------------------------------


@duty("materials.forget", every=timedelta(days=1))
def forget(at: datetime) -> int:
    """Forget who asked when the clock of the purpose has run, and at once of whom objected to it."""
    gone, _ = Grant.everyone.filter(due_at__lte=at).delete()
    after: UUID | None = None
    rows = Grant.everyone.order_by("person_id")
    while True:
        page = rows.filter(person_id__gt=after) if after else rows
        people = list(page.values_list("person_id", flat=True).distinct()[:_BATCH])
        if not people:
            return gone
        gone += _forget_objectors(people)
        after = people[-1]


def _forget_objectors(people: list[UUID]) -> int:
    said = ports.consents().standings_of(people)
    gone = 0
    for person_id, standings in said.items():
        purposes = [purpose for purpose, each in standings.items() if each.action == "objected"]
        if purposes:
            gone += Grant.objects.of(person_id).filter(purpose__in=purposes).delete()[0]
    return gone
