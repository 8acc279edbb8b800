"""When something must be gone, whatever the periods: after the end, never later than the policy says, at once for who left."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lofte.features.outreach.events import reminders, terms
from lofte.features.outreach.events.models import Event, Registration
from lofte.features.outreach.events.reads import _attended

pytestmark = pytest.mark.django_db(databases=["default", "keys"])
START = datetime(2027, 1, 1, tzinfo=UTC)
PERIODS = ("P1D", "P3D", "P14D", "P30D", "P6M", "P12M", "P24M")
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def attended(draw):
    made_at = START + timedelta(hours=draw(st.integers(0, 24 * 700)))
    begins = made_at + timedelta(hours=draw(st.integers(1, 24 * 700)))
    ends = begins + timedelta(hours=draw(st.integers(1, 72)))
    event = Event(
        starts_at=begins, ends_at=ends, zone="Europe/Helsinki", keep=draw(st.sampled_from(PERIODS)), state="published",
        retention=draw(st.dictionaries(st.sampled_from(["phone", "company"]), st.sampled_from(PERIODS))),
        reminders=draw(st.lists(st.sampled_from(sorted(reminders.PERIODS)), unique=True)),
    )  # fmt: skip
    if draw(st.booleans()):
        event.state, event.cancelled_at = "cancelled", made_at + timedelta(hours=draw(st.integers(0, 24 * 900)))
    state = draw(st.sampled_from(["registered", "waiting", "left"]))
    row = Registration(person_id=UUID(int=1), purpose="event", state=state, made_at=made_at)
    if state == "left":
        row.left_at = made_at + (begins - made_at) * draw(st.floats(0, 1))
    return event, row


@quickly
@given(case=attended(), field=st.sampled_from(["phone", "company", "email"]))
def test_nothing_is_kept_longer_than_the_policy_or_the_event_says(xledger, case, field):
    event, row = case
    due = terms.due(event, row, field)
    end = terms.ended(event)

    assert due <= row.made_at + timedelta(days=731)  # 24 months
    assert due <= end + timedelta(days=731)
    assert due <= terms.last_due(event, row)
    if row.state == "left":
        assert due <= row.left_at + terms.AFTER_LEAVING
    if row.state == "waiting":
        assert due <= end + terms.AFTER_LEAVING
    if event.retention.get(field, event.keep) == "P3D":
        assert due <= end + timedelta(days=3)


@quickly
@given(cases=st.lists(attended(), min_size=1, max_size=4), field=st.sampled_from(["phone", "email"]))
def test_of_several_events_the_last_decides(xledger, cases, field):
    pairs = [(row, event) for event, row in cases]
    found = _attended(pairs)

    assert found.until.get(field, found.rest) >= max(terms.due(event, row, field) for row, event in pairs) - timedelta(
        0
    )
    assert found.until.get(field, found.rest) in {terms.due(event, row, field) for row, event in pairs}
    assert found.since == max(row.made_at for row, _ in pairs)


@quickly
@given(case=attended())
def test_reminders_are_before_the_event_and_in_order(xledger, case):
    event, _ = case
    hours = reminders.hours_of(event)

    assert hours == sorted(hours)
    assert len(hours) == len(event.reminders)
    assert all(each < event.starts_at for each in hours)
