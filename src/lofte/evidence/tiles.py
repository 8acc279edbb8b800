"""C2SP tlog-tiles: the paths, widths and entry bundles by which a log is read as static files.

Source: https://c2sp.org/tlog-tiles (tagged 0.1.0; text as of 22 July 2026). A tile is 256 hashes wide and eight tree
levels high.
"""

import re
from collections.abc import Iterable

WIDTH = 256
HEIGHT = 8  # tree levels in a tile
HASH_BYTES = 32
LARGEST_ENTRY_BYTES = 65_535  # a bundle gives each entry a big-endian uint16 length
_TOP_LEVEL = 63

_INDEX = r"(?:x\d{3}/)*\d{3}"
_PATH = re.compile(rf"(?P<level>entries|0|[1-9]\d?)/(?P<index>{_INDEX})(?:\.p/(?P<width>[1-9]\d{{0,2}}))?")


def tile_path(level: int | str, index: int, width: int | None = None) -> str:
    """The path below ``tile/``: ``0/x001/x234/067``; 17 hashes wide ``0/000.p/17``; level ``entries`` for bundles."""
    groups = f"{index % 1000:03d}"
    while index := index // 1000:
        groups = f"x{index % 1000:03d}/{groups}"
    return f"{level}/{groups}" + (f".p/{width}" if width is not None else "")


def parse_tile_path(path: str) -> tuple[int | None, int, int | None]:
    """(level, index, width) of a path below ``tile/``; level None for entry bundles, width None for full tiles.

    Raises ValueError on anything that `tile_path` would not have written.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise ValueError("no tile has this path")
    level = None if found["level"] == "entries" else int(found["level"])
    index = int(found["index"].replace("x", "").replace("/", ""))
    width = int(found["width"]) if found["width"] else None
    if (level or 0) > _TOP_LEVEL or (width or 0) >= WIDTH or tile_path(found["level"], index, width) != path:
        raise ValueError("no tile has this path")
    return level, index, width


def partial_width(level: int, size: int) -> int:
    """Width of the partial tile at a level of a tree of `size` leaves; 0 where there is none."""
    return (size >> HEIGHT * level) % WIDTH


def full_tiles(level: int, size: int) -> int:
    """How many full tiles a level has in a tree of `size` leaves."""
    return size >> HEIGHT * (level + 1)


def bundle(entries: Iterable[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ValueError when the lengths do not add up."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or at + 2 > len(data):
            raise ValueError(f"the bundle ends inside entry {len(entries)}")
        entries.append(data[at + 2 : end])
        at = end
    return entries


def split_tile(tile: bytes) -> list[bytes]:
    """The hashes of a tile. Raises ValueError unless it is 1 to 256 whole hashes."""
    if not tile or len(tile) % HASH_BYTES or len(tile) > WIDTH * HASH_BYTES:
        raise ValueError("a tile is 1 to 256 hashes of 32 bytes")
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
