"""Drills that have been: one of yesterday that failed and is signed, and one that was just asked for."""

import datetime as dt

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.signing import Signer
from edge.audit.store import Actor
from edge.drills import store as drills
from edge.handling import drilling
from edge.handling.telling import Telling
from edge.schedule import Plan

DEVICE = "kiosk-tills"


def drill(conn: sa.Connection, store: str, manager: str, name: str, now: dt.datetime) -> dict[str, str]:
    """Their ids: `drill_failed` and `drill_asked`."""
    by, yesterday = Actor(name, "desk", manager), now - dt.timedelta(days=1)
    failed = drilling.ask(conn, store, by, DEVICE, "security", "test", yesterday)
    for after_s in (1, 60):
        telling, at = Telling(store), yesterday + dt.timedelta(seconds=after_s)
        drilling.look(conn, telling, Plan(), lambda _: False, lambda _: None, at)
        telling.flush(conn, at)
    assert drills.sign_due(conn, store, Signer(Ed25519PrivateKey.generate())) == 1
    asked = drilling.ask(conn, store, by, DEVICE, "help", "people", now)
    return {"drill_failed": failed, "drill_asked": asked}
