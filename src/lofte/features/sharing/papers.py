"""Documents on file: an agreement, a decision. Sealed for the house, shown as downloads only; of the name the last part is kept."""

import re
import unicodedata
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from lofte.core import vault
from lofte.kernel.problems import Place, Problem

LARGEST = 5_000_000  # bytes; a form of the console holds no more
_LONGEST_NAME = 120
_OCTETS = "application/octet-stream"
_KINDS = {
    "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "txt": "text/plain",
    "eml": "message/rfc822", "odt": "application/vnd.oasis.opendocument.text",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "asice": "application/vnd.etsi.asic-e+zip",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paper:
    """One document in hand."""

    name: str
    kind: str
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()


def checked(name: str, content: bytes) -> Paper:
    """A document fit to be filed. Raises Problem `sharing.no-document`, `sharing.too-large`."""
    if not content:
        raise Problem("sharing.no-document", "the document is missing or empty", Place(key="document"), status=422)
    if len(content) > LARGEST:
        raise Problem("sharing.too-large", "the document is larger than 5 MB", Place(key="document"), status=413)
    safe = _name(name)
    return Paper(safe, _KINDS.get(safe.rpartition(".")[2].lower(), _OCTETS), content)


def sealed(row_id: UUID, paper: Paper) -> dict[str, Any]:
    """The columns of a row that keeps it."""
    return {
        "sealed_name": vault.seal_for_house(beside(row_id, "name"), paper.name.encode()),
        "sealed": vault.seal_for_house(row_id, paper.content), "kind": paper.kind, "digest": paper.digest,
    }  # fmt: skip


def opened(row_id: UUID, sealed_name: bytes | memoryview, sealed_content: bytes | memoryview, kind: str) -> Paper:
    name = vault.open_for_house(beside(row_id, "name"), sealed_name).decode()
    return Paper(name, kind, vault.open_for_house(row_id, sealed_content))


def beside(row_id: UUID, part: str) -> UUID:
    """What a further sealed column of a row is bound to, so that two columns cannot be exchanged."""
    return uuid5(row_id, part)


def _name(given: str) -> str:
    text = unicodedata.normalize("NFC", re.split(r"[\\/]", given)[-1])
    text = "".join(letter for letter in text if letter.isprintable() and letter not in '<>:"|?*').strip(" .")
    stem, dot, ending = text.rpartition(".")
    if len(text) > _LONGEST_NAME:
        text = f"{stem[: _LONGEST_NAME - 12]}{dot}{ending[:10]}" if dot else text[:_LONGEST_NAME]
    return text or "document"
