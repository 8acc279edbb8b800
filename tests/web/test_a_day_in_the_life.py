"""One person through the whole of a company's dealings, under the example policy, in each market by its own law.

A lead comes in, is referred to a partner, becomes a customer, leaves; a year later is gone but for what a statute keeps of a
voucher, and when that ends, gone. Days are simulated; everything else is the product: letters over SMTP, the log on disk, duties as
they run. docs/tutorial/a-day-in-the-life.md tells the same story.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lofte.cli import wiring
from lofte.core import clock, outbox, tasks, vault
from lofte.core.models import Entry, Person
from lofte.evidence.verify import verify_receipt
from lofte.features.register import reads as register
from lofte.features.register import verbs as keep
from lofte.features.retention import reads as retention
from lofte.features.rights import reads as rights
from lofte.features.sharing import agreements, disclosures, recalls
from lofte.kernel.problems import Problem

pytestmark = [
    pytest.mark.django_db(databases=["default", "keys"], transaction=True),
    pytest.mark.usefixtures("xledger", "no_limits"),
]

CAME, REFERRED, SIGNED, LEFT = date(2027, 1, 11), date(2027, 2, 1), date(2027, 3, 15), date(2028, 6, 30)
ASKED = date(2028, 12, 15)
"""Within the thirty days before two years without a sign of interest are over."""
FORGOTTEN = date(2029, 1, 13)
YEAR_LATER = date(2029, 7, 2)
DUTIES = (
    "retention.warn", "retention.sweep", "rights.resume_erasures", "obligations.carry_out", "mail.deliver", "outbox.drain",
)  # fmt: skip


@dataclass(frozen=True)
class Story:
    """``kept_through`` is the last day a statute keeps the voucher of 15 March 2027, whose financial year ends with 2027."""

    market: str
    locale: str
    name: str
    email: str
    company: str
    partner: str
    kept_through: date
    law: str


STORIES = [
    Story("SE", "sv", "Astrid Öberg", "astrid.oberg@example.se", "Öbergs Åkeri AB", "Ekonomihuset i Umeå AB",
          date(2034, 12, 31), "BFL (1999:1078) 7:2"),
    Story("NO", "nb", "Kari Bø", "kari.bo@example.no", "Bø Rør AS", "Regnskap Nord AS", date(2032, 12, 31), "bokføringsloven"),
    Story("FI", "fi", "Päivi Järvinen", "paivi.jarvinen@example.fi", "Järvisen Leipomo Oy", "Tilitoimisto Kuusi Oy",
          date(2033, 12, 31), "KPL 2:10"),
    Story("GB", "en-GB", "Siân Price", "sian.price@example.co.uk", "Price & Daughter Ltd", "Ledger & Sons LLP",
          date(2033, 12, 31), "FA 1998 Sch 18"),
    Story("US", "en-US", "Ruth Ortega", "ruth.ortega@example.com", "Ortega Brewing Inc.", "Front Range Payroll LLC",
          date(2031, 4, 15), "26 CFR 1.6001-1"),
]  # fmt: skip


@contextmanager
def on(day: date) -> Iterator[None]:
    """That day at noon; before it is over every duty that matters here has run, and every fact is in the log."""
    with clock.at(datetime(day.year, day.month, day.day, 12, tzinfo=UTC)):
        yield
        for _ in range(4):
            for name in DUTIES:
                tasks.run_now(name)


@pytest.fixture
def house(log: Any, letterbox: Any) -> Iterator[Any]:
    wiring.subscribe()
    yield letterbox
    outbox.unsubscribe_all()


@pytest.fixture
def lead(member: Callable[..., Any], house: Any) -> str:
    """The data protection lead, as the actor in what follows."""
    from django.contrib.auth.models import User

    member("anna", "lead")
    return f"staff:{User.objects.get(username='anna').pk}"


def agreed(story: Story, by: str) -> UUID:
    return agreements.record(
        agreements.Given(
            recipient=f"partners-{story.market.lower()}", partner=story.partner, services=["accounting"], purposes=["answers"],
            fields=["name", "email", "company"], country=story.market, signed=date(2027, 1, 4), expires=date(2030, 1, 4),
            review_at=date(2028, 1, 4), reviewer="lead", contact="privacy@partner.example", document_name="agreement.pdf",
            document=b"%PDF-1.7 signed by both", without_payment=True,
        ),
        by=by,
    )  # fmt: skip


def held(person: UUID) -> dict[str, set[str]]:
    """Fields by purpose."""
    found: dict[str, set[str]] = {}
    for purpose, field in register.kinds_held(person):
        found.setdefault(purpose, set()).add(field)
    return found


def text_of(letter: Any) -> str:
    return str(letter.get_body(("plain",)).get_content())


def events(log: Any, person: UUID | None = None, kind: str = "") -> list[dict[str, Any]]:
    """What the log says, in order; every entry's receipt verified as an outsider would, with the log's public key alone."""
    found = []
    for index in range(log.size()):
        receipt = log.receipt(index)
        verify_receipt(json.dumps(receipt).encode(), log.vkey())
        fact = receipt["fact"]["payload"]
        if not kind or fact.get("event", "").startswith(kind):
            found.append(fact)
    return found


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.market)
def test_a_person_comes_is_referred_buys_leaves_and_is_forgotten_by_the_law_of_the_market(
    story: Story, lead: str, house: Any, log: Any
) -> None:
    where = {"market": story.market, "locale": story.locale}

    with on(CAME):  # a lead comes in
        said = {"name": story.name, "email": story.email, "company": story.company}
        person = keep.meet(said, "answers", relation="prospect", source=lead, **where)
        agreement = agreed(story, lead)
    assert held(person) == {"answers": {"name", "email", "company"}}
    assert {each.clock for each in retention.why(person)} == {"inactivity"}

    with on(REFERRED):  # is referred to a partner, and told
        disclosure = disclosures.refer(
            person, f"partners-{story.market.lower()}", "answers", ("name", "email"), lead, partner=agreement
        )
        with pytest.raises(Problem, match="the log has not got this"):
            disclosures.hand_over(person, disclosure, by=lead)
    letter = house.last()
    assert letter["To"] == story.email
    assert story.partner in text_of(letter)
    with on(REFERRED):
        gone = json.loads(disclosures.hand_over(person, disclosure, by=lead).content)
    assert gone["values"] == {"name": story.name, "email": story.email}
    assert [each.name for each in rights.overview(person).disclosures] == [story.partner]

    with on(SIGNED):  # becomes a customer: a contract, and a voucher
        relation = keep.begin_relation(person, "customer", **where)
        keep.hold(person, {"name": story.name, "email": story.email}, "customer", source="contract", **where)
        keep.place(person, {"company": story.company}, "customer", source="contract", **where)
        keep.hold(person, {"name": story.name, "company": story.company}, "accounting", source="voucher", **where)
    with on(LEFT):
        keep.end_relation(person, relation)
    floors = {each.field: each for each in retention.why(person) if each.purpose == "accounting"}
    assert set(floors) == {"name", "company"}
    assert all(story.law in each.law for each in floors.values())

    letters = len(house.letters)
    with on(ASKED):  # nobody has heard from them for two years: they are asked
        pass
    question = next(each for each in house.letters[letters:] if each["To"] == story.email)
    assert "/keep/" in text_of(question)

    with on(FORGOTTEN):  # and do not answer: what the lead gave goes, and the partner is told
        pass
    assert set(held(person)) == {"customer", "accounting"}
    assert [each.recipient for each in recalls.waiting()] == [f"partners-{story.market.lower()}"]
    desk = next(each for each in house.letters if each["To"] == "privacy@partner.example")
    assert gone["reference"] in text_of(desk)
    assert story.name not in str(desk)

    with on(LEFT + timedelta(days=364)):  # a day before the year is over nothing of the customer goes
        pass
    assert set(held(person)) == {"customer", "accounting"}
    with on(YEAR_LATER):  # a year later: gone but for the accounting fields
        for each in recalls.waiting():
            recalls.confirm(each.id, by=lead)
    assert held(person) == {"accounting": {"name", "company"}}
    assert register.person_of("email", story.email) is None
    assert house.last()["To"] != story.email

    with on(story.kept_through):  # the last day the statute keeps them
        pass
    assert held(person) == {"accounting": {"name", "company"}}
    with on(story.kept_through + timedelta(days=2)):
        pass
    assert not Person.objects.filter(pk=person).exists()
    assert vault.is_erased(person)
    assert not Entry.everyone.filter(person_id=person).exists()

    told = [each.get("event", "") for each in events(log)]
    for event in (
        "agreement.recorded", "disclosure.decided", "disclosure.handed_over", "retention.warned", "erasure.partial",
        "recall.confirmed", "erasure.completed",
    ):  # fmt: skip
        assert event in told, event
    everything = json.dumps(events(log), ensure_ascii=False)
    assert story.email not in everything
    assert story.name not in everything
