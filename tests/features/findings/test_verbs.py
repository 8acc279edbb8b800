from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from lofte.core import clock, publication
from lofte.core.models import Action
from lofte.features.findings import reads, verbs
from lofte.rules.source import read

EXAMPLE = Path(__file__).parents[3] / "policies" / "xledger" / "policy.yaml"

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def xledger_policy():
    return read({"policy.yaml": EXAMPLE.read_text(encoding="utf-8")}).policy


@pytest.fixture
def in_force(xledger_policy, monkeypatch):
    monkeypatch.setattr(publication, "current", lambda: SimpleNamespace(policy=xledger_policy))


@pytest.fixture(autouse=True)
def _nothing_noted(db):
    verbs._seen.clear()
    verbs._pages.clear()


def test_the_same_thing_seen_often_is_one_row_with_a_count():
    for _ in range(3):
        verbs.note("gate", "script", "chat.example", "SE", "/se/")
    verbs.flush(AT)
    verbs.note("gate", "script", "chat.example", "SE", "/se/kontakt/")
    verbs.flush(AT + timedelta(hours=1))

    (found,) = reads.newest()
    assert (found.what, found.times, found.page) == ("chat.example", 4, "/se/kontakt/")
    assert (found.first_seen, found.last_seen) == (AT, AT + timedelta(hours=1))


def test_a_page_address_is_kept_without_its_query():
    verbs.note("browser", "img-src", "pixel.example", "NO", "/no/?mail=ola@example.no")
    verbs.flush(AT)

    assert [found.page for found in reads.newest()] == ["/no/"]


def test_a_page_that_invents_hosts_cannot_fill_the_memory():
    for number in range(verbs.MOST_DIFFERENT + 50):
        verbs.note("gate", "script", f"h{number}.example", "SE", "/se/")

    assert verbs.flush(AT) == verbs.MOST_DIFFERENT


def test_a_flush_with_nothing_noted_writes_nothing():
    assert verbs.flush(AT) == 0
    assert reads.newest() == []


def test_whether_something_is_declared_is_asked_of_the_policy_in_force(xledger_policy):
    verbs.note("gate", "script", "www.googletagmanager.com", "SE", "/se/")
    verbs.note("gate", "script", "chat.example", "SE", "/se/")
    verbs.note("browser", "connect-src", "region1.google-analytics.com", "NO", "/no/")
    verbs.note("browser", "lofte-cookie", "_ga_ABC", "NO", "/no/")
    verbs.note("browser", "lofte-local", "spy", "NO", "/no/")
    verbs.note("browser", "script-src-elem", "inline", "NO", "/no/")
    verbs.flush(AT)

    alarms = reads.alarms(xledger_policy)
    assert [(alarm.what, alarm.is_own) for alarm in alarms] == [("chat.example", True), ("spy", False)]
    seen = {tag.tag: (tag.times, tag.markets) for tag in reads.inventory(xledger_policy)}
    assert (seen["gtm"], seen["ga4"]) == ((1, ("SE",)), (1, ("NO",)))
    assert seen["linkedin-insight"] == (0, ())


def test_an_alarm_names_the_vendor_the_catalogue_knows(xledger_policy):
    without = xledger_policy.model_copy(update={"tags": {}})
    verbs.note("gate", "script", "connect.facebook.net", "SE", "/se/")
    verbs.flush(AT)

    assert [alarm.vendors for alarm in reads.alarms(without)] == [("Facebook pixel",)]


def test_an_alarm_is_written_among_the_actions_once_and_only_for_our_own_pages(in_force):
    for at in (AT, AT + timedelta(minutes=1)):
        verbs.note("gate", "script", "chat.example", "SE", "/se/")
        verbs.note("browser", "img-src", "extension.example", "SE", "/se/")
        verbs.flush(at)

    told = [action.details["what"] for action in Action.objects.filter(action="findings.drift")]
    assert told == ["chat.example"]


def test_what_was_taken_off_the_site_is_an_alarm_again_when_it_comes_back(xledger_policy, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: AT + timedelta(hours=1))
    for what, settled in (("chat.example", "removed"), ("noise.example", "noise")):
        verbs.note("gate", "script", what, "SE", "/se/")
        verbs.flush(AT)
        verbs.settle(what, "gate", settled, "staff:1")
    assert reads.alarms(xledger_policy) == []

    for what in ("chat.example", "noise.example"):
        verbs.note("gate", "script", what, "SE", "/se/")
    verbs.flush(AT + timedelta(hours=2))
    assert [(alarm.what, alarm.came_back) for alarm in reads.alarms(xledger_policy)] == [("chat.example", True)]


def test_reports_of_browsers_cannot_fill_the_database(monkeypatch):
    monkeypatch.setattr(verbs, "MOST_REPORTED", 3)
    for number in range(5):
        verbs.note("browser", "img-src", f"h{number}.example", "SE", "/se/")
    verbs.note("gate", "script", "own.example", "SE", "/se/")
    verbs.flush(AT)

    assert sorted(found.seen_by for found in reads.newest()) == ["browser"] * 3 + ["gate"]


def test_what_was_not_met_for_a_quarter_is_forgotten():
    verbs.note("gate", "script", "old.example", "SE", "/se/")
    verbs.flush(AT)
    verbs.note("gate", "script", "new.example", "SE", "/se/")
    verbs.flush(AT + timedelta(days=60))

    assert verbs.forget(AT + timedelta(days=91)) == 1
    assert [found.what for found in reads.newest()] == ["new.example"]
