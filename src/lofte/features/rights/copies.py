"""A person takes a copy of everything: the copy is made, and a request notes that it was asked for and when it was whole."""

from typing import Literal
from uuid import UUID

from lofte.core import actions, clock, ports
from lofte.core.retry import in_transaction
from lofte.features.rights import reads, requests
from lofte.features.rights.models import Request
from lofte.features.rights.reads import Copy


def take(person_id: UUID, right: Literal["access", "portability"], form: str) -> Copy:
    """The copy, for the person themself. A second one the same day, in this or another form, belongs to the same request."""
    made = reads.copy_of(person_id)
    _note(person_id, right, form)
    return made


def attachments(made: Copy) -> list[tuple[str, bytes]]:
    """The files that came with what was said, opened: a name of its own for each, and the content."""
    register, person_id = ports.register(), made.seen.person_id
    return [(f"{each.id}-{each.name}", register.attachment(person_id, each.id)[1]) for each in made.seen.attachments]


@in_transaction
def _note(person_id: UUID, right: str, form: str) -> None:
    at = clock.now()
    today = Request.objects.filter(subject=person_id, right=right, ends_itself=True, received_at__date=at.date())
    if not today.exists():
        requests.begun_by_person(person_id, right)
    actions.record("person.copied", "person", form=form)
