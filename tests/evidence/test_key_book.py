"""The index of idempotency keys: exact, whatever a key begins with, and made again at each start."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.evidence import key_book
from lofte.evidence.key_book import KeyBook
from lofte.evidence.log import Draft

# Few different bytes, so that keys share beginnings and records hold what looks like the beginning of another.
KEYS = st.lists(st.lists(st.sampled_from([0, 1, 2]), min_size=16, max_size=16).map(bytes), unique=True, max_size=60)


def empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(key_book.SCHEMA + "CREATE TABLE openings (idx INTEGER PRIMARY KEY, key BLOB)")
    return connection


def commit(store: sqlite3.Connection, book: KeyBook, keys: Sequence[bytes], first: int) -> None:
    store.executemany("INSERT INTO openings VALUES (?, ?)", list(enumerate(keys, first)))
    book.file()
    book.add(keys, first)


@given(keys=KEYS, strange=KEYS, size=st.integers(1, 9), run=st.integers(1, 20))
def test_exactly_the_keys_of_entries_are_known_also_after_a_start(
    keys: list[bytes], strange: list[bytes], size: int, run: int
) -> None:
    places = {key: index for index, key in enumerate(keys)}
    with closing(empty()) as store:
        book = KeyBook(store, run)
        for first in range(0, len(keys), size):
            commit(store, book, keys[first : first + size], first)

        for one in (book, KeyBook(store, run)):
            assert one.known(keys) == places
            assert one.known(strange) == {key: places[key] for key in strange if key in places}


def test_a_start_reads_no_opening_whose_key_is_in_a_run() -> None:
    with closing(empty()) as store:
        book = KeyBook(store, 10)
        for first in range(0, 40, 5):
            commit(store, book, [number.to_bytes(16) for number in range(first, first + 5)], first)
        statements: list[str] = []
        store.set_trace_callback(statements.append)
        KeyBook(store, 10)

        assert any("idx >= 30" in each for each in statements)


def test_a_log_of_the_first_schema_keeps_its_keys(house: Any, draft: Any) -> None:
    log = house.open()
    first = [log.append_and_wait(draft(number)) for number in range(5)]
    log.close()
    make_first_schema(Path(house.store))

    reopened = house.open()

    assert [reopened.append_and_wait(draft(number)) for number in range(5)] == first
    assert reopened.check_everything() == []


def make_first_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE key_runs;"
            "CREATE TABLE keys (key BLOB PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
            "CREATE TABLE keys_filed (one INTEGER PRIMARY KEY CHECK (one = 1), below INTEGER NOT NULL) STRICT;"
            "INSERT INTO keys_filed VALUES (1, 3); INSERT INTO keys SELECT key, idx FROM openings WHERE idx < 3;"
            "PRAGMA user_version = 1;"
        )


def test_one_key_in_one_batch_is_one_entry(house: Any) -> None:
    log = house.open()
    same = Draft("consent", b"{}", None, "", "one")
    answers: list[Any] = []
    log.append_many([same, same], answers.extend)
    log.append_and_wait(Draft("consent", b"{}", None, "", "two"))

    assert log.size() == 2
    assert answers[0][1] == answers[1][1]


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_log_knows_nothing(count: int) -> None:
    with closing(empty()) as store:
        assert KeyBook(store).known([bytes(16)] * count) == {}
