"""The Merkle tree of the custody log: RFC 6962 hashing, its proofs and their verification (RFC 9162, 2.1).

Pure: hashes in, hashes out. `node(level, index)` is whoever keeps the hashes of complete subtrees: that of
the leaves index * 2**level up to (index + 1) * 2**level; level 0 are the leaves. A hash is 32 bytes.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

Hash = bytes
Node = Callable[[int, int], Hash]

EMPTY: Hash = sha256(b"").digest()


def leaf_hash(entry: bytes) -> Hash:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    return sha256(b"\x01" + left + right).digest()


def over(leaves: Sequence[Hash]) -> Node:
    """The nodes of a tree whose leaf hashes are all here."""

    def node(level: int, index: int) -> Hash:
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def completed(index: int) -> list[tuple[int, int]]:
    """The (level, index) of the inner subtrees that the leaf `index` completes, lowest first."""
    found, level = [], 1
    while (index + 1) % (1 << level) == 0:
        found.append((level, index >> level))
        level += 1
    return found


def root(node: Node, size: int) -> Hash:
    """The tree head over the first `size` leaves."""
    return _range(node, 0, size) if size else EMPTY


def inclusion_proof(node: Node, index: int, size: int) -> list[Hash]:
    """The path that proves leaf `index` in the tree of `size` leaves (RFC 6962, 2.1.1), else ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[Hash] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range(node, middle, end))
            end = middle
        else:
            path.append(_range(node, begin, middle))
            begin = middle
    return path[::-1]


def consistency_proof(node: Node, old: int, size: int) -> list[Hash]:
    """What proves that the tree of `size` leaves continues that of `old` (RFC 6962, 2.1.2).

    Empty for old == size and for old == 0. ValueError outside of that.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} cannot continue one of {old}")
    if old in (0, size):
        return []
    proof: list[Hash] = []
    begin, end, whole = 0, size, True
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(_range(node, middle, end))
            end = middle
        else:
            proof.append(_range(node, begin, middle))
            begin, whole = middle, False
    if not whole:
        proof.append(_range(node, begin, end))
    return proof[::-1]


def includes(leaf: Hash, index: int, size: int, proof: Sequence[Hash], head: Hash) -> bool:
    """Whether `proof` shows the leaf hash at `index` in the tree with this head (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == head


def continues(old: int, old_head: Hash, size: int, head: Hash, proof: Sequence[Hash]) -> bool:
    """Whether `proof` shows that the tree of `size` continues that of `old` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old == size:
        return not proof and old_head == head
    if old == 0:
        return not proof and old_head == EMPTY
    steps = list(proof) if old & (old - 1) else [old_head, *proof]
    if not steps:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, step)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_head and after == head


def _split(size: int) -> int:
    """The largest power of two below `size`, which is 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def _range(node: Node, begin: int, end: int) -> Hash:
    """The hash over leaves begin to end; `begin` is where such a subtree may begin."""
    parts: list[Hash] = []
    while begin < end:
        room = (end - begin).bit_length() - 1
        fits = (begin & -begin).bit_length() - 1 if begin else room
        level = min(room, fits)
        parts.append(node(level, begin >> level))
        begin += 1 << level
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found
