"""What the vault refuses stands in the audit, with the device's name, once a minute."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from edge.audit import store as audits
from edge.audit.store import Actor
from edge.handling import revoking
from edge.vault.arrivals import Peer
from edge.vault.refusals import at_the_door
from tests.unit.edge.conftest import START, STORE
from tests.unit.edge.vault.conftest import Door, Film

ROWS = "SELECT what, actor, subject, words FROM audit WHERE what LIKE '%denied%' ORDER BY id"
MINE = {"REMOTE_ADDR": "10.0.0.9"}


def refused(door: Door) -> list[tuple[object, ...]]:
    """What was written once everything that waits is."""
    found = door.app.extensions["vault"].refusals
    found.start()
    found.stop(30)
    assert not found._thread.is_alive()
    return door.rows(ROWS)


def test_a_revoked_device_that_brings_a_clip_is_in_the_audit_once_a_minute(
    door: Door, one: Film, engine: sa.Engine
) -> None:
    door.bring(one)
    with engine.begin() as conn:
        revoking.revoke(conn, STORE, Actor("Mira", "desk"), "kiosk-1", "Stolen.", START)
    for begin in (0, 1, 2):
        assert door.send(one, begin).status_code == 403
    assert refused(door) == [
        (
            "denied.identity",
            "the vault",
            "kiosk-1",
            "kiosk-1 wanted to bring a clip, from 127.0.0.1, and was refused: kiosk-1 is revoked; nothing "
            "of it is taken.",
        )
    ]


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [(-2, -1, "The certificate of kiosk-1 ended on"), (1, 2, "The certificate of kiosk-1 begins on")],
)
def test_a_certificate_out_of_its_time_is_in_it(
    door: Door, one: Film, begins: int, ends: int, said: str
) -> None:
    door.bring(one)
    door.peer = Peer("kiosk-1", None, START + timedelta(days=begins), START + timedelta(days=ends))
    assert door.send(one, 0).status_code == 403
    ((what, _, _, words),) = refused(door)
    assert what == "denied.identity" and said in str(words)


def test_whoever_guesses_at_clips_is_told_of_where_silent_calls_are(door: Door, one: Film) -> None:
    door.announce(one)
    assert door.offset(one).status_code == door.manifest(one).status_code == 404
    assert door.client.get(f"/release/{'a' * 64}", environ_base=MINE).status_code == 404
    assert [(what, subject, words) for what, _, subject, words in refused(door)] == [
        (
            "silent.denied",
            "kiosk-1",
            "kiosk-1 wanted to bring a clip, from 127.0.0.1, and was refused: it had no ticket for that.",
        ),
        (
            "denied.ticket",
            "kiosk-1",
            "kiosk-1 wanted a release of its program, from 10.0.0.9, and was refused: it had no ticket for "
            "that.",
        ),
    ]
    with door.engine.connect() as conn:
        heard = audits.entries(conn, STORE, without="silent")
    assert str(one.id) not in str(heard) and "clip" not in str([entry.words for entry in heard])


def test_what_is_no_refusal_of_anybody_is_not_in_it(door: Door, one: Film) -> None:
    door.bring(one)
    assert door.send(one, 5).status_code == 409
    assert door.client.head(f"/clip/{UUID(int=1)}/nothing").status_code == 404
    # This store has no renewals yet, which is nobody's fault.
    assert door.client.get("/identity").status_code == 404
    assert refused(door) == []


def test_strangers_at_the_door_are_counted(door: Door) -> None:
    door.app.extensions["vault"].refusals.hear(at_the_door({"whose TLS was none of ours": 7}))
    assert refused(door) == [
        (
            "denied.door",
            "the vault",
            "the vault",
            "Turned away at the door within a minute: 7 whose TLS was none of ours.",
        )
    ]
