"""What this room holds, and its side of `core.ports`."""

from typing import Any
from uuid import UUID

from lofte.core import ports
from lofte.core.holdings import Holds, NotPersonal, Room, declare, register
from lofte.features.consent import models, reads, verbs

_POLICY = NotPersonal("a key or hash of the policy")

declare(
    models.Consent, purpose=Holds("*", "choice"),
    channel=Holds("*", "choice"), ordinal=Holds("*", "choice"), action=Holds("*", "choice"), wording=_POLICY,
    shown=_POLICY, publication=_POLICY, market=_POLICY, locale=Holds("*", "locale"), method=_POLICY, at=Holds("*", "interest"),
)  # fmt: skip


class _Consents:
    """This room as `core.ports.Consents`."""

    is_granted = staticmethod(reads.is_granted)
    purpose_of = staticmethod(reads.purpose_of)
    is_standing = staticmethod(reads.is_standing)
    standings = staticmethod(reads.standings)
    standings_of = staticmethod(reads.standings_of)
    count_granted = staticmethod(reads.count_granted)
    grant = staticmethod(verbs.grant)
    withdraw = staticmethod(verbs.withdraw)
    object_to = staticmethod(verbs.object_to)


def _export(person_id: UUID) -> dict[str, Any]:
    """Where each event stands in the log is in what core shows of the person."""
    return {
        "events": [
            {
                "id": each.id, "purpose": each.purpose, "action": each.action, "method": each.method, "market": each.market,
                "locale": each.locale, "channel": each.channel,
                "wording": each.wording, "publication": each.publication, "at": each.at,
                "shown": each.shown,
            }
            for each in reads.events_of(person_id)
        ]
    }  # fmt: skip


ports.provide("consents", _Consents())
register(Room("consent", export=_export, merge=verbs.merge))
