"""The ways out when a log refuses to open because its store is older than what it has signed, or gone.

`import_entries` fills the store up from a mirror: the tree is whole again and every receipt holds, but the openings of the
filled-in entries are gone. `succeed` gives the log up and opens another, whose first entry carries the old log's last head and a
statement signed with its key. `branch` gives up only what was lost: another log begins with the entries that there still are, so
that their indexes stay, under another name and key, so that there are never two roots for one size of one log. All are for an
operator, with the service stopped.
"""

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from lofte.evidence import keys
from lofte.evidence.checkpoint import Checkpoint
from lofte.evidence.drafts import Draft
from lofte.evidence.identity import identify, open_store
from lofte.evidence.log import Log, open_log
from lofte.evidence.note import SignerKey
from lofte.evidence.selfcheck import read_tree
from lofte.evidence.store import Batch, Head, Store
from lofte.evidence.tree import EMPTY_ROOT, leaf_hash
from lofte.kernel.canonical import canonical_bytes
from lofte.kernel.instants import rfc3339
from lofte.kernel.problems import Problem


def import_entries(
    location: str | Path,
    keys_directory: Path,
    origin: str,
    entries: Iterable[bytes],
    now: Callable[[], datetime],
    random: Callable[[int], bytes] = os.urandom,
) -> int:
    """Appends the entries that the store lacks, as a mirror of the log has them, in order; returns how many.

    Nothing is written unless they lead to exactly the head this log signed last. Raises Problem otherwise.
    """
    store = open_store(location, random)
    try:
        signer, second = identify(store, Path(keys_directory), origin, random)
        wanted = second.read(signer.verifier) if second.exists() else None
        if wanted is None:
            raise _refusal("there is no last signed head to fill the store up to")
        return _fill_up(store, wanted, list(entries), rfc3339(now()))
    finally:
        store.close()


def _fill_up(store: Store, wanted: Checkpoint, entries: list[bytes], at: str) -> int:
    size, head = store.size(), store.last_head() or Head(0, EMPTY_ROOT, "")
    tree = read_tree(store, size)
    if tree is None or (head.size, head.root) != (size, tree.root(size)):
        raise _refusal("the store itself was altered, so nothing can be built on it")
    if not entries or size + len(entries) != wanted.size:
        raise _refusal(
            f"the store has {size} entries and the last signed head {wanted.size}, so exactly the rest is needed"
        )
    filled = tree.append(map(leaf_hash, entries))
    if tree.root(wanted.size) != wanted.root:
        raise _refusal("these entries do not lead to the head that this log signed last")
    store.commit(Batch(size, entries, [], filled, Head(wanted.size, wanted.root, at)))
    return len(entries)


def succeed(
    old_keys: Path,
    location: str | Path,
    keys_directory: Path,
    origin: str,
    now: Callable[[], datetime],
    random: Callable[[int], bytes] = os.urandom,
) -> Log:
    """Closes the log of `old_keys` for good and opens its successor in a new place, under a new origin.

    Keep the old store and keys: what they still hold can be read and verified. Raises Problem.
    """
    signer = keys.read_signer(old_keys / "log.key")
    second = keys.LastSigned(old_keys / "last_signed")
    last = second.read(signer.verifier) if signer and second.exists() else None
    if signer is None or last is None:
        raise _refusal("the old log's key or its last signed head is missing, so nobody can sign that it is closed")
    if origin == last.origin or Path(keys_directory).resolve() == Path(old_keys).resolve():
        raise _refusal("a successor needs an origin and a keys directory of its own")
    log = open_log(location, keys_directory, origin, now, random)
    statement = signer.sign(f"This log is closed.\n{last.origin}\n{last.size}\nIt is succeeded by\n{log.vkey()}\n")
    fact = {"at": rfc3339(now()), "head": signer.sign(last.text()), "log": last.origin, "statement": statement}
    try:
        if log.append_and_wait(Draft("succession", canonical_bytes(fact), None, "", f"succession:{last.origin}")).index:
            raise _refusal("the successor's log is not empty, so this cannot be its first entry")
    except BaseException:
        log.close()
        raise
    return log


def branch(
    location: str | Path,
    keys_directory: Path,
    reason: str,
    known: Checkpoint | None,
    now: Callable[[], datetime],
    random: Callable[[int], bytes] = os.urandom,
) -> Log:
    """Closes the log for good and opens, in its place, another that begins with the entries of this (older) store.

    ``known`` is the newest head of the closed log that is known; what it had beyond this store is lost, and the new log's first own
    entry says so, with the statement of closing signed by the old key, which is then destroyed. Raises Problem.
    """
    old = keys.read_signer(keys_directory / "log.key")
    if old is None:
        raise _refusal("the log's key is missing, so nobody can sign that it is closed")
    origin = _next_name(old.verifier.name)
    store = open_store(location, random)
    try:
        if store.identity() != (old.verifier.name, str(old.verifier)):
            raise _refusal("the key is not that of the log in this store")
        size, head = store.size(), store.last_head() or Head(0, EMPTY_ROOT, "")
        tree = read_tree(store, size)
        if tree is None or (head.size, head.root) != (size, tree.root(size)):
            raise _refusal("the store itself was altered, so nothing can be built on it")
        signer = SignerKey(origin, random(32))
        store.begin_anew(origin, str(signer.verifier))
    finally:
        store.close()
    at_least = max(size, known.size if known else 0)
    statement = old.sign(
        f"This log is closed.\n{old.verifier.name}\n{at_least}\nIt is succeeded by\n{signer.verifier}\n"
        f"which begins with its first {size} entries.\n"
    )
    keys.replace(keys_directory / "last_signed", keys.as_slots(signer.sign(Checkpoint(origin, size, head.root).text())))
    keys.replace(keys_directory / "log.key", (signer.private_text() + "\n").encode())
    log = open_log(location, keys_directory, origin, now, random)
    from_here = old.sign(Checkpoint(old.verifier.name, size, head.root).text())
    fact = {
        "at": rfc3339(now()), "event": "succession.branched", "head": from_here, "known_size": known.size if known else None,
        "log": old.verifier.name, "reason": reason, "size": size, "statement": statement,
    }  # fmt: skip
    try:
        log.append_and_wait(Draft("succession", canonical_bytes(fact), None, "", f"branch:{origin}"))
    except BaseException:
        log.close()
        raise
    return log


def _next_name(name: str) -> str:
    """``example.com/lofte/log``, ``example.com/lofte/log/2``, ``…/3``."""
    before, _, last = name.rpartition("/")
    return f"{before}/{int(last) + 1}" if before and last.isdecimal() else f"{name}/2"


def _refusal(detail: str) -> Problem:
    return Problem("evidence.no-succession", detail, way_out="Nothing was changed in the old log.", status=409)
