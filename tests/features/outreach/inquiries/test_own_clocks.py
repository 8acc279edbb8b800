"""Applicants, suppliers and partners each have a clock: changing one moves what is held for them, and for nobody else."""

from datetime import UTC, datetime

import pytest

from lofte.core import clock
from lofte.core.models import Person
from lofte.features.outreach.inquiries.models import Inquiry
from lofte.features.register import reads as register
from lofte.features.retention import verbs as retention

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]
CAME = datetime(2026, 1, 31, 12, tzinfo=UTC)
PURPOSES = {
    "application": ("applicant", "application"), "supplier": ("supplier", "supply"), "partner": ("partner", "partnership"),
}  # fmt: skip


def own_clocks(policy, **periods):
    for kind, (relation, purpose) in PURPOSES.items():
        policy["clocks"][relation] = {**policy["clocks"]["inactivity"], "period": periods.get(kind, "P24M")}
        policy["purposes"][purpose] = {**policy["purposes"]["answers"], "clock": relation}
        policy["relations"][relation] = {"purposes": [purpose], "clock": relation}
        policy["forms"][kind]["purpose"] = purpose


@pytest.fixture
def publish(house, declared, republish):
    """The policy with a clock for each kind, as long as is said here."""

    def run(**periods):
        republish(lambda policy: (declared(policy), own_clocks(policy, **periods)))

    return run


@pytest.fixture
def writers(publish, ask):
    """One inquiry of each kind, all of the same moment."""
    publish()
    with clock.at(CAME):
        return {kind: ask(kind, email=f"{kind}@example.no") for kind in PURPOSES}


def ends(line):
    return {(each.clock, each.due) for each in register.holdings_of(line.person_id, line.purpose, by="staff:1")}


@pytest.mark.parametrize("longer", PURPOSES)
def test_a_longer_clock_of_one_kind_moves_only_its_deadlines_through_to_the_sweep(writers, publish, log, longer):
    two_years, three_years = datetime(2028, 1, 31, 12, tzinfo=UTC), datetime(2029, 1, 31, 12, tzinfo=UTC)
    publish(**{longer: "P36M"})

    with clock.at(two_years):
        swept = retention.sweep(two_years)

    assert swept.erased == 2
    assert [row.kind for row in Inquiry.everyone.all()] == [longer]
    kept = writers[longer]
    assert ends(kept) == {(PURPOSES[longer][0], three_years)}

    with clock.at(three_years):
        assert retention.sweep(three_years).erased == 1
    assert not Person.objects.filter(pk__in=[each.person_id for each in writers.values()]).exists()
