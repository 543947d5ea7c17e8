"""A revoked device: nothing of it is taken any more, and what it is to the store ends."""

import pytest
import sqlalchemy as sa

from broker.events import HelpRequested, SecurityRequested
from edge.audit import store as audits
from edge.audit.store import Actor
from edge.db.store_tables import device
from edge.db.tables import interaction, quarantine
from edge.devices import certificates
from edge.devices.store import all_devices
from edge.drills import store as drills
from edge.errors import Refused
from edge.handling import commanding, revoking
from edge.handling.commanding import DeviceError
from edge.ingest.record import Origin
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server

DESK = Actor("Mira", "api")


def revoke(server: Server, name: str = "kiosk-1", reason: str = "Stolen from the entrance.") -> None:
    with server.conn.begin():
        revoking.revoke(server.conn, STORE, DESK, name, reason, server.clock())
        known = server.origins[name]
        server.origins[name] = Origin(known.zone, known.reference, server.clock())


def refused(server: Server, kiosk: Kiosk, *contents: HelpRequested | SecurityRequested) -> list[str]:
    receipts = server.take(*(kiosk.event(content) for content in contents))["kiosk-1"]
    assert not receipts.seqs and not receipts.ids
    return [one.reason for some in receipts.refused.values() for one in some]


def test_what_still_comes_of_it_is_set_aside_with_a_sentence_and_pages_nobody(
    server: Server, kiosk: Kiosk
) -> None:
    revoke(server)
    said = refused(server, kiosk, HelpRequested("find", "ca"), SecurityRequested("hold", True))
    assert len(said) == 2 and set(said) == {
        f"kiosk-1 is revoked since {server.clock():%Y-%m-%d %H:%M:%S} UTC; nothing of it counts."
    }
    assert len(server.rows(quarantine)) == 2 and not server.rows(interaction)


def test_the_audit_says_who_revoked_it_and_once_that_it_has_tried_since(server: Server, kiosk: Kiosk) -> None:
    revoke(server)
    for _ in range(3):
        refused(server, kiosk, HelpRequested("find", "ca"))
    with server.conn.begin():
        found = audits.entries(server.conn, STORE, what="device")
    assert [(one.what, one.actor) for one in found] == [
        ("device.refused", "Floorbell"),
        ("device.revoked", "Mira"),
    ]
    assert found[1].words == "kiosk-1 was revoked: Stolen from the entrance."


def test_a_reason_is_needed_and_a_device_is_revoked_once(server: Server, kiosk: Kiosk) -> None:
    with pytest.raises(DeviceError, match="The reason has 0 characters; allowed is one line of 3 to 200"):
        revoke(server, reason="  ")
    revoke(server)
    with pytest.raises(Refused, match="kiosk-1 is revoked already"):
        revoke(server)


def test_it_is_no_pager_of_anybody_and_drills_and_is_asked_nothing_any_more(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    with server.conn.begin():
        mine = sa.update(device).where(device.c.store == STORE, device.c.name == "kiosk-1")
        server.conn.execute(mine.values(pager=True, holder=small_store.people["Ana"], status="online"))
    revoke(server)
    with server.conn.begin():
        row = server.conn.execute(sa.select(device).where(device.c.name == "kiosk-1")).one()
        assert (row.pager, row.holder, row.status) == (False, None, "offline")
        assert "kiosk-1" not in drills.last_of_devices(server.conn, STORE)
        with pytest.raises(Refused, match="nothing can be asked of it"):
            commanding.replay(server.conn, STORE, DESK, "kiosk-1", server.clock())
        assert [one.name for one in all_devices(server.conn, STORE) if one.revoked_at] == ["kiosk-1"]
        assert certificates.revoked_devices(server.conn, STORE) == {"kiosk-1"}
