"""What goes into the log and what comes back, and what may be recorded at all."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from operator import lt
from typing import NamedTuple

from lofte.evidence.commitment import BUCKET_BYTES, LARGEST_PAYLOAD_BYTES, demand_frame
from lofte.kernel.canonical import Canonical
from lofte.kernel.problems import Problem

_LARGEST_EXACT = 2**53 - 1  # RFC 8785 section 3.2.2.3: what every reader of JSON keeps exactly


class Draft(NamedTuple):
    """One event to be recorded.

    `kind` is coarse and public; `fact` and `who` are canonical JSON objects, `who` alone may point at a person.
    `policy` is the hex digest of a publication or empty. `key` is the idempotency key: the same key again gives
    the same Committed and no second entry.
    """

    kind: str
    fact: bytes
    who: bytes | None
    policy: str
    key: str


class Committed(NamedTuple):
    """A durable entry. `checkpoint` is the signed note of the tree of `size` entries, the head of the entry's own
    commit.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks of it
    size: int
    entry: bytes
    fact_salt: bytes
    who_salt: bytes | None
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Opened:
    index: int
    kind: str
    policy: str
    fact: bytes
    fact_salt: bytes
    who: bytes | None
    who_salt: bytes | None
    is_shredded: bool


Outcome = Committed | Problem


def demand_sound(draft: Draft) -> None:
    """Refuses what could never be opened again: receipts rebuild the payload's canonical bytes from its JSON value."""
    try:
        demand_frame(draft.kind, draft.policy)
        _demand_canonical_fact(draft.fact)
        if draft.who is not None:
            _demand_canonical(draft.who)
    except ValueError:
        # Neither reason nor cause is passed on: a decoder's message may hold the payload.
        raise Problem(
            "evidence.malformed-draft",
            "the event cannot be recorded in this form",
            expected="a lower-case kind, a hex policy digest and canonical JSON objects",
            status=500,
        ) from None


def _demand_canonical(payload: bytes) -> None:
    if isinstance(payload, Canonical) and len(payload) <= LARGEST_PAYLOAD_BYTES and payload.startswith(b"{"):
        return
    text = payload.decode()
    if len(payload) <= BUCKET_BYTES and _PLAIN.fullmatch(text):
        names = _NAME.findall(text)
        if all(map(lt, names, names[1:])):  # in order, and none twice
            return
    if len(payload) > LARGEST_PAYLOAD_BYTES or text[:1] != "{" or _encode(_decode(text)) != text:
        raise ValueError("not canonical JSON")


# Facts repeat (thousands decide the same in a second) and hold nothing personal; a `who` must not stay in a cache.
_demand_canonical_fact = lru_cache(maxsize=512)(_demand_canonical)


# Flat, with printable ASCII and no escapes: what every `who` of the edge looks like. A third of the time of reading it.
_PLAIN = re.compile(
    r'\{(?:"[a-z_]+":(?:"[ !#-\[\]-~]*"|0|[1-9]\d{0,14}|true|false|null)(?:,(?=")|(?=\})))*\}', re.ASCII
)
_NAME = re.compile(r'"([a-z_]+)":')  # no string in _PLAIN holds a quote, so only names stand before a colon


def _refuse_number(_: str) -> None:
    raise ValueError("not canonical JSON")


def _exact(digits: str) -> int:
    if abs(number := int(digits)) > _LARGEST_EXACT:
        raise ValueError("not canonical JSON")
    return number


_decode = json.JSONDecoder(parse_int=_exact, parse_float=_refuse_number, parse_constant=_refuse_number).decode
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
