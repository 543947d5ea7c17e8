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
from broker.witness import (
    Before,
    HeadKept,
    HeadRefused,
    HeadShown,
    Restoration,
    TreeHead,
    head_to_sign,
    kept_to_sign,
    restored_to_sign,
)
from kiosk import witnessing
from kiosk.witness import ALARM, DAYS, HOURS, Held, Mark, judge, thinned

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


def held(hashes: list[bytes], size: int) -> Held:
    """The same head, as a device holds it."""
    return as_held(head(hashes, size))


def as_held(one: TreeHead) -> Held:
    return Held(one.store, one.log, one.size, one.root, one.at_ms, one.key, one.signature)


def shown(hashes: list[bytes], old: int, size: int) -> HeadShown:
    proof = tree.consistency_proof(tree.over(hashes), old, size)
    return HeadShown(head(hashes, size), old, [step.hex() for step in proof])


def test_the_first_head_is_kept_on_trust():
    first = HeadShown(head(leaves(3), 3))
    assert judge(None, first, "shop", is_signed).keep == as_held(first.head)


@given(st.integers(1, 60), st.integers(0, 60))
def test_every_head_that_continues_the_held_one_is_kept(old: int, more: int):
    hashes = leaves(old + more)
    judged = judge(held(hashes, old), shown(hashes, old, old + more), "shop", is_signed)
    assert judged.keep is not None and judged.keep.size == old + more


@given(st.integers(1, 60), st.integers(0, 60), st.data())
def test_a_rewritten_log_is_refused_with_an_alarm(old: int, more: int, data: st.DataObject):
    hashes = leaves(old + more)
    forged = [*hashes]
    forged[data.draw(st.integers(0, old - 1))] = tree.leaf_hash(b"never happened")
    judged = judge(held(hashes, old), shown(forged, old, old + more), "shop", is_signed)
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
    judged = judge(held(hashes, 5), HeadShown(head(hashes, 5, **other)), "shop", is_signed)
    assert judged.keep is None and judged.alarm is alarm
    assert judged.refusal is not None and reason in judged.refusal.reason


def test_a_head_with_a_bent_signature_is_refused_also_as_the_first():
    good = head(leaves(3), 3)
    bent = TreeHead(good.store, good.log, 4, good.root, good.at_ms, good.key, good.signature)
    judged = judge(None, HeadShown(bent), "shop", is_signed)
    assert judged.keep is None and judged.refusal is not None and "signature" in judged.refusal.reason


def test_a_proof_from_elsewhere_asks_for_the_right_one():
    hashes = leaves(9)
    judged = judge(held(hashes, 5), shown(hashes, 4, 9), "shop", is_signed)
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
    now_held = witnessing.read(tmp_path)
    assert status == 0 and now_held is not None and (now_held.size, now_held.earlier[0].size) == (9, 5)
    status, said = run(tmp_path, codec.encode(shown(leaves(12, "forged"), 9, 12)), monkeypatch)
    assert status == ALARM and codec.decode(said, HeadRefused).held_size == 9
    assert witnessing.read(tmp_path) == now_held


def test_a_damaged_file_is_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_request(tmp_path / "identity", "kiosk-1")
    (tmp_path / witnessing.HELD).write_bytes(b"{")
    with pytest.raises(ContractError):
        witnessing.read(tmp_path)
    status, said = run(tmp_path, codec.encode(HeadShown(head(leaves(3), 3))), monkeypatch)
    assert (status, said) == (1, b"")


class Restored:
    """A log of `lost` entries of which a backup had `size`; `hashes` go on differently from there."""

    def __init__(self, size: int, lost: int, more: int) -> None:
        self.old = leaves(lost)
        self.hashes = [*self.old[:size], *leaves(more, "since")]
        self.word = self.restoration(size)

    def restoration(self, size: int, at_ms: int = 5000, signer: Signer = SIGNER) -> Restoration:
        root = tree.root(tree.over(self.hashes), size).hex()
        signed = restored_to_sign("shop", LOG, size, root, 4000, at_ms)
        return Restoration(size, root, 4000, at_ms, signer.sign(signed))

    def shown(self, old: int, size: int | None = None, *restored: Restoration) -> HeadShown:
        plain = shown(self.hashes, old, len(self.hashes) if size is None else size)
        return HeadShown(plain.head, plain.old, plain.proof, list(restored or (self.word,)))

    def device(self, *sizes: int) -> Held:
        """What a device holds that was shown the log at each of these sizes, an hour apart."""
        first, *others = sizes
        now = held(self.old, first)
        for number, size in enumerate(others):
            earlier = [*now.earlier, Mark(now.size, now.root, number * 3_600_000)]
            one = head(self.old, size)
            now = Held(one.store, one.log, size, one.root, one.at_ms, one.key, one.signature, earlier)
        return now


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 30), st.data())
def test_a_restored_store_goes_on_from_what_was_held_at_its_backup_and_what_is_given_up_is_kept(
    size: int, lost: int, more: int, data: st.DataObject
):
    case = Restored(size, size + lost, more)
    known = data.draw(st.integers(1, size))
    device = case.device(known, size + lost)
    judged = judge(device, case.shown(known), "shop", is_signed)
    assert judged.keep is not None and judged.keep.size == size + more and not judged.alarm
    assert judged.keep.before == [Before(size + lost, device.root, 5000)]
    # Shown again it is the head that is held, and nothing more is given up.
    again = judge(judged.keep, case.shown(known), "shop", is_signed)
    assert again.keep == judged.keep
    # What follows is held against it like any other, and its own rewriting is an alarm.
    case.hashes += leaves(3, "later")
    later = judge(judged.keep, case.shown(size + more), "shop", is_signed)
    assert later.keep is not None and later.keep.before == judged.keep.before
    case.hashes[size] = tree.leaf_hash(b"rewritten")
    assert judge(judged.keep, case.shown(size + more), "shop", is_signed).alarm


