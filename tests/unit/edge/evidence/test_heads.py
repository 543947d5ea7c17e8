"""Heads are signed over all there is, shown to every device that is here, and never forgotten."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.errors import ContractError
from broker.signing import Signer, is_signed
from broker.witness import HeadKept, HeadRefused, head_to_sign, kept_to_sign
from edge.db.store_tables import device
from edge.evidence import custody, heads
from edge.handling import evidence
from edge.handling.telling import Telling
from kiosk.witness import judge
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
    assert judge(first.head, second, STORE, is_signed).keep == second.head


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
    assert judge(held, shown, STORE, is_signed).keep == head


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
