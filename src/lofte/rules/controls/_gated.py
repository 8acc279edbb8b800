"""What P36, P37 and P45 have in common: hosts of certain purposes are asked after consent, and at no other time, and
what the own site kept for them goes when the consent is withdrawn.
"""

from collections.abc import Mapping
from typing import Any

from lofte.rules.control import Verdict, broken, kept, listed, unproved
from lofte.rules.controls._seen import Newcomers, at_market


def judge_gated(observation: Newcomers, parameters: Mapping[str, Any]) -> Verdict:
    """``purpose`` names whose hosts are meant; ``tags``, if given, narrows them to these declared tags."""
    if not observation.instrument_sees:
        return unproved("blind")
    early = _asked(observation, parameters, "before", "rejected")
    if early:
        return broken("early", hosts=listed(early))
    late = _asked(observation, parameters, "withdrawn")
    if late:
        return broken("after-withdrawal", hosts=listed(late))
    if left := _left(observation, parameters):
        return broken("left", found=listed(left))
    unseen = observation.unseen("before", "rejected", "accepted", "withdrawn")
    if unseen:
        return unproved("unseen", markets=listed(unseen))
    after = _asked(observation, parameters, "accepted")
    if not after:
        return unproved("never-loaded")
    return kept(hosts=listed(after), markets=len(observation.expected))


def _asked(observation: Newcomers, parameters: Mapping[str, Any], *phases: Any) -> list[str]:
    return at_market(
        (visit.market, host)
        for visit in observation.in_phase(*phases)
        for host in visit.asked
        if _is_meant(observation, parameters, host)
    )


def _is_meant(observation: Newcomers, parameters: Mapping[str, Any], host: str) -> bool:
    """Whether the host belongs to one of the tags named, whatever they are declared for now, or else to the purpose."""
    purpose, named = parameters.get("purpose"), parameters.get("tags")
    return any(tag.id in named if named else tag.purpose == purpose for tag in observation.tags_of(host))


def _left(observation: Newcomers, parameters: Mapping[str, Any]) -> list[str]:
    """What is still on the device after withdrawal, as far as the site can reach it: third parties' own origins it cannot."""
    purpose, named = parameters.get("purpose"), parameters.get("tags")
    return at_market(
        (visit.market, item.name)
        for visit in observation.in_phase("withdrawn")
        for item in visit.stored
        if item.party == "first" and (line := observation.declared(visit.market, item)) is not None
        if (line.tag in named if named and line.tag else line.purpose == purpose)
    )
