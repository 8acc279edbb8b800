"""Transfer tools on file: nothing without proof and days, nothing rewritten, and a warning before one runs out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lofte.core import clock, decisions, outbox, tasks
from lofte.core.country import Kind
from lofte.core.gates import tools
from lofte.core.gates.models import Tool
from lofte.core.gates.tools import Wanted
from lofte.core.models import Action, Outbox
from lofte.kernel.problems import Problem

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
DAY = date(2026, 11, 22)
LISTING = Wanted(
    Kind.LISTING, date(2026, 3, 1), "Host Inc.", "host", "US", date(2027, 2, 28), proof="https://example.test/list/host"
)
CLAUSES = Wanted(
    Kind.CLAUSES, date(2026, 1, 1), "(EU) 2021/914", "host", "US", proof="folder 7", assessed=date(2026, 1, 1)
)


@pytest.fixture(autouse=True)
def today(published):
    with clock.at(datetime(2026, 11, 22, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def abroad(republish):
    """The host takes data to the United States, says the policy: by the list."""

    def change(policy):
        policy["recipients"]["host"]["transfers"] = [
            {"country": "US", "tool": "dpf", "reference": "Host Inc.", "assessed": "2026-01-31"}
        ]

    return republish(change)


INCOMPLETE = {
    "no proof": ({"proof": " "}, "proof"),
    "no reference": ({"reference": ""}, "reference"),
    "a recipient the policy lacks": ({"recipient": "broker"}, "recipient"),
    "no country": ({"country": ""}, "country"),
    "no end of a listing": ({"until": None}, "until"),
    "a listing for two years": ({"until": date(2028, 3, 1)}, "until"),
    "an end before the beginning": ({"until": date(2026, 2, 28)}, "until"),
    "seen tomorrow": ({"since": date(2026, 11, 23)}, "since"),
    "clauses nobody assessed": ({"kind": Kind.CLAUSES}, "assessed"),
    "a condition that is not named": ({"kind": Kind.SCOPE}, "facts"),
    "a stop of a decision nobody knows": ({"kind": Kind.STOP}, "reference"),
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_nothing_goes_on_file_without_what_proves_it(case):
    change, key = INCOMPLETE[case]
    with pytest.raises(Problem, match="incomplete") as refused:
        tools.record(replace(LISTING, **change), "staff:1")

    assert (refused.value.place.key, refused.value.status) == (key, 422)
    assert Tool.objects.count() == 0


def test_what_is_recorded_leaves_an_entry_and_an_action_and_nothing_is_rewritten(log):
    row = tools.record(replace(LISTING, country="us "), "staff:1")
    outbox.drain()
    tools.end(row, "staff:2")
    tools.end(row, "staff:3")

    kept = tools.one(row)
    assert (kept.country, kept.ended_on, kept.ended_by, kept.until) == ("US", DAY, "staff:2", date(2027, 2, 28))
    assert sorted(each.action for each in Action.objects.all()) == ["transfers.ended", "transfers.recorded"]
    assert [each.kind for each in Outbox.objects.all()] == ["tool.ended"]


def test_sharing_follows_what_is_on_file(republish, log):
    def with_system(policy):
        policy["systems"]["crm"] = {"name": "CRM", "kind": "crm", "recipient": "host", "fields": ["name"]}
        policy["recipients"]["host"]["transfers"] = [{"country": "US", "tool": "dpf", "reference": "Host Inc."}]

    republish(with_system)
    question = decisions.Question(decisions.Act.SHARE, "customer", frozenset({"name"}), "host", "", "SE")

    def told():
        return decisions.table().answer(question, {}, False, clock.now()).reason

    assert told() == "transfer-not-listed"
    row = tools.record(LISTING, "staff:1")
    assert told() == "processor"
    stop = tools.record(Wanted(Kind.STOP, DAY, "(EU) 2023/1795"), "staff:1")
    assert told() == "transfer-switched-off"
    tools.record(CLAUSES, "staff:1")
    assert told() == "processor"
    tools.end(stop, "staff:1")
    tools.end(row, "staff:1")
    assert told() == "processor"


def test_what_runs_out_is_told_once_when_near_and_once_when_over(log):
    tools.record(LISTING, "staff:1")
    Outbox.objects.all().delete()
    near, over = date(2027, 1, 1), date(2027, 3, 1)

    told = [(day, tools.warn(day)) for day in (DAY, near, near + timedelta(days=5), over, over + timedelta(days=5))]

    assert told == [(DAY, 0), (near, 1), (near + timedelta(days=5), 0), (over, 1), (over + timedelta(days=5), 0)]
    assert sorted(each.kind for each in Outbox.objects.all()) == ["tool.ending", "tool.over"]


def test_the_contact_is_written_to_once_when_something_nears_its_end(log, letterbox):
    tools.record(LISTING, "staff:1")
    near = datetime(2027, 1, 1, 12, tzinfo=UTC)

    tasks.run_now("transfers.warn", near)
    tasks.run_now("transfers.warn", near + timedelta(days=1))

    (letter,) = letterbox.letters
    assert (letter["To"], letter["Subject"]) == ("dpo@small.example", "En överföring förlorar sitt underlag")
    assert "Host, USA: Listning går ut 28 februari 2027." in letter.get_content()
    assert "http://localhost:8000/console/transfers/" in letter.get_content()


def test_a_tool_that_another_follows_without_a_gap_is_no_alarm():
    tools.record(LISTING, "staff:1")
    near = date(2027, 2, 1)
    assert [each.about for each in tools.running_out(near)] == ["host"]

    with clock.at(datetime(2027, 2, 1, tzinfo=UTC)):
        tools.record(replace(LISTING, since=near, until=date(2028, 1, 31)), "staff:1")

    assert tools.running_out(near) == []


def gaps(on):
    return [(each.recipient, each.country, each.reason, each.markets) for each in tools.denied(on)]


def test_what_the_policy_tells_of_and_the_country_rule_denies_is_a_gap(abroad):
    """The United States let data go without a tool; the United Kingdom asks for the extension too."""
    assert gaps(DAY) == [("host", "US", "transfers.not_listed", ("SE", "NO", "FI", "GB"))]
    tools.record(LISTING, "staff:1")

    assert gaps(DAY) == [("host", "US", "transfers.no_uk_extension", ("GB",))]
    assert gaps(date(2027, 3, 1)) == [("host", "US", "transfers.listing_lapsed", ("SE", "NO", "FI", "GB"))]


def test_how_long_before_is_the_policys_word(republish):
    control = {"control": "transfer_tool_on_file", "with": {"warn_before": "P90D"}}
    republish(lambda policy: policy["promises"].update({"P25": {"controls": [control]}}))

    assert tools.warn_before() == timedelta(days=90)
