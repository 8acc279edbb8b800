"""What is looked for after an erasure, wherever it is: values as written, normalised, escaped, encoded and hashed, and handles.

Answers where and in which form, never what. `rights.scan` reads everything; `rights.erasure` decides what a hit means.
"""

import binascii
import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from lofte.core import blind
from lofte.features.rights import scan
from lofte.features.rights.scan import Needle
from lofte.kernel.problems import Problem
from lofte.rules.model import DataField

_SHORTEST = 5  # letters: below that a value says nothing and matches everything
_LEAST_TEXT = 12  # free text is only looked for when it can hardly be anybody else's


@dataclass(frozen=True, slots=True)
class Hit:
    """``where`` is ``database.table.column`` or ``file:name``."""

    where: str
    count: int
    form: str


@dataclass(frozen=True, slots=True)
class Searched:
    columns: int
    files: int
    hits: tuple[Hit, ...]


def needles(
    values: Iterable[tuple[str, str]], shapes: Mapping[str, DataField], person_id: UUID | None = None, *, brief: bool = False
) -> list[Needle]:  # fmt: skip
    """What to look for, from (field, value) pairs and the person's handle. ``brief`` ones are cut where a text is long, and some
    come twice: enough to clear somebody by, not to find them.
    """
    found: list[Needle] = []
    for field, value in dict.fromkeys(values):
        shape = shapes.get(field)
        if shape is None:
            continue
        normal = _normal(shape.kind, value)
        if _is_telling(shape.kind, value):
            found += _forms(shape.kind, value, normal, brief)
        if shape.kind in ("email", "phone", "name"):
            found += _index(field, shape.kind, value, normal, person_id)
    if person_id:
        found += [Needle("handle", each) for each in (str(person_id).encode(), person_id.hex.encode(), person_id.bytes)]
    return found if brief else list(dict.fromkeys(found))


def hashes(values: Iterable[tuple[str, str]], shapes: Mapping[str, DataField]) -> frozenset[str]:
    """The blind-index hashes of the values people are found by whole: a name is found by its parts, and those are many people's."""
    return frozenset(
        blind.blind_hash(field, normal)
        for field, value in values
        if field in shapes and shapes[field].indexed and shapes[field].kind != "name"
        for normal in blind.readings(shapes[field].kind, value)
    )


def _is_telling(kind: str, value: str) -> bool:
    if kind in ("email", "phone"):
        return True
    if kind in ("name", "url", "ip"):
        return len(value) >= _SHORTEST and (kind != "name" or " " in value.strip())
    return kind == "text" and len(value) >= _LEAST_TEXT


def _normal(kind: str, value: str) -> str:
    try:
        return blind.normalise(kind, value)
    except Problem:
        return ""


def _forms(kind: str, value: str, normal: str, brief: bool) -> Iterator[Needle]:
    for form, text in (("raw", value),) if brief and normal == value else (("raw", value), ("normal", normal)):
        for whole in _composed(text) - {""}:
            shape = whole[:_BRIEF] if brief else whole
            yield Needle(form, shape.encode(), any_case=True)
            for each in _escaped(shape):
                yield Needle("escaped", each.encode(), any_case=True)
            yield Needle("encoded", _base64(whole.encode()))
    for text in () if brief and kind not in _HASHED else {value, value.lower(), normal} - {""}:
        for hashed in _HASHES:  # as advertising platforms and old exports hash people
            digest = hashed(text.encode(), usedforsecurity=False).digest()
            yield Needle("hashed", digest.hex().encode(), any_case=True)
            yield Needle("hashed", digest)
            yield Needle("hashed", _base64(digest))


_BRIEF = 16  # letters, of which `marks` takes the first bytes
# What people are known by elsewhere. Hashed free text, by which nobody matches people, would double the work for a crowd.
_HASHED = ("email", "phone", "name", "url", "ip")
_HASHES = (hashlib.sha256, hashlib.sha1, hashlib.md5)
_PERCENT = {letter: quote(chr(letter), safe="") for letter in range(128)}
_PERCENT_BUT_MAIL = _PERCENT | {ord(letter): letter for letter in "@+"}
_MARKUP = re.compile(r"[\x00-\x1f\x7f\"\\&<>']")  # what JSON or HTML writes otherwise


def _escaped(text: str) -> list[str]:
    """As it is written where some letters have a meaning, in each way that differs from the text."""
    if not text.isascii():
        return sorted(
            {json.dumps(text)[1:-1], quote(text, safe=""), quote(text, safe="@+"), html.escape(text)} - {text}
        )
    if text.isalnum():
        return []
    ways = {text.translate(_PERCENT)}
    if "@" in text or "+" in text:
        ways.add(text.translate(_PERCENT_BUT_MAIL))
    if _MARKUP.search(text):
        ways |= {json.dumps(text)[1:-1], html.escape(text)}
    return sorted(ways - {text})


def _composed(text: str) -> set[str]:
    if text.isascii():
        return {text}
    return {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}


def _base64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False).rstrip(b"=")


def _index(field: str, kind: str, value: str, normal: str, person_id: UUID | None) -> Iterator[Needle]:
    """Entries of the blind index. What several people may share is looked for as this person's entry, never as the others'."""
    if kind == "name":
        found = [blind.part_hash(field, part) for part in blind.parts(value)]
    else:
        readings = ([normal] if normal else []) if kind == "email" else blind.readings(kind, value)
        found = [blind.blind_hash(field, each) for each in readings]
    if kind != "email":
        found = [blind.entry_key(kind, each, person_id.bytes) for each in found] if person_id else []
    for entry in found:
        yield Needle("index", entry.encode())
        yield Needle("index", bytes.fromhex(entry))


def search(wanted: list[Needle]) -> Searched:
    """Look everywhere, for one person, now. Reads only."""
    columns = files = 0
    hits: dict[tuple[str, str], int] = {}
    for step in scan.steps(scan.Wanted({"": wanted})):
        columns, files = columns + step.columns, files + step.files
        for (_, where, form), count in step.hits.items():
            hits[where, form] = hits.get((where, form), 0) + count
    return Searched(columns, files, tuple(Hit(where, count, form) for (where, form), count in sorted(hits.items())))
