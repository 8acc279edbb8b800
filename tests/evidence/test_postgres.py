"""The same promises on PostgreSQL: durable before answer, one writer by lease, unsafe servers refused."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from lofte.evidence import postgres_store
from lofte.evidence.log import Draft, Log
from lofte.evidence.verify import verify_receipt
from lofte.kernel.problems import Problem

pytestmark = pytest.mark.postgres
MakeDraft = Callable[..., Draft]


@pytest.fixture
def url() -> Iterator[str]:
    """A database of its own for each test."""
    server = os.environ.get("LOFTE_TEST_POSTGRES")
    if not server:
        pytest.skip("LOFTE_TEST_POSTGRES names no server; scripts/test starts one")
    name = f"evidence_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def house(house: Any, url: str) -> Iterator[Any]:
    house.store = url
    yield house
    house.close()  # before the database goes


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_store, "LEASE_S", 1.0)
    monkeypatch.setattr(postgres_store, "_HEARTBEAT_S", 0.3)


def run_sql(url: str, sql: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(sql)
        return found.fetchall() if found.description else None


def test_a_log_in_postgresql_is_durable_provable_and_goes_on_after_a_restart(house: Any, draft: MakeDraft) -> None:
    log = house.open()
    futures = [log.submit(draft(number)) for number in range(700)]
    first = futures[3].result(20)
    assert [future.result(20).index for future in futures] == list(range(700))
    assert log.append_and_wait(draft(3)) == first
    log.close()

    again = house.open()
    assert again.size() == 700
    assert again.append_and_wait(draft(3)) == first
    assert again.append_and_wait(draft(700, kind="verdict", who=None)).index == 700
    assert again.find("verdict", 5) == [700]
    assert again.find("consent", 2, before=5) == [4, 3]
    assert verify_receipt(again.receipt(5), again.vkey()).who == {"subject": "subject-5"}
    assert again.check_everything() == []


def test_unsafe_servers_are_refused(house: Any, url: str) -> None:
    run_sql(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off")

    with pytest.raises(Problem) as refused:
        house.open()
    assert refused.value.code == "evidence.unsafe-store"
    assert "synchronous_commit" in refused.value.detail


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_servers_that_do_not_flush_are_refused(setting: str) -> None:
    class Unsafe:
        def execute(self, _: str, values: tuple[str]) -> Any:
            self.asked = values[0]
            return self

        def fetchone(self) -> tuple[str]:
            return ("off" if self.asked == setting else "on",)

    with pytest.raises(Problem) as refused:
        postgres_store._demand_durable(Unsafe())  # type: ignore[arg-type]  # stands for a connection
    assert setting in refused.value.detail


def test_a_second_writer_is_refused_while_the_first_lives(house: Any, draft: MakeDraft, short_lease: None) -> None:
    log = house.open()
    with pytest.raises(Problem) as refused:
        house.open()

    assert refused.value.code == "evidence.second-writer"
    time.sleep(1.5)  # longer than the lease: the heart beats without commits
    with pytest.raises(Problem):
        house.open()
    assert log.append_and_wait(draft(0)).index == 0


def test_a_writer_that_lost_its_lease_cannot_commit(house: Any, url: str, draft: MakeDraft) -> None:
    log = house.open()
    log.append_and_wait(draft(0))
    run_sql(url, "UPDATE lofte_evidence.lease SET holder = 'another'")

    with pytest.raises(Problem):
        log.append_and_wait(draft(1))
    assert log.is_read_only()
    assert run_sql(url, "SELECT count(*) FROM lofte_evidence.entries") == [(1,)]
    assert run_sql(url, "SELECT max(size) FROM lofte_evidence.heads") == [(1,)]
    run_sql(url, "UPDATE lofte_evidence.lease SET holder = NULL")


def test_the_lease_of_a_killed_writer_runs_out(house: Any, draft: MakeDraft, short_lease: None) -> None:
    code = """
        import os, sys
        from datetime import datetime, UTC
        from pathlib import Path
        from lofte.evidence import postgres_store
        from lofte.evidence.log import open_log
        postgres_store.LEASE_S = 1.0
        log = open_log(sys.argv[1], Path(sys.argv[2]), "example.com/evidence", lambda: datetime.now(UTC))
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), house.store, str(house.keys)], check=False, timeout=30)

    assert house.open().append_and_wait(draft(0)).index == 0


def test_a_server_that_goes_away_makes_the_log_read_only_and_reading_comes_back(
    house: Any, url: str, draft: MakeDraft
) -> None:
    log: Log = house.open()
    done = log.append_and_wait(draft(0))
    ours = "application_name = 'lofte-evidence' AND datname = current_database()"
    run_sql(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")

    with pytest.raises(Problem):
        log.append_and_wait(draft(1))
    assert log.is_read_only()
    assert log.entry(0) == done.entry
    assert verify_receipt(log.receipt(0)).index == 0


def test_a_shortened_or_altered_database_is_refused(house: Any, url: str, draft: MakeDraft) -> None:
    log = house.open()
    for number in range(5):
        log.append_and_wait(draft(number))
    log.close()
    run_sql(url, "DELETE FROM lofte_evidence.entries WHERE idx = 4")
    run_sql(url, "DELETE FROM lofte_evidence.heads WHERE size = 5")
    with pytest.raises(Problem) as refused:
        house.open()

    assert refused.value.code == "evidence.store-shorter"


def test_one_size_cannot_have_two_heads(house: Any, url: str, draft: MakeDraft) -> None:
    house.open().append_and_wait(draft(0))

    with pytest.raises(psycopg.errors.UniqueViolation):
        run_sql(url, "INSERT INTO lofte_evidence.heads VALUES (1, '\\x00', '', 'x')")


def test_a_shredded_who_is_in_no_column(house: Any, url: str, draft: MakeDraft) -> None:
    log = house.open()
    log.append_and_wait(draft(0, who=b'{"subject":"canary-7f3a"}'))
    log.shred([0])

    assert log.opened(0).is_shredded
    assert verify_receipt(log.receipt(0)).has_who
    for table in ("entries", "openings", "tiles", "heads", "identity", "lease"):
        rows = run_sql(url, f"SELECT t::text FROM lofte_evidence.{table} t")
        assert b"canary-7f3a".hex() not in str(rows)
    assert run_sql(url, "SELECT n_dead_tup FROM pg_stat_all_tables WHERE relname = 'openings'") == [(0,)]


def test_an_unreachable_server_is_a_problem_without_the_password(house: Any) -> None:
    house.store = "postgresql://postgres:hush-hush@127.0.0.1:1/none"
    with pytest.raises(Problem) as refused:
        house.open()

    assert refused.value.code == "evidence.unreachable-store"
    assert "hush" not in str(refused.value)


def test_a_killed_log_in_postgresql_keeps_all_it_acknowledged(
    house: Any, drill: Callable[[Any, int, int], None], short_lease: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOFTE_TEST_LEASE_S", "1")
    drill(house, 4, 9162)
