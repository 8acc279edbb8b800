"""Merkle tree arithmetic: hashes, inclusion and consistency proofs, and their verification.

Pure functions over a `Node` reader; who keeps the nodes (`tile_tree`) and who signs the root (`checkpoint`) is
elsewhere. Hashing is RFC 6962 section 2.1, repeated unchanged in RFC 9162 section 2.1; node (height, index) is the
complete subtree over leaves ``index * 2**height`` up to ``(index + 1) * 2**height``.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

Node = Callable[[int, int], bytes]
"""Hash of a complete subtree by (height, index)."""

EMPTY_ROOT = sha256(b"").digest()  # RFC 6962 section 2.1: the hash of an empty list is the hash of an empty string


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def right_edge(size: int, node: Node) -> list[bytes | None]:
    """For each height, the hash over the leaves right of the last complete subtree of that height.

    The last item is the root of the tree of `size` leaves. None where nothing is left over.
    """
    edge: list[bytes | None] = [None]
    for height in range(size.bit_length()):
        rest = edge[-1]
        if size >> height & 1:
            left = node(height, (size >> height) - 1)
            rest = left if rest is None else node_hash(left, rest)
        edge.append(rest)
    return edge


def root(size: int, node: Node) -> bytes:
    return right_edge(size, node)[-1] or EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node, edge: Sequence[bytes | None] | None = None) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, leaf's sibling first (RFC 6962 section 2.1.1).

    `edge` is `right_edge(size, node)` where the caller has it at hand: all proofs of one head share it.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    edge = right_edge(size, node) if edge is None else edge
    path = []
    for height in range((size - 1).bit_length()):
        sibling = index >> height ^ 1
        if sibling < size >> height:
            path.append(node(height, sibling))
        elif sibling == size >> height and (rest := edge[height]) is not None:
            path.append(rest)
    return path


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Proof that the tree of `new` leaves begins with the tree of `old` leaves (RFC 6962 section 2.1.2)."""
    if not 0 <= old <= new:
        raise ValueError(f"no tree of {new} leaves grew out of one of {old}")
    if old in (0, new):
        return []  # RFC 9162 section 2.1.4.1: nothing to show
    edge = right_edge(new, node)
    # The largest complete subtree that ends exactly at `old`; it is itself the old root when `old` is a power of two.
    height = (old & -old).bit_length() - 1
    last = (old >> height) - 1
    path = [] if old == 1 << height else [node(height, last)]
    for h in range(height, (new - 1).bit_length()):
        sibling = last >> (h - height) ^ 1
        if sibling < new >> h:
            path.append(node(h, sibling))
        elif sibling == new >> h and (rest := edge[h]) is not None:
            path.append(rest)
    return path


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that leaf, index and path lead to, or None when the path has the wrong length (RFC 9162 section
    2.1.3.2).
    """
    if not 0 <= index < size:
        return None
    fn, sn, found = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            found = node_hash(sibling, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, sibling)
        fn, sn = fn >> 1, sn >> 1
    return found if sn == 0 else None


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    return root_from_inclusion(leaf, index, size, path) == root


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the new tree begins with the old one (RFC 9162 section 2.1.4.2)."""
    if old == new:
        return old_root == new_root and not path
    if old == 0:
        return old_root == EMPTY_ROOT and not path
    if not 0 < old < new or not path:
        return False
    steps = list(path) if old & (old - 1) else [old_root, *path]
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old_found = new_found = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old_found, new_found = node_hash(step, old_found), node_hash(step, new_found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_found = node_hash(new_found, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old_found == old_root and new_found == new_root
