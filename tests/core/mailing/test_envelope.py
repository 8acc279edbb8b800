"""The sender of the envelope says whom a bounce is about: to us, and to nobody else."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.core.mailing import envelope

UUIDS = st.uuids()


@given(UUIDS, UUIDS)
def test_a_token_names_the_letter_also_without_its_capitals(person, row):
    token = envelope.token_of(person, row)

    assert envelope.opened(token) == (person, row)
    assert envelope.opened(token.upper()) == (person, row)
    assert len(f"b+{token}") <= 64
    assert person.hex not in token


@given(st.integers(0, 60), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_changed_anywhere_names_nobody(at, letter):
    token = envelope.token_of(UUID(int=1), UUID(int=2))
    forged = token[:at] + letter + token[at + 1 :]
    last_bits = at == 60  # the last letter holds bits that carry nothing

    assert envelope.opened(forged) is None or forged == token or last_bits


@pytest.mark.parametrize("text", ["", "a" * 61, "1" * 61, "ä" * 61, "a" * 60, "a" * 62, "A=" * 30 + "a"])
def test_what_is_no_token_names_nobody(text):
    assert envelope.opened(text) is None
