"""A device that is lost, stolen or no longer wanted: nothing of it is let in any more."""

from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.db.store_tables import device
from edge.devices import certificates
from edge.errors import Refused
from edge.handling import basis, calling, commanding
from edge.handling.commanding import DeviceError
from edge.handling.telling import Telling

SHORTEST_REASON, LONGEST_REASON = 3, 200
# As whom the audit names what the server does by a rule.
SERVER = Actor("Floorbell", "policy")


def revoke(conn: sa.Connection, store: str, actor: Actor, name: str, reason: str, now: datetime) -> None:
    """The broker ends the device's connections and lets it in no more, the worker refuses what still comes of
    it and the vault its clips. What it signed before is verified as ever. DeviceError without a reason.
    """
    row = commanding.device_here(conn, store, actor, name)
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise DeviceError(
            f"The reason has {len(reason)} characters; allowed is one line of {SHORTEST_REASON} "
            f"to {LONGEST_REASON}."
        )
    if row.revoked_at is not None:
        raise Refused(f"{name} is revoked already, since {row.revoked_at:%Y-%m-%d %H:%M} UTC.")
    values = {"revoked_at": now, "revoked_reason": reason, "pager": False, "holder": None}
    here = (device.c.store == store, device.c.name == name)
    conn.execute(sa.update(device).where(*here).values(status="offline", status_at=now, **values))
    certificates.revoke(conn, store, name, now)
    words = f"{name} was revoked: {reason}"
    before, after = basis.changed(commanding.version(row), {"pager": False, "holder": None})
    record(conn, store, actor, "device.revoked", name, words, now, before, {"reason": reason, **after})
    telling = Telling(store)
    if row.pager:
        telling.messages += calling.again(conn, store, name, now)
    telling.device(name, "offline")
    telling.flush(conn, now)
