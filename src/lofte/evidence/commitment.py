"""What the log keeps of an event: salted, padded commitments in one small entry; nothing that can be guessed or
measured.

Commitment = SHA-256(16-byte domain tag || 32-byte random salt || padded payload). Destroying salt and payload of `who`
leaves a number that says nothing about the person (EDPB 02/2025 names salted commitments as a mitigation; the bytes
are deleted as well).
"""

import json
import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Any

from lofte.evidence.checkpoint import parse_hash

SALT_BYTES = 32
BUCKET_BYTES = 256  # payloads are padded to whole buckets, so that length tells little
LARGEST_PAYLOAD_BYTES = 32_768
FACT_TAG = b"lofte/fact/v1\0\0\0"
WHO_TAG = b"lofte/who/v1\0\0\0\0"
_VERSION = 1

_KIND = re.compile(r"[a-z][a-z-]{0,31}")
_POLICY = re.compile(r"[0-9a-f]{0,64}")
_PADDING = [b"\x80" + bytes(count) for count in range(BUCKET_BYTES)]


def pad(payload: bytes) -> bytes:
    """Payload, 0x80, zeroes up to a whole bucket (ISO/IEC 7816-4 padding: no two payloads pad to the same bytes)."""
    return payload + _PADDING[-(len(payload) + 1) % BUCKET_BYTES]


def commitment(tag: bytes, salt: bytes, payload: bytes) -> bytes:
    return sha256(tag + salt + pad(payload)).digest()


def write_entry(kind: str, policy: str, fact: bytes, who: bytes | None) -> bytes:
    """The entry over two commitments: canonical JSON with the keys f, p, t, v and, if there is a `who`, w."""
    end = b"}" if who is None else b',"w":"%b"}' % b64encode(who)
    return b'{"f":"%b%b%b' % (b64encode(fact), _middle(kind, policy), end)


@lru_cache(maxsize=1024)
def _middle(kind: str, policy: str) -> bytes:
    if not _KIND.fullmatch(kind) or not _POLICY.fullmatch(policy):
        raise ValueError("a kind is a lower-case word, a policy a hex digest")
    return b'","p":"%b","t":"%b","v":%d' % (policy.encode(), kind.encode(), _VERSION)


def demand_frame(kind: str, policy: str) -> None:
    """Raises ValueError when kind or policy cannot stand in an entry."""
    _middle(kind, policy)


def read_entry(entry: bytes) -> dict[str, Any]:
    """The parts of an entry: kind, policy, fact and who (commitments; who None if absent).

    Raises ValueError unless the bytes are exactly what `write_entry` writes.
    """
    try:
        found = json.loads(entry)
        fact = parse_hash(found["f"])
        who = parse_hash(found["w"]) if "w" in found else None
        again = write_entry(found["t"], found["p"], fact, who)
    except (KeyError, TypeError, AttributeError) as wrong:
        raise ValueError("this is no entry of a Löfte log") from wrong
    if again != entry:
        raise ValueError("this is no entry of a Löfte log")
    return {"kind": found["t"], "policy": found["p"], "fact": fact, "who": who}
