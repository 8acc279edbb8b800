"""The evidence log: one sequencer thread, group commit, durable before answer.

The life of an event: `append` checks its form and queues it -> the sequencer drains up to 1024 -> salts, entries, leaf
hashes, tiles, new head in ONE transaction with one flush -> the head is signed, noted beside the keys, and only then is
anyone answered. The first error of a flush makes the log read-only until a restart has checked the store: a failed
flush is never retried, since the kernel may have dropped the pages. A head is signed only after its commit and only
once per size, so there are never two roots for one size. Any thread may append and read.
"""

import json
import logging
import os
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from lofte.evidence import keys, proof, receipt, tiles
from lofte.evidence.checkpoint import Checkpoint
from lofte.evidence.commitment import (
    FACT_TAG,
    SALT_BYTES,
    WHO_TAG,
    commitment,
    read_entry,
    write_entry,
)
from lofte.evidence.drafts import Committed, Draft, Opened, Outcome, demand_sound
from lofte.evidence.identity import identify, open_store
from lofte.evidence.note import SignerKey
from lofte.evidence.selfcheck import demand_intact, differences
from lofte.evidence.store import Batch, Head, Row, Store
from lofte.evidence.tile_tree import TileTree
from lofte.evidence.tree import EMPTY_ROOT, leaf_hash
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem

__all__ = ["Committed", "Draft", "Log", "Opened", "Outcome", "open_log"]

MOST_IN_A_COMMIT = 1024
_MOST_TOGETHER = 256
MOST_WAITING = 16_384  # beyond this a caller is told to come back: two seconds of work at the promised rate
_KEY_BYTES = 16
_log = logging.getLogger(__name__)

Done = Callable[[Outcome], None]
Deliver = Callable[[list[tuple[Any, Outcome]]], None]
"""Takes every (ticket, outcome) of one commit that was appended with this same deliverer: one call a batch."""
OnBatch = Callable[[list[tuple[Draft, Committed]]], None]


@dataclass(frozen=True, slots=True)
class _Chore:
    """Work for the sequencer thread between two batches."""

    do: Callable[[], None]
    result: "Future[None]"


_Pending = tuple[Sequence[Draft], Sequence[Any], Deliver]
"""What was handed over together: drafts, the ticket of each, and who takes the answers."""


