"""A round looks, judges and keeps; whatever goes wrong while looking is unproved with its reason."""

from datetime import UTC, datetime, timedelta

import pytest

from lofte.probes import runner
from lofte.probes.probe import Probe, Unable
from lofte.probes.watch import Watch
from lofte.probes.world import World
from lofte.rules.control import Status
from lofte.rules.controls._seen import Page
from lofte.rules.controls.market_contacts import ControllersShown

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def world(tmp_path):
    return World(
        "http://localhost:1", tmp_path, None, lambda: NOW
    )  # what these rounds gather asks the publication nothing


def _with_probe(monkeypatch, gather):
    monkeypatch.setattr(
        runner, "all_probes", lambda: {"market_contacts": Probe("market_contacts", timedelta(hours=1), gather)}
    )


def test_an_observation_is_judged(world, monkeypatch):
    _with_probe(monkeypatch, lambda world, given: ControllersShown((Page("/x", ("Acme",)),)))

    verdict = runner.judge(world, "market_contacts", {})

    assert (verdict.status, verdict.reason) == (Status.BROKEN, "not-named")


def test_an_exception_while_looking_is_unproved_and_names_no_more_than_its_kind(world, monkeypatch):
    def fail(world, given):
        raise RuntimeError("anna@example.se")

    _with_probe(monkeypatch, fail)

    verdict = runner.judge(world, "market_contacts", {})

    assert (verdict.status, verdict.reason, verdict.facts) == (Status.UNPROVED, "failed", {"cause": "RuntimeError"})


def test_a_missing_instrument_is_unproved_with_what_is_missing(world, monkeypatch):
    def unable(world, given):
        raise Unable("no-site", "no answer")

    _with_probe(monkeypatch, unable)

    verdict = runner.judge(world, "market_contacts", {})

    assert (verdict.status, verdict.reason) == (Status.UNPROVED, "no-site")
    assert verdict.facts["address"] == "http://localhost:1"


def test_no_observation_is_never_kept(world, monkeypatch):
    _with_probe(monkeypatch, lambda world, given: None)

    assert runner.judge(world, "market_contacts", {}).status is Status.UNPROVED


def test_what_two_probes_need_is_gathered_once_and_fails_alike(world):
    tries = []

    def make():
        tries.append(1)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            world.once("thing", make)

    assert len(tries) == 1


def test_a_button_pressed_twice_starts_one_round():
    watch = Watch(lambda: None, first_s=3600)  # never started: nobody takes the order

    assert watch.check(["P34"])
    assert not watch.check()
    assert watch.is_running()
