"""The tree of one log, kept as tiles with their inner nodes at hand, so that appending and proving are both cheap.

Only the sequencer appends; any thread may read nodes of trees no larger than the last committed head, because a
complete subtree never changes. Leaves appended for a batch that then failed to commit do no harm: the log is read-only
from there on.
"""

import threading
from collections.abc import Callable, Iterable, Sequence

from lofte.evidence import tiles, tree
from lofte.evidence.tree import node_hash

LoadTile = Callable[[int, int], bytes]
"""Reads a full tile by (level, index) from the store."""

_KEPT_BLOCKS = 512  # sealed tiles with inner nodes, about 40 kB each in Python objects: at most 20 MB
_KEPT_EDGES = 8  # right edges of recent heads; a receipt is asked for right after its commit


class TileTree:
    def __init__(self, load: LoadTile) -> None:
        self.size = 0
        self._load = load
        self._open: list[_Block] = [_Block(0)]
        self._sealed: dict[tuple[int, int], _Block] = {}
        self._edges: dict[int, list[bytes | None]] = {}
        self._trim = threading.Lock()

    @classmethod
    def rebuild(cls, size: int, tail: Sequence[bytes], load: LoadTile) -> "TileTree":
        """The tree of `size` leaves from its full tiles and the leaf hashes of its last, partial tile."""
        grown = cls(load)
        grown.size = size
        level = 0
        while size >> tiles.HEIGHT * level:
            width = tiles.partial_width(level, size)
            first = tiles.full_tiles(level, size) * tiles.WIDTH
            block = _Block(first // tiles.WIDTH)
            for at in range(first, first + width):
                block.add(tail[at - first] if level == 0 else _Block.full(at, load(level - 1, at)).root())
            grown._open[level:] = [block]
            level += 1
        return grown

    @staticmethod
    def tile_root(tile: bytes) -> bytes:
        """The hash of a full tile, as it stands in the tile one level up. Raises ValueError on a misshapen tile."""
        return _Block.full(0, tile).root()

    def append(self, leaves: Iterable[bytes]) -> list[tuple[int, int, bytes]]:
        """Adds leaf hashes; returns the tiles that became full, as (level, index, bytes)."""
        filled: list[tuple[int, int, bytes]] = []
        for leaf in leaves:
            if self._open[0].add(leaf) == tiles.WIDTH:
                self._seal(0, filled)
            self.size += 1
        return filled

    def node(self, height: int, index: int) -> bytes:
        level, inner = divmod(height, tiles.HEIGHT)
        return self._block(level, index >> tiles.HEIGHT - inner).levels[inner][index & (tiles.WIDTH >> inner) - 1]

    def edge(self, size: int) -> list[bytes | None]:
        known = self._edges.get(size)
        if known is None:
            known = tree.right_edge(size, self.node)
            with self._trim:
                self._edges[size] = known
                while len(self._edges) > _KEPT_EDGES:
                    del self._edges[next(iter(self._edges))]
        return known

    def root(self, size: int) -> bytes:
        return self.edge(size)[-1] or tree.EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        return tree.inclusion_proof(index, size, self.node, self.edge(size))

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        return tree.consistency_proof(old, new, self.node)

    def tile(self, level: int, index: int, width: int) -> bytes:
        return b"".join(self._block(level, index).levels[0][:width])

    def _seal(self, level: int, filled: list[tuple[int, int, bytes]]) -> None:
        block = self._open[level]
        filled.append((level, block.index, b"".join(block.levels[0])))
        if level + 1 == len(self._open):
            self._open.append(_Block(0))
        if self._open[level + 1].add(block.root()) == tiles.WIDTH:
            self._seal(level + 1, filled)
        self._keep(level, block)  # before the swap below, so that a reader finds the block in one place or the other
        self._open[level] = _Block(block.index + 1)

    def _block(self, level: int, index: int) -> "_Block":
        for _ in range(2):  # the second look is for a block sealed between the two questions
            if (sealed := self._sealed.get((level, index))) is not None:
                return sealed
            if level < len(self._open) and (block := self._open[level]).index == index:
                return block
        block = _Block.full(index, self._load(level, index))
        self._keep(level, block)
        return block

    def _keep(self, level: int, block: "_Block") -> None:
        with self._trim:
            self._sealed[level, block.index] = block
            while len(self._sealed) > _KEPT_BLOCKS:
                del self._sealed[next(iter(self._sealed))]


class _Block:
    """One tile and the complete nodes inside it: `levels[0]` is the tile, `levels[7]` the two halves."""

    __slots__ = ("index", "levels")

    def __init__(self, index: int) -> None:
        self.index = index
        self.levels: list[list[bytes]] = [[] for _ in range(tiles.HEIGHT)]

    @classmethod
    def full(cls, index: int, tile: bytes) -> "_Block":
        block = cls(index)
        block.levels[0] = row = tiles.split_tile(tile)
        if len(row) != tiles.WIDTH:
            raise ValueError("a full tile has 256 hashes")
        for inner in range(1, tiles.HEIGHT):
            block.levels[inner] = row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return block

    def add(self, found: bytes) -> int:
        """Adds a hash and the nodes it completes; returns the new width."""
        levels = self.levels
        row = levels[0]
        row.append(found)
        count = width = len(row)
        inner = 0
        while not count & 1 and inner < tiles.HEIGHT - 1:
            found = node_hash(row[-2], found)
            inner += 1
            row = levels[inner]
            row.append(found)
            count >>= 1
        return width

    def root(self) -> bytes:
        left, right = self.levels[-1]
        return node_hash(left, right)
