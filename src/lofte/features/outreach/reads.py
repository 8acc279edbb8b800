"""Questions about the newsletter."""

from dataclasses import dataclass
from uuid import UUID

from lofte.core import codes, ports, publication
from lofte.features.outreach import models
from lofte.features.outreach import topics as offered
from lofte.features.outreach.signups import FORM


@dataclass(frozen=True, slots=True)
class OpenCode:
    """What a page may show before the button is pressed (GET): nothing personal."""

    market: str
    locale: str


def open_code(code: str, purpose: str) -> OpenCode | None:
    """Whether a code can be used now; ``purpose`` is ``confirm`` or ``unsubscribe``. Changes nothing."""
    found = codes.peek(code, purpose)
    if found is None or (purpose == "confirm" and not models.SignUp.objects.of(found.person_id).filter(pk=found.about)):
        return None
    return OpenCode(found.market, found.locale)


def confirmed_before(code: str) -> OpenCode | None:
    """Where a confirmation link was used already and what it said yes to still stands. Changes nothing."""
    found = codes.peek(code, "confirm")
    if found is None or found.about is None or not ports.consents().is_standing(found.person_id, found.about):
        return None
    return OpenCode(found.market, found.locale)


def topics(market: str = "") -> tuple[str, ...]:
    """The topics of the newsletter one can choose among in a market; their names are the policy's words ``topics.<id>.name``."""
    return offered.of_market(market, publication.current().policy.forms[FORM].purpose)


def topics_of(person_id: UUID) -> tuple[str, ...]:
    """What a subscriber chose; nothing chosen means every topic."""
    return offered.chosen_by(person_id, publication.current().policy.forms[FORM].purpose, by="person")


def subscriber_count() -> int:
    """Confirmed subscribers whose consent stands."""
    return ports.consents().count_granted(publication.current().policy.forms[FORM].purpose)


def deliveries_of(person_id: UUID) -> list[models.Delivery]:
    return list(models.Delivery.objects.of(person_id).order_by("at"))
