"""`publish`: a checked policy becomes frozen bytes, a signed log entry and the version in force, in that order.

Everything is durable before it is named: objects, then the log entry, then the manifest, then `current`. A crash in
between leaves the earlier version in force, and publishing again picks up where it stopped. Needs no database.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from lofte.evidence.log import Draft, Log
from lofte.features.policy import reads
from lofte.kernel.canonical import canonical_bytes, sha256_hex
from lofte.kernel.instants import from_rfc3339, rfc3339
from lofte.kernel.problems import Problem
from lofte.rules.check import check_source, errors
from lofte.rules.compile import Compiled, compile_policy
from lofte.rules.published import Published
from lofte.rules.source import Source, read


def publish(files: Mapping[str, str], home: Path, log: Log, at: datetime) -> Published:
    """Check, compile, freeze, log and put in force. Publishing what is in force already changes nothing.

    Raises Problem when the policy has errors, or when the log cannot take the entry: then nothing changed.
    """
    source = read(files)
    found = errors(check_source(source, at.date()))
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise Problem(
            "policy.not-publishable", f"{found[0]}{more}", found[0].place, law=found[0].law, way_out="Run `lofte check`."
        )  # fmt: skip
    folder = home / "published"
    with _alone(folder):
        current = reads.current_digest(home)
        if current and (unchanged := _unchanged(home, current, source, at)):
            return unchanged
        previous = reads.published(home, current) if current else None
        compiled = compile_policy(source, at, previous)
        return _put_in_force(folder, compiled, current, log, at)


def _unchanged(home: Path, current: str, source: Source, at: datetime) -> Published | None:
    """The version in force, when compiling on top of its own predecessor gives it again; whole, whatever befell its files."""
    manifest = reads.manifest(home, current)
    previous = reads.published(home, manifest["previous"]) if manifest["previous"] else None
    if compile_policy(source, at, previous).published.digest != current:
        return None
    if any(_is_altered(home / "published" / "objects" / name, name) for name in manifest["files"].values()):
        # The same source at the same moment gives the same bytes.
        again = compile_policy(source, from_rfc3339(manifest["published_at"]), previous)
        for name, body in again.files.items():
            if sha256_hex(body) == manifest["files"].get(name):
                _freeze(home / "published" / "objects", body)
    return reads.published(home, current)


def _put_in_force(folder: Path, compiled: Compiled, previous: str | None, log: Log, at: datetime) -> Published:
    published = compiled.published
    hashes = {name: _freeze(folder / "objects", body) for name, body in compiled.files.items()}
    _flush_directory(folder / "objects")
    # The fact names the digest and not the hashes: it must be the same when a crash makes us log it again.
    fact = {"digest": published.digest, "version": published.version, "previous": previous or ""}
    draft = Draft("publication", canonical_bytes(fact), None, published.digest, f"publication:{published.digest}")
    committed = log.append_and_wait(draft)
    manifest = {
        "digest": published.digest,
        "version": published.version,
        "published_at": rfc3339(at),
        "evidence_index": committed.index,
        "files": hashes,
        "previous": previous,
        "signature": committed.checkpoint,
    }
    body = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"
    write_whole(folder / "publications" / f"{published.digest}.json", body)
    write_whole(folder / "current", published.digest.encode() + b"\n")
    return published


def _freeze(objects: Path, body: bytes) -> str:
    """Keep bytes under their hash; bytes already kept stay untouched, unless something had altered them."""
    name = sha256_hex(body)
    target = objects / name
    if _is_altered(target, name):
        write_whole(target, body, flush_directory=False)
    return name


def _is_altered(target: Path, name: str) -> bool:
    return not target.is_file() or sha256_hex(target.read_bytes()) != name


def write_whole(target: Path, body: bytes, *, flush_directory: bool = True) -> None:
    """Whole or not at all, and on the disk when this returns."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.half")
    with half.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    half.replace(target)
    if flush_directory:
        _flush_directory(target.parent)


def _flush_directory(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One publication at a time in a home, whichever process it comes from."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
