"""Whether the running system does in each market what that market's law pack says: a request is received, a record put on file, and
both are taken back before anybody sees them; the days they were given are laid beside the pack's.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db import transaction

from lofte.core import vault
from lofte.features.register import verbs as register
from lofte.features.register.models import Holding
from lofte.features.rights import requests
from lofte.features.rights.models import Request
from lofte.probes.instruments import statutes
from lofte.probes.world import World
from lofte.rules.deadlines import Received, rights_deadline
from lofte.rules.model import Policy, StorageModel
from lofte.rules.packs import LawPack, law_pack, value_at

_BY = "probe"
_RIGHT = "access"
_STRICT = {StorageModel.OPT_IN: 2, StorageModel.EXEMPT_WITH_OBJECTION: 1, StorageModel.OPT_OUT: 0}


class _UndoneError(Exception):
    """Ends the trial's transaction, whatever came of it."""


def ignored(world: World) -> Iterator[str]:
    """Where the system and the pack of a market disagree: ``US: rights_deadline``."""
    policy, at = world.published.policy, world.now()
    for key, market in policy.markets.items():
        try:
            pack = law_pack(market.law)
        except KeyError:
            continue
        if _due_on(key, market.locales[0], at) != rights_deadline(pack, Received(at, _RIGHT), at).due:
            yield f"{key}: rights_deadline"
        if _is_laxer(policy, key, pack, at):
            yield f"{key}: storage"
        if _keeps_otherwise(policy, key, market.locales[0], at):
            yield f"{key}: floor"


def _due_on(market: str, locale: str, at: datetime) -> object:
    """The last day the system gives a request that comes now, by post, from somebody it does not know."""
    found: list[object] = []
    try:
        with transaction.atomic():
            made = requests.receive(None, _RIGHT, by=_BY, channel="post", market=market, locale=locale, at=at)
            found = list(Request.objects.filter(pk=made).values_list("due_on", flat=True))
            raise _UndoneError
    except _UndoneError:
        return found[0] if found else None


def _is_laxer(policy: Policy, market: str, pack: LawPack, at: datetime) -> bool:
    """Whether some use of the visitor's device asks less than the market's law."""
    model = value_at(pack, "storage", at.date()).value["model"]
    asked = [one for one in policy.browser_purposes(market).values() if one is not StorageModel.NECESSARY]
    also = value_at(pack, "storage", at.date()).value.get("also", ())
    allowed = min(_STRICT[StorageModel(one)] for one in (model, *(each for each in also if each in _STRICT)))
    return any(_STRICT[one] < allowed for one in asked)


def _keeps_otherwise(policy: Policy, market: str, locale: str, at: datetime) -> bool:
    """Whether a customer's record made now in the market would go on another day than its statute says."""
    record = statutes.record_of_customers(policy)
    wanted = statutes.keeps_until(policy, market, record, at) if record else None
    if wanted is None:
        return False
    person_id, found = None, list[datetime | None]()
    field = policy.purposes[record].fields[0]
    try:
        with transaction.atomic():
            person_id = register.welcome()
            register.hold(person_id, {field: "Canary"}, record, source=_BY, market=market, locale=locale)
            found = list(Holding.objects.of(person_id).values_list("due_at", flat=True))
            raise _UndoneError
    except _UndoneError:
        pass
    finally:
        if person_id is not None:
            vault.destroy_key(person_id, forever=False)
    return any(each is None or abs(each.astimezone(UTC) - wanted) > timedelta(days=1) for each in found) or not found
