"""C2SP checkpoints: the signed head of a log, three lines of text in a signed note.

Source: https://c2sp.org/tlog-checkpoint. Extension lines are read and kept, never written.
"""

from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass
from typing import Self

from lofte.evidence import note
from lofte.evidence.tiles import HASH_BYTES

_LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text of the note. Raises note.NotANote on a wrong form."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise note.NotANote("a checkpoint is at least three non-empty lines: origin, size, root")
        origin, size, root, *extensions = lines
        return cls(origin, parse_decimal(size), parse_hash(root), tuple(extensions))

    def text(self) -> str:
        head = f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"
        return head + "".join(f"{line}\n" for line in self.extensions)


def open_checkpoint(signed: str, vkey: note.VerifierKey) -> Checkpoint:
    """The verified head. Raises note.NotANote or note.WrongSignature; the origin must be the key's name."""
    text, _ = note.verify(signed, [vkey])
    found = Checkpoint.parse(text)
    if found.origin != vkey.name:
        raise note.WrongSignature("the checkpoint names another log than the key")
    return found


def parse_decimal(text: str) -> int:
    """An ASCII decimal without leading zeroes. Raises note.NotANote."""
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > 19:
        raise note.NotANote("a size or index is a decimal number without leading zeroes")
    if (number := int(text)) > _LARGEST_SIZE:
        raise note.NotANote("the number is too large")
    return number


def parse_hash(text: str) -> bytes:
    """A base64 SHA-256 hash in its canonical spelling. Raises note.NotANote."""
    try:
        found = b64decode(text, validate=True)
    except (Error, ValueError) as wrong:
        raise note.NotANote("a hash is written in base64") from wrong
    if len(found) != HASH_BYTES or b64encode(found).decode() != text:
        raise note.NotANote("a hash is 32 bytes in base64")
    return found
