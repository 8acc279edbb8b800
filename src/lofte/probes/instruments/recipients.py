"""Recipients as the publication declares them, beside the hosts a browser contacted."""

from datetime import UTC, date

from lofte.probes.instruments.newcomers import newcomers
from lofte.probes.probe import Unable
from lofte.probes.world import World
from lofte.rules.controls._recipients import RecipientOnFile, Recipients, TransferOnFile
from lofte.rules.model import Recipient


def recipients(world: World) -> Recipients:
    policy = world.published.policy
    return Recipients(
        on_file=tuple(_on_file(world, key, one) for key, one in policy.recipients.items()),
        today=world.now().astimezone(UTC).date(),
        contacted=_contacted(world),
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


def _contacted(world: World) -> tuple[tuple[str, str], ...] | None:
    """Pairs of market and third-party host after a yes to everything; None where no browser can look."""
    try:
        seen = newcomers(world)
    except Unable:
        return None
    if not seen.instrument_sees or seen.unseen("accepted"):
        return None
    return tuple((visit.market, host) for visit in seen.in_phase("accepted") for host in visit.asked)
