"""A partner as a connected system (`core.systems.Connector`): what is owed to them is delivered, and read back before it counts.

With an endpoint, by signed JSON over HTTPS; the protocol is docs/reference/partner-endpoint.md. Without one, data is handed over by
staff, and a recall goes to the partner's desk by letter and waits until somebody notes that they confirmed.
"""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from lofte.core import clock, outbound
from lofte.core.models import Obligation
from lofte.core.systems import Act, Found, Left, Record, Who
from lofte.features.sharing import agreements, disclosures, recalls
from lofte.features.sharing.models import Agreement, Disclosure, Recall
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem
from lofte.rules.model import Policy

HELD, ERASED, RESTRICTED, UNKNOWN = "held", "erased", "restricted", "unknown"
_ENDPOINT = "endpoint"


class Door:
    """One partner, or the successor of a case. Its acts can be repeated: the reference makes them the same act."""

    def __init__(self, name: str) -> None:
        self._id = UUID(name)

    def check(self, policy: Policy | None = None) -> list[Problem]:
        return []

    def takes(self, what: str, purpose: str) -> bool:
        return what in (Obligation.What.SHARE, Obligation.What.ERASE, Obligation.What.RESTRICT)

    def find(self, who: Who) -> Found:
        """Nothing is remembered but the reference: nobody is searched for at a partner's."""
        return Found()

    def export(self, act: Act) -> list[Record]:
        return []

    def correct(self, act: Act, found: Found) -> None:
        raise Problem("sharing.no-such-act", "a correction is carried by handing over anew", status=500)

    def erase(self, act: Act, found: Found) -> None:
        self._tell(act)

    def mark(self, act: Act, found: Found) -> None:
        if act.what == Obligation.What.SHARE:
            self._deliver(act)
        else:
            self._tell(act)

    def verify(self, act: Act, found: Found, exported: list[Record]) -> list[Left]:
        if act.what == Obligation.What.SHARE:
            row = _disclosure_of(act)
            if row is None or row.state in (disclosures.State.CANCELLED, disclosures.State.RECALLED):
                return []  # it is not to be there any more: nothing is owed
            return [] if self._state(row.reference) == HELD else [Left("endpoint", 1, "not-held")]
        recall = _recall_of(act)
        if recall.confirmed_at is None and self._has_endpoint():
            wanted = (ERASED, UNKNOWN) if recall.what == Recall.What.ERASE else (RESTRICTED, ERASED, UNKNOWN)
            if self._state(recall.reference) in wanted:
                recalls.confirm(recall.id, by=_ENDPOINT)
                return []
        return [] if recall.confirmed_at is not None else [Left("partner", 1, "unconfirmed")]

    def search(self, who: Who, found: Found) -> list[Left]:
        return []

    # --- within -----------------------------------------------------------------------------------------------------

    def _deliver(self, act: Act) -> None:
        row = _disclosure_of(act)
        if row is None or row.state in (disclosures.State.CANCELLED, disclosures.State.RECALLED):
            return
        handed = disclosures.hand_over(row.person_id, row.id, by=_ENDPOINT)
        self._post({"act": "share", "reference": handed.reference, "data": json.loads(handed.content)})

    def _tell(self, act: Act) -> None:
        row = _recall_of(act)
        if row.confirmed_at is not None:
            return
        if self._has_endpoint():
            self._post({"act": act.what, "reference": row.reference})
            recalls.note_told(row.id)
        elif recalls.must_tell(row, clock.now()):
            recalls.write_to_desk(row)
            recalls.note_told(row.id)

    def _has_endpoint(self) -> bool:
        return Agreement.objects.filter(pk=self._id).exclude(endpoint="").exists()

    def _state(self, reference: str) -> str:
        return str(self._post({"act": "state", "reference": reference}).get("state", ""))

    def _post(self, said: Mapping[str, Any]) -> dict[str, Any]:
        row = agreements.row_of(self._id)
        body = json.dumps({"lofte": "partner/1", "at": rfc3339(clock.now()), **said}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Lofte-Signature": sign(agreements.secret_of(row.id), body)}
        answer = outbound.post(row.endpoint, body, headers=headers)
        if answer.status == 404 and said["act"] == "state":
            return {"state": UNKNOWN}
        if not 200 <= answer.status < 300:
            raise Problem("sharing.endpoint", f"the partner's endpoint answered {answer.status}", status=502)
        try:
            found = json.loads(answer.body) if answer.body else {}
        except ValueError:
            raise Problem("sharing.endpoint", "the partner's endpoint did not answer JSON", status=502) from None
        return found if isinstance(found, dict) else {}


def sign(secret: str, body: bytes) -> str:
    """What a partner computes to know that it is us: HMAC-SHA256 of the body with the shared secret, in hexadecimal."""
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


def _disclosure_of(act: Act) -> Disclosure | None:
    """The disclosure a delivery is about; None once it went with its person."""
    named = UUID(dict(act.who.values)["disclosure"])
    return Disclosure.everyone.filter(id=named).first()


def _recall_of(act: Act) -> Recall:
    row = Recall.objects.filter(reference=dict(act.who.values)["reference"], what=act.what).order_by("-made_at").first()
    if row is None:
        raise Problem("sharing.no-recall", "there is no such recall", status=404)
    return row
