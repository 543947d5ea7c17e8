"""Releases of the kiosks' program, a roll-out that stopped by itself, and one that is called back."""

import datetime as dt
from uuid import UUID

import sqlalchemy as sa

from broker.events import ReleaseMoved
from broker.messages import DeviceState
from broker.release import File, Manifest
from edge.audit.store import Actor
from edge.devices import store as devices
from edge.handling import updating
from edge.handling.telling import Telling
from edge.updates import store as updates

ADMIN = Actor("command line", "command")
WHY = "It did not reach the store, which answers at its address, within 300 s."


def roll_out(conn: sa.Connection, store: str, first: str, second: str, now: dt.datetime) -> None:
    """0.1.1 went well and was called back, 0.2.0 stopped at its second kiosk."""
    for name in (first, second):
        said = DeviceState("online", version="0.1.0", updates=True)
        devices.save_status(conn, store, name, said, now)
    files = [File("kiosk/x.py", 1, "0" * 64)]
    for number, version in enumerate(("0.1.1", "0.2.0")):
        notes = "Smileys are quicker; the camera takes less of the processor." if number else ""
        manifest = Manifest("floorbell-release-1", version, now, files, notes=notes)
        digest = f"{number}" * 64
        updating.add(conn, store, ADMIN, manifest, digest, 18_400_256, "5e" * 32, now)
    earlier = now - dt.timedelta(days=2)
    made = updating.roll_out(conn, store, ADMIN, "0.1.1", first, earlier, vault_url="https://x")
    updating.call_back(conn, store, ADMIN, made, earlier + dt.timedelta(hours=1))
    made = updating.roll_out(
        conn, store, ADMIN, "0.2.0", first, now - dt.timedelta(hours=2), vault_url="https://x"
    )
    for name, stage, why in ((first, "healthy", ""), (second, "rolled_back", WHY)):
        order, _ = updates.orders(conn, made, name)
        at = now - dt.timedelta(minutes=90 if stage == "healthy" else 20)
        moved = ReleaseMoved(UUID(order), "0.2.0", stage, why)  # type: ignore[arg-type]
        updates.set_part(conn, made, name, state="told")
        updating.heard(conn, Telling(store), name, moved, at, at)
    telling = Telling(store)
    updating.look(conn, telling, "https://x", "", now - dt.timedelta(minutes=19))
