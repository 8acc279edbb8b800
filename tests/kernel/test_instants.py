from datetime import UTC, datetime, timedelta, timezone

import pytest

from lofte.kernel.instants import from_rfc3339, rfc3339


def test_an_instant_is_written_in_utc():
    oslo = timezone(timedelta(hours=1))

    assert rfc3339(datetime(2026, 11, 22, 1, 30, tzinfo=oslo)) == "2026-11-22T00:30:00Z"


def test_an_instant_reads_back():
    at = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)

    assert from_rfc3339(rfc3339(at)) == at


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        from_rfc3339("2026-11-22T01:30:00")
    with pytest.raises(ValueError, match="zone"):
        rfc3339(datetime(2026, 11, 22))  # noqa: DTZ001  # the naive instant is the case under test
