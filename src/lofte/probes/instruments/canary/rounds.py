"""A round: who walks, in which order, and who cleans up."""

from lofte.features.register import reads as register
from lofte.probes.instruments import at_large, customer, trials
from lofte.probes.instruments.canary import leaving, person, portal, subscribers
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.canary.seen import Walked
from lofte.probes.instruments.mailbox import Mailbox
from lofte.probes.world import World


def walk(world: World) -> Walked:
    """The walk of this round; made once, whoever asks first. Raises Unable without a mailbox or a site."""
    return world.once("canary", lambda: _walk(world))


def _walk(world: World) -> Walked:
    mailbox = Mailbox(world.mailbox)
    at_large.erase_left_behind(world)
    seen = Walked()
    canaries = [person.hatch(world, mailbox), person.hatch(world, mailbox)]
    try:
        looks, leaves = canaries
        subscribers.join(canaries)
        _deal_with(looks, seen)
        portal.look_around(looks, seen)
        leaving.erase(looks, seen)
        leaving.outlive(leaves, seen)
    finally:
        for canary in canaries:
            leaving.remove(canary)
    return seen


def _deal_with(canary: Canary, seen: Walked) -> None:
    """From now on a customer too; then the register is asked for what it must refuse."""
    policy = canary.world.published.policy
    values = customer.sample(canary.mark, canary.address, canary.name)
    canary.held = customer.furnish(policy, canary.handle, values, canary.market, canary.locale)
    agreement = customer.purposes_of(policy, customer.relation_of(policy))
    held = register.open_all(canary.handle, "security", by="probe").values()
    seen.customer_fields = tuple(one.field for one in held if one.purpose in agreement)
    seen.tried = trials.misuse(policy, canary.handle, canary.address, canary.market, canary.locale)
