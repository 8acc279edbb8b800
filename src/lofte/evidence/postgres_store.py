"""The evidence log in PostgreSQL: one writer by a lease row, a flush for every commit, reads on a second connection.

Trust: as for the SQLite file, and whoever administers the server can read openings that were not shredded. The lease
is an ordinary row, renewed in each commit, so a writer that lost it cannot commit: its head would lack the holder. No
sequences, triggers, notifications or advisory locks, so engines that speak PostgreSQL's protocol can carry it.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Any

import psycopg

from lofte.evidence.store import Batch, Head, Row
from lofte.kernel.problems import Problem

LEASE_S = 10.0
_HEARTBEAT_S = LEASE_S / 3
_SCHEMA_VERSION = 1

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS lofte_evidence;
CREATE TABLE lofte_evidence.identity (
  one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL, origin text, vkey text
);
CREATE TABLE lofte_evidence.lease (
  one integer PRIMARY KEY CHECK (one = 1), holder text, expires_at timestamptz NOT NULL
);
CREATE TABLE lofte_evidence.entries (idx bigint PRIMARY KEY, entry bytea NOT NULL);
CREATE TABLE lofte_evidence.tiles (level integer, idx bigint, hashes bytea NOT NULL, PRIMARY KEY (level, idx));
CREATE TABLE lofte_evidence.heads (
  size bigint PRIMARY KEY, root bytea NOT NULL, at text NOT NULL, holder text NOT NULL
);
CREATE TABLE lofte_evidence.openings (
  idx bigint PRIMARY KEY, kind text NOT NULL, key bytea NOT NULL UNIQUE, fact_salt bytea NOT NULL, fact bytea NOT NULL,
  was_shredded boolean NOT NULL DEFAULT false, who_salt bytea, who bytea
);
CREATE INDEX openings_by_kind ON lofte_evidence.openings (kind, idx);
INSERT INTO lofte_evidence.identity VALUES (1, 1, NULL, NULL);
INSERT INTO lofte_evidence.lease VALUES (1, NULL, clock_timestamp());
"""

_TAKE = """
UPDATE lofte_evidence.lease SET holder = %(me)s, expires_at = clock_timestamp() + make_interval(secs => %(secs)s)
WHERE one = 1 AND (holder IS NULL OR holder = %(me)s OR expires_at < clock_timestamp())
"""
_RENEW = """
UPDATE lofte_evidence.lease SET expires_at = clock_timestamp() + make_interval(secs => %s) WHERE one = 1 AND holder = %s
"""
_RETURN = "UPDATE lofte_evidence.lease SET holder = NULL WHERE one = 1 AND holder = %s"
_INTO_ENTRIES = "INSERT INTO lofte_evidence.entries SELECT * FROM unnest(%b::bigint[], %b::bytea[])"
_INTO_OPENINGS = """
INSERT INTO lofte_evidence.openings (idx, kind, key, fact_salt, fact, who_salt, who)
SELECT * FROM unnest(%b::bigint[], %b::text[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[])
"""
_INTO_TILES = "INSERT INTO lofte_evidence.tiles SELECT * FROM unnest(%b::integer[], %b::bigint[], %b::bytea[])"
# A lost lease makes the holder NULL, and the head, the whole commit with it, impossible.
_INTO_HEADS = """
INSERT INTO lofte_evidence.heads
SELECT %s, %b, %s, (SELECT holder FROM lofte_evidence.lease WHERE one = 1 AND holder = %s)
"""
_SHRED = """
UPDATE lofte_evidence.openings SET was_shredded = true, who_salt = NULL, who = NULL
WHERE idx = ANY(%s) AND NOT was_shredded AND who IS NOT NULL
"""