class Log:
    """Use `open_log`. `on_batch` hooks run on the sequencer thread after each durable commit, before the callers'
    answers.
    """

    def __init__(
        self,
        store: Store,
        signer: SignerKey,
        second: keys.LastSigned,
        tree: TileTree,
        head: Head,
        now: Callable[[], datetime],
        random: Callable[[int], bytes],
    ) -> None:
        # Set once, read by all.
        self._store = store
        self._signer = signer
        self._second = second
        self._now = now
        self._random = random
        self._vkey = str(signer.verifier)
        self.on_batch: list[OnBatch] = []
        # Written by the sequencer only.
        self._tree = tree
        self._signed_size = head.size
        self._head = (head.size, head.root, self._note(head.size, head.root))
        self._read_only = False
        # Shared: the queue, and the door that closes it.
        self._queue: queue.SimpleQueue[_Pending | _Chore | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._sequence, name="lofte-sequencer", daemon=True)
        self._thread.start()

    # Appending

    def append(self, draft: Draft, done: Done) -> None:
        """Queues an event; `done` is called on the sequencer thread once it is durable, or with the Problem.

        Raises Problem at once when the draft is malformed, or when the log is closed or has too much waiting.
        """
        self.append_for(draft, done, _tell_each)

    def append_for(self, draft: Draft, ticket: Any, deliver: Deliver) -> None:
        """As `append`, but the answers of one commit come together: `deliver([(ticket, outcome), ...])`.

        For an event loop that wants to be woken once a batch (see `lofte.evidence.aio`).
        """
        demand_sound(draft)
        self._admit()
        self._queue.put(((draft,), (ticket,), deliver))

    def append_many(self, drafts: Sequence[Draft], deliver: Deliver, tickets: Sequence[Any] | None = None) -> None:
        """Appends in order, in one hand-over to the sequencer; without `tickets` each answer has its place in `drafts`.

        All or none: raises Problem before anything is queued.
        """
        for draft in drafts:
            demand_sound(draft)
        self._admit()
        named = range(len(drafts)) if tickets is None else tickets
        for at in range(0, len(drafts), _MOST_TOGETHER):
            self._queue.put((drafts[at : at + _MOST_TOGETHER], named[at : at + _MOST_TOGETHER], deliver))

    def _admit(self) -> None:
        if self._queue.qsize() >= MOST_WAITING:
            raise Problem(
                "evidence.busy",
                "too many events are waiting to be recorded",
                way_out="Try again in a second.",
                status=503,
            )
        if self._is_closed:
            raise _closed()

    def submit(self, draft: Draft) -> "Future[Committed]":
        future: Future[Committed] = Future()
        self.append_for(draft, future, _settle_futures)
        return future

    def append_and_wait(self, draft: Draft, timeout_s: float = 10) -> Committed:
        """Raises Problem, or TimeoutError when nothing was heard; the event may still become durable then."""
        return self.submit(draft).result(timeout_s)

    def shred(self, indexes: Sequence[int]) -> None:
        """Destroys salt and payload of `who` for these entries, and their old bytes. Idempotent; returns when done."""
        self._on_sequencer(lambda: self._guarded(lambda: self._store.shred(indexes)))

    # Reading

    def checkpoint(self) -> str:
        return self._head[2]

    def vkey(self) -> str:
        return self._vkey

    def size(self) -> int:
        return self._head[0]

    def waiting(self) -> int:
        """Hand-overs queued and not yet taken up, for metrics."""
        return self._queue.qsize()

    def is_read_only(self) -> bool:
        return self._read_only

    def proof(self, index: int, size: int | None = None) -> str:
        """The tlog-proof of an entry, in the newest head or in that of `size`, with the entry as its extra line."""
        return self._proof(index, self._demand_entry(index), *self._signed_head(size))

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The proof that the tree of `new` entries (newest head if None) begins with that of `old`."""
        new = self.size() if new is None else new
        if not 0 <= old <= new <= self.size():
            raise _not_here("the log has no trees of these sizes")
        return self._tree.consistency_proof(old, new)

    def entry(self, index: int) -> bytes:
        return self._demand_entry(index)

    def opened(self, index: int) -> Opened:
        row = self._demand_opening(index)
        policy = read_entry(self._demand_entry(index))["policy"]
        return Opened(index, row.kind, policy, row.fact, row.fact_salt, row.who, row.who_salt, row.was_shredded)

    def find(self, kind: str, limit: int, before: int | None = None) -> list[int]:
        """Indexes of a kind, newest first, below `before`."""
        return self._store.find(kind, limit, before)

    def receipt(self, index: int) -> dict[str, Any]:
        """The receipt of an entry against the newest head; without `who` once that is shredded."""
        return self._receipt(index, with_who=True)

    def sealed_receipt(self, index: int) -> dict[str, Any]:
        """The same without `who`: what may be shown to somebody else than the person."""
        return self._receipt(index, with_who=False)

    def receipt_bytes(self, draft: Draft, committed: Committed) -> bytes:
        """The receipt as JSON, straight after the commit, without reading the store: cheap enough for every answer."""
        text = self._proof(committed.index, committed.entry, committed.size, committed.checkpoint)
        who = None if draft.who is None or committed.who_salt is None else (committed.who_salt, draft.who)
        return receipt.write_receipt(
            committed.index, draft.kind, draft.policy, (committed.fact_salt, draft.fact), who, text, self._vkey
        )

    def tile(self, level: int, index: int, width: int | None = None) -> bytes:
        """A tile of hashes; `width` for a partial one. Raises Problem (404) beyond the newest head."""
        there = self.size() >> tiles.HEIGHT * level
        wide = self._demand_width(there, index, width)
        return self._tree.tile(level, index, wide)

    def bundle(self, index: int, width: int | None = None) -> bytes:
        """An entry bundle, full or partial."""
        wide = self._demand_width(self.size(), index, width)
        return tiles.bundle(self._store.entries(index * tiles.WIDTH, index * tiles.WIDTH + wide))

    def check_everything(self) -> list[str]:
        """Rehashes every entry, opening and tile; says what contradicts what, and where. Empty when all is well."""
        return list(differences(self._store))

    def close(self) -> None:
        """Commits what is queued, then stops. Idempotent."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
        self._queue.put(None)
        self._thread.join()
        self._second.close()
        self._store.close()

    # The sequencer thread

    def _sequence(self) -> None:
        is_open = True
        while is_open:
            batch, chore, is_open = self._next_batch()
            if batch:
                self._deliver(batch, self._guarded_commit(batch))
            if chore is not None:
                _settle(chore)
        self._refuse_the_rest()

    def _next_batch(self) -> tuple[list[_Pending], _Chore | None, bool]:
        """Waits for work, then takes what is there. A chore or the end closes the batch, so order is kept."""
        batch: list[_Pending] = []
        size = 0
        item = self._queue.get()
        while True:
            if item is None:
                return batch, None, False
            if isinstance(item, _Chore):
                return batch, item, True
            batch.append(item)
            size += len(item[0])
            if size >= MOST_IN_A_COMMIT - _MOST_TOGETHER:
                return batch, None, True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, None, True

    def _guarded_commit(self, batch: list[_Pending]) -> list[Outcome]:
        drafts = [draft for together, _, _ in batch for draft in together]
        outcomes: list[Outcome] = []
        try:
            self._guarded(lambda: outcomes.extend(self._commit(drafts)))
        except Problem as problem:
            return [problem] * len(drafts)
        return outcomes

    def _guarded(self, do: Callable[[], None]) -> None:
        if self._read_only:
            raise _read_only()
        try:
            do()
        except Exception as wrong:  # whatever the store raised, the outcome on disk is unknown
            self._read_only = True
            _log.critical("evidence log is read-only", extra=_fields(wrong))
            raise _read_only() from wrong

    def _commit(self, drafts: list[Draft]) -> list[Outcome]:
        digests = [sha256(draft.key.encode()).digest()[:_KEY_BYTES] for draft in drafts]
        known = self._store.known(digests)
        fresh = {digest: draft for digest, draft in zip(digests, drafts, strict=True) if digest not in known}
        made = self._commit_fresh(fresh) if fresh else {}
        return [made[digest] if digest in made else self._committed_before(known[digest]) for digest in digests]

    def _commit_fresh(self, fresh: dict[bytes, Draft]) -> dict[bytes, Committed]:
        first = self._tree.size
        salts = self._random(2 * SALT_BYTES * len(fresh))
        entries, openings = [], []
        for place, (digest, draft) in enumerate(fresh.items()):
            at = 2 * SALT_BYTES * place
            fact_salt, who_salt, who = salts[at : at + SALT_BYTES], None, None
            if draft.who is not None:
                who_salt = salts[at + SALT_BYTES : at + 2 * SALT_BYTES]
                who = commitment(WHO_TAG, who_salt, draft.who)
            entries.append(write_entry(draft.kind, draft.policy, commitment(FACT_TAG, fact_salt, draft.fact), who))
            openings.append((first + place, draft.kind, digest, fact_salt, draft.fact, who_salt, draft.who))
        filled = self._tree.append(map(leaf_hash, entries))
        size = self._tree.size
        head = Head(size, self._tree.root(size), rfc3339(self._now()))
        self._store.commit(Batch(first, entries, openings, filled, head))
        checkpoint = self._sign_new(head)
        made = {
            digest: Committed(opening[0], size, entry, opening[3], opening[5], checkpoint)
            for (digest, entry, opening) in zip(fresh, entries, openings, strict=True)
        }
        self._tell_hooks(list(zip(fresh.values(), made.values(), strict=True)))
        return made

    def _sign_new(self, head: Head) -> str:
        """Signs a committed head. The guard: sizes only grow, so no size is ever signed with a second root."""
        if head.size <= self._signed_size:
            raise RuntimeError("a head of this size has been signed already")
        signed = self._note(head.size, head.root)
        self._second.write(signed)
        self._signed_size = head.size
        self._head = (head.size, head.root, signed)
        return signed

    def _committed_before(self, index: int) -> Committed:
        """The same answer as the first time: Ed25519 is deterministic, so even the signature is the same."""
        row, head = self._demand_opening(index), self._store.head_covering(index)
        assert head is not None, "an entry without a head cannot have been committed"
        return Committed(
            index, head.size, self._demand_entry(index), row.fact_salt, row.who_salt, self._note(head.size, head.root)
        )

    def _tell_hooks(self, told: list[tuple[Draft, Committed]]) -> None:
        for hook in self.on_batch:
            try:
                hook(told)
            except Exception as wrong:  # a listener's fault must not stop the log, and the entries are durable
                _log.error("a listener to the evidence log failed", extra=_fields(wrong))

    def _deliver(self, batch: list[_Pending], outcomes: list[Outcome]) -> None:
        grouped: dict[Deliver, list[tuple[Any, Outcome]]] = {}
        at = 0
        for drafts, tickets, deliver in batch:
            grouped.setdefault(deliver, []).extend(zip(tickets, outcomes[at : at + len(drafts)], strict=True))
            at += len(drafts)
        for deliver, answers in grouped.items():
            try:
                deliver(answers)
            except Exception as wrong:  # a caller's fault must not stop the log
                _log.error("a caller of the evidence log failed on its answer", extra=_fields(wrong))

    def _refuse_the_rest(self) -> None:
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return
            if isinstance(item, _Chore):
                item.result.set_exception(_closed())
            elif item is not None:
                self._deliver([item], [_closed()] * len(item[0]))

    def _on_sequencer(self, do: Callable[[], None]) -> None:
        if self._is_closed:
            raise _closed()
        chore = _Chore(do, Future())
        self._queue.put(chore)
        chore.result.result()

    # Shared reading

    def _note(self, size: int, root: bytes) -> str:
        """Ed25519 of a head that is committed; only called for heads in the store (or the empty one)."""
        return self._signer.sign(Checkpoint(self._signer.verifier.name, size, root).text())

    def _signed_head(self, size: int | None) -> tuple[int, str]:
        newest, _, signed = self._head
        if size is None or size == newest:
            return newest, signed
        head = self._store.head_of(size) if 0 < size < newest else None
        if head is None:
            raise _not_here("the log has signed no head of this size")
        return size, self._note(size, head.root)

    def _proof(self, index: int, entry: bytes, size: int, signed: str) -> str:
        if not 0 <= index < size:
            raise _not_here("the entry is not in the tree of this size")
        return proof.write_proof(index, self._tree.inclusion_proof(index, size), signed, entry)

    def _receipt(self, index: int, with_who: bool) -> dict[str, Any]:
        size, signed = self._signed_head(None)
        entry, opened = self._demand_entry(index), self.opened(index)
        who = (
            (opened.who_salt, opened.who)
            if with_who and opened.who is not None and opened.who_salt is not None
            else None
        )
        text = self._proof(index, entry, size, signed)
        data = receipt.write_receipt(
            index, opened.kind, opened.policy, (opened.fact_salt, opened.fact), who, text, self._vkey
        )
        found: dict[str, Any] = json.loads(data)
        return found

    def _demand_entry(self, index: int) -> bytes:
        found = self._store.entries(index, index + 1) if 0 <= index < self.size() else []
        if not found:
            raise _not_here("the log has no such entry")
        return found[0]

    def _demand_opening(self, index: int) -> Row:
        row = self._store.opening(index) if 0 <= index < self.size() else None
        if row is None:
            raise _not_here("the log has no such entry")
        return row

    @staticmethod
    def _demand_width(there: int, index: int, width: int | None) -> int:
        """Width to serve of tile `index` on a level with `there` hashes. Partial widths of earlier heads stay
        available.
        """
        available = min(there - index * tiles.WIDTH, tiles.WIDTH)
        wide = tiles.WIDTH if width is None else width
        if index < 0 or not 0 < wide <= available:
            raise _not_here("the log has no such tile")
        return wide


