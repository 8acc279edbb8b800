"""Whom a form is from, and what stays of its arrival."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from lofte.core import merging, ports, publication, vault
from lofte.features.outreach.forms.intake import Submission
from lofte.features.outreach.forms.models import Arrival
from lofte.kernel.problems import Problem


def person_for(sent: Submission, relation: str) -> UUID:
    """Whom a form is from, by the address in it.

    An address typed into a form proves nothing. Somebody known: them, and nothing held about them changes, no sign of interest
    either. Nobody known: a new person in this relation, with what the form asked for under its purpose; what was written in
    their own words (fields of the category dialogue) is for the caller to keep.
    """
    known = ports.register().find("email", sent.values["email"])
    sent.person = known or _met(sent, relation)
    return sent.person


def _met(sent: Submission, relation: str) -> UUID:
    register, person_id = ports.register(), None
    try:
        with transaction.atomic():
            person_id = register.welcome()
            register.relate(person_id, relation, market=sent.market, locale=sent.locale)
            register.keep(
                person_id, kept_values(sent), sent.form.purpose, source=f"form:{sent.form.id}", market=sent.market,
                locale=sent.locale, wording=sent.wording,
            )  # fmt: skip
            return person_id
    except Problem as problem:
        if person_id is not None:
            vault.destroy_key(person_id, forever=False)
        # somebody with this address came at the same moment
        known = register.find("email", sent.values["email"]) if problem.code == "register.taken" else None
        if known is None:
            raise
        return known


def kept_values(sent: Submission) -> dict[str, str]:
    """What goes into the register as it is: not what was written in the person's own words."""
    shapes = publication.current().policy.fields
    return {field: value for field, value in sent.values.items() if shapes[field].category != "dialogue"}


def of(person_id: UUID) -> list[Arrival]:
    """The forms a person sent in, the latest first."""
    return list(Arrival.objects.of(person_id).order_by("-at"))


def counts() -> Mapping[str, int]:
    """How often each form was sent in and is still held, by form."""
    rows = Arrival.everyone.values("form").annotate(number=Count("id"))
    return {row["form"]: row["number"] for row in rows}


def follow(keep: UUID, gone: UUID) -> dict[str, int]:
    """What was sent in under a provisional person belongs to the one who confirmed the address."""
    return {"forms_arrival": merging.move(Arrival, keep, gone)}


def shown(row: Arrival) -> Mapping[str, Any]:
    """One arrival for the person's own copy."""
    return {
        "form": row.form, "at": row.at, "purpose": row.purpose, "page": row.page, "wording": row.wording, "version": row.version,
        "boxes": [{name: box[name] for name in ("purpose", "channel", "ticked", "wording")} for box in row.boxes],
    }  # fmt: skip
