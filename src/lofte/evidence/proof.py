"""C2SP tlog-proof: one text file that shows offline that an entry stands in a log.

Source: https://c2sp.org/tlog-proof (format v1). The `extra` line is not authenticated; we put the entry there and
believe it only after its leaf hash has led to the signed root.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from lofte.evidence import note
from lofte.evidence.checkpoint import Checkpoint, open_checkpoint, parse_decimal, parse_hash
from lofte.evidence.tiles import LARGEST_ENTRY_BYTES
from lofte.evidence.tree import is_included, leaf_hash

HEADER = "c2sp.org/tlog-proof@v1"
_LONGEST_PATH = 63  # heights of a tree of 2**63 leaves
_LARGEST_PROOF_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class Proof:
    index: int
    path: tuple[bytes, ...]
    checkpoint: str  # the signed note, verbatim
    extra: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises note.NotANote on a wrong form."""
        if len(text) > _LARGEST_PROOF_BYTES:
            raise note.NotANote("the proof is too large")
        head, gap, signed = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines.pop(0) != HEADER:
            raise note.NotANote(f"a proof begins with {HEADER} and ends with a checkpoint")
        extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index "):
            raise note.NotANote("the proof lacks its index line")
        index = parse_decimal(lines.pop(0).removeprefix("index "))
        if len(lines) > _LONGEST_PATH:
            raise note.NotANote("the proof has more hashes than any tree has levels")
        return cls(index, tuple(parse_hash(line) for line in lines), signed, extra)

    def text(self) -> str:
        return write_proof(self.index, self.path, self.checkpoint, self.extra)

    def verify(self, entry: bytes, vkey: note.VerifierKey) -> Checkpoint:
        """The head in which the entry is included. Raises note.NotANote or note.WrongSignature."""
        head = open_checkpoint(self.checkpoint, vkey)
        if not is_included(leaf_hash(entry), self.index, head.size, self.path, head.root):
            raise note.WrongSignature("the entry is not in the tree that was signed")
        return head


def write_proof(index: int, path: Sequence[bytes], checkpoint: str, extra: bytes | None = None) -> str:
    stated = f"extra {b64encode(extra).decode()}\n" if extra is not None else ""
    hashes = b"".join(map(binascii.b2a_base64, path)).decode()  # b2a_base64 ends each in the newline we need
    return f"{HEADER}\n{stated}index {index}\n{hashes}\n{checkpoint}"


def _extra(line: str) -> bytes:
    try:
        extra = b64decode(line.removeprefix("extra "), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise note.NotANote("the extra line is not base64") from wrong
    if len(extra) > LARGEST_ENTRY_BYTES:
        raise note.NotANote("the extra line is longer than any entry")
    return extra
