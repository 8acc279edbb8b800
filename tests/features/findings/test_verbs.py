from datetime import UTC, datetime, timedelta

import pytest

from lofte.features.findings import reads, verbs

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


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
