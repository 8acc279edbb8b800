"""Made-up people who are in the register right now, written down before anything can go wrong: what a round leaves behind (a crash,
a broken promise) is removed by that round or the next.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from lofte.core.models import Person
from lofte.features.retention.models import Hold
from lofte.features.rights import verbs as rights
from lofte.probes.world import World

_NOTE = "canary.json"  # handles: random ids, nothing else


def note(world: World, person_id: UUID) -> None:
    _write(world, [*_noted(world), str(person_id)])


def forget(world: World, person_id: UUID) -> None:
    """Before an erasure, which finds a handle in our file as it does in any other; once ordered, it goes on by itself."""
    _write(world, [one for one in _noted(world) if one != str(person_id)])


def erase(world: World, people: Iterable[UUID]) -> None:
    """By the way everybody goes: connected systems are told of what is held, and agree. Whole, also what a statute would keep of a
    real person: nothing of a made-up one is anybody's record.
    """
    for person_id in people:
        forget(world, person_id)
        if Person.objects.filter(pk=person_id).exists():
            Hold.objects.filter(person_id=person_id).delete()
            try:
                rights.erase_made_up(person_id, by="canary")
            finally:  # nothing was ordered, or what was ordered first waits: the next round tries again
                if Person.objects.filter(pk=person_id).exists():
                    note(world, person_id)


def erase_left_behind(world: World) -> None:
    """Before a round: whoever an earlier one left."""
    erase(world, [UUID(one) for one in _noted(world)])


def _noted(world: World) -> list[str]:
    try:
        left: list[str] = json.loads((world.home / _NOTE).read_bytes())
    except (FileNotFoundError, ValueError):
        return []
    return left


def _write(world: World, left: list[str]) -> None:
    file: Path = world.home / _NOTE
    if left:
        file.write_text(json.dumps(left))
    else:
        file.unlink(missing_ok=True)
