"""Made-up people leave as everybody does: connected systems are told of them and agree, and nothing stays under any statute."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lofte.core import clock, systems, vault
from lofte.core.keys.models import OwnerKey
from lofte.core.models import Person
from lofte.core.systems import Found, Left
from lofte.features.register import verbs as register
from lofte.features.rights import verbs as rights
from lofte.features.rights.models import Erasure
from lofte.probes.instruments import at_large
from lofte.probes.world import World

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
ADDRESS = "canary-1@canary.example"


class Crm:
    """Finds people by their address alone. ``sleeps``: it cannot be reached."""

    def __init__(self):
        self.people, self.sleeps = {ADDRESS, "ola@example.no"}, False

    def takes(self, what, purpose):
        return what == "erase"

    def find(self, who):
        if self.sleeps:
            raise TimeoutError
        return Found({"contact": len(self._mine(who))})

    def erase(self, act, found):
        self.people -= self._mine(act.who)

    def verify(self, act, found, exported):
        return self.search(act.who, found)

    def search(self, who, found):
        return [Left("contact", 1, "row")] if self._mine(who) else []

    def _mine(self, who):
        return {value for field, value in who.values if field == "email"} & self.people


@pytest.fixture
def crm():
    systems.connect("crm", made := Crm())
    yield made
    systems.disconnect_all()


@pytest.fixture
def world(published, home, log):
    return World("http://localhost", home, published, lambda: datetime.now(UTC))


@pytest.fixture
def canary(world):
    """In the register, and with a name that the books keep for years."""
    person = register.welcome()
    register.begin_relation(person, "customer", market="NO", locale="nb")
    given = {"source": "canary", "market": "NO", "locale": "nb"}
    register.hold(person, {"email": ADDRESS, "name": "Canary One"}, "customer", **given)
    register.hold(person, {"name": "Canary One"}, "accounting", **given)
    at_large.note(world, person)
    return person


def _is_gone(person, world, proofs):
    assert not Person.objects.exists()
    assert not OwnerKey.objects.exists()
    assert list(Erasure.objects.values_list("state", "subject")) == [("done", None)] * proofs
    assert vault.is_erased(person)
    assert not (world.home / "canary.json").exists()


def test_connected_systems_are_told_of_a_made_up_person_and_agree(world, canary, crm, log):
    at_large.erase_left_behind(world)

    assert crm.people == {"ola@example.no"}
    _is_gone(canary, world, 1)
    proof = json.loads(log.opened(Erasure.objects.get().evidence_index).fact)
    assert proof["systems"] == [{"system": "crm", "rows": {"contact": 1}}]
    assert proof["kept"] == []


def test_what_the_books_kept_when_they_went_by_themselves_goes_too(world, canary, crm):
    rights.erase(canary)
    assert Person.objects.filter(pk=canary).exists()

    at_large.erase_left_behind(world)

    assert crm.people == {"ola@example.no"}
    _is_gone(canary, world, 2)


def test_who_a_system_has_not_let_go_of_is_tried_again_next_round(world, canary, crm):
    crm.sleeps = True
    rights.erase(canary)
    at_large.erase_left_behind(world)
    assert at_large._noted(world) == [str(canary)]

    crm.sleeps = False
    with clock.at(clock.now().replace(year=clock.now().year + 1)):
        at_large.erase_left_behind(world)

        assert crm.people == {"ola@example.no"}
        _is_gone(canary, world, 2)


def test_nobody_but_the_probes_can_take_somebody_away_past_a_statute():
    room = Path(at_large.__file__).parents[2]
    callers = {
        str(each.relative_to(room)) for each in room.rglob("*.py") if "erase_made_up(" in each.read_text("utf-8")
    }

    assert callers == {"features/rights/erasure.py", "features/rights/verbs.py", "probes/instruments/at_large.py"}
