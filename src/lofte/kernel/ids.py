"""Identifiers. Made in Python, never by a database sequence (docs/decisions: portability rules)."""

import uuid


def person_id(random: bytes) -> uuid.UUID:
    """A version-4 UUID from 16 random bytes.

    Persons get random ids: a time-ordered one would tell when somebody was first seen,
    and is a hot spot as the leading key of a range-partitioned table.
    """
    return uuid.UUID(bytes=random[:16], version=4)


def ordered_id(at_ms: int, random: bytes) -> uuid.UUID:
    """A version-7 UUID (RFC 9562, 5.7): 48 bits of Unix milliseconds, then 74 random bits from 10 bytes.

    For child rows, where the id stands second after the person.
    """
    value = (at_ms & (1 << 48) - 1) << 80 | int.from_bytes(random[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)
