"""Salted, padded commitments, and the entries that hold them."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.evidence.commitment import FACT_TAG, WHO_TAG, commitment, pad, read_entry, write_entry
from lofte.kernel.canonical import canonical_bytes

SALT = bytes(range(32))


def test_a_commitment_is_the_hash_of_tag_salt_and_padded_payload() -> None:
    padded = b'{"a":1}' + b"\x80" + bytes(248)

    assert commitment(FACT_TAG, SALT, b'{"a":1}') == hashlib.sha256(FACT_TAG + SALT + padded).digest()
    assert (len(FACT_TAG), len(WHO_TAG)) == (16, 16)


def test_fact_and_who_of_the_same_bytes_differ() -> None:
    assert commitment(FACT_TAG, SALT, b"{}") != commitment(WHO_TAG, SALT, b"{}")


@given(st.binary(max_size=1100))
def test_padding_fills_whole_buckets_and_can_be_taken_off(payload: bytes) -> None:
    padded = pad(payload)

    assert len(padded) % 256 == 0
    assert 0 < len(padded) - len(payload) <= 256
    assert padded.rstrip(b"\0").removesuffix(b"\x80") == payload


def test_payloads_of_one_bucket_hash_the_same_number_of_bytes() -> None:
    assert len(pad(b"")) == len(pad(b"a" * 255)) == 256
    assert len(pad(b"a" * 256)) == 512


@given(st.from_regex(r"[a-z][a-z-]{0,31}", fullmatch=True), st.from_regex(r"[0-9a-f]{0,64}", fullmatch=True))
def test_an_entry_is_canonical_small_and_reads_back(kind: str, policy: str) -> None:
    fact, who = bytes(32), b"w" * 32
    for entry in (write_entry(kind, policy, fact, None), write_entry(kind, policy, fact, who)):
        found = read_entry(entry)

        assert canonical_bytes(json.loads(entry)) == entry
        assert len(entry) <= 512
        assert (found["kind"], found["policy"], found["fact"]) == (kind, policy, fact)
    assert found["who"] == who


@pytest.mark.parametrize("entry", [b"", b"{}", b"[]", b"null", b'"x"', b"\xff", b'{"f":1,"p":"","t":"a","v":1}'])
def test_what_is_no_entry_is_refused(entry: bytes) -> None:
    with pytest.raises(ValueError):
        read_entry(entry)


def test_an_entry_spelt_otherwise_is_refused() -> None:
    entry = write_entry("consent", "", bytes(32), None)
    for spelt in (entry + b" ", entry.replace(b'"v":1', b'"v":2'), entry.replace(b'"p":""', b'"p":"","q":1')):
        with pytest.raises(ValueError):
            read_entry(spelt)


@pytest.mark.parametrize(
    ("kind", "policy"), [("", ""), ("Consent", ""), ('a"b', ""), ("a" * 33, ""), ("a", "xyz"), ("a", "0" * 65)]
)
def test_a_kind_or_policy_that_could_say_more_than_it_should_is_refused(kind: str, policy: str) -> None:
    with pytest.raises(ValueError):
        write_entry(kind, policy, bytes(32), None)
