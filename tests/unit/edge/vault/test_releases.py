"""A kiosk fetches a release from the vault with its ticket, from where it broke off; nobody else does."""

from hashlib import sha256

import pytest
import sqlalchemy as sa

from broker.messages import DeviceState
from broker.release import File, Manifest
from edge.audit.store import Actor
from edge.devices import store as devices
from edge.handling import revoking, updating
from edge.updates import store as updates
from edge.vault.arrivals import Peer
from tests.unit.edge.conftest import START, STORE
from tests.unit.edge.vault.conftest import Door

CONTENT = bytes(range(256)) * 100
DIGEST = sha256(CONTENT).hexdigest()
ADMIN = Actor("command", "command")


@pytest.fixture
def ticket(door: Door, engine: sa.Engine) -> str:
    config = door.app.extensions["vault"].config
    config.releases_path.mkdir(parents=True)
    (config.releases_path / DIGEST).write_bytes(CONTENT)
    manifest = Manifest("floorbell-release-1", "0.2.0", START, [File("kiosk/x.py", 1, "0" * 64)])
    with engine.begin() as conn:
        devices.save_status(
            conn, STORE, "kiosk-1", DeviceState("online", version="0.1.0", updates=True), START
        )
        updating.add(conn, STORE, ADMIN, manifest, DIGEST, len(CONTENT), "b" * 64, START)
        made = updating.roll_out(conn, STORE, ADMIN, "0.2.0", "kiosk-1", START, vault_url="https://x")
        updates.set_part(conn, made, "kiosk-1", state="told")
        return updates.issue_ticket(conn, made, "kiosk-1", START)


def get(door: Door, ticket: str, digest: str = DIGEST, begin: int | None = None) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {ticket}"}
    if begin is not None:
        headers["Range"] = f"bytes={begin}-"
    answer = door.app.test_client().get(f"/release/{digest}", headers=headers)
    return answer.status_code, answer.data


def test_it_comes_whole_or_from_where_it_broke_off(door: Door, ticket: str) -> None:
    assert get(door, ticket) == (200, CONTENT)
    assert get(door, ticket, begin=0) == (206, CONTENT)
    assert get(door, ticket, begin=1000) == (206, CONTENT[1000:])
    assert get(door, ticket, begin=len(CONTENT))[0] == 416


def test_nobody_else_gets_it_and_nothing_else_is_got(door: Door, ticket: str, engine: sa.Engine) -> None:
    for secret, digest in (
        ("", DIGEST),
        ("x", DIGEST),
        (ticket, "c" * 64),
        (ticket, "..%2Fclips"),
        (ticket, "."),
    ):
        assert get(door, secret, digest)[0] == 404
    door.peer = Peer("till-1")
    assert get(door, ticket)[0] == 404
    door.peer = Peer("kiosk-1")
    with engine.begin() as conn:
        revoking.revoke(conn, STORE, ADMIN, "kiosk-1", "stolen", START)
    assert get(door, ticket)[0] == 403
