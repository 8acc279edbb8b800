"""The copy of somebody who met every room of outreach many times: as many statements as of somebody who met each once."""

import json
from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from lofte.core import clock, outbox, vault
from lofte.core.models import new_id
from lofte.features.consent import verbs as consent
from lofte.features.outreach.events.models import Answer, Event, Registration
from lofte.features.outreach.forms.models import Arrival
from lofte.features.outreach.inquiries.models import Inquiry, Step
from lofte.features.outreach.materials.models import Grant, Material
from lofte.features.outreach.models import Delivery
from lofte.features.outreach.segments.models import Segment
from lofte.features.register import attachments
from lofte.features.register import verbs as register
from lofte.features.rights import reads, requests, restriction

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
MOST_STATEMENTS = 30
HERE = {"market": "NO", "locale": "nb"}


@pytest.fixture
def person(republish, somebody, log):
    def change(policy):
        policy["fields"] |= {
            "interest": {"kind": "event", "category": "behaviour"},
            "registrations": {"kind": "event", "category": "behaviour"},
        }
        for purpose in ("newsletter", "customer"):
            policy["purposes"][purpose]["fields"] += ["interest", "registrations"]
        policy["topics"] = {each: {"purpose": "newsletter"} for each in ("product", "insight")}

    republish(change)
    found = somebody("kari@example.no", "Kari Nordmann", "newsletter")
    register.hold(found, {"email": "kari@example.no", "company": "Fjord"}, "customer", source="staff:1", **HERE)
    consent.grant(found, "newsletter", shown="form.newsletter", method="portal", **HERE)
    return found


def meet(person, log, times: int) -> None:
    """Every room of outreach, so many times."""
    at, key = clock.now(), vault.opener(person)
    for n in range(times):
        name = new_id().hex[-12:]
        event = Event.objects.create(
            slug=name, markets=["NO"], contents={"nb": {"title": name}}, starts_at=at, ends_at=at, zone="Europe/Oslo", capacity=9,
            form="event", keep="P30D", by="staff:1",
        )  # fmt: skip
        row = Registration.objects.create(
            person_id=person, event_id=event.id, purpose=("newsletter", "customer")[n % 2], state="registered", due_at=at,
            wording="", version="", reference=name, **HERE,
        )  # fmt: skip
        for field in ("email", "name"):
            answer = new_id()
            Answer.objects.create(
                id=answer, person_id=person, registration=row.id, event_id=event.id, field=field, due_at=at,
                sealed=key.seal(answer, f"{field} {n}".encode()),
            )  # fmt: skip
        Arrival.objects.create(
            person_id=person,
            form="event",
            kind="event",
            purpose="newsletter",
            version="",
            wording="",
            publication="",
            **HERE,
        )
        inquiry = Inquiry.objects.create(
            person_id=person, reference=name[:9], kind="inquiry", purpose="answers", form="inquiry", sealed=b"-", **HERE
        )
        note = new_id()
        sealed = key.seal(note, json.dumps({"words": f"Notat {n}"}).encode())
        Step.objects.create(
            id=note, person_id=person, inquiry=inquiry.id, kind="noted", by="staff:1", at=at, sealed=sealed
        )
        material = Material.objects.create(slug=name, markets=["NO"], words={}, form="material", by="staff:1")
        Grant.objects.create(
            person_id=person,
            material_id=material.id,
            form="material",
            purpose="newsletter",
            left=1,
            ends_at=at,
            due_at=at,
            **HERE,
        )
        Delivery.objects.create(person_id=person, campaign_id=new_id(), state="queued", at=at + timedelta(seconds=n))
        for of, value in (("relation", "prospect"), ("market", "NO"), ("topic", "product"), ("event", str(event.id))):
            rows = [{"of": of, "values": [value]}]
            Segment.objects.create(name=f"{of} {name}", purpose="newsletter", conditions=rows, by="staff:1")
    for n in range(times):
        said = register.note(
            person, f"Samtale {n}", "answers", medium="phone", direction="in", at=clock.now(), by="staff:1", **HERE
        )
        attachments.attach(person, said, f"notat-{n}.txt", b"x", by="staff:1")
        register.place(person, {"company": f"Fjord {n} AS"}, "newsletter", source="staff:1", **HERE)
        requests.receive(
            person, "question", by="person", channel="portal", at=clock.now(), words=f"Hvorfor {n}?", **HERE
        )
        restriction.restrict(person, "person")
        restriction.lift(person, "person")
    outbox.drain(log)


def statements(person, said: list[str] | None = None) -> int:
    with (
        CaptureQueriesContext(connections["default"]) as register_side,
        CaptureQueriesContext(connections["keys"]) as key_side,
    ):
        reads.access_package(person)
    if said is not None:
        said += [each["sql"][:230] for each in [*register_side, *key_side]]
    return len(register_side) + len(key_side)


def test_the_copy_takes_no_more_statements_however_often_somebody_was_met(person, log):
    meet(person, log, 2)
    before, said = statements(person), []
    meet(person, log, 12)

    assert statements(person, said) == before, "\n".join(said)
    assert before <= MOST_STATEMENTS, "\n".join(said)


def test_each_room_is_in_the_copy_as_often_as_somebody_was_met(person, log):
    meet(person, log, 3)
    found = reads.access_package(person)

    met = ("inquiries", "materials", "registrations", "forms", "deliveries")
    assert {name: len(found[name]) for name in met} == dict.fromkeys(met, 3)
    assert {each["name"].split()[0] for each in found["segments"]} == {"relation", "market", "topic", "event"}
    assert len(found["segments"]) == 12
    assert sorted(len(each["answers"]) for each in found["registrations"]) == [2, 2, 2]
    assert {step["words"] for each in found["inquiries"] for step in each["history"]} == {
        "Notat 0",
        "Notat 1",
        "Notat 2",
    }
    questions = [each for each in found["requests"] if each["right"] == "question"]
    assert {step["words"] for each in questions for step in each["history"] if step["words"]} == {
        f"Hvorfor {n}?" for n in range(3)
    }