def open_log(
    location: str | Path,
    keys_directory: Path,
    origin: str,
    now: Callable[[], datetime],
    random: Callable[[int], bytes] = os.urandom,
) -> Log:
    """Opens the log in an SQLite file or a PostgreSQL database (`postgresql://...`), creating it the first time.

    Refuses with a Problem rather than guess: unsafe settings, a second writer, a missing or foreign key, a store that
    is older or other than what this log has signed.
    """
    receipt.demand_plain_origin(origin)
    store = open_store(location, random)
    try:
        signer, second = identify(store, Path(keys_directory), origin, random)
        tree = demand_intact(store, second.read(signer.verifier) if second.exists() else None)
        head = store.last_head() or Head(0, EMPTY_ROOT, "")
        return Log(store, signer, second, tree, head, now, random)
    except BaseException:
        store.close()
        raise


def _tell_each(answers: list[tuple[Any, Outcome]]) -> None:
    for done, outcome in answers:
        try:
            done(outcome)
        except Exception as wrong:  # one caller's fault must not rob the next of its answer
            _log.error("a caller of the evidence log failed on its answer", extra=_fields(wrong))


def _settle_futures(answers: list[tuple[Any, Outcome]]) -> None:
    for future, outcome in answers:
        if not future.set_running_or_notify_cancel():
            continue  # the caller gave up; the entry stands
        if isinstance(outcome, Problem):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _settle(chore: _Chore) -> None:
    try:
        chore.do()
    except Exception as wrong:
        chore.result.set_exception(wrong)
    else:
        chore.result.set_result(None)


def _fields(wrong: Exception) -> dict[str, dict[str, str]]:
    """What a log line may say of a fault: its kind, never its text."""
    return {"fields": {"error": type(wrong).__name__}}


def _read_only() -> Problem:
    return Problem(
        "evidence.read-only",
        "the evidence log could not write and takes no more events",
        way_out="Check the disk, then restart: the start checks the store against the last signed head.",
        status=503,
    )


def _closed() -> Problem:
    return Problem("evidence.closed", "the evidence log is closed", way_out="Start the service again.", status=503)


def _not_here(detail: str) -> Problem:
    return Problem("evidence.not-found", detail, status=404)
