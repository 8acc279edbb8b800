"""C2SP signed notes: text signed by one or more Ed25519 keys.

Source: https://c2sp.org/signed-note@v1.0.0. Verifiers ignore unknown keys, refuse a note on which a known key's
signature is wrong, and refuse a note without any known key. The private key is written in the form of Go's
`sumdb/note`.
"""

import binascii
import hashlib
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"  # signed-note, "Signature types"
_DASH = "\N{EM DASH} "
LARGEST_NOTE_BYTES = 200_000  # room for 16 signatures of 5 kB (signed-note, "Format") and then some
MOST_SIGNATURES = 32  # at least 16 must be accepted


class NotANote(ValueError):  # noqa: N818  # what it is not, in the words of the format
    """The text does not have the form of a signed note or of a key."""


class WrongSignature(ValueError):  # noqa: N818  # what is wrong, in the words of the format
    """A known key's signature is wrong, or no known key signed."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key by the name it signs under; written ``name+id+key`` (a "vkey")."""

    name: str
    public: bytes
    key_id: bytes = field(init=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _demand_key_name(self.name)
        try:
            object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.public))
        except ValueError as wrong:
            raise NotANote("an Ed25519 public key has 32 bytes") from wrong
        object.__setattr__(self, "key_id", _key_id(self.name, self.public))

    @classmethod
    def parse(cls, vkey: str) -> Self:
        name, id_hex, key_text = _three_parts(vkey)
        key = _base64(key_text)
        if key[:1] != _ED25519:
            raise NotANote("this key is not an Ed25519 key")
        found = cls(name, key[1:])
        if found.key_id.hex() != id_hex:
            raise NotANote("the key id does not belong to this name and key")
        return found

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public).decode()}"

    def is_right(self, text: str, signature: bytes) -> bool:
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class SignerKey:
    def __init__(self, name: str, seed: bytes) -> None:
        """`seed` is the 32-byte private key of RFC 8032 section 5.1.5."""
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``PRIVATE+KEY+name+id+base64(type || seed)``. Raises NotANote; the message never holds key material."""
        if not text.startswith("PRIVATE+KEY+"):
            raise NotANote("a private key begins with PRIVATE+KEY+")
        name, id_hex, key_text = _three_parts(text.removeprefix("PRIVATE+KEY+").strip())
        key = _base64(key_text)
        if len(key) != 33 or key[:1] != _ED25519:
            raise NotANote("the private key is not an Ed25519 key")
        found = cls(name, key[1:])
        if found.verifier.key_id.hex() != id_hex:
            raise NotANote("the key id does not belong to this private key")
        return found

    def private_text(self) -> str:
        vkey = self.verifier
        return f"PRIVATE+KEY+{vkey.name}+{vkey.key_id.hex()}+{b64encode(_ED25519 + self._seed).decode()}"

    def sign(self, text: str) -> str:
        """The signed note. Ed25519 is deterministic: the same text gives the same bytes."""
        _demand_text(text)
        stamp = b64encode(self.verifier.key_id + self._key.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.verifier.name} {stamp}\n"


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    signatures: tuple[Signature, ...]


def parse(note: str) -> Note:
    """Splits text from signatures, verifying nothing. Raises NotANote on a wrong form."""
    if len(note) > LARGEST_NOTE_BYTES:
        raise NotANote("the note is too large")
    if not note.endswith("\n") or any(sign < " " and sign != "\n" for sign in note):
        raise NotANote("a note ends in a newline and has no control characters")
    text, gap, tail = note.rpartition("\n\n")
    if not gap:
        raise NotANote("an empty line must separate the text from its signatures")
    _encodes(note)
    lines = tail.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NotANote(f"more than {MOST_SIGNATURES} signatures")
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def verify(note: str, known: Sequence[VerifierKey]) -> tuple[str, list[VerifierKey]]:
    """The text and the known keys that signed it. Raises NotANote or WrongSignature."""
    parsed = parse(note)
    keys = {(key.name, key.key_id): key for key in known}
    signed = []
    for found in parsed.signatures:
        key = keys.get((found.name, found.key_id))
        if key is None:
            continue  # signed-note: "Verifiers MUST ignore signatures from unknown keys"
        if not key.is_right(parsed.text, found.signature):
            raise WrongSignature(f"the signature of {key.name} does not fit the text")
        if key not in signed:
            signed.append(key)
    if not signed:
        raise WrongSignature("none of the known keys signed this note")
    return parsed.text, signed


def _signature(line: str) -> Signature:
    name, gap, stamp = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not gap:
        raise NotANote("a signature line is: em dash, space, key name, space, base64")
    _demand_key_name(name)
    data = _base64(stamp)
    if len(data) < 5:
        raise NotANote("a signature is longer than its key id")
    return Signature(name, data[:4], data[4:])


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _three_parts(vkey: str) -> tuple[str, str, str]:
    name, _, rest = vkey.partition("+")
    id_hex, plus, key = rest.partition("+")
    if not plus:
        raise NotANote("a key is written name+id+key")
    return name, id_hex, key


def _demand_key_name(name: str) -> None:
    if not name or "+" in name or any(sign.isspace() or unicodedata.category(sign) in ("Cc", "Zs") for sign in name):
        raise NotANote("a key name is not empty and holds neither spaces nor plus")
    _encodes(name)


def _demand_text(text: str) -> None:
    if not text.endswith("\n") or any(sign < " " and sign != "\n" for sign in text):
        raise NotANote("the text of a note ends in a newline and has no control characters")


def _encodes(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        raise NotANote("a note is valid UTF-8") from wrong


def _base64(text: str) -> bytes:
    """Standard base64 in its one canonical spelling; the altered last sign of a padded group must not pass."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise NotANote("this is not base64") from wrong
    if b64encode(data).decode() != text:
        raise NotANote("this is not canonical base64")
    return data
