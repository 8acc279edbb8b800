import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.kernel.canonical import Canonical, canonical_bytes

_ascii_keys = st.text(st.characters(max_codepoint=126, min_codepoint=32))
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_ascii_keys, inner, max_size=4),
)


@given(_values)
def test_canonical_bytes_read_back_to_the_same_value(value):
    assert json.loads(canonical_bytes(value)) == value


@given(st.dictionaries(_ascii_keys, st.integers(0, 9), max_size=6))
def test_the_order_in_which_keys_were_written_does_not_matter(value):
    turned = dict(reversed(value.items()))

    assert canonical_bytes(value) == canonical_bytes(turned)


@pytest.mark.parametrize("value", [1.5, {"ö": 1}, {1: 2}, 2**53, b"bytes", {"a": [1.0]}])
def test_what_has_no_certain_form_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        canonical_bytes(value)


def test_what_was_made_canonical_says_so_and_is_the_same_bytes():
    made = canonical_bytes({"b": [1, {"c": None}], "a": "å"})

    assert isinstance(made, Canonical)
    assert made == '{"a":"å","b":[1,{"c":null}]}'.encode()
    with pytest.raises(TypeError):
        canonical_bytes({"a": [1.5]})
    with pytest.raises(TypeError):
        canonical_bytes({"a": {"å": 1}})