def test_a_device_asks_for_the_proof_from_what_it_held_then():
    case = Restored(10, 15, 7)
    device = case.device(4, 8, 12, 15)
    judged = judge(device, case.shown(12), "shop", is_signed)
    assert judged.refusal is not None and not judged.alarm
    assert (judged.refusal.held_size, judged.refusal.held_root) == (8, head(case.old, 8).root)
    assert judge(device, case.shown(8), "shop", is_signed).keep is not None
    # One that was shown nothing before the backup holds nothing against what follows.
    new = case.device(15)
    judged = judge(new, case.shown(15), "shop", is_signed)
    assert judged.refusal is not None and judged.refusal.held_size == 0 and not judged.alarm
    assert judge(new, case.shown(0), "shop", is_signed).keep is not None


def test_what_was_there_at_the_backup_cannot_be_rewritten_by_calling_it_a_restore():
    case = Restored(10, 15, 7)
    device = case.device(8, 15)
    case.hashes[5] = tree.leaf_hash(b"never happened")
    judged = judge(device, case.shown(8, None, case.restoration(10)), "shop", is_signed)
    assert judged.keep is None and judged.alarm


def test_a_restore_that_the_store_did_not_sign_or_that_was_taken_already_excuses_nothing():
    case = Restored(10, 15, 7)
    device = case.device(8, 15)
    forged = case.restoration(10, signer=Signer(Ed25519PrivateKey.generate()))
    judged = judge(device, case.shown(15, 17, forged), "shop", is_signed)
    assert judged.keep is None and judged.alarm
    taken = judge(device, case.shown(8), "shop", is_signed).keep
    assert taken is not None
    # The log is cut back to the backup again, with the old word.
    case.hashes = [*case.hashes[:10], *leaves(9, "again")]
    judged = judge(taken, case.shown(taken.size), "shop", is_signed)
    assert judged.keep is None and judged.alarm


def test_two_restores_while_a_device_was_away_are_one_for_it():
    case = Restored(10, 15, 7)
    device = case.device(8, 12, 15)
    first = case.word
    second = case.restoration(13, at_ms=6000)
    case.hashes = [*case.hashes[:13], *leaves(4, "after the second")]
    judged = judge(device, case.shown(8, None, first, second), "shop", is_signed)
    assert judged.keep is not None and judged.keep.before == [Before(15, device.root, 6000)]


def test_a_device_that_knew_no_more_than_the_backup_gives_up_nothing():
    case = Restored(10, 15, 7)
    judged = judge(case.device(4, 10), case.shown(10), "shop", is_signed)
    assert judged.keep is not None and judged.keep.before == []


def test_what_was_given_up_is_in_every_signature_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_request(tmp_path / "identity", "kiosk-1")
    key = load_signer(tmp_path / "identity" / "sign.key").key
    case = Restored(10, 15, 7)
    witnessing.keep(tmp_path, case.device(8, 15))
    status, said = run(tmp_path, codec.encode(case.shown(8)), monkeypatch)
    kept = codec.decode(said, HeadKept)
    assert status == 0 and [(one.size, one.restored_ms) for one in kept.before] == [(15, 5000)]
    without = kept_to_sign("shop", "kiosk-1", LOG, kept.size, kept.root, kept.at_ms)
    whole = kept_to_sign("shop", "kiosk-1", LOG, kept.size, kept.root, kept.at_ms, kept.before)
    assert is_signed(key, whole, kept.signature) and not is_signed(key, without, kept.signature)


def test_of_years_of_heads_few_are_remembered_and_never_the_newest_of_a_day_forgotten():
    hour = 3_600_000
    marks = [Mark(number, "0" * 64, number * hour // 4) for number in range(4 * 24 * 500)]
    now_ms = marks[-1].at_ms
    kept = thinned(marks, now_ms)
    assert len(kept) <= HOURS + DAYS + 2 and kept[-1] == marks[-1]
    assert {one.at_ms // (24 * hour) for one in kept} >= {
        one.at_ms // (24 * hour) for one in marks if now_ms - one.at_ms < DAYS * 24 * hour
    }
