"""Heads are signed over all there is, shown to every device that is here, and never forgotten."""

from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.errors import ContractError
from broker.signing import Signer, is_signed
from broker.witness import HeadKept, HeadRefused, TreeHead, head_to_sign, kept_to_sign
from edge.db.evidence_tables import custody as custody_table
from edge.db.evidence_tables import custody_log, custody_node, tree_head, witness
from edge.db.store_tables import device
from edge.evidence import custody, heads, restores
from edge.handling import evidence
from edge.handling.telling import Telling
from kiosk.witness import Held, judge
from tests.unit.edge.conftest import START, STORE

SIGNER = Signer(Ed25519PrivateKey.generate())
KIOSK = Signer(Ed25519PrivateKey.generate())


@pytest.fixture(autouse=True)
def kiosk_1_is_here(conn: sa.Connection) -> None:
    with conn.begin():
        here = {"status": "online", "signing_key": KIOSK.key}
        conn.execute(sa.update(device).where(device.c.name == "kiosk-1").values(**here))


def grow(conn: sa.Connection, count: int) -> None:
    with conn.begin():
        for n in range(count):
            custody.append(conn, STORE, "viewed", "c", "", "Mira", f"{n}", START)
        heads.sign_newest(conn, STORE, SIGNER, START)


def answer(conn: sa.Connection, said: HeadKept | HeadRefused) -> Telling:
    telling = Telling(STORE)
    evidence.witnessed(conn, telling, STORE, "kiosk-1", said, START)
    return telling


def as_held(head: TreeHead) -> Held:
    return msgspec.convert(head, Held, from_attributes=True)


def kept(log: UUID, size: int, root: str, signer: Signer = KIOSK) -> HeadKept:
    signature = signer.sign(kept_to_sign(STORE, "kiosk-1", log, size, root, 7))
    return HeadKept(log=log, size=size, root=root, at_ms=7, signature=signature)


def test_a_head_is_signed_once_for_each_growth(conn: sa.Connection) -> None:
    with conn.begin():
        assert heads.sign_newest(conn, STORE, SIGNER, START) is None
    grow(conn, 3)
    with conn.begin():
        head = heads.newest(conn, STORE)
        assert heads.sign_newest(conn, STORE, SIGNER, START) is None
    assert head is not None and head.size == 3
    signed = head_to_sign(STORE, head.log, 3, head.root, head.at_ms)
    assert is_signed(SIGNER.key, signed, head.signature)


def test_a_device_is_shown_each_head_with_the_proof_from_the_one_it_holds(conn: sa.Connection) -> None:
    grow(conn, 3)
    with conn.begin():
        ((name, first),) = heads.to_show(conn, STORE)
        assert (name, first.old, heads.to_show(conn, STORE)) == ("kiosk-1", 0, [])
        answer(conn, kept(first.head.log, 3, first.head.root))
    grow(conn, 6)
    with conn.begin():
        ((_, second),) = heads.to_show(conn, STORE)
        assert second.old == 3
    judged = judge(as_held(first.head), second, STORE, is_signed)
    assert judged.keep is not None and judged.keep.root == second.head.root


def test_a_device_that_comes_back_is_shown_it_again(conn: sa.Connection) -> None:
    grow(conn, 3)
    with conn.begin():
        heads.to_show(conn, STORE)
        heads.doubt(conn, STORE, "kiosk-1")
        assert [name for name, _ in heads.to_show(conn, STORE)] == ["kiosk-1"]


def test_what_the_device_did_not_sign_is_not_believed(conn: sa.Connection) -> None:
    grow(conn, 3)
    with conn.begin():
        head = heads.newest(conn, STORE)
        assert head is not None
        with pytest.raises(ContractError, match="did not sign"):
            answer(conn, kept(head.log, 3, head.root, SIGNER))
        assert heads.witnesses(conn, STORE) == []


def test_a_device_that_holds_another_of_our_heads_is_shown_the_way(conn: sa.Connection) -> None:
    grow(conn, 3)
    with conn.begin():
        held = heads.newest(conn, STORE)
        heads.to_show(conn, STORE)
    grow(conn, 2)
    with conn.begin():
        head = heads.newest(conn, STORE)
        assert held is not None and head is not None
        refusal = HeadRefused(head.log, 5, head.root, "From elsewhere.", held.size, held.root)
        assert answer(conn, refusal).news == []
        ((_, shown),) = heads.to_show(conn, STORE)
    judged = judge(as_held(held), shown, STORE, is_signed)
    assert judged.keep is not None and judged.keep.root == head.root


