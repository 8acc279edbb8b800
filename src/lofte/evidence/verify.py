"""The offline verifier of receipts: no network, no server, no store. Anyone may call it.

A receipt holds when its openings lead to the logged entry, the entry to the signed root, and the signature to the key.
When one does not, the part that was altered is named; `page/verify.js` says the same in a browser.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from lofte.evidence import note
from lofte.evidence.checkpoint import Checkpoint
from lofte.evidence.commitment import (
    FACT_TAG,
    LARGEST_PAYLOAD_BYTES,
    SALT_BYTES,
    WHO_TAG,
    commitment,
    read_entry,
    write_entry,
)
from lofte.evidence.proof import Proof
from lofte.evidence.receipt import FORMAT
from lofte.evidence.tree import leaf_hash, root_from_inclusion
from lofte.kernel.canonical import canonical_bytes
from lofte.kernel.problems import Place, Problem

LARGEST_RECEIPT_BYTES = 400_000  # an honest one is about 1.5 kB
_KEYS = {"lofte", "index", "kind", "policy", "fact", "who", "proof", "vkey"}
_CODE = "receipt.altered"

ALTERED = {
    "format": "this is not a Löfte receipt, or something was added to it or taken away",
    "key": "the log's key is not the one this receipt was signed with",
    "checkpoint": "the signed head of the log was altered",
    "signature": "the signature does not fit the head of the log",
    "index": "the place in the log was altered",
    "proof": "the proof does not lead from this entry to the signed head of the log",
    "kind": "the kind of event is not the logged one",
    "policy": "the policy version is not the logged one",
    "fact": "what was recorded is not what was logged",
    "who": "who it concerns is not what was logged",
}
"""The parts that can be altered, and the sentence for each."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a receipt shows. `is_key_given` tells whether the caller named the key or the receipt did so itself.

    `who` is None either because none was logged (`has_who` False) or because it is sealed.
    """

    index: int
    size: int
    kind: str
    policy: str
    fact: dict[str, Any]
    who: dict[str, Any] | None
    has_who: bool
    origin: str
    root: str
    vkey: str
    is_key_given: bool


@dataclass(frozen=True, slots=True)
class _Opening:
    payload: dict[str, Any]
    commitment: bytes


def verify_receipt(receipt: bytes | dict[str, Any], vkey: str | None = None) -> Verified:
    """What the receipt shows. `vkey` is the log's key as known from elsewhere.

    Raises Problem: `receipt.altered` with the altered part as `place.key` (one of `ALTERED`).
    """
    parts = _parts(receipt)
    key = _key(parts["vkey"], vkey)
    proof = _proof(parts["proof"])
    if type(parts["index"]) is not int or parts["index"] != proof.index:
        _altered("index")
    fact, who = _opening(parts, "fact", FACT_TAG), _opening(parts, "who", WHO_TAG)
    if fact is None:
        _altered("fact")
    stated = _entry(proof.extra)
    sealed_who = stated["who"] if who is None and stated else None
    rebuilt = _rebuild(parts, fact.commitment, who.commitment if who else sealed_who)
    entries = [entry for entry in (proof.extra, rebuilt) if entry is not None]
    head = _signed_head(proof, key, entries)
    logged = _entry(_included(proof, head, entries))
    if logged is None:
        _altered("proof")
    _demand_same(parts, fact, who, logged)
    if proof.extra is not None and proof.extra != rebuilt:
        _altered("proof")  # the extra line lies about the entry: harmless, but somebody has been at this receipt
    return Verified(
        index=proof.index,
        size=head.size,
        kind=logged["kind"],
        policy=logged["policy"],
        fact=fact.payload,
        who=who.payload if who else None,
        has_who=logged["who"] is not None,
        origin=head.origin,
        root=b64encode(head.root).decode(),
        vkey=str(key),
        is_key_given=vkey is not None,
    )


def _parts(receipt: bytes | dict[str, Any]) -> dict[str, Any]:
    if isinstance(receipt, bytes):
        if len(receipt) > LARGEST_RECEIPT_BYTES:
            _altered("format")
        try:
            receipt = json.loads(receipt, object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            _altered("format")
    if isinstance(receipt, dict) and str(receipt.get("lofte", "")).startswith("acknowledgement/"):
        raise Problem(
            "receipt.acknowledgement", "this is the acknowledgement of a decision, not yet its receipt",
            way_out="Fetch the receipt at the address under `receipt`, or send the decision with `Prefer: return=representation`.",
        )  # fmt: skip
    if not isinstance(receipt, dict) or receipt.get("lofte") != FORMAT:
        _altered("format")
    if not _KEYS - {"who"} <= receipt.keys() <= _KEYS:
        _altered("format")
    return receipt


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values for one key would show one thing and prove another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _key(own: Any, given: str | None) -> note.VerifierKey:
    try:
        key = note.VerifierKey.parse(own)
    except (ValueError, AttributeError):
        _altered("key")
    if given is not None and given.strip() != str(key):
        _altered("key")
    return key


def _proof(text: Any) -> Proof:
    try:
        return Proof.parse(text)
    except (ValueError, TypeError, AttributeError):
        _altered("proof")


def _opening(parts: dict[str, Any], name: str, tag: bytes) -> _Opening | None:
    if name not in parts:
        return None
    try:
        opening = parts[name]
        if opening.keys() != {"salt", "payload"} or not isinstance(opening["payload"], dict):
            _altered(name)
        salt = b64decode(opening["salt"], validate=True)
        payload = canonical_bytes(opening["payload"])
        is_odd = len(salt) != SALT_BYTES or b64encode(salt).decode() != opening["salt"]
        if is_odd or len(payload) > LARGEST_PAYLOAD_BYTES:
            _altered(name)
    except (TypeError, ValueError, AttributeError, Error, RecursionError):
        _altered(name)
    return _Opening(opening["payload"], commitment(tag, salt, payload))


def _entry(entry: bytes | None) -> dict[str, Any] | None:
    try:
        return read_entry(entry) if entry is not None else None
    except ValueError:
        return None


def _rebuild(parts: dict[str, Any], fact: bytes, who: bytes | None) -> bytes | None:
    try:
        return write_entry(parts["kind"], parts["policy"], fact, who)
    except (ValueError, TypeError):
        return None  # a kind or policy that no entry can have; `_demand_same` names which


def _signed_head(proof: Proof, key: note.VerifierKey, entries: list[bytes]) -> Checkpoint:
    """The head once its signature holds; otherwise says whether text, signature or key was altered."""
    try:
        text = note.parse(proof.checkpoint).text
        head = Checkpoint.parse(text)
    except note.NotANote:
        _altered("signature" if _reads_as_head(proof.checkpoint) else "checkpoint")
    try:
        note.verify(proof.checkpoint, [key])
    except note.WrongSignature:
        if head.origin != key.name or _included(proof, head, entries) is None:
            _altered("checkpoint")
        _altered("key" if _is_signed_by_other(proof.checkpoint, key) else "signature")
    if head.origin != key.name:
        _altered("checkpoint")
    return head


def _reads_as_head(checkpoint: str) -> bool:
    """Whether the three lines are sound, so that what cannot be read is below them."""
    try:
        Checkpoint.parse(checkpoint.partition("\n\n")[0] + "\n")
    except note.NotANote:
        return False
    return True


def _is_signed_by_other(checkpoint: str, key: note.VerifierKey) -> bool:
    """Whether the note names another key of the same log, and this key did not make that signature either."""
    signed = note.parse(checkpoint)
    same_name = [found for found in signed.signatures if found.name == key.name]
    return bool(same_name) and not any(
        found.key_id == key.key_id or key.is_right(signed.text, found.signature) for found in same_name
    )


def _included(proof: Proof, head: Checkpoint, entries: Iterable[bytes]) -> bytes | None:
    """The first entry that the path leads to the root from."""
    for entry in entries:
        if root_from_inclusion(leaf_hash(entry), proof.index, head.size, proof.path) == head.root:
            return entry
    return None


def _demand_same(parts: dict[str, Any], fact: _Opening, who: _Opening | None, logged: dict[str, Any]) -> None:
    for name in ("kind", "policy"):
        if parts[name] != logged[name]:
            _altered(name)
    if fact.commitment != logged["fact"]:
        _altered("fact")
    if who is not None and who.commitment != logged["who"]:
        _altered("who")


def _altered(part: str) -> NoReturn:
    raise Problem(
        _CODE,
        ALTERED[part],
        Place(key=part),
        expected="the receipt as it was issued",
        way_out="Ask the company for the receipt again, by its number.",
    ) from None
