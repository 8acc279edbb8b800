"""What a copy says of itself: its files with sizes and digests, signed by the key of the log. No Django here.

``manifest.json`` holds it, ``manifest.sig`` is a C2SP signed note over its digest. A copy without both, or with a file more or less
than they name, is no copy.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lofte.evidence import note
from lofte.kernel.canonical import canonical_bytes, sha256_hex
from lofte.kernel.problems import Problem

FORMAT = "lofte/backup/1"
NAME, SIGNATURE = "manifest.json", "manifest.sig"
DATA, KEYS = "data", "keys"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Held:
    """One file of a copy. ``rows`` is -1 where the file is no table."""

    bytes: int
    sha256: str
    rows: int = -1
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """``run`` is shared by the two copies one command made. ``log_since`` is the log's size before the register was copied."""

    run: str
    what: str
    made_at: str
    program: str
    vkey: str
    engine: str
    log_size: int = 0
    log_root: str = ""
    log_since: int = 0
    migrations: tuple[tuple[str, str], ...] = ()
    epochs: tuple[str, ...] = ()
    delete_by: str = ""
    files: Mapping[str, Held] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.files.values())


def write(folder: Path, manifest: Manifest, signer: note.SignerKey) -> None:
    """The last thing written into a copy: until it is there, there is no copy."""
    body = canonical_bytes({"format": FORMAT, **json.loads(json.dumps(asdict(manifest)))})
    write_file(folder / NAME, body)
    write_file(folder / SIGNATURE, signer.sign(_signed_text(manifest.run, body)).encode())


def read(folder: Path, vkey: str = "") -> Manifest:
    """What the copy says, if its log signed it: the log of ``vkey``, or else the one it names itself. Raises Problem."""
    try:
        body, signature = (folder / NAME).read_bytes(), (folder / SIGNATURE).read_text()
        said = json.loads(body)
        if said.pop("format") != FORMAT:
            raise ValueError
        said["files"] = {
            name: Held(each["bytes"], each["sha256"], each["rows"], tuple(each["columns"]))
            for name, each in said["files"].items()
        }
        said["migrations"] = tuple((app, name) for app, name in said["migrations"])
        found = Manifest(**{**said, "epochs": tuple(said["epochs"])})
        key = note.VerifierKey.parse(vkey or found.vkey)
    except FileNotFoundError:
        raise _no_copy("there is no finished copy in this directory") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise _no_copy("the manifest cannot be read") from None
    try:
        text, _ = note.verify(signature, [key])
    except ValueError:  # not a note, or not signed by this log
        raise _no_copy("the manifest was not signed by this log") from None
    if text != _signed_text(found.run, body):
        raise _no_copy("the manifest is not the one that was signed")
    return found


def _signed_text(run: str, body: bytes) -> str:
    return f"{FORMAT}\n{run}\n{sha256_hex(body)}\n"


def demand_files(folder: Path, manifest: Manifest) -> None:
    """Every file as it was written, none missing and none more. Raises Problem naming the first that is not."""
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file() or file.is_symlink()}
    if more := sorted(there - set(manifest.files) - {NAME, SIGNATURE}):
        raise _no_copy(f"the file {more[0]} does not belong to this copy")
    for name, held in manifest.files.items():
        file = folder / name
        if file.is_symlink() or not file.is_file():
            raise _no_copy(f"the file {name} is missing")
        if file.stat().st_size != held.bytes or digest_of(file) != held.sha256:
            raise _no_copy(f"the file {name} is not the one that was written: torn, or altered")


def weigh(folder: Path, tables: Mapping[str, Held]) -> dict[str, Held]:
    """Size and digest of every file below, with what is known of tables."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            name = str(file.relative_to(folder))
            known = tables.get(name, Held(0, ""))
            found[name] = Held(file.stat().st_size, digest_of(file), known.rows, known.columns)
    return found


def digest_of(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as body:
        while chunk := body.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def write_file(file: Path, body: bytes) -> None:
    """Whole and on disk, or not there."""
    fresh = file.with_name(f".{file.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(handle, "wb") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
    os.rename(fresh, file)
    flush(file.parent)


def copy_file(source: Path, target: Path) -> None:
    """A copy for our eyes only, on disk when this returns."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(handle, "wb") as out, source.open("rb") as body:
        shutil.copyfileobj(body, out, _CHUNK)
        out.flush()
        os.fsync(out.fileno())


def flush(path: Path) -> None:
    """A file's bytes, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_tree(folder: Path) -> None:
    for each in _folders(folder):
        flush(each)


def _folders(folder: Path) -> Iterator[Path]:
    for each in folder.rglob("*"):
        if each.is_dir():
            yield each
    yield folder


def destroy(folder: Path) -> None:
    """Overwrites every file, then removes all. What a disk or its snapshots keep besides is beyond us."""
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            left = file.stat().st_size
            with file.open("r+b", buffering=0) as body:
                while left > 0:
                    left -= body.write(os.urandom(min(_CHUNK, left)))
                os.fsync(body.fileno())
    shutil.rmtree(folder)
    flush(folder.parent)


def _no_copy(detail: str) -> Problem:
    return Problem("backup.not-sound", detail, way_out="Use another copy; this one cannot be relied on.", status=409)
