"""What a log demands of its store before it appends: that this is the tree whose heads it signed, no older and no
other.

`demand_intact` runs at every start and reads the right edge only. `differences` reads everything (`lofte doctor`, an
auditor, or a start that failed and wants to say where).
"""

from collections.abc import Iterator

from lofte.evidence import tiles
from lofte.evidence.checkpoint import Checkpoint
from lofte.evidence.commitment import FACT_TAG, WHO_TAG, commitment, read_entry
from lofte.evidence.store import Head, Store
from lofte.evidence.tile_tree import TileTree
from lofte.evidence.tree import EMPTY_ROOT, leaf_hash
from lofte.kernel.problems import Problem

_TILE_BYTES = tiles.WIDTH * tiles.HASH_BYTES
_WAYS_OUT = (
    "Either put back the newest copy of the evidence store, or fill this one up from a mirror of the log"
    " (lofte.evidence.succession.import_entries); or close this log for good and open its successor, whose first entry"
    " names the last signed head (lofte.evidence.succession.succeed)."
)


def demand_intact(store: Store, second: Checkpoint | None) -> TileTree:
    """The tree as the store holds it. Raises Problem, and then nothing may be appended.

    `second` is the last signed head as noted beside the keys.
    """
    size = store.size()
    head = store.last_head() or Head(0, EMPTY_ROOT, "")
    if head.size != size:
        raise _refusal(
            "evidence.store-altered", f"the store holds {size} entries but its last head speaks of {head.size}"
        )
    if second is None:
        raise _refusal(
            "evidence.no-second-copy",
            "beside the keys there is no copy of the last head that this log has signed",
        )
    if second.size > size:
        raise _refusal(
            "evidence.store-shorter",
            f"the store ends at entry {size} but this log has signed {second.size}:"
            " it is an older copy, or entries were removed",
        )
    tree = read_tree(store, size)
    if tree is None or tree.root(size) != head.root:
        raise _refusal(
            "evidence.store-altered", next(differences(store), "the store's tree is not the one that was signed")
        )
    try:
        root = tree.root(second.size)
    except (LookupError, ValueError):
        root = b""
    if root != second.root:
        raise _refusal(
            "evidence.store-differs", f"this log has signed another tree of {second.size} entries than the store holds"
        )
    return tree


def read_tree(store: Store, size: int) -> TileTree | None:
    """The tree from tiles and tail entries; None when a tile or entry is missing or misshapen."""
    tail = store.entries(size - size % tiles.WIDTH, size)
    if len(tail) != size % tiles.WIDTH:
        return None
    try:
        return TileTree.rebuild(size, [leaf_hash(entry) for entry in tail], TileReader(store))
    except (LookupError, ValueError):
        return None


class TileReader:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, level: int, index: int) -> bytes:
        tile = self._store.tile(level, index)
        if tile is None:
            raise LookupError(f"tile {tiles.tile_path(level, index)} is missing")
        return tile


def differences(store: Store) -> Iterator[str]:
    """Everything in the store that contradicts something else in it, each located. Reads all entries and openings."""
    size = store.size()
    yield from _entry_differences(store, size)
    yield from _tile_differences(store, size)
    tree = read_tree(store, size)
    head = store.last_head()
    if tree is None:
        yield "the tree cannot be rebuilt: a tile or an entry is missing"
    elif head is not None and tree.root(size) != head.root:
        yield f"the entries do not lead to the root of the head of size {head.size}"


def _entry_differences(store: Store, size: int) -> Iterator[str]:
    for first in range(0, size, tiles.WIDTH):
        entries = store.entries(first, min(first + tiles.WIDTH, size))
        if len(entries) != min(tiles.WIDTH, size - first):
            yield f"entries are missing between {first} and {min(first + tiles.WIDTH, size) - 1}"
            continue
        tile = store.tile(0, first // tiles.WIDTH) if len(entries) == tiles.WIDTH else None
        for index, entry in enumerate(entries, first):
            at = (index - first) * tiles.HASH_BYTES
            if tile is not None and len(tile) == _TILE_BYTES and tile[at : at + tiles.HASH_BYTES] != leaf_hash(entry):
                yield f"entry {index} is not the one whose hash is in its tile"
            yield from _opening_differences(store, index, entry)


def _opening_differences(store: Store, index: int, entry: bytes) -> Iterator[str]:
    row = store.opening(index)
    if row is None:
        yield f"the opening of entry {index} is missing"
        return
    try:
        found = read_entry(entry)
    except ValueError:
        yield f"entry {index} is unreadable"
        return
    if row.kind != found["kind"]:
        yield f"the kind kept for entry {index} is not the logged one"
    if commitment(FACT_TAG, row.fact_salt, row.fact) != found["fact"]:
        yield f"the fact kept for entry {index} is not the logged one"
    if row.who is not None and row.who_salt is not None and commitment(WHO_TAG, row.who_salt, row.who) != found["who"]:
        yield f"the who kept for entry {index} is not the logged one"


def _tile_differences(store: Store, size: int) -> Iterator[str]:
    level = 0
    while full := tiles.full_tiles(level, size):
        for index in range(full):
            tile = store.tile(level, index)
            if tile is None or len(tile) != _TILE_BYTES:
                yield f"tile {tiles.tile_path(level, index)} is missing or misshapen"
            elif level and any(_is_wrong(store, level, index, tile, at) for at in range(tiles.WIDTH)):
                yield f"tile {tiles.tile_path(level, index)} does not hash the tiles below it"
        level += 1


def _is_wrong(store: Store, level: int, index: int, tile: bytes, at: int) -> bool:
    below = store.tile(level - 1, index * tiles.WIDTH + at)
    if below is None or len(below) != _TILE_BYTES:
        return True
    return TileTree.tile_root(below) != tile[at * tiles.HASH_BYTES : (at + 1) * tiles.HASH_BYTES]


def _refusal(code: str, detail: str) -> Problem:
    return Problem(code, detail, way_out=_WAYS_OUT, status=503)
