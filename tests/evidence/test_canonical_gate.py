"""What may be recorded: only payloads whose canonical bytes can be rebuilt from their JSON value, whichever way it is checked."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lofte.evidence.drafts import _demand_canonical
from lofte.kernel.canonical import canonical_bytes


def is_recordable(payload: bytes) -> bool:
    try:
        _demand_canonical(payload)
    except ValueError:
        return False
    return True


def test_a_number_beyond_53_bits_is_not_recordable() -> None:
    assert is_recordable(b'{"n":9007199254740991}')
    assert not is_recordable(b'{"n":9007199254740992}')
    assert not is_recordable(b'{"n":-9007199254740992}')


def is_canonical(payload: bytes) -> bool:
    try:
        value = json.loads(payload)
        return isinstance(value, dict) and canonical_bytes(value) == payload
    except (ValueError, TypeError):
        return False


names = st.text("ab_", max_size=3)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(max_size=5), st.text('a"\\:,{}', max_size=5)
)


@given(
    st.dictionaries(
        names, st.one_of(values, st.lists(values, max_size=2), st.dictionaries(names, values, max_size=2)), max_size=4
    )
)
def test_every_canonical_object_is_recordable(value: dict[str, Any]) -> None:
    payload = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    assert is_recordable(payload)


@given(
    st.lists(
        st.sampled_from(
            [
                '"a"',
                '"b"',
                '"a b"',
                ":",
                ",",
                "{",
                "}",
                "1",
                "01",
                "-1",
                "1.0",
                "true",
                "null",
                "[",
                "]",
                " ",
                '"\\u0041"',
                '"å"',
            ]
        ),
        max_size=9,
    )
)
def test_what_is_recordable_is_canonical(signs: list[str]) -> None:
    payload = ("{" + "".join(signs) + "}").encode()

    assert is_recordable(payload) == is_canonical(payload)


@given(st.lists(st.tuples(names, values), max_size=4))
def test_names_out_of_order_or_twice_are_not_recordable(pairs: list[tuple[str, Any]]) -> None:
    inside = ",".join(f"{json.dumps(name)}:{json.dumps(value, ensure_ascii=False)}" for name, value in pairs)
    ordered = [name for name, _ in pairs]

    assert is_recordable(f"{{{inside}}}".encode()) == (ordered == sorted(set(ordered)))
