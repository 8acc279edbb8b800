"""A person takes a copy of everything: the copy is made, and a request notes that it was asked for and when it was whole."""

from typing import Literal
from uuid import UUID

from lofte.core import actions, clock, ports
from lofte.core.retry import in_transaction
from lofte.features.rights import cases, letters, reads, requests
from lofte.features.rights.models import Request
from lofte.features.rights.reads import Copy

_WAITED = "files_waited"


def take(person_id: UUID, right: Literal["access", "portability"], form: str) -> Copy:
    """The copy, for the person themself. A second one the same day, in this or another form, belongs to the same request."""
    made = reads.copy_of(person_id)
    _note(person_id, right, form)
    return made


def attachments(made: Copy) -> list[tuple[str, bytes]]:
    """The files somebody has looked at and given out, opened: a name of its own for each, and the content."""
    register, person_id = ports.register(), made.seen.person_id
    given = [each for each in made.seen.attachments if each.state == "given"]
    return [(f"{each.id}-{each.name}", register.attachment(person_id, each.id)[1]) for each in given]


@in_transaction
def judge_file(person_id: UUID, attachment: UUID, gives: bool, *, by: str) -> None:
    """Somebody looked at a file: it goes out, or it holds data of others. With the last one, whoever waits gets a whole copy."""
    register = ports.register()
    register.judge_file(person_id, attachment, gives, by=by)
    if person_id not in register.waiting_for_files([person_id]):
        for case in _asking(person_id):
            if case.has(_WAITED):
                letters.send(case, "copy", code=requests.link_of(case), days=requests.LINK_LASTS.days)


@in_transaction
def wait_for_files(person_id: UUID) -> None:
    """A copy was asked for: what nobody has looked at is to be looked at, and the requests wait for it."""
    if ports.register().want_files(person_id):
        for case in _asking(person_id):
            if not case.has(_WAITED):
                requests.add_step(case.id, _WAITED, "system")


def _asking(person_id: UUID) -> list[cases.Case]:
    return [each for each in cases.of(person_id) if each.is_open and each.right in ("access", "portability")]


@in_transaction
def _note(person_id: UUID, right: str, form: str) -> None:
    at = clock.now()
    today = Request.objects.filter(subject=person_id, right=right, ends_itself=True, received_at__date=at.date())
    ports.register().want_files(person_id)  # before the request is there, which ends at once where it waits for nothing
    if not today.exists():
        requests.begun_by_person(person_id, right)
    wait_for_files(person_id)
    actions.record("person.copied", "person", form=form)
