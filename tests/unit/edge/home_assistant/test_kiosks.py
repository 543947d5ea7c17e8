"""What is read of a kiosk, and that no call of security ever changes it."""

import pytest
import sqlalchemy as sa

from broker.events import HelpRequested, SecurityRequested, Tampered
from edge.audit.store import Actor
from edge.config import Policies
from edge.db.store_tables import device
from edge.db.tables import interaction
from edge.handling import acting, raising, revoking
from edge.home_assistant.kiosks import Help, Kiosk, read
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.handling.test_raising import phone_id
from tests.unit.edge.ingest.server import Kiosk as Device
from tests.unit.edge.ingest.server import Server, id_of

BEAT = {"camera": "ok", "temperature_c": 48.0, "free_disk_bytes": 10**10, "oldest_open_seq": 1, "depth": 0}


@pytest.fixture
def who(small_store: SmallStore) -> dict[str, str]:
    return small_store.people


def beats(server: Server, **more: object) -> None:
    with server.conn.begin():
        said = {"status": "online", "status_at": server.clock(), "heartbeat_at": server.clock()}
        server.conn.execute(sa.update(device).values(**said, heartbeat=BEAT | more, version="0.1.0"))


def seen(server: Server) -> list[Kiosk]:
    with server.conn.begin():
        return read(server.conn, STORE, server.clock())


def one(server: Server) -> Kiosk:
    return seen(server)[0]


def test_help_goes_from_waiting_to_coming_to_here_and_back_to_free(
    server: Server, kiosk: Device, who: dict[str, str]
) -> None:
    kiosk.heard()
    beats(server)
    assert one(server).help is Help.FREE and one(server).since is None
    pressed = kiosk.event(HelpRequested("find", "en", 1))
    server.take(pressed)
    assert (one(server).help, one(server).since) == (Help.WAITING, server.clock())
    request = str(id_of(pressed))
    server.do(acting.acknowledge, request, who["Ana"])
    assert one(server).help is Help.COMING
    server.do(acting.attend, request, who["Ana"])
    assert one(server).help is Help.HERE
    server.do(acting.resolve, request, who["Ana"], "helped", "")
    assert one(server).help is Help.FREE


def test_a_press_of_unknown_age_waits_since_nobody_knows_when(server: Server, kiosk: Device) -> None:
    server.take(kiosk.event(HelpRequested("find", "en", 1)))
    with server.conn.begin():
        server.conn.execute(sa.update(interaction).values(age_known=False))
    assert (one(server).help, one(server).since) == (Help.WAITING, None)


def test_a_drill_and_a_call_of_staff_for_a_supervisor_are_nobodys_waiting(
    server: Server, kiosk: Device, who: dict[str, str]
) -> None:
    server.take(kiosk.event(HelpRequested("find", "en", 1)))
    for column, value in (("drill", True), ("raised_by", who["Ana"])):
        with server.conn.begin():
            server.conn.execute(sa.update(interaction).values(drill=False, raised_by=None))
        assert one(server).help is Help.WAITING
        with server.conn.begin():
            server.conn.execute(sa.update(interaction).values({column: value}))
        assert one(server).help is Help.FREE


def test_a_kiosk_is_here_while_it_is_heard_and_gone_once_it_is_revoked(
    server: Server, who: dict[str, str]
) -> None:
    beats(server)
    assert (one(server).here, one(server).camera) == (True, "ok")
    server.clock.forward(17)
    assert (one(server).here, one(server).camera, one(server).temperature_c) == (False, None, None)
    assert one(server).speaks_of == {"camera", "temperature", "disk"}
    with server.conn.begin():
        boss = Actor("Mira", "desk", who["Mira"])
        revoking.revoke(server.conn, STORE, boss, "kiosk-1", "It was stolen.", server.clock())
    assert [kiosk.name for kiosk in seen(server)] == ["till-1"]


def test_a_pager_is_no_kiosk(server: Server) -> None:
    with server.conn.begin():
        server.conn.execute(sa.update(device).where(device.c.name == "till-1").values(pager=True))
    assert [kiosk.name for kiosk in seen(server)] == ["kiosk-1"]


@pytest.mark.parametrize("with_help", [False, True])
def test_no_step_of_a_call_of_security_changes_anything(
    server: Server, kiosk: Device, who: dict[str, str], with_help: bool
) -> None:
    kiosk.heard()
    beats(server)
    if with_help:
        helped = kiosk.event(HelpRequested("find", "en", 1))
        server.take(helped)
        server.do(acting.acknowledge, str(id_of(helped)), who["Ana"])
    before = seen(server)

    def same(step: str) -> None:
        # A press is on its way, a finger rests on the button.
        beats(server, oldest_open_seq=kiosk.seq, depth=1, stuck=["security"])
        assert seen(server) == before, step

    for silent in (True, False):
        pressed = kiosk.event(SecurityRequested("hold", silent))
        server.take(pressed)
        same("pressed")
        request = str(id_of(pressed))
        server.take(kiosk.event(SecurityRequested("panic", silent)))
        same("pressed again")
        for _ in range(25):
            server.clock.forward(1)
            server.timers()
        same("everybody is called")
        server.do(acting.acknowledge, request, who["Igor"])
        same("acknowledged")
        server.do(acting.attend, request, who["Igor"])
        same("attended")
        server.do(acting.resolve, request, who["Igor"], "handled", "")
        same("resolved")
    with server.conn.begin():
        made = raising.Call(phone_id(1))
        raising.call(server.conn, STORE, Policies(), who["Bo"], made, server.clock())
    same("called from a phone")
    server.take(kiosk.event(Tampered("camera covered")))
    same("tampered with")
