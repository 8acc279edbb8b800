"""Whom a bounce is about: an opaque token in the envelope's sender, made of the person's and the letter's handles (VERP).

No table is needed to read it, it names no address, and nobody but us can make one. 61 small letters and digits: with its kind it
fits the 64 a local part may have, and survives servers that do not keep capitals.
"""

import hmac
from base64 import b32decode, b32encode
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings

_TAG_BYTES = 6
_LENGTH = 61


def token_of(person_id: UUID, row_id: UUID) -> str:
    return _written(person_id.bytes + row_id.bytes)


def opened(token: str) -> tuple[UUID, UUID] | None:
    """Person and letter of a token; None for one that we did not make."""
    try:
        data = b32decode(token.upper() + "=" * (-len(token) % 8)) if len(token) == _LENGTH else b""
    except ValueError:
        return None
    tag, body = data[:_TAG_BYTES], data[_TAG_BYTES:]
    plain = _stream(tag, body)
    if len(body) != 32 or not hmac.compare_digest(tag, _tag(plain)):
        return None
    return UUID(bytes=plain[:16]), UUID(bytes=plain[16:])


def _written(plain: bytes) -> str:
    tag = _tag(plain)
    return b32encode(tag + _stream(tag, plain)).decode("ascii").rstrip("=").lower()


def _tag(plain: bytes) -> bytes:
    return hmac.digest(_key(settings.LOFTE_HOUSE_KEY, b"tag"), plain, "sha256")[:_TAG_BYTES]


def _stream(tag: bytes, data: bytes) -> bytes:
    """The tag is the nonce: who has two tokens can tell whether they are the same, and nothing else."""
    cipher = Cipher(algorithms.AES(_key(settings.LOFTE_HOUSE_KEY, b"body")), modes.CTR(tag.ljust(16, b"\0")))
    return cipher.encryptor().update(data)


@lru_cache(maxsize=8)
def _key(house: bytes, use: bytes) -> bytes:
    return hmac.new(house, b"lofte/envelope/1/" + use, sha256).digest()
