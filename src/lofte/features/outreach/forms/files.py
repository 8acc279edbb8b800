"""Files that come with a form: how many, how large, of which kind. The content must be what the name says."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lofte.kernel.problems import Place, Problem

LARGEST = 5_000_000  # bytes of one file
LARGEST_TOGETHER = 15_000_000  # bytes

_ZIP = b"PK\x03\x04"
_RUNS = re.compile(rb"MZ|\x7fELF|#!|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe")
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data and not _RUNS.match(data)


def _is_office(part: bytes) -> Callable[[bytes], bool]:
    def check(data: bytes) -> bool:
        return data.startswith(_ZIP) and part in data and b"vbaProject" not in data

    return check


KINDS: Mapping[str, tuple[str, Callable[[bytes], bool]]] = {
    "pdf": ("application/pdf", lambda data: data.startswith(b"%PDF-")),
    "docx": (_WORD, _is_office(b"word/")),
    "odt": ("application/vnd.oasis.opendocument.text", _is_office(b"opendocument.text")),
    "txt": ("text/plain", _is_text),
    "png": ("image/png", lambda data: data.startswith(b"\x89PNG\r\n\x1a\n")),
    "jpg": ("image/jpeg", lambda data: data.startswith(b"\xff\xd8\xff")),
    "jpeg": ("image/jpeg", lambda data: data.startswith(b"\xff\xd8\xff")),
}
"""What may come, by ending: its media type, and whether some bytes are that."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came."""

    name: str
    media_type: str
    data: bytes


def judged(at_most: int, files: Iterable[Upload]) -> tuple[Upload, ...]:
    """The files with the media type they have, whatever the sender called it. Raises Problem for what is not taken."""
    given = [each for each in files if each.name or each.data]
    if len(given) > at_most:
        raise Problem("form.too-many-files", "more files than the form takes", Place(key="files"), status=422)
    if sum(len(each.data) for each in given) > LARGEST_TOGETHER:
        raise _refused("form.file-too-large", "the files are too large together")
    return tuple(Upload(each.name, _media_type(each), each.data) for each in given)


def _media_type(upload: Upload) -> str:
    ending = upload.name.rpartition(".")[2].lower()
    if len(upload.data) > LARGEST:
        raise _refused("form.file-too-large", "the file is larger than 5 MB")
    known = KINDS.get(ending)
    if known is None or not upload.data or not known[1](upload.data):
        raise _refused("form.bad-file", "the file is none of the kinds taken here")
    return known[0]


def _refused(code: str, detail: str) -> Problem:
    expected = ", ".join(sorted(KINDS))
    return Problem(code, detail, Place(key="files"), expected, status=422)
