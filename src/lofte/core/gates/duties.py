"""What the tables of the gates hold, and the duty that warns before a transfer tool runs out."""

from datetime import datetime, timedelta

from lofte.core import links, mail, publication
from lofte.core.gates import tools
from lofte.core.gates.models import Token, Tool
from lofte.core.gates.tools import Running
from lofte.core.holdings import NotPersonal, declare
from lofte.core.tasks import duty
from lofte.rules import values
from lofte.rules.catalogue import say
from lofte.rules.packs import free_area, law_pack

_RECIPIENT = NotPersonal("about a company the policy names, not a person")
_STAFF = NotPersonal("a staff member's number")
_SYSTEM = NotPersonal("about another system, not a person")

declare(
    Tool, kind=_RECIPIENT, recipient=_RECIPIENT, country=_RECIPIENT, reference=_RECIPIENT, proof=_RECIPIENT, digest=_RECIPIENT,
    since=_RECIPIENT, until=_RECIPIENT, assessed=_RECIPIENT, covers_hr=_RECIPIENT, uk_since=_RECIPIENT, uk_until=_RECIPIENT,
    facts=_RECIPIENT, recorded_by=_STAFF, recorded_at=_RECIPIENT, ended_on=_RECIPIENT, ended_by=_STAFF, warned=_RECIPIENT,
)  # fmt: skip
declare(
    Token, hash=NotPersonal("SHA-256 of 256 random bits"), name=_SYSTEM, scopes=_SYSTEM, per_minute=_SYSTEM, made_by=_STAFF,
    made_at=_SYSTEM, expires_at=_SYSTEM, revoked_at=_SYSTEM, revoked_by=_STAFF, last_used=_SYSTEM,
)  # fmt: skip


@duty("transfers.warn", every=timedelta(hours=6))
def warn(at: datetime) -> int:
    """Tells each market's contact which transfer tools near their end or are over, once each, with an entry in the log."""
    if due := tools.to_warn(at.date()):
        _write(due)
    return tools.warn(at.date())


def _write(due: list[Running]) -> None:
    """One letter to each address, in the language of its first market whose law limits transfers."""
    policy = publication.current().policy
    to: dict[str, tuple[str, str]] = {}
    for name, market in policy.markets.items():
        if free_area(law_pack(market.law)) is not None:
            to.setdefault(policy.controllers[market.controller].email, (name, market.locales[0]))
    for address, (market_id, here) in to.items():
        lines = [_line(here, each) for each in due]
        text = "\n".join([say(here, "gates.letter.lead"), "", *lines, "", links.link("transfers", market_id, here)])
        mail.tell_house(address, say(here, "gates.letter.subject", n=len(lines)), text + "\n")


def _line(here: str, each: Running) -> str:
    recipients = publication.current().policy.recipients
    return say(
        here, f"gates.transfers.{'over' if each.is_over else 'ending'}", day=values.day(here, each.until),
        name=recipients[each.about].name if each.about in recipients else say(here, "gates.transfers.every_recipient"),
        country=values.country(here, each.country) if each.country else say(here, "gates.transfers.every_country"),
        kind=say(here, f"gates.transfers.kinds.{each.kind}"),
    )  # fmt: skip
