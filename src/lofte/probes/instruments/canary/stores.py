"""What stands in the stores while a canary is on file."""

from uuid import UUID

from lofte.core import evidence, vault
from lofte.core.backup import replaying
from lofte.core.keys.models import OwnerKey
from lofte.core.models import Person
from lofte.features.rights import reads as rights
from lofte.features.rights.models import Erasure
from lofte.kernel.problems import Problem
from lofte.probes.instruments.canary.person import Canary
from lofte.probes.instruments.canary.seen import Walked

_NEWEST = 300  # people whose keys are looked for a round


def look_into(canary: Canary, seen: Walked) -> None:
    """While the canary is on file: is anything of it readable in any table or file?"""
    found = rights.search_for(canary.values)
    seen.searched = found.columns
    people = list(Person.objects.order_by("-pk").values_list("pk", flat=True)[:_NEWEST])
    bare = _without_key(people)
    risen = [one for one in bare if vault.is_erased(one)]
    seen.people, seen.keyless, seen.back = len(people), len(bare) - len(risen), len(risen) + _is_behind_the_log()
    seen.in_clear = tuple(
        sorted({hit.where for hit in found.hits if hit.form in ("raw", "normal", "escaped", "encoded")})
    )


def _without_key(people: list[UUID]) -> list[UUID]:
    """Who stays in the register without a key of their own. Whoever is being erased loses the key first, and then the row."""
    keyed = set(OwnerKey.objects.filter(owner__in=people).values_list("owner", flat=True))
    bare = [one for one in people if one not in keyed]
    leaving = set(Erasure.objects.filter(subject__in=bare).values_list("subject", flat=True)) if bare else set()
    return [one for one in bare if one not in leaving and Person.objects.filter(pk=one).exists()]


def _is_behind_the_log() -> bool:
    """Whether the log knows of an erasure that the register does not: it was put back from a copy, and the erasure was not."""
    try:
        replaying.demand_up_to_date(evidence.log())
    except Problem as problem:
        return problem.code == "restore.behind"
    return False
