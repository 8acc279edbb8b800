"""Before anything is broken: what is probed is kept, and what cannot be proved yet says what is missing."""

import json

import pytest

from lofte.features.promises import reads
from lofte.rules.control import Status

pytestmark = pytest.mark.xdist_group("sabotage")


def test_everything_probed_without_a_browser_is_kept(system, healthy):
    # No WordPress is connected here (test_wordpress.py connects one), and no platform that could tell the size of a group.
    unproved = {one: system.at_first[one] for one in ("P43", "P46")}
    assert {one: system.at_first[one] for one, status in healthy.items() if status is not Status.KEPT} == unproved
    assert {healthy[one] for one in unproved} == {Status.UNPROVED}


@pytest.mark.browser
@pytest.mark.long
def test_everything_a_browser_sees_in_five_markets_is_kept(system, chromium):
    markets = tuple(system.world().published.policy.markets)

    seen = system.board(system.probed(browser=True), markets=markets)

    # The figures of Google Analytics come from a connected property; whether its opt-out works is seen all the same.
    opt_out = next(one for one in system.line("P40").controls if one.id == "analytics_optout")
    assert dict.fromkeys(seen, Status.KEPT) | {"P40": Status.UNPROVED} == seen, system._reasons
    assert opt_out.verdict.status is Status.KEPT


@pytest.mark.browser
def test_everything_a_browser_sees_is_kept(system, healthy_visit):
    assert dict.fromkeys(healthy_visit, Status.KEPT) == healthy_visit, system._reasons


def test_every_verdict_has_its_place_in_the_log_and_the_public_file_carries_it(system, healthy):
    public = json.loads((system.home / "published" / "verdicts.json").read_bytes())

    for line in reads.board():
        if line.promise in healthy:
            assert line.evidence is not None
            assert public[line.promise]["evidence"] == line.evidence
            assert public[line.promise]["status"] == line.status.value


def test_the_canaries_leave_nothing_behind(system, healthy):
    assert system.left_at_first == []


def test_without_a_browser_the_board_says_how_to_get_one(system):
    seen = system.board({"P34"}, browser=None)

    assert seen["P34"] is Status.UNPROVED
    assert "scripts/run --with-browser" in system.reason("P34", "sv")


def test_without_a_mailbox_nothing_is_called_kept(system):
    seen = system.board({"P11", "P28", "P29", "P30", "P31"}, mailbox=None)

    assert set(seen.values()) == {Status.UNPROVED}
    assert "LOFTE_CANARY_MAILBOX" in system.reason("P29", "nb")


def test_a_probe_that_fails_leaves_its_promise_unproved_without_a_traceback(system, monkeypatch):
    monkeypatch.setattr("lofte.probes.instruments.pages.fetch", lambda *_: 1 / 0)

    seen = system.board({"P01"})

    assert seen["P01"] is Status.UNPROVED
    assert "ZeroDivisionError" in system.reason("P01")


def test_a_site_that_does_not_answer_proves_nothing(system):
    seen = system.board({"P01"}, base_url="http://localhost:9")

    assert seen["P01"] is Status.UNPROVED
