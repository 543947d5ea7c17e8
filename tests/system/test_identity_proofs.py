"""What somebody with a wrong, an old or a stolen identity tries, as a table: each refused, and told of where
the manager reads it. Real broker, worker and vault."""

import datetime as dt
import http.client
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from broker import codec, files, identity, issuing, revocation, topics
from broker.authority import open_authority
from broker.events import HelpRequested, SecurityRequested, new_id
from broker.messages import Receipt
from broker.session import Accepted, Arrival, Connected, Delivery
from broker.tls import Credentials, tls_context
from deploy.provision import add_device, revoke_device
from tests.rig import kiosk as kiosks
from tests.rig.store import STORE, Rig, listens, wait_for
from tests.system.test_revocation import Line

pytestmark = pytest.mark.system
_DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig.make(tmp_path_factory.mktemp("proofs") / "shop", devices=("kiosk-1", "kiosk-2", "kiosk-3"))
    try:
        rig.start_broker_program()
        rig.start("worker")
        rig.start("vault")
        rig.start("web")
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        wait_for(lambda: listens(rig.config.vault.port) and listens(rig.config.web.port), "The start", 60)
        yield rig
    finally:
        rig.stop()


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def with_dates(rig: Rig, folder: Path, name: str, begins: dt.datetime, until: dt.datetime) -> Path:
    """Keys and a certificate of the store's own CA, with these dates."""
    by = open_authority(rig.config.identity_path)
    wanted = identity.read_request(identity.make_request(folder, name), name)
    identity.install_certificate(
        folder, identity.issue(by, wanted, begins, until)[0], issuing.pem(by.certificate).decode()
    )
    return folder


def wrong_ca(rig: Rig, folder: Path) -> Path:
    """The same names, from a CA that somebody made at home; it takes the real broker for its own."""
    identity.make_store(folder / "home", STORE, ["127.0.0.1"], now())
    request = identity.make_request(folder / "mine", "kiosk-1")
    pem, _, _ = identity.sign_request(folder / "home", request, "kiosk-1", now())
    ca = (rig.config.identity_path / "ca" / "ca.crt").read_text()
    identity.install_certificate(folder / "mine", pem, ca)
    return folder / "mine"


def expired(rig: Rig, folder: Path) -> Path:
    return with_dates(rig, folder, "kiosk-1", now() - 30 * _DAY, now() - _DAY)


def not_yet_valid(rig: Rig, folder: Path) -> Path:
    return with_dates(rig, folder, "kiosk-1", now() + 10 * _DAY, now() + 30 * _DAY)


def revoked(rig: Rig, folder: Path) -> Path:
    """Its certificate is on the list, and its name is let in again with another."""
    add_device(rig.config, "kiosk-4", "shoes", None, now())
    mine = rig.directory / "devices" / "kiosk-4"
    mine.rename(folder / "stolen")
    revoke_device(rig.config, "kiosk-4", "Stolen.", now())
    add_device(rig.config, "kiosk-4", "shoes", None, now())
    assert revocation.revoked_serials(rig.config.identity_path)
    wait_for(lambda: refused_now(rig, folder / "stolen"), "The broker's reading of the list", 30)
    return folder / "stolen"


def a_servers(rig: Rig, folder: Path) -> Path:
    """A device's key with a certificate for servers."""
    by = open_authority(rig.config.identity_path)
    key = ec.generate_private_key(ec.SECP256R1())
    made = issuing.certificate(by, "kiosk-1", key.public_key(), ["127.0.0.1"], now(), now() + _DAY)
    files.write(folder / "tls.key", issuing.private_pem(key), secret=True)
    identity.install_certificate(folder, issuing.pem(made).decode(), issuing.pem(by.certificate).decode())
    return folder


def refused_now(rig: Rig, folder: Path) -> bool:
    line = Line(rig.config.broker.port, folder, "try")
    try:
        wait_for(lambda: line.let_in.is_set() or not line.ended.empty(), "An answer of the broker", 30)
        return not line.let_in.is_set()
    finally:
        line.close()


@pytest.mark.parametrize("tried", [wrong_ca, expired, not_yet_valid, revoked, a_servers])
def test_a_certificate_that_does_not_count_lets_nobody_in_and_the_desk_shows_it(
    rig: Rig, tmp_path: Path, tried: Callable[[Rig, Path], Path]
) -> None:
    seen = rig.log_of("mosquitto").count("certificate verify failed")
    assert refused_now(rig, tried(rig, tmp_path))
    wait_for(
        lambda: rig.log_of("mosquitto").count("certificate verify failed") > seen,
        "A line of the broker's log",
    )
    wait_for(lambda: told(rig, "denied.certificate"), "An entry of the audit")


