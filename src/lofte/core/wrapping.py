"""The sums by which the vault wraps keys and names who is gone, without Django: the vault uses them, and whoever checks a copy."""

import hmac
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: random nonces; far below 2**32 uses of one person's key


def bound(site: UUID, owner: UUID, epoch: str) -> bytes:
    """What a wrapped key is bound to: moved to another owner, site or epoch it does not open."""
    return b"lofte/wrap/1" + site.bytes + owner.bytes + epoch.encode()


def unwrap(wrapped: bytes, kek: bytes, site: UUID, owner: UUID, epoch: str) -> bytes:
    """The owner's key. Raises `cryptography.exceptions.InvalidTag`."""
    return AESGCM(kek).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound(site, owner, epoch))


def mark(blind_key: bytes, owner: UUID) -> str:
    """What an erased owner is known by: a keyed hash of the handle."""
    return hmac.new(blind_key, b"lofte/tombstone/1" + owner.bytes, sha256).hexdigest()
