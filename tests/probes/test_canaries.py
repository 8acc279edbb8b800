"""Small parts of the canaries: the reports they hand in, the pages they judge, and the markets they walk in."""

from email import message_from_bytes

import pytest

from lofte.core.mailing import bounces, returns
from lofte.core.mailing.models import Bounce
from lofte.probes.instruments.canary import flock, reports, subscribers
from lofte.probes.instruments.visitor import Seen


class _Lost:
    """A canary of a market, as far as `flock.each` asks."""

    def __init__(self, market):
        self.market = market


def _report(kind, said):
    given = {"to": "b+token@in.example", "name": "<1@canary.example>", "at": "Sun, 22 Nov 2026 12:00:00 +0000"}
    return message_from_bytes(reports._REPORT.format(kind=kind, said=said, **given).encode())


def test_the_report_of_a_dead_address_is_read_as_one():
    found = bounces.read(_report("delivery-status", reports._FAILED.format(address="canary-1@canary.example")))

    assert found == bounces.Verdict(Bounce.Kind.HARD, "5.1.1")


def test_the_report_of_an_unwanted_letter_is_read_as_a_complaint():
    said = reports._ABUSE.format(sender="b+token@in.example")

    assert returns._is_complaint(_report("feedback-report", said))
    assert not returns._is_complaint(_report("delivery-status", reports._FAILED.format(address="a@b.example")))


@pytest.mark.parametrize(
    "markup, status, asks",
    [
        ("<form method=post><button>Leave</button></form>", 200, False),
        ("<form method=post><input type=hidden name=stamp value=x><button>Leave</button></form>", 200, False),
        ("<form method=post><input type=password name=secret></form>", 200, True),
        ("<form method=post><input type=email name=user></form>", 200, True),
        ("", 403, True),
    ],
)
def test_a_page_that_wants_to_know_who_you_are_is_noticed(markup, status, asks):
    assert subscribers._asks_who(Seen("http://localhost/", status, {}, markup.encode())) is asks


def test_a_market_where_a_canary_gets_lost_proves_nothing_and_the_others_go_on():
    def step(canary):
        if canary.market == "FI":
            raise ValueError("lost")
        return canary.market.lower()

    assert flock.each([_Lost("SE"), _Lost("FI"), _Lost("GB")], step) == {"SE": "se", "GB": "gb"}


def test_what_was_met_before_is_dropped_where_the_next_step_could_not_be_taken():
    def step(canary, met):
        if canary.market == "FI":
            raise ValueError("lost")
        return met + 1

    assert flock.go_on([_Lost("SE"), _Lost("FI")], {"SE": 1, "FI": 1, "US": 1}, step) == {"SE": 2, "US": 1}
