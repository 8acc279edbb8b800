"""The files of materials: judged by what they are and not by their name, kept among the published bytes under their digest.

A file lies there whole before any row names it. What no material names any more is taken away an hour after it was given, so that
a page still open can save what it has just been handed. Raises `Problem`: `materials.no-file`, `materials.too-large`,
`materials.bad-file` (422), `materials.altered` (500).
"""

import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from lofte.core import clock
from lofte.core.retry import in_transaction
from lofte.core.tasks import duty
from lofte.features.outreach.materials.models import File, Material
from lofte.kernel.canonical import sha256_hex
from lofte.kernel.problems import Place, Problem

LARGEST = 20_000_000  # bytes; a form of the console holds little more
_UNUSED_FOR = timedelta(hours=1)
_LONGEST_NAME = 100
_ZIP = b"PK\x03\x04"
_RUNS = re.compile(rb"MZ|\x7fELF|#!|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe")
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."


def _begins(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(heads)


def _packed(part: bytes) -> Callable[[bytes], bool]:
    """An office file: a zip with its part in it, and no macros."""
    return lambda data: data.startswith(_ZIP) and part in data and b"vbaProject" not in data


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data and not _RUNS.match(data)


KINDS: Mapping[str, tuple[str, Callable[[bytes], bool]]] = {
    "pdf": ("application/pdf", _begins(b"%PDF-")),
    "docx": (f"{_OFFICE}wordprocessingml.document", _packed(b"word/")),
    "xlsx": (f"{_OFFICE}spreadsheetml.sheet", _packed(b"xl/")),
    "pptx": (f"{_OFFICE}presentationml.presentation", _packed(b"ppt/")),
    "odt": (f"{_OPEN}text", _packed(b"opendocument.text")),
    "ods": (f"{_OPEN}spreadsheet", _packed(b"opendocument.spreadsheet")),
    "odp": (f"{_OPEN}presentation", _packed(b"opendocument.presentation")),
    "epub": ("application/epub+zip", _packed(b"application/epub+zip")),
    "csv": ("text/csv", _is_text),
    "txt": ("text/plain", _is_text),
    "png": ("image/png", _begins(b"\x89PNG\r\n\x1a\n")),
    "jpg": ("image/jpeg", _begins(b"\xff\xd8\xff")),
    "jpeg": ("image/jpeg", _begins(b"\xff\xd8\xff")),
}
"""What may be offered, by ending: its media type, and whether some bytes are that."""


@in_transaction
def keep(name: str, data: bytes, by: str) -> str:
    """Keep a file and return its digest. The same bytes given again are the same file, under the name they have now."""
    safe = _name(name)
    known = KINDS.get(safe.rpartition(".")[2].lower())
    if not data:
        raise _bad("no-file", "the file is missing or empty")
    if len(data) > LARGEST:
        raise _bad("too-large", f"the file is larger than {LARGEST // 1_000_000} MB")
    if known is None or not known[1](data):
        raise _bad("bad-file", "the file is none of the kinds that can be offered", ", ".join(sorted(KINDS)))
    digest = sha256_hex(data)
    _freeze(_path(digest), data)
    columns = {"name": safe, "media_type": known[0], "size": len(data), "by": by, "given_at": clock.now()}
    File.objects.update_or_create(digest=digest, defaults=columns)
    return digest


def content(file: File) -> bytes:
    """The bytes as they were given, or nothing: what was altered on the disk is not handed to anybody."""
    try:
        data = _path(file.digest).read_bytes()
    except FileNotFoundError:
        data = b""
    if sha256_hex(data) != file.digest:
        raise Problem(
            "materials.altered", "the file is not the one that was given", status=500,
            way_out="Give the file again in the console, or restore it from a copy.",
        )  # fmt: skip
    return data


@duty("materials.drop_unused", every=timedelta(hours=1))
def drop_unused(at: datetime) -> int:
    """Take away the files no material names any more. The row first: what is left without one is no longer found."""
    used = {digest for files in Material.objects.values_list("files", flat=True) for digest in files.values()}
    old = File.objects.filter(given_at__lte=at - _UNUSED_FOR).values_list("digest", flat=True)
    return sum(_drop(digest, at) for digest in sorted(set(old) - used))


@in_transaction
def _drop(digest: str, at: datetime) -> bool:
    if not File.objects.filter(digest=digest, given_at__lte=at - _UNUSED_FOR).delete()[0]:
        return False  # given again meanwhile
    if not _is_published(digest):
        _path(digest).unlink(missing_ok=True)
    return True


def _is_published(digest: str) -> bool:
    """Whether a publication has just these bytes too."""
    manifests = (Path(settings.LOFTE_HOME) / "published" / "publications").glob("*.json")
    return any(digest in each.read_text(encoding="utf-8") for each in manifests)


def _path(digest: str) -> Path:
    return Path(settings.LOFTE_HOME) / "published" / "objects" / digest


def _freeze(target: Path, data: bytes) -> None:
    """Whole or not at all, and on the disk when this returns."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(given: str) -> str:
    """The last part of the name, with nothing in it that a disk or a header would trip over."""
    text = unicodedata.normalize("NFC", re.split(r"[\\/]", given)[-1])
    text = "".join(letter for letter in text if letter.isprintable() and letter not in '<>:"|?*;').strip(" .")
    stem, dot, ending = text.rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{ending[:10]}" if dot else text[:_LONGEST_NAME]


def _bad(code: str, detail: str, expected: str = "") -> Problem:
    return Problem(f"materials.{code}", detail, Place(key="file"), expected, status=422)