def told(rig: Rig, what: str, subject: str = "%") -> list[str]:
    query = "SELECT words FROM audit WHERE what = :what AND subject LIKE :subject"
    return [str(words) for (words,) in rig.read(query, what=what, subject=subject)]


class Device:
    """A device's connection, and what came of it."""

    def __init__(self, rig: Rig, name: str) -> None:
        self.came: list[Delivery] = []
        receipts = topics.of_device(STORE, name, topics.Channel.RECEIPT)
        self._session = rig.session(name, self.came.append, subscriptions=[(receipts, 1)])
        self._session.start()
        wait_for(lambda: any(isinstance(one, Connected) for one in self.came), "The connection", 30)

    def publish(self, topic: str, payload: bytes) -> str | None:
        """The broker's refusal; None if it took the message."""
        mid = self._session.publish(topic, payload)
        assert mid is not None

        def answered() -> list[Accepted]:
            return [one for one in self.came if isinstance(one, Accepted) and one.mid == mid]

        return wait_for(answered, "PUBACK", 30)[0].refused

    def receipted(self, event: UUID) -> int:
        """How often the server's receipt for this event came."""
        receipts = [codec.decode(one.payload, Receipt) for one in self.came if isinstance(one, Arrival)]
        return sum(event in receipt.ids for receipt in receipts)

    def close(self) -> None:
        self._session.stop()


@pytest.fixture
def device(rig: Rig) -> Iterator[Device]:
    device = Device(rig, "kiosk-1")
    yield device
    device.close()


@pytest.mark.parametrize(
    "topic",
    [
        topics.event(STORE, "kiosk-2", "security"),
        topics.edge_state(STORE),
        topics.of_device(STORE, "kiosk-2", topics.Channel.COMMAND),
        topics.of_device(STORE, "kiosk-1", topics.Channel.RECEIPT),
        topics.event("another", "kiosk-1", "help"),
    ],
)
def test_a_spoofed_topic_is_refused_and_told_with_the_name_of_who_tried(
    rig: Rig, device: Device, topic: str
) -> None:
    before = rig.read("SELECT id FROM event")
    assert device.publish(topic, codec.encode_event(new_id(1), HelpRequested("find", "ca"), "help"))
    words = f"kiosk-1 was refused to publish on {topic}."
    wait_for(lambda: words in told(rig, "denied.topic", "kiosk-1"), "An entry of the audit")
    assert rig.read("SELECT id FROM event") == before


def test_the_same_id_with_other_content_is_set_aside_and_what_was_first_stands(
    rig: Rig, device: Device
) -> None:
    topic, one = topics.event(STORE, "kiosk-1", "help"), new_id(7)
    first = codec.encode_event(one, HelpRequested("find", "ca"), "help")
    device.publish(topic, first)
    wait_for(lambda: device.receipted(one) == 1, "The first receipt", 30)
    device.publish(topic, codec.encode_event(one, HelpRequested("till", "en"), "help"))
    query = "SELECT reason FROM quarantine WHERE device = 'kiosk-1' AND topic = :topic"
    wait_for(lambda: rig.read(query, topic=topic), "What is set aside", 30)
    # The same once more is receipted, and changes nothing.
    device.publish(topic, first)
    wait_for(lambda: device.receipted(one) == 2, "The second receipt", 30)
    assert rig.read("SELECT topic FROM interaction WHERE id = :id", id=str(one)) == [("find",)]
    assert len(rig.read(query, topic=topic)) == 1


def test_an_old_security_request_that_is_played_again_begins_nothing_anew(rig: Rig, device: Device) -> None:
    topic, one = topics.event(STORE, "kiosk-1", "security"), new_id(8)
    said = codec.encode_event(one, SecurityRequested("hold", True), "security")
    for count in (1, 2, 3, 4):
        device.publish(topic, said)
        wait_for(lambda: device.receipted(one) == count, "The receipt", 30)  # noqa: B023
    assert rig.read("SELECT COUNT(*) FROM event WHERE id = :id", id=str(one)) == [(1,)]
    count_of = "SELECT COUNT(*) FROM interaction WHERE kind = 'security' AND device = 'kiosk-1'"
    assert rig.read(count_of) == [(1,)]
    opened = "SELECT COUNT(*) FROM timeline WHERE interaction = :id AND what = 'incident'"
    wait_for(lambda: rig.read(opened, id=str(one)) != [(0,)], "Its incident")
    assert rig.read(opened, id=str(one)) == [(1,)]


