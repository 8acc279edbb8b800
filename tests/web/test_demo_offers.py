"""What the demonstration puts up for a newcomer to find: once, in each market and its language, and anew when a day has passed."""

from datetime import UTC, datetime

import pytest
from demo.site import EDITIONS

from demo import offers
from lofte.core import clock
from lofte.features.outreach.events import reads as events
from lofte.features.outreach.materials import files, shelf
from lofte.features.outreach.materials import reads as materials

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
START, LATER = datetime(2026, 11, 23, 12, tzinfo=UTC), datetime(2027, 2, 3, 12, tzinfo=UTC)


def test_each_market_has_an_event_ahead_and_a_checklist_and_a_second_start_adds_nothing(xledger):
    with clock.at(START):
        assert (offers.put_out(), offers.put_out()) == (6, 0)
        for each in EDITIONS:
            [event] = events.ahead(each.market, START)
            [material] = materials.on_offer(each.market, each.locale)
            assert event.contents[each.locale]["title"] == each.words["events"]["items"][0]["title"]
            text = files.content(shelf.file_for(material, each.locale)).decode()
            assert text.startswith(each.words["checklist"]["title"])
            assert text.count("[ ]") == 12


def test_when_its_day_comes_the_next_event_is_put_up(xledger):
    with clock.at(START):
        offers.put_out()
    with clock.at(LATER):
        assert (offers.put_out(), offers.put_out()) == (5, 0)
        titles = {row.contents["sv"]["title"] for row in events.ahead("SE", LATER)}
        assert titles == {item["title"] for item in EDITIONS[0].words["events"]["items"][:2]}
