"""What the tables of this room hold, and how they follow a person."""

from typing import Any
from uuid import UUID

from lofte.core import merging
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.core.mailing import delivering, returns, taking
from lofte.core.mailing.models import Bounce, Suppression, Taken
from lofte.core.models import Mail

__all__ = ["delivering", "returns", "taking"]  # their duties and addresses are known once this is read
_CHOICE = NotPersonal("one of a few words of the code")

declare(
    Bounce, mail=NotPersonal("the id of a row"), kind=_CHOICE, status=NotPersonal("the code of a mail server"),
    address=Holds("*", "email"), at=Holds("*", "dialogue"),
)  # fmt: skip
declare(
    Suppression, address=Holds("*", "email"), reason=_CHOICE, status=NotPersonal("the code of a mail server"),
    at=Holds("*", "dialogue"),
)  # fmt: skip
declare(
    Taken, hash=NotPersonal("keyed hash of a whole letter, under a key that leads to nobody"),
    at=NotPersonal("says when and how the machine works, not who"),
)  # fmt: skip


def _export(person_id: UUID) -> dict[str, Any]:
    """What came back, by letter, and since when marketing stays away and why."""
    letters = dict(Mail.objects.of(person_id).values_list("id", "letter"))
    came_back = Bounce.objects.of(person_id).order_by("at").values("at", "kind", "status", "mail")
    stopped = Suppression.objects.of(person_id).order_by("at").values("at", "reason", "status")
    return {
        "came_back": [
            {"at": each["at"], "kind": each["kind"], "status": each["status"], "letter": letters.get(each["mail"], "")}
            for each in came_back
        ],
        "stopped": list(stopped),
    }


def _merge(keep: UUID, gone: UUID) -> dict[str, int]:
    """Of two stops on one address the older stays; of two reports of one letter too."""
    stopped = set(Suppression.objects.of(keep).values_list("address", flat=True))
    doubled = Suppression.objects.of(gone).filter(address__in=stopped).values_list("id", flat=True)
    return {
        "mailing_bounce": merging.move(Bounce, keep, gone),
        "mailing_suppression": merging.move(Suppression, keep, gone, without=set(doubled)),
    }


register(Room("mailing", export=_export, merge=_merge))
