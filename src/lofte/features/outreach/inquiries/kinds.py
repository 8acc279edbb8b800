"""What kinds of inquiries there are, how the company knows whoever writes, and by when we owe an answer."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from lofte.core import publication
from lofte.features.outreach.inquiries.models import Inquiry
from lofte.kernel.problems import Place, Problem
from lofte.rules.clocks import add_period
from lofte.rules.packs import law_pack

KINDS = tuple(Inquiry.Kind.values)
RELATIONS = {"inquiry": "prospect", "application": "applicant", "supplier": "supplier", "partner": "partner"}
"""A kind of inquiry, and the relation of the policy in which its writer is known."""

CONTROL = "inquiries_answered"
_WITHIN = "P30D"  # where no promise says how long


def within() -> str:
    """How long an answer may take: the period the promise names."""
    for promise in publication.current().policy.promises.values():
        for each in promise.controls:
            if each.control == CONTROL and each.parameters.get("within"):
                return str(each.parameters["within"])
    return _WITHIN


def today(market: str, at: datetime) -> date:
    """The day it is where the market is."""
    declared = publication.current().policy.markets.get(market)
    return at.astimezone(ZoneInfo(law_pack(declared.law).zone)).date() if declared else at.date()


def answer_by(market: str, at: datetime) -> date:
    """The last day to answer what came at that moment; the day it came does not count."""
    return add_period(today(market, at), within())


def clock_of(kind: str) -> str | None:
    """The clock of the relation a kind of inquiry begins, where the policy knows it."""
    declared = publication.current().policy.relations.get(RELATIONS[kind])
    return declared.clock if declared else None


def spoken_field(purpose: str) -> str:
    """The field in which a purpose keeps what people say. Raises Problem for a purpose that keeps no such thing."""
    policy = publication.current().policy
    declared = policy.purposes.get(purpose)
    for field in declared.fields if declared else ():
        shape = policy.fields[field]
        if shape.category == "dialogue" and shape.kind == "text":
            return field
    raise Problem(
        "register.undeclared", "the policy keeps no dialogue for this purpose", Place(key=purpose), law="GDPR 5(1)(b)",
        way_out="Declare a field of the category dialogue for the purpose, and publish.", status=422,
    )  # fmt: skip