def test_a_stolen_card_is_one_identity_and_nothing_else(rig: Rig, tmp_path: Path) -> None:
    kiosks.configure(rig, "kiosk-2")
    kiosks.start(rig, "kiosk-2")
    query = "SELECT name FROM device WHERE name = 'kiosk-2' AND heartbeat_at IS NOT NULL"
    wait_for(lambda: rig.read(query), "Its heartbeat", 60)
    card, home = rig.directory / "devices" / "kiosk-2", rig.directory / "kiosks" / "kiosk-2"
    assert sorted(path.name for path in card.iterdir()) == ["ca.crt", "sign.key", "tls.crt", "tls.key"]
    on_it = {path.name for path in home.rglob("*") if path.is_file()}
    assert on_it <= {
        "kiosk.toml",
        "outbox.db",
        "outbox.db-wal",
        "outbox.db-shm",
        "reserve",
        "lock",
        "witness.json",
    }
    context = tls_context(Credentials.in_directory(card), check_time=True)
    # The pages and the API take no certificate for a sign-in.
    for path in ("/manage/", "/floor/", "/api/v1/devices"):
        connection = http.client.HTTPConnection("127.0.0.1", rig.config.web.port, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status in (302, 303, 401, 403), (path, answer.status)
        connection.close()
    # The vault reads nothing out, and takes no other device's clips or requests.
    ways = (("HEAD", f"/clip/{new_id(1)}"), ("GET", f"/clip/{new_id(1)}"), ("GET", "/"), ("GET", "/clip/"))
    for method, path in ways:
        assert ask(rig, context, method, path) in (404, 405)
    request = identity.make_request(tmp_path / "forged", "kiosk-3")
    assert ask(rig, context, "POST", "/identity/renewal", request) == 409
    # What is another device's it can neither say nor hear; the one that it is, it may be.
    thief = Device(rig, "kiosk-2")
    assert thief.publish(topics.event(STORE, "kiosk-3", "help"), b"{}")
    assert thief.publish(topics.of_device(STORE, "kiosk-3", topics.Channel.CALL), b"{}")
    thief.close()
    revoke_device(rig.config, "kiosk-2", "Its card is gone.", now())
    wait_for(lambda: ask(rig, context, "GET", "/identity") == 403, "The vault's refusal", 30)
    line = Line(rig.config.broker.port, card, "thief")
    line.ended.get(timeout=30)
    wait_for(lambda: told(rig, "denied.revoked", "kiosk-2"), "An entry of the audit", 30)
    for said in ("its next certificate", "kiosk-2 is revoked; nothing of it is taken."):
        wait_for(lambda said=said: said in str(told(rig, "denied.identity", "kiosk-2")), said, 30)
    assert not refused_now(rig, rig.directory / "devices" / "kiosk-3")


@pytest.mark.parametrize("revoked_first", [False, True])
def test_a_name_that_is_let_in_anew_leaves_the_old_card_no_connection(
    rig: Rig, tmp_path: Path, revoked_first: bool
) -> None:
    name = f"kiosk-{6 + revoked_first}"
    mine = add_device(rig.config, name, "shoes", None, now())
    mine.rename(tmp_path / "stolen")
    line = Line(rig.config.broker.port, tmp_path / "stolen", "thief")
    wait_for(line.let_in.is_set, "The old card's connection", 30)
    # Both within one look of the broker's.
    if revoked_first:
        revoke_device(rig.config, name, "Stolen.", now())
    add_device(rig.config, name, "shoes", None, now())
    line.ended.get(timeout=30)
    # That may have been because of the first time that it was let in: its word comes a second later, too.
    back = Line(rig.config.broker.port, tmp_path / "stolen", "thief")
    back.ended.get(timeout=30)
    assert refused_now(rig, tmp_path / "stolen")
    assert not refused_now(rig, mine)


def ask(rig: Rig, context: ssl.SSLContext, method: str, path: str, body: str | None = None) -> int:
    connection = http.client.HTTPSConnection("127.0.0.1", rig.config.vault.port, timeout=30, context=context)
    try:
        connection.request(method, path, body, {"Authorization": "Bearer guessed"})
        return connection.getresponse().status
    finally:
        connection.close()
