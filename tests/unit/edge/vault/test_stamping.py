"""The vault has the log's head stamped by a real authority, and stands whatever the authority does."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from broker import identity
from broker.signing import Signer
from edge.config import Evidence
from edge.evidence import custody, heads, stamps
from edge.evidence.stamps import Stamped
from edge.stamping import Authority
from edge.vault import authority
from edge.vault.application import create_vault
from edge.vault.stamping import Stamping
from tests.rig.authority import Answer, Issuer, TimeAuthority
from tests.rig.footage import STORE_KEY
from tests.unit.edge.conftest import START, STORE
from tests.unit.edge.vault.conftest import Door

WITHIN_S = 1.5


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    made = Issuer(tmp_path_factory.mktemp("ca"))
    made.issue("expired", "Test Time of last year", until_days=-1)
    made.issue("mail", "Somebody who signs letters", stamps=False)
    return made


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("other-ca"), "Another CA")


@contextmanager
def open_for(answer: Answer) -> Iterator[TimeAuthority]:
    there = TimeAuthority(answer)
    try:
        yield there
    finally:
        there.close()


@pytest.fixture
def office(issuer: Issuer) -> Iterator[TimeAuthority]:
    with open_for(lambda query: (200, issuer.reply(query))) as there:
        yield there


def grow(door: Door, signer: Signer = STORE_KEY) -> None:
    with door.engine.begin() as conn:
        custody.append(conn, STORE, "viewed", "c", "", "Mira", "Why", door.clock())
        heads.sign_newest(conn, STORE, signer, door.clock())


def stamping(door: Door, url: str, certificate: Path) -> Stamping:
    vault = door.app.extensions["vault"]
    ask = lambda url, body: authority.ask(url, body, WITHIN_S)  # noqa: E731
    return Stamping(STORE, url, certificate, vault.writer, vault._read, door.clock, ask)


def newest(door: Door) -> Stamped | None:
    with door.engine.connect() as conn:
        return stamps.newest(conn, STORE, 10**6)


def trouble(door: Door) -> str | None:
    with door.engine.connect() as conn:
        return stamps.standing(conn, STORE).trouble


def test_the_newest_head_is_stamped_and_openssl_says_so_too(
    door: Door, office: TimeAuthority, issuer: Issuer, tmp_path: Path
) -> None:
    grow(door)
    stamping(door, office.url, issuer.ca).turn()
    found = newest(door)
    assert found is not None and found.size == 1 and found.stamp.by == "Test Time" and trouble(door) is None
    (tmp_path / "head.txt").write_bytes(found.message)
    (tmp_path / "stamp.tsr").write_bytes(found.reply)
    words = ["-data", "head.txt", "-in", "stamp.tsr", "-CAfile", str(issuer.ca)]
    done = subprocess.run(["openssl", "ts", "-verify", *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "Verification: OK" in done.stdout


def test_one_head_a_day_is_stamped(door: Door, office: TimeAuthority, issuer: Issuer) -> None:
    work = stamping(door, office.url, issuer.ca)
    work.turn()
    assert office.asked == []
    for hours, asked in ((0, 1), (1, 1), (22, 1), (1, 2), (48, 3)):
        door.clock.now += timedelta(hours=hours)
        grow(door)
        work.turn()
        assert len(office.asked) == asked
    door.clock.now += timedelta(days=3)
    work.turn()
    assert len(office.asked) == 3


def test_a_reply_that_does_not_fit_is_refused_in_a_sentence(
    door: Door, issuer: Issuer, stranger: Issuer, tmp_path: Path
) -> None:
    grow(door)
    other = tmp_path / "other"
    other.write_bytes(b"something else")
    query = subprocess.run(
        ["openssl", "ts", "-query", "-data", str(other), "-sha256", "-cert"], capture_output=True, check=True
    ).stdout
    earlier: list[bytes] = []

    def replayed(asked: bytes) -> bytes:
        earlier.append(issuer.reply(asked))
        return earlier[0]

    ca = "The stamp is not by an authority under the given CA (unable to get local issuer certificate)."
    old = "The certificates behind the stamp were not valid when it was made."
    mail = "The stamp's certificate is not one for time-stamping."
    cases = {
        "The stamp is on something else than this head.": lambda _: (200, issuer.reply(query)),
        ca: lambda asked: (200, stranger.reply(asked)),
        old: lambda asked: (200, issuer.reply(asked, "expired")),
        mail: lambda asked: (200, issuer.forge(asked, "mail")),
        "The authority refused to stamp: Bad request format or system error.": lambda _: (
            200,
            issuer.reply(b"rubbish"),
        ),
        "This is no time stamp.": lambda _: (200, b"<html>Welcome</html>"),
        "The stamp's signature does not hold.": lambda asked: (200, _flipped(issuer.reply(asked))),
    }
    with open_for(lambda _: (200, b"")) as there:
        work = stamping(door, there.url, issuer.ca)
        for sentence, answer in cases.items():
            there.answer = answer
            work.turn()
            assert trouble(door) == sentence
            door.clock.now += timedelta(hours=4)
        there.answer = lambda asked: (200, replayed(asked))
        work.turn()
        assert newest(door) is not None
        door.clock.now += timedelta(days=1)
        with door.engine.begin() as conn:
            # The same head again, as it would be asked for after a restore: an old reply does not do.
            conn.exec_driver_sql("UPDATE tree_head SET stamp = NULL")
        work.turn()
        assert trouble(door) == "The stamp answers another request than this one." and newest(door) is None


def _flipped(reply: bytes) -> bytes:
    return reply[:-9] + bytes([reply[-9] ^ 1]) + reply[-8:]


def test_an_authority_that_fails_is_tried_again_and_named(door: Door, issuer: Issuer) -> None:
    grow(door)
    with open_for(lambda _: (500, b"")) as there:
        work = stamping(door, there.url, issuer.ca)
        where = there.url.split("/")[2]
        work.turn()
        assert (
            trouble(door)
            == f"The authority {where} answered ‘500 Internal Server Error’ instead of stamping."
        )
        work.turn()
        assert len(there.asked) == 1
        door.clock.now += timedelta(minutes=1)
        there.answer = lambda _: (200, b"x" * 70_000)
        work.turn()
        assert trouble(door) == f"The authority {where} sent more than 64 KiB; a stamp is less."
        door.clock.now += timedelta(minutes=2)
        there.silent = True
        work.turn()
        late = f"The authority {where} did not answer within 1.5 seconds."
        assert trouble(door) == late
        door.clock.now += timedelta(minutes=4)
        there.silent, there.dripping = False, True
        there.answer = lambda _: (200, b"x" * 200)
        work.turn()
        assert trouble(door) == late
        there.dripping = False
        there.answer = lambda query: (200, issuer.reply(query))
        door.clock.now += timedelta(minutes=8)
        work.turn()
    assert len(there.asked) == 5 and trouble(door) is None and newest(door) is not None


def test_an_authority_that_is_not_there_or_a_certificate_that_is_none_is_named(
    door: Door, issuer: Issuer, tmp_path: Path
) -> None:
    grow(door)
    with open_for(lambda _: (200, b"")) as there:
        gone = there.url
    stamping(door, gone, issuer.ca).turn()
    where = gone.split("/")[2]
    assert trouble(door) == f"The authority {where} cannot be reached: Connection refused."
    missing = tmp_path / "ca.pem"
    door.clock.now += timedelta(hours=4)
    stamping(door, gone, missing).turn()
    assert (
        trouble(door)
        == f"{missing}, which [evidence.stamp] names, cannot be read: No such file or directory."
    )
    missing.write_text("no certificate")
    door.clock.now += timedelta(hours=4)
    stamping(door, gone, missing).turn()
    assert "holds no certificate" in (trouble(door) or "")


def test_clips_are_sealed_and_heads_signed_while_an_authority_says_nothing(
    door: Door, issuer: Issuer
) -> None:
    """The thread waits for the authority; the vault's writer and its stop do not wait for the thread."""
    grow(door)
    with open_for(lambda _: (200, b"")) as there:
        there.silent = True
        vault = door.app.extensions["vault"]
        work = Stamping(STORE, there.url, issuer.ca, vault.writer, vault._read, door.clock, look_every_s=0.01)
        work.start()
        while not there.asked:
            grow(door)
        grow(door)
        work.stop(0.1)
    with door.engine.connect() as conn:
        head = heads.newest(conn, STORE)
    assert head is not None and head.size >= 2 and head.at_ms == int(START.timestamp() * 1000)


@pytest.mark.parametrize("wanted", [None, Authority("http://127.0.0.1:9/", "ca.pem")])
def test_the_vault_asks_only_where_an_authority_is_set(door: Door, wanted: Authority | None) -> None:
    config = msgspec.structs.replace(door.app.extensions["vault"].config, evidence=Evidence(wanted))
    identity.make_store(config.identity_path, STORE, ["localhost"], datetime.now(UTC))
    vault = create_vault(config, lambda _: None, door.clock).extensions["vault"]
    vault.start()
    threads = {thread.name for thread in threading.enumerate()}
    vault.stop()
    assert ("vault-stamping" in threads) is (wanted is not None)
    assert "vault-stamping" not in {thread.name for thread in threading.enumerate()}
