"""The tree against RFC 6962's published vectors (those of certificate-transparency) and against itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import tree

# The eight entries and the roots that Google's certificate-transparency repository publishes for RFC 6962.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
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
# (leaf, size, proof): leaf counted from 0.
INCLUSIONS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
]
CONSISTENCIES = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]
SIZES = st.integers(1, 130)


def leaves(size: int) -> list[bytes]:
    return [tree.leaf_hash(f"entry {n}".encode()) for n in range(size)]


PUBLISHED = tree.over([tree.leaf_hash(entry) for entry in ENTRIES])


def test_the_published_roots_come_out():
    assert [tree.root(PUBLISHED, size).hex() for size in range(1, 9)] == ROOTS
    assert tree.root(PUBLISHED, 0) == tree.EMPTY


@pytest.mark.parametrize(("leaf", "size", "proof"), INCLUSIONS)
def test_the_published_inclusion_proofs_come_out_and_hold(leaf, size, proof):
    made = tree.inclusion_proof(PUBLISHED, leaf, size)
    assert [step.hex() for step in made] == proof
    assert tree.includes(tree.leaf_hash(ENTRIES[leaf]), leaf, size, made, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "size", "proof"), CONSISTENCIES)
def test_the_published_consistency_proofs_come_out_and_hold(old, size, proof):
    made = tree.consistency_proof(PUBLISHED, old, size)
    assert [step.hex() for step in made] == proof
    assert tree.continues(old, bytes.fromhex(ROOTS[old - 1]), size, bytes.fromhex(ROOTS[size - 1]), made)


@given(SIZES, st.data())
def test_every_proof_of_every_tree_holds(size, data):
    node = tree.over(leaves(size))
    head = tree.root(node, size)
    index = data.draw(st.integers(0, size - 1))
    assert tree.includes(node(0, index), index, size, tree.inclusion_proof(node, index, size), head)
    old = data.draw(st.integers(0, size))
    assert tree.continues(old, tree.root(node, old), size, head, tree.consistency_proof(node, old, size))


@given(SIZES, st.data())
def test_no_proof_holds_for_another_leaf_or_place_or_head(size, data):
    node = tree.over(leaves(size))
    head = tree.root(node, size)
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(node, index, size)
    assert not tree.includes(tree.leaf_hash(b"other"), index, size, proof, head)
    assert not tree.includes(node(0, index), index + 1, size, proof, head)
    assert not tree.includes(node(0, index), index, size, proof, tree.EMPTY)
    assert not tree.includes(node(0, index), index, size, [*proof, tree.EMPTY], head)


@given(st.integers(2, 130), st.data())
def test_a_rewritten_entry_breaks_every_proof_from_before_it(size, data):
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    honest = leaves(size)
    forged = [*honest]
    forged[changed] = tree.leaf_hash(b"never happened")
    before = tree.root(tree.over(honest), old)
    node = tree.over(forged)
    proof = tree.consistency_proof(node, old, size)
    assert not tree.continues(old, before, size, tree.root(node, size), proof)
    # Nor does the honest proof help the forged head.
    honest_proof = tree.consistency_proof(tree.over(honest), old, size)
    assert not tree.continues(old, before, size, tree.root(node, size), honest_proof)


@given(st.integers(2, 130), st.data())
def test_a_shortened_or_bent_consistency_proof_is_refused(size, data):
    old = data.draw(st.integers(1, size - 1))
    node = tree.over(leaves(size))
    before, head = tree.root(node, old), tree.root(node, size)
    proof = tree.consistency_proof(node, old, size)
    assert not tree.continues(old, before, size, head, proof[:-1])
    assert not tree.continues(old, before, size, head, [*proof, tree.EMPTY])
    at = data.draw(st.integers(0, len(proof) - 1))
    bent = [*proof]
    bent[at] = tree.EMPTY
    assert not tree.continues(old, before, size, head, bent)
    assert not tree.continues(size, head, old, before, proof)


@given(SIZES)
def test_kept_subtrees_are_all_that_a_proof_needs(size):
    hashes = leaves(size)
    kept = {(0, n): h for n, h in enumerate(hashes)}
    for index in range(size):
        for level, at in tree.completed(index):
            kept[level, at] = tree.node_hash(kept[level - 1, 2 * at], kept[level - 1, 2 * at + 1])

    def node(level: int, index: int) -> bytes:
        return kept[level, index]

    assert tree.root(node, size) == tree.root(tree.over(hashes), size)
    for old in range(size + 1):
        proof = tree.consistency_proof(node, old, size)
        assert proof == tree.consistency_proof(tree.over(hashes), old, size)


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (0, 0)])
def test_a_leaf_outside_of_the_tree_has_no_proof(index, size):
    with pytest.raises(ValueError):
        tree.inclusion_proof(PUBLISHED, index, size)
    assert not tree.includes(tree.EMPTY, index, size, [], tree.EMPTY)
