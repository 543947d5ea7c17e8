"""What is kept of stamps and of tries, on both databases."""

from datetime import timedelta

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.signing import Signer
from broker.witness import head_to_sign
from edge.evidence import custody, heads, stamps
from edge.evidence.stamp import Stamp, head_of
from edge.evidence.stamps import Standing
from edge.stamping import State
from tests.unit.edge.conftest import START, STORE

SIGNER = Signer(Ed25519PrivateKey.generate())
LATER = START + timedelta(minutes=1)


def grow(conn: sa.Connection, count: int) -> None:
    with conn.begin():
        for n in range(count):
            custody.append(conn, STORE, "viewed", "c", "", "Mira", f"{n}", START)
        heads.sign_newest(conn, STORE, SIGNER, START)


def test_the_newest_stamp_is_found_and_never_one_of_a_later_head(conn: sa.Connection) -> None:
    for count in (3, 2, 4):
        grow(conn, count)
    with conn.begin():
        assert stamps.newest(conn, STORE, 9) is None
        stamps.keep(conn, STORE, 3, b"one", Stamp(START, "Time"), START)
        stamps.keep(conn, STORE, 9, b"two", Stamp(LATER, "Time"), LATER)
        early, last = stamps.newest(conn, STORE, 8), stamps.newest(conn, STORE, 9)
        head = heads.at_size(conn, STORE, 3)
        assert stamps.newest(conn, STORE, 2) is None and stamps.newest(conn, "other", 9) is None
    assert early is not None and last is not None and head is not None
    assert (early.size, early.reply, early.stamp) == (3, b"one", Stamp(START, "Time"))
    assert (last.size, last.reply, last.stamp.at) == (9, b"two", LATER)
    assert early.message == head_to_sign(STORE, head.log, 3, head.root, head.at_ms)
    found = head_of(early.message)
    assert found is not None
    assert (found.store, found.log, found.size, found.root) == (STORE, head.log, 3, head.root)


def test_failures_are_counted_until_a_stamp_comes(conn: sa.Connection) -> None:
    with conn.begin():
        assert stamps.state(conn, STORE) == State(0, 0, None, 0)
        assert stamps.standing(conn, STORE) == Standing(0, None, None, None, None)
    grow(conn, 5)
    with conn.begin():
        for n in range(3):
            stamps.failed(conn, STORE, "It said no. " * 40, START + timedelta(minutes=n))
        assert stamps.state(conn, STORE) == State(5, 0, START + timedelta(minutes=2), 3)
        standing = stamps.standing(conn, STORE)
        assert standing.trouble is not None and standing.trouble.startswith("It said no.")
        assert (standing.size, standing.at) == (0, None)
        stamps.keep(conn, STORE, 5, b"reply", Stamp(START, "Time"), LATER)
        assert stamps.state(conn, STORE) == State(5, 5, LATER, 0)
        assert stamps.standing(conn, STORE) == Standing(5, START, "Time", None, LATER)
        assert stamps.state(conn, "other") == State(0, 0, None, 0)


def test_only_the_lines_of_a_head_are_read_as_one() -> None:
    log = "00000000-0000-4000-8000-000000000001"
    good = f"floorbell tree head 1\nshop\n{log}\n7\n{'a' * 64}\n5\n".encode()
    assert head_of(good) is not None
    for bad in (
        b"",
        good[:-1],
        good + b"\n",
        good.replace(b"7", b"07"),
        good[1:],
        good.replace(b"\n5\n", b"\n05\n"),
    ):
        assert head_of(bad) is None
    assert head_of(good.split(b"\n", 1)[1]) is None
