"""`lofte retention`: looking only, for people and for programs."""

import json
from datetime import timedelta

import pytest

from lofte.cli import main
from lofte.core import clock
from lofte.features.register import verbs
from lofte.features.register.models import Holding
from lofte.features.retention.models import Hold, Stop

pytestmark = pytest.mark.django_db(databases=["default", "keys"])


def test_the_forecast_of_a_supposed_day(entered, published, capsys):
    person = verbs.welcome()
    verbs.begin_relation(person, "prospect", market="NO", locale="nb")
    verbs.hold(person, {"email": "ola@example.no"}, "answers", source="import", market="NO", locale="nb")
    before = list(Holding.everyone.values())
    day = (clock.now() + timedelta(days=800)).date()

    assert main.main(["retention", "forecast", "--at", day.isoformat()]) == 0
    assert f"By {day}: 1 of 1 people go, 0 lose something and stay, 0 are spared." in capsys.readouterr().out
    assert main.main(["retention", "forecast", "--at", day.isoformat(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["by_clock"] == {"inactivity": 1}
    assert list(Holding.everyone.values()) == before


def test_a_day_that_has_passed_is_refused(entered, published, capsys):
    assert main.main(["retention", "forecast", "--at", "2001-01-01"]) == 1
    assert "retention.past" in capsys.readouterr().err


def test_holds_that_need_a_look_and_a_pulled_brake_are_seen_by_the_exit_code(entered, published, capsys):
    assert main.main(["retention", "holds"]) == 0
    assert main.main(["retention", "brake"]) == 0
    Hold.objects.create(
        market="NO", statute="tax", citation="skfvl. 4-1", purposes=["customer"], reviewer="lead", placed_by="staff:1",
        review_at=clock.now() - timedelta(days=1),
    )  # fmt: skip
    Stop.objects.create(at=clock.now(), rules=published.digest, reason="share", people=700, registered=9000)
    capsys.readouterr()

    assert main.main(["retention", "holds"]) == 1
    assert "NEEDS A LOOK" in capsys.readouterr().out
    assert main.main(["retention", "brake"]) == 1
    assert "700 of 9,000 people (share)" in capsys.readouterr().out
    assert main.main(["retention", "runs"]) == 0
