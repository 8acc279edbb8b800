"""Long work in the console: how far it is, in the words of each language, and new keys only when two people agree."""

from datetime import timedelta

import pytest

from lofte.core import approvals, clock, rotation, tasks
from lofte.core.models import Duty
from lofte.core.progress import verbs as progress
from lofte.core.progress.models import Work

pytestmark = [pytest.mark.django_db(databases=["default", "keys"], transaction=True)]


def test_work_under_way_shows_how_far_it_is_and_work_that_stands_says_so(staff):
    with clock.at(clock.now() - timedelta(hours=1)):
        progress.move(progress.begin("retention.recompute", "people", 1_000_000, about="a"), 250_000)
    progress.move(progress.begin("rights.search", "rows", 20_000_000), 5_000_000)
    progress.finish(progress.begin("vault.rotate", "keys", 7))

    shown = staff.get("/console/operation/").content.decode()

    assert 'value="25"' in shown
    assert "250,000 of 1,000,000 people" in shown
    assert "5,000,000 of about 20,000,000 rows" in shown
    assert shown.count("standing still") == 1
    assert "7 of 7 keys" in shown


@pytest.mark.parametrize("locale", ["sv", "nb", "fi", "en-GB", "en-US"])
def test_every_language_names_the_work(staff, locale):
    progress.begin("rights.search", "rows", 20_000)
    progress.begin("something.new", "lines", 20)
    staff.post("/console/locale/", {"locale": locale, "next": "/console/operation/"})

    assert staff.get("/console/operation/").status_code == 200


def test_new_keys_wait_for_somebody_elses_approval(staff, member):
    tasks.hurry(rotation.DUTY, clock.now())
    Duty.objects.filter(name=rotation.DUTY).update(next_due=clock.now() + timedelta(days=6))

    assert staff.post("/console/operation/keys/").status_code == 302

    asked = approvals.waiting()[0]
    assert asked.act == "vault.rotate"
    assert Duty.objects.get(name=rotation.DUTY).next_due > clock.now()


def test_old_work_is_forgotten_a_month_after_it_was_last_touched(db):
    with clock.at(clock.now() - timedelta(days=40)):
        progress.finish(progress.begin("vault.rotate", "keys", 7))
        progress.begin("people.import", "lines", 7, about="a")
    progress.begin("rights.search", "rows", 7)

    assert progress.forget_old(clock.now()) == 2
    assert [row.name for row in Work.objects.all()] == ["rights.search"]
