"""C2SP tlog-tiles: paths, widths, bundles, and the tree that keeps itself as tiles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lofte.evidence import tiles, tree
from lofte.evidence.tile_tree import TileTree
from lofte.evidence.tree import leaf_hash, node_hash


def plain_levels(leaves: list[bytes]) -> list[list[bytes]]:
    """Every complete subtree by height and place, made the slow and obvious way."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        row = levels[-1]
        levels.append([node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)])
    return levels


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


class Shelf:
    """Keeps full tiles as a store would."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, int], bytes] = {}

    def load(self, level: int, index: int) -> bytes:
        return self.kept[level, index]

    def keep(self, filled: list[tuple[int, int, bytes]]) -> None:
        for level, index, tile in filled:
            assert (level, index) not in self.kept, "a full tile is written once"
            self.kept[level, index] = tile


def test_the_example_index_has_the_path_of_the_specification() -> None:
    assert tiles.tile_path(0, 1_234_067) == "0/x001/x234/067"
    assert tiles.tile_path("entries", 7, 17) == "entries/007.p/17"


@given(st.integers(0, 63), st.integers(0, 10**12), st.one_of(st.none(), st.integers(1, 255)))
def test_every_tile_path_reads_back(level: int, index: int, width: int | None) -> None:
    assert tiles.parse_tile_path(tiles.tile_path(level, index, width)) == (level, index, width)
    assert tiles.parse_tile_path(tiles.tile_path("entries", index, width)) == (None, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/", "0/67", "0/0067", "00/067", "64/000", "0/x000/067", "0/001/067", "0/x001/x067", "0/067.p/0",
        "0/067.p/256", "0/067.p/017", "0/067.p/", "0/067.p", "-1/000", "0/../000", "0/067 ", "0/067\n", "data/000",
        "0/x001//067", "0/٠٠٠",
    ],
)  # fmt: skip
def test_a_path_spelt_otherwise_is_no_tile(path: str) -> None:
    with pytest.raises(ValueError):
        tiles.parse_tile_path(path)


def test_seventy_thousand_entries_have_the_tiles_of_the_specification() -> None:
    size = 70_000

    assert (tiles.full_tiles(0, size), tiles.partial_width(0, size)) == (273, 112)
    assert (tiles.full_tiles(1, size), tiles.partial_width(1, size)) == (1, 17)
    assert (tiles.full_tiles(2, size), tiles.partial_width(2, size)) == (0, 1)
    assert (tiles.full_tiles(0, 256), tiles.partial_width(0, 256), tiles.partial_width(1, 256)) == (1, 0, 1)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_its_entries_back(entries: list[bytes]) -> None:
    assert tiles.unbundle(tiles.bundle(entries)) == entries


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x00\x01a\x00", b"\xff\xffabc"])
def test_a_torn_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        tiles.unbundle(data)


@pytest.mark.parametrize("data", [b"", b"a" * 31, b"a" * 33, b"a" * 32 * 257])
def test_a_misshapen_tile_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        tiles.split_tile(data)


SIZE = 66_000  # more than 256 full tiles: levels 0, 1 and 2 all exist


@pytest.fixture(scope="module")
def grown() -> tuple[TileTree, Shelf, list[list[bytes]]]:
    shelf = Shelf()
    tall = TileTree(shelf.load)
    leaves = hashes(SIZE)
    for at in range(0, SIZE, 777):
        shelf.keep(tall.append(leaves[at : at + 777]))
    return tall, shelf, plain_levels(leaves)


def test_tiles_hold_the_hashes_the_specification_says(grown: tuple[TileTree, Shelf, list[list[bytes]]]) -> None:
    tall, shelf, levels = grown

    assert {place for place in shelf.kept if place[0] == 0} == {(0, index) for index in range(257)}
    assert {place for place in shelf.kept if place[0] > 0} == {(1, 0)}
    for (level, index), tile in shelf.kept.items():
        assert tiles.split_tile(tile) == levels[8 * level][index * 256 : (index + 1) * 256]
    assert tall.tile(0, 257, 208) == b"".join(levels[0][257 * 256 :])
    assert tall.tile(1, 1, 1) == levels[8][256]
    assert tall.tile(2, 0, 1) == levels[16][0]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_proofs_from_tiles_hold_at_any_index_and_size(
    grown: tuple[TileTree, Shelf, list[list[bytes]]], data: st.DataObject
) -> None:
    tall, _, levels = grown
    size = data.draw(st.integers(1, SIZE))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    root = tree.root(size, lambda height, place: levels[height][place])

    assert tall.root(size) == root
    assert tree.is_included(levels[0][index], index, size, tall.inclusion_proof(index, size), root)
    old_root = tree.root(old, lambda height, place: levels[height][place])
    assert tree.is_consistent(old, old_root, size, root, tall.consistency_proof(old, size))


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, SIZE])
def test_a_tree_rebuilt_from_tiles_is_the_same_and_grows_the_same(
    grown: tuple[TileTree, Shelf, list[list[bytes]]], size: int
) -> None:
    tall, shelf, levels = grown
    rebuilt = TileTree.rebuild(size, levels[0][size - size % 256 : size], shelf.load)

    assert rebuilt.root(size) == tall.root(size)
    if size < SIZE:
        rebuilt.append(levels[0][size : size + 300])
        assert rebuilt.root(rebuilt.size) == tall.root(rebuilt.size)


def test_a_missing_tile_is_an_error_not_a_guess() -> None:
    shelf = Shelf()
    tall = TileTree(shelf.load)
    shelf.keep(tall.append(hashes(600)))
    del shelf.kept[0, 1]

    with pytest.raises(KeyError):
        TileTree.rebuild(600, hashes(600)[512:], shelf.load)
