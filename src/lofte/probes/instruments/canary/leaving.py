"""Goes by the button in the portal, and is removed whatever happened."""

import logging
from collections.abc import Iterator
from uuid import UUID

from django.core import signing

from lofte.core import blind, clock, obligations, systems
from lofte.features.consent import verbs as consent
from lofte.features.register import reads as register
from lofte.features.retention import verbs as retention
from lofte.features.rights import reads as rights
from lofte.features.rights.models import Erasure, Request, Step
from lofte.probes.instruments import at_large
from lofte.probes.instruments.canary import letters, mailing, person, receipts
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.canary.seen import Walked
from lofte.probes.instruments.visitor import Seen
from lofte.rules.controls.erasure_complete import ErasureWalk

_ELSEWHERE_S = 20.0  # a connected system that stumbled is asked again after a quarter of a minute
_logger = logging.getLogger("lofte.probes")


def erase(canary: Canary, seen: Walked) -> None:
    """The button in the portal; then a search of our own, and the receipt verified."""
    assert canary.person_id is not None
    at_large.forget(canary.world, canary.person_id)
    page = canary.visitor.get(f"/my/{canary.tail}data/erase/")
    form = next((one for one in page.page.forms if "csrfmiddlewaretoken" in one.values() and not one.action), None)
    if page.status != 200 or form is None:
        seen.erasure = ErasureWalk(False, 0)
        return
    remember_requests(canary)
    done = canary.visitor.submit(page, form, {})
    order = _order_of(done)
    if order is not None:
        canary.requests |= set(Step.objects.filter(about=order).values_list("request", flat=True))
        person.eventually(lambda: Erasure.objects.filter(pk=order, state=Erasure.State.DONE).exists(), _ELSEWHERE_S)
        done = canary.visitor.get(done.url)
    receipt = next((link for link in done.page.links if link.endswith(".json") and "/erased/" in link), "")
    in_log = bool(receipt) and not receipts.refused(canary.visitor.get(receipt, accept="application/json").body)
    values = [*canary.values, ("name", canary.name.removesuffix(" Corrected"))]
    found = rights.search_for(values, canary.person_id)
    late = [one.system for one in obligations.overdue() if one.what == "erase"]
    seen.erasure = ErasureWalk(
        asked=done.status == 200,
        searched=found.columns,
        residue=tuple(sorted({*(hit.where for hit in found.hits), *_left_elsewhere(values)})),
        obligations_open=tuple(sorted({*(obligations.waiting_for(order) if order else ()), *late})),
        in_log=in_log,
        systems=len(systems.names()),
        back=seen.back,
    )


def outlive(canary: Canary, seen: Walked) -> None:
    """Who withdrew has no reason to be kept: the sweep must take them. (That withdrawing works is seen to by the subscribers.)"""
    remember_requests(canary)
    purpose = canary.world.published.policy.forms[mailing.FORM].purpose
    consent.withdraw(canary.handle, purpose, method="portal")
    retention.sweep_one(canary.handle, clock.now())
    seen.still_there = register.person_of("email", canary.address) is not None


def remember_requests(canary: Canary) -> None:
    """What it asked for would stay as a bare record of nobody: noted while it still says whose it is, and removed at the end."""
    canary.requests |= set(Request.objects.filter(subject=canary.person_id).values_list("id", flat=True))


def _order_of(done: Seen) -> UUID | None:
    """The erasure whose page this is: its address names the order, and nobody."""
    token = done.url.rstrip("/").rpartition("/")[2]
    try:
        return UUID(signing.loads(token, salt="lofte.web.erased")["o"])
    except (signing.BadSignature, KeyError, ValueError):
        return None


def _left_elsewhere(values: list[tuple[str, str]]) -> Iterator[str]:
    """Ask every connected system once more, whatever it said of its own erasure."""
    for name in systems.names():
        try:
            left = systems.get(name).search(systems.Who(tuple(values)), systems.Found())
        except Exception as failure:  # one that cannot be asked has not confirmed either: it stands among the open ones
            _logger.info("a system could not be searched", extra={"fields": {"cause": type(failure).__name__}})
            continue
        yield from (f"{name}.{one.where}" for one in left if not one.exemption)


def hash_of(address: str) -> str:
    return blind.blind_hash("email", blind.normalise("email", address))


def remove(canary: Canary) -> None:
    """Whatever the walk left of a canary goes, in the register and in the mailbox."""
    try:
        people = set(mailing.waiting(hash_of(canary.address)))
        people |= {canary.person_id} if canary.person_id else set()
        remember_requests(canary)
        at_large.erase(canary.world, people)
        Step.objects.filter(request__in=canary.requests).delete()
        Request.objects.filter(id__in=canary.requests).delete()
        letters.keep(canary)
    except Exception as failure:  # cleaning may fail where the walk failed; the next round tries again
        _logger.warning(
            "a canary was not removed", exc_info=failure, extra={"fields": {"cause": type(failure).__name__}}
        )
