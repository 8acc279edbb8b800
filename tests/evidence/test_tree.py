"""RFC 6962 hashing and proofs: published vectors, and properties against the RFC's recursive definitions."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofte.evidence import tree
from lofte.evidence.tree import leaf_hash, node_hash

# The test vectors of the Certificate Transparency reference implementation for RFC 6962.
INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def oracle_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word, over leaf hashes."""
    if not leaves:
        return tree.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = oracle_split(len(leaves))
    return node_hash(oracle_root(leaves[:split]), oracle_root(leaves[split:]))


def oracle_split(size: int) -> int:
    split = 1
    while split * 2 < size:
        split *= 2
    return split


def oracle_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) <= 1:
        return []
    split = oracle_split(len(leaves))
    if index < split:
        return [*oracle_path(index, leaves[:split]), oracle_root(leaves[split:])]
    return [*oracle_path(index - split, leaves[split:]), oracle_root(leaves[:split])]


def oracle_consistency(old: int, leaves: list[bytes], is_whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if old == len(leaves):
        return [] if is_whole else [oracle_root(leaves)]
    split = oracle_split(len(leaves))
    if old <= split:
        return [*oracle_consistency(old, leaves[:split], is_whole), oracle_root(leaves[split:])]
    return [*oracle_consistency(old - split, leaves[split:], False), oracle_root(leaves[:split])]


def node_of(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    return lambda height, index: oracle_root(leaves[index << height : (index + 1) << height])


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


sizes = st.integers(min_value=1, max_value=70)


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    leaves = [leaf_hash(data) for data in INPUTS[:size]]

    assert ROOTS[size - 1] == tree.root(size, node_of(leaves)).hex()


def test_the_root_of_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert tree.root(0, node_of([])).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("place", INCLUSION)
def test_inclusion_proofs_are_those_of_the_published_vectors(place: tuple[int, int]) -> None:
    index, size = place
    leaves = [leaf_hash(data) for data in INPUTS[:size]]

    assert INCLUSION[place] == [step.hex() for step in tree.inclusion_proof(index, size, node_of(leaves))]


@pytest.mark.parametrize("sizes", CONSISTENCY)
def test_consistency_proofs_are_those_of_the_published_vectors(sizes: tuple[int, int]) -> None:
    old, new = sizes
    leaves = [leaf_hash(data) for data in INPUTS[:new]]

    assert CONSISTENCY[sizes] == [step.hex() for step in tree.consistency_proof(old, new, node_of(leaves))]


def test_every_inclusion_proof_up_to_forty_leaves_equals_the_definition() -> None:
    leaves = hashes(40)
    for size in range(1, 41):
        for index in range(size):
            path = tree.inclusion_proof(index, size, node_of(leaves[:size]))

            assert oracle_path(index, leaves[:size]) == path
            assert tree.is_included(leaves[index], index, size, path, oracle_root(leaves[:size]))


def test_every_consistency_proof_up_to_forty_leaves_equals_the_definition() -> None:
    leaves = hashes(40)
    for new in range(1, 41):
        for old in range(1, new + 1):
            path = tree.consistency_proof(old, new, node_of(leaves[:new]))

            assert oracle_consistency(old, leaves[:new]) == path
            assert tree.is_consistent(old, oracle_root(leaves[:old]), new, oracle_root(leaves[:new]), path)


def test_the_empty_tree_is_consistent_with_every_tree_and_needs_no_proof() -> None:
    root = oracle_root(hashes(7))

    assert tree.is_consistent(0, tree.EMPTY_ROOT, 7, root, [])
    assert not tree.is_consistent(0, root, 7, root, [])
    assert not tree.is_consistent(0, tree.EMPTY_ROOT, 7, root, [root])
    assert tree.is_consistent(7, root, 7, root, [])
    assert not tree.is_consistent(7, root, 7, root, [root])


@given(sizes, st.data())
def test_a_proof_with_one_altered_longer_or_shorter_path_is_refused(size: int, data: st.DataObject) -> None:
    leaves = hashes(size)
    index = data.draw(st.integers(0, size - 1))
    root = oracle_root(leaves)
    path = tree.inclusion_proof(index, size, node_of(leaves))

    assert not tree.is_included(leaves[index], index, size, [*path, root], root)
    assert not tree.is_included(leaf_hash(b"another"), index, size, path, root)
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        altered = path.copy()
        altered[place] = bytes(reversed(altered[place]))
        assert not tree.is_included(leaves[index], index, size, altered, root)
        assert not tree.is_included(leaves[index], index, size, path[:-1], root)
        assert not tree.is_included(leaves[index], index, size, path[1:], root)


@given(sizes, st.data())
def test_a_leaf_is_refused_at_every_other_place(size: int, data: st.DataObject) -> None:
    leaves = hashes(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-2, size + 2))
    path = tree.inclusion_proof(index, size, node_of(leaves))

    assert (other == index) == tree.is_included(leaves[index], other, size, path, oracle_root(leaves))


@given(st.integers(2, 70), st.data())
def test_an_altered_consistency_proof_is_refused(new: int, data: st.DataObject) -> None:
    leaves = hashes(new)
    old = data.draw(st.integers(1, new - 1))
    path = tree.consistency_proof(old, new, node_of(leaves))
    old_root, new_root = oracle_root(leaves[:old]), oracle_root(leaves)
    place = data.draw(st.integers(0, len(path) - 1))
    altered = path.copy()
    altered[place] = bytes(reversed(altered[place]))

    assert not tree.is_consistent(old, old_root, new, new_root, altered)
    assert not tree.is_consistent(old, old_root, new, new_root, path[:-1])
    assert not tree.is_consistent(old, old_root, new, new_root, [*path, old_root])
    assert not tree.is_consistent(old, new_root, new, old_root, path)


def test_an_inner_node_is_not_taken_for_a_leaf() -> None:
    leaves = hashes(4)
    node = node_hash(leaves[0], leaves[1])
    root = oracle_root(leaves)

    assert not tree.is_included(leaf_hash(leaves[0] + leaves[1]), 0, 2, [node_hash(leaves[2], leaves[3])], root)
    assert leaf_hash(leaves[0] + leaves[1]) != node


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (2**63, 2**63)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    assert not tree.is_included(leaf_hash(b""), index, size, [], leaf_hash(b""))
    with pytest.raises(ValueError):
        tree.inclusion_proof(index, size, node_of([]))


def test_a_tree_does_not_grow_out_of_a_larger_one() -> None:
    with pytest.raises(ValueError):
        tree.consistency_proof(3, 2, node_of(hashes(3)))
    assert not tree.is_consistent(3, tree.EMPTY_ROOT, 2, tree.EMPTY_ROOT, [tree.EMPTY_ROOT])