class PostgresStore:
    def __init__(self, url: str, holder: str) -> None:
        """`holder` is this process's own word. Raises Problem on unsafe settings or when another writer lives."""
        self._url = url
        self._me = holder
        self._reading = threading.Lock()
        self._ending = threading.Event()
        self._heart: threading.Thread | None = None
        with ExitStack() as undo:
            try:
                self._writer = undo.enter_context(closing(_connect(url)))
                self._reader = undo.enter_context(closing(_connect(url)))
                _demand_durable(self._writer)
                self._demand_schema()
                self._take_lease()
            except psycopg.Error as wrong:
                raise _unreachable(wrong) from None  # a driver's message may quote the address with its password
            undo.pop_all()
        self._heart = threading.Thread(target=self._beat, name="lofte-evidence-lease", daemon=True)
        self._heart.start()

    def identity(self) -> tuple[str, str] | None:
        origin, vkey = self._read("SELECT origin, vkey FROM lofte_evidence.identity")[0]
        return (origin, vkey) if origin is not None else None

    def begin(self, origin: str, vkey: str) -> None:
        self._writer.execute("UPDATE lofte_evidence.identity SET origin = %s, vkey = %s", (origin, vkey))

    def begin_anew(self, origin: str, vkey: str) -> None:
        self.begin(origin, vkey)

    def known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        found = self._writer.execute("SELECT key, idx FROM lofte_evidence.openings WHERE key = ANY(%b)", (list(keys),))
        return {bytes(key): index for key, index in found.fetchall()}

    def commit(self, batch: Batch) -> None:
        indexes = list(range(batch.first, batch.first + len(batch.entries)))
        columns = [list(column) for column in zip(*batch.openings, strict=True)]
        head = batch.head
        # One round trip: the statements travel together and the commit is answered when the server has flushed it.
        with self._writer.pipeline(), self._writer.transaction():
            self._writer.execute(_RENEW, (LEASE_S, self._me))
            self._writer.execute(_INTO_ENTRIES, (indexes, list(batch.entries)))
            self._writer.execute(_INTO_OPENINGS, columns)
            if batch.tiles:
                self._writer.execute(_INTO_TILES, [list(column) for column in zip(*batch.tiles, strict=True)])
            self._writer.execute(_INTO_HEADS, (head.size, head.root, head.at, self._me))

    def shred(self, indexes: Sequence[int]) -> None:
        self._writer.execute(_SHRED, (list(indexes),))
        # Takes the dead rows away; what archived write-ahead logs and replicas hold goes with their own retention.
        self._writer.execute("VACUUM lofte_evidence.openings")

    def size(self) -> int:
        return int(self._read("SELECT coalesce(max(idx) + 1, 0) FROM lofte_evidence.entries")[0][0])

    def last_head(self) -> Head | None:
        return self._head("ORDER BY size DESC LIMIT 1")

    def head_covering(self, index: int) -> Head | None:
        return self._head("WHERE size > %s ORDER BY size LIMIT 1", index)

    def head_of(self, size: int) -> Head | None:
        return self._head("WHERE size = %s", size)

    def entries(self, first: int, end: int) -> list[bytes]:
        sql = "SELECT entry FROM lofte_evidence.entries WHERE idx >= %s AND idx < %s ORDER BY idx"
        return [row[0] for row in self._read(sql, first, end)]

    def opening(self, index: int) -> Row | None:
        found = self._read(
            "SELECT idx, kind, key, fact_salt, fact, who_salt, who, was_shredded"
            " FROM lofte_evidence.openings WHERE idx = %s",
            index,
        )
        return Row(*found[0]) if found else None

    def tile(self, level: int, index: int) -> bytes | None:
        found = self._read("SELECT hashes FROM lofte_evidence.tiles WHERE level = %s AND idx = %s", level, index)
        return found[0][0] if found else None

    def find(self, kind: str, limit: int, before: int | None) -> list[int]:
        below = before if before is not None else 2**62
        sql = "SELECT idx FROM lofte_evidence.openings WHERE kind = %s AND idx < %s ORDER BY idx DESC LIMIT %s"
        return [row[0] for row in self._read(sql, kind, below, limit)]

    def close(self) -> None:
        self._ending.set()
        if self._heart is not None:
            self._heart.join()
        try:
            with self._reading:
                self._reader.execute(_RETURN, (self._me,))
        except psycopg.Error:
            pass  # the lease runs out by itself
        self._reader.close()
        self._writer.close()

    def _demand_schema(self) -> None:
        if self._writer.execute("SELECT to_regclass('lofte_evidence.identity')").fetchone() == (None,):
            with self._writer.transaction():
                self._writer.execute(_SCHEMA)
        version = self._read("SELECT version FROM lofte_evidence.identity")[0][0]
        if version != _SCHEMA_VERSION:
            raise Problem(
                "evidence.unknown-schema",
                f"the store has schema version {version}",
                expected=str(_SCHEMA_VERSION),
                way_out="Start the Löfte version that wrote it.",
                status=500,
            )

    def _take_lease(self) -> None:
        """Takes the lease, waiting for a killed process's to run out. A holder that renews it meanwhile is alive."""
        seen = None
        give_up_at = time.monotonic() + LEASE_S + 1
        while self._writer.execute(_TAKE, {"me": self._me, "secs": LEASE_S}).rowcount == 0:
            held = self._read("SELECT holder, expires_at FROM lofte_evidence.lease")
            if (seen is not None and held != seen) or time.monotonic() > give_up_at:
                raise Problem(
                    "evidence.second-writer",
                    "another process already writes this evidence log",
                    way_out="Stop the other process; one log has one writer.",
                    status=503,
                )
            seen = held
            time.sleep(0.1)

    def _beat(self) -> None:
        """Keeps the lease while nothing is committed. A failure is left to the next commit, which will notice."""
        while not self._ending.wait(_HEARTBEAT_S):
            try:
                with self._reading:
                    self._reader.execute(_RENEW, (LEASE_S, self._me))
            except psycopg.Error:
                continue

    def _head(self, where: str, *values: int) -> Head | None:
        found = self._read(f"SELECT size, root, at FROM lofte_evidence.heads {where}", *values)  # noqa: S608  # ours
        return Head(*found[0]) if found else None

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with self._reading:
            try:
                return self._reader.execute(sql, values).fetchall()
            except psycopg.OperationalError:
                if not self._reader.closed:
                    raise
            self._reader = _connect(self._url)  # the server was restarted; reading may go on
            return self._reader.execute(sql, values).fetchall()


def _unreachable(wrong: psycopg.Error) -> Problem:
    return Problem(
        "evidence.unreachable-store",
        f"PostgreSQL refuses the evidence store: {type(wrong).__name__}",
        way_out="Check that the server runs and that this user may create a schema in the database.",
        status=503,
    )


def _connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, application_name="lofte-evidence", connect_timeout=10)


def _demand_durable(connection: psycopg.Connection[Any]) -> None:
    for setting, unsafe in (("synchronous_commit", "off"), ("fsync", "off"), ("full_page_writes", "off")):
        found = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
        if found == (unsafe,):
            raise Problem(
                "evidence.unsafe-store",
                f"PostgreSQL runs with {setting} = {unsafe}: it would answer before the disk has the entry",
                expected=f"{setting} = on",
                way_out=f"Set {setting} = on for this database or server, then start again.",
                status=503,
            )
