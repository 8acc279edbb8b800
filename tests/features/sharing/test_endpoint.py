"""A partner with an endpoint: delivered and called back by itself, signed, read back, and never twice."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest

from lofte.core import clock, obligations
from lofte.core.models import Obligation
from lofte.features.register import verbs as register
from lofte.features.rights import verbs as rights
from lofte.features.sharing import agreements, disclosures, doors, recalls
from lofte.features.sharing.models import Disclosure, Recall
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


@dataclass
class Partner:
    """A partner's side: keeps what it is given, by reference. ``lies`` answers *erased* and keeps all the same."""

    port: int = 0
    held: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, str, bytes]] = field(default_factory=list)
    status: int = 200
    lies: bool = False

    def answer(self, said: dict[str, Any]) -> dict[str, str]:
        reference = said["reference"]
        match said["act"]:
            case "share":
                self.held[reference] = said["data"]["values"]
            case "erase" if not self.lies:
                self.held.pop(reference, None)
        return {"reference": reference, "state": "held" if reference in self.held else "erased"}


@pytest.fixture
def partner() -> Iterator[Partner]:
    found = Partner()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said = json.loads(body)
            found.heard.append((said["act"], self.headers["Lofte-Signature"], body))
            answer = json.dumps(found.answer(said) if found.status == 200 else {}).encode()
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def connected(given: Callable[..., Any], partner: Partner, settings: Any) -> UUID:
    settings.LOFTE_OUTBOUND = frozenset({"127.0.0.1"})
    return agreements.record(given(endpoint=f"http://127.0.0.1:{partner.port}/lofte"), by="staff:1")


def carry() -> None:
    Obligation.objects.update(next_at=clock.now())
    obligations.carry_out()


def test_a_referral_waits_for_log_and_letter_and_then_goes_by_itself(
    connected: UUID, partner: Partner, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    person = lead()
    disclosures.refer(person, "partners-no", "answers", ["name"], "staff:1")
    carry()
    assert partner.heard == []
    assert Obligation.objects.get().reason == "sharing.no-evidence"
    settled()
    carry()
    assert list(partner.held.values()) == [{"name": "Kari Nordmann"}]
    assert Obligation.objects.get().state == "verified"
    assert Disclosure.objects.of(person).get().state == "handed_over"
    act, signature, body = partner.heard[0]
    assert (act, signature) == ("share", doors.sign(agreements.secret_of(connected), body))
    carry()
    assert [each for each, _, _ in partner.heard] == ["share", "state"]


def test_an_endpoint_that_fails_is_tried_again_and_nothing_is_doubled(
    connected: UUID, partner: Partner, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    disclosures.refer(lead(), "partners-no", "answers", ["name"], "staff:1")
    settled()
    partner.status = 503
    carry()
    assert Obligation.objects.get().state == "open"
    partner.status = 200
    carry()
    assert len(partner.held) == 1
    assert Obligation.objects.get().state == "verified"


def test_an_erasure_erases_there_and_is_read_back(
    connected: UUID, partner: Partner, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    person = lead()
    disclosures.refer(person, "partners-no", "answers", ["name"], "staff:1")
    settled()
    carry()
    partner.lies = True
    assert rights.erase(person).is_complete
    carry()
    recall = Recall.objects.get()
    assert recall.confirmed_at is None  # it answered 200 and still holds it
    partner.lies = False
    carry()
    assert partner.held == {}
    assert Recall.objects.get().confirmed_by == "endpoint"
    assert not recalls.waiting()


def test_a_correction_reaches_the_partner(
    connected: UUID, partner: Partner, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    person = lead()
    disclosures.refer(person, "partners-no", "answers", ["name"], "staff:1")
    settled()
    carry()
    register.hold(person, {"name": "Kari Hansen"}, "answers", source="staff:1", market="NO", locale="nb")
    recalls.renew(person, ["name"])
    carry()
    assert list(partner.held.values()) == [{"name": "Kari Hansen"}]


def test_one_who_objected_meanwhile_is_not_delivered(
    connected: UUID, partner: Partner, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    from lofte.features.consent import verbs as consent

    person = lead()
    disclosures.refer(person, "partners-no", "answers", ["name"], "staff:1")
    consent.object_to(person, "answers", method="portal")
    settled()
    carry()
    assert partner.held == {}
    assert Disclosure.objects.of(person).get().state == "cancelled"


def test_what_left_and_waits_to_be_given_anew_is_called_back_all_the_same(
    connected: UUID, partner: Partner, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    person = lead()
    made = disclosures.refer(person, "partners-no", "answers", ["name"], "staff:1")
    settled()
    carry()
    recalls.renew(person, ["name"])
    assert disclosures.one(person, made).state == "recorded"
    with pytest.raises(Problem):
        disclosures.cancel(person, made, by="staff:1")
    assert recalls.recall(person, "staff") == 1
    carry()
    assert partner.held == {}


def test_a_restriction_tells_the_partner_to_keep_it_only_and_its_end_frees_it(
    connected: UUID, partner: Partner, lead: Callable[..., UUID], settled: Callable[[], None]
) -> None:
    from lofte.features.rights import restriction

    person = lead()
    disclosures.refer(person, "partners-no", "answers", ["name"], "staff:1")
    settled()
    carry()
    restriction.restrict(person, "person")
    settled()
    carry()
    assert "restrict" in [act for act, _, _ in partner.heard]
    restriction.lift(person, "person")
    settled()
    carry()
    assert [act for act, _, _ in partner.heard if act == "share"] == ["share", "share"]
    assert not recalls.waiting()


def test_the_data_protection_contact_is_written_to_once_before_an_agreement_ends(
    given: Callable[..., Any], letterbox: Any
) -> None:
    from datetime import timedelta

    from lofte.features.sharing import chores

    today = clock.now().date()
    agreements.record(given(expires=today + timedelta(days=59), review_at=today), by="staff:1")
    assert chores.warn(clock.now()) == 1
    assert chores.warn(clock.now()) == 0
    assert letterbox.last()["To"] == "dpo@small.example"