def test_a_head_that_a_device_only_says_it_holds_has_no_signature(conn: sa.Connection) -> None:
    """What it signed was another head: beside this one its signature would not hold."""
    grow(conn, 3)
    with conn.begin():
        first = heads.newest(conn, STORE)
        assert first is not None
        answer(conn, kept(first.log, 3, first.root))
    grow(conn, 2)
    with conn.begin():
        second = heads.newest(conn, STORE)
        assert second is not None
        answer(conn, HeadRefused(first.log, 5, second.root, "From elsewhere.", 3, first.root))
        (held,) = heads.witnesses(conn, STORE)
        assert held.signature is not None and held.key == KIOSK.key and held.at_ms == 7
        answer(conn, HeadRefused(first.log, 5, second.root, "From elsewhere.", 5, second.root))
        (held,) = heads.witnesses(conn, STORE)
    assert (held.size, held.root) == (5, second.root)
    assert (held.at_ms, held.key, held.signature) == (None, None, None)


@pytest.mark.parametrize("held_size", [2, 9])
def test_a_device_that_holds_what_this_log_never_was_is_told_to_the_manager(
    conn: sa.Connection, held_size: int
) -> None:
    """The log was rewritten, or the database was rolled back behind what the device has seen."""
    grow(conn, 3)
    with conn.begin():
        head = heads.newest(conn, STORE)
        assert head is not None
        said = HeadRefused(head.log, 3, head.root, "This does not continue it.", held_size, "ab" * 32)
        assert [news.what for news in answer(conn, said).news] == ["device"]
        (held,) = heads.witnesses(conn, STORE)
    assert held.refused == "This does not continue it." and held.refused_at == START


def shown_and_answered(conn: sa.Connection, held: Held | None) -> Held:
    """The newest head reaches the device, which answers, until it keeps one; as the device holds it."""
    for _ in range(4):
        with conn.begin():
            heads.doubt(conn, STORE, "kiosk-1")
            ((_, shown),) = heads.to_show(conn, STORE)
            judged = judge(held, shown, STORE, is_signed)
            assert not judged.alarm
            if judged.refusal is not None:
                assert answer(conn, judged.refusal).news == []
                continue
            assert judged.keep is not None
            now = judged.keep
            said = KIOSK.sign(kept_to_sign(STORE, "kiosk-1", now.log, now.size, now.root, 7, now.before))
            answer(conn, HeadKept(now.log, now.size, now.root, 7, said, now.before))
            return now
    raise AssertionError("The device keeps none.")


@pytest.mark.parametrize("since", [2, 4, 9])
def test_a_restored_store_and_a_device_that_held_more_find_together_and_both_say_so(
    conn: sa.Connection, since: int
) -> None:
    """The log had 3 entries at the backup and 7 when it was lost; `since` are written after the restore."""
    grow(conn, 2)
    held = shown_and_answered(conn, None)
    grow(conn, 1)
    grow(conn, 4)
    held = shown_and_answered(conn, held)
    with conn.begin():
        # As the backup was: the device held two, and no head was signed over the third.
        conn.execute(sa.delete(custody_table).where(custody_table.c.place >= 3))
        conn.execute(sa.delete(custody_node).where((custody_node.c.level > 1) | (custody_node.c.place > 0)))
        conn.execute(sa.delete(tree_head).where(tree_head.c.size > 2))
        conn.execute(sa.update(custody_log).values(size=3))
        conn.execute(sa.update(witness).values(size=2, shown=0))
        assert restores.sign(conn, STORE, SIGNER, "a-backup", START, START) == 3
    grow(conn, since)
    after = shown_and_answered(conn, held)
    assert [(one.size, one.root) for one in after.before] == [(7, held.root)]
    (known,) = heads.witnesses(conn, STORE)
    assert known.size == 3 + since and known.before == tuple(after.before)
    conn.rollback()
    grow(conn, 1)
    assert shown_and_answered(conn, after).before == after.before
