"""Which heads of the custody log a device keeps, and which it refuses."""

import io
import sys
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from broker import codec, tree
from broker.errors import ContractError
from broker.identity import make_request
from broker.signing import Signer, is_signed, load_signer
from broker.witness import HeadKept, HeadRefused, HeadShown, TreeHead, head_to_sign, kept_to_sign
from kiosk import witnessing
from kiosk.witness import ALARM, judge

LOG = UUID(int=5)
SIGNER = Signer(Ed25519PrivateKey.generate())


def leaves(size: int, word: str = "entry") -> list[bytes]:
    return [tree.leaf_hash(f"{word} {n}".encode()) for n in range(size)]


def head(
    hashes: list[bytes], size: int, signer: Signer = SIGNER, log: UUID = LOG, store: str = "shop"
) -> TreeHead:
    root, at_ms = tree.root(tree.over(hashes), size).hex(), 1000 + size
    signature = signer.sign(head_to_sign(store, log, size, root, at_ms))
    return TreeHead(store, log, size, root, at_ms, signer.key, signature)


def shown(hashes: list[bytes], old: int, size: int) -> HeadShown:
    proof = tree.consistency_proof(tree.over(hashes), old, size)
    return HeadShown(head(hashes, size), old, [step.hex() for step in proof])


def test_the_first_head_is_kept_on_trust():
    first = HeadShown(head(leaves(3), 3))
    assert judge(None, first, "shop", is_signed).keep == first.head


@given(st.integers(1, 60), st.integers(0, 60))
def test_every_head_that_continues_the_held_one_is_kept(old: int, more: int):
    hashes = leaves(old + more)
    judged = judge(head(hashes, old), shown(hashes, old, old + more), "shop", is_signed)
    assert judged.keep is not None and judged.keep.size == old + more


@given(st.integers(1, 60), st.integers(0, 60), st.data())
def test_a_rewritten_log_is_refused_with_an_alarm(old: int, more: int, data: st.DataObject):
    hashes = leaves(old + more)
    forged = [*hashes]
    forged[data.draw(st.integers(0, old - 1))] = tree.leaf_hash(b"never happened")
    judged = judge(head(hashes, old), shown(forged, old, old + more), "shop", is_signed)
    assert judged.keep is None and judged.alarm
    assert judged.refusal is not None and judged.refusal.held_size == old


@pytest.mark.parametrize(
    ("other", "reason", "alarm"),
    [
        ({"store": "elsewhere"}, "of the store 'elsewhere'", False),
        ({"signer": Signer(Ed25519PrivateKey.generate())}, "signed by another key", True),
        ({"log": UUID(int=6)}, "of another log", True),
    ],
)
def test_a_head_of_another_store_key_or_log_is_refused(other: dict, reason: str, alarm: bool):
    hashes = leaves(9)
    judged = judge(head(hashes, 5), HeadShown(head(hashes, 5, **other)), "shop", is_signed)
    assert judged.keep is None and judged.alarm is alarm
    assert judged.refusal is not None and reason in judged.refusal.reason


def test_a_head_with_a_bent_signature_is_refused_also_as_the_first():
    good = head(leaves(3), 3)
    bent = TreeHead(good.store, good.log, 4, good.root, good.at_ms, good.key, good.signature)
    judged = judge(None, HeadShown(bent), "shop", is_signed)
    assert judged.keep is None and judged.refusal is not None and "signature" in judged.refusal.reason


def test_a_proof_from_elsewhere_asks_for_the_right_one():
    hashes = leaves(9)
    judged = judge(head(hashes, 5), shown(hashes, 4, 9), "shop", is_signed)
    assert judged.refusal is not None and (judged.refusal.held_size, judged.alarm) == (5, False)


def run(tmp_path: Path, payload: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[int, bytes]:
    class Stream:
        def __init__(self, content: bytes = b"") -> None:
            self.buffer = io.BytesIO(content)

    said = Stream()
    monkeypatch.setattr(sys, "stdin", Stream(payload))
    monkeypatch.setattr(sys, "stdout", said)
    arguments = ["--store", "shop", "--device", "kiosk-1"]
    arguments += ["--identity", str(tmp_path / "identity"), "--directory", str(tmp_path)]
    return witnessing.main(arguments), said.buffer.getvalue()


def test_a_kept_head_is_on_disk_and_countersigned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_request(tmp_path / "identity", "kiosk-1")
    hashes = leaves(9)
    status, said = run(tmp_path, codec.encode(HeadShown(head(hashes, 5))), monkeypatch)
    kept = codec.decode(said, HeadKept)
    key = load_signer(tmp_path / "identity" / "sign.key").key
    assert status == 0 and kept.size == 5
    assert is_signed(key, kept_to_sign("shop", "kiosk-1", LOG, 5, kept.root, kept.at_ms), kept.signature)
    status, said = run(tmp_path, codec.encode(shown(hashes, 5, 9)), monkeypatch)
    assert status == 0 and witnessing.read(tmp_path) == head(hashes, 9)
    status, said = run(tmp_path, codec.encode(shown(leaves(12, "forged"), 9, 12)), monkeypatch)
    assert status == ALARM and codec.decode(said, HeadRefused).held_size == 9
    assert witnessing.read(tmp_path) == head(hashes, 9)


def test_a_damaged_file_is_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_request(tmp_path / "identity", "kiosk-1")
    (tmp_path / witnessing.HELD).write_bytes(b"{")
    with pytest.raises(ContractError):
        witnessing.read(tmp_path)
    status, said = run(tmp_path, codec.encode(HeadShown(head(leaves(3), 3))), monkeypatch)
    assert (status, said) == (1, b"")
