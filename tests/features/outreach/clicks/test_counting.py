"""How often a link is followed: counted only where the policy says so, and never by whom."""

from uuid import uuid4

import pytest
from django.test import Client

from lofte.features.outreach.clicks import counting
from lofte.features.outreach.clicks.models import Link
from lofte.rules.model import Policy

pytestmark = [pytest.mark.django_db(databases=["default", "keys"])]
HTML = '<p><a href="https://a.example/?x=1&amp;y=2">a</a> <a href="mailto:x@a.example">m</a> <a href="https://b.example/">b</a></p>'


@pytest.fixture
def counting_policy(republish, db):
    return republish(lambda policy: policy.__setitem__("outreach", {"count_clicks": True}))


def test_nothing_is_counted_unless_the_policy_says_so(published, db):
    assert not Policy.model_validate(published.policy.model_dump(by_alias=True)).outreach.count_clicks
    assert counting.counted(uuid4(), HTML) == HTML
    assert not Link.objects.exists()


def test_links_lead_past_the_counter_and_are_the_same_for_everybody(counting_policy):
    campaign = uuid4()

    first, second = counting.counted(campaign, HTML), counting.counted(campaign, HTML)

    assert first == second
    assert "mailto:x@a.example" in first
    assert "https://b.example" not in first
    assert {each.address for each in Link.objects.all()} == {"https://a.example/?x=1&y=2", "https://b.example/"}


def test_following_a_link_counts_and_leads_on_without_saying_who(counting_policy):
    campaign = uuid4()
    counting.counted(campaign, HTML)
    row = Link.objects.get(address="https://b.example/")
    client = Client()

    for _ in range(3):
        answer = client.get(f"/news/go/{row.id}/")
    client.head(f"/news/go/{row.id}/")
    client.get(f"/news/go/{row.id}/", headers={"Sec-Purpose": "prefetch"})

    assert (answer.status_code, answer["Location"]) == (302, "https://b.example/")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    assert counting.numbers(campaign)[0] == ("https://b.example/", 3)
    assert {field.name for field in Link._meta.get_fields()} == {
        "id",
        "site_id",
        "campaign",
        "digest",
        "address",
        "count",
    }


def test_a_later_policy_without_counting_stops_it_and_the_links_still_lead_on(counting_policy, republish):
    campaign = uuid4()
    counting.counted(campaign, HTML)
    row = Link.objects.get(address="https://b.example/")
    republish(lambda policy: None, version="2026-05")

    assert Client().get(f"/news/go/{row.id}/").status_code == 302
    assert dict(counting.numbers(campaign))["https://b.example/"] == 0


def test_a_link_of_nobody_leads_nowhere(counting_policy):
    assert Client().get(f"/news/go/{uuid4()}/").status_code == 404
