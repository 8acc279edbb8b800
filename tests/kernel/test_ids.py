from hypothesis import given
from hypothesis import strategies as st

from lofte.kernel.ids import ordered_id, person_id


@given(st.binary(min_size=16, max_size=16))
def test_a_person_id_is_random_and_says_nothing_of_time(random):
    made = person_id(random)

    assert (made.version, made.variant) == (4, "specified in RFC 4122")


@given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_ordered_ids_sort_by_time(at_ms, earlier, later):
    first, second = ordered_id(at_ms, earlier), ordered_id(at_ms + 1, later)

    assert first < second
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
