"""Recipients as the publication declares them, beside what left for them and the hosts a browser contacted."""

from collections.abc import Iterator
from datetime import UTC, date

from django.db.models import Count
from django.db.models.functions import TruncDate

from lofte.core.country import may_leave
from lofte.core.gates import tools
from lofte.features.sharing.models import Disclosure
from lofte.probes.instruments.newcomers import newcomers
from lofte.probes.probe import Unable
from lofte.probes.world import World
from lofte.rules.controls._recipients import EEA, Denied, Moved, RecipientOnFile, Recipients, TransferOnFile
from lofte.rules.model import Recipient

_UNLISTED = "transfers.not_listed"


def recipients(world: World) -> Recipients:
    policy = world.published.policy
    return Recipients(
        on_file=tuple(_on_file(world, key, one) for key, one in policy.recipients.items()),
        today=world.now().astimezone(UTC).date(),
        contacted=_contacted(world),
        moved=tuple(_moved(world)),
        denied=tuple(
            Denied(one.recipient, one.country, frozenset(one.markets), one.reason == _UNLISTED)
            for one in tools.denied(world.now().astimezone(UTC).date())
        ),
    )


def _on_file(world: World, key: str, one: Recipient) -> RecipientOnFile:
    policy = world.published.policy
    return RecipientOnFile(
        id=key,
        country=one.country,
        markets=frozenset(one.markets or policy.markets),
        transfers=tuple(
            TransferOnFile(each.country, each.tool.value, date.fromisoformat(each.valid_to) if each.valid_to else None)
            for each in one.transfers
        ),
        hosts=tuple(host for tag in policy.tags.values() if tag.recipient == key for host in tag.hosts),
    )


def _moved(world: World) -> Iterator[Moved]:
    """What was handed over to other countries, by day: whether the law of that day and what was on file let it go."""
    policy, on_file = world.published.policy, tools.on_file()
    rows = Disclosure.everyone.filter(handed_at__isnull=False).exclude(country__in=sorted(EEA))
    days = (
        rows.annotate(day=TruncDate("handed_at", tzinfo=UTC)).values("market", "recipient", "country", "day").order_by()
    )
    for row in days.annotate(count=Count("id")):
        market, recipient, country = row["market"], row["recipient"], row["country"]
        is_known = market in policy.markets and recipient in policy.recipients
        is_allowed = is_known and may_leave(policy, on_file, market, recipient, country, row["day"]).allowed
        yield Moved(market, recipient, country, row["count"], is_allowed)


def _contacted(world: World) -> tuple[tuple[str, str], ...] | None:
    """Pairs of market and third-party host after a yes to everything; None where no browser can look."""
    try:
        seen = newcomers(world)
    except Unable:
        return None
    if not seen.instrument_sees or seen.unseen("accepted"):
        return None
    return tuple((visit.market, host) for visit in seen.in_phase("accepted") for host in visit.asked)
