"""/healthz and /readyz for whoever watches the server: whether it lives, and what it lacks to be of use."""

from flask import Blueprint, Response, jsonify

from edge.errors import StorageError
from edge.paging import feed
from edge.web.readiness import OK
from edge.web.services import services

health = Blueprint("health", __name__)


@health.get("/healthz")
def alive() -> tuple[Response, int]:
    """200 if the database can be read, else 503. It says nothing about who is signed in."""
    room = services()
    try:
        with room.read() as conn:
            feed.head(conn, room.store)
    except StorageError:
        return jsonify(status="the database cannot be read"), 503
    return jsonify(status="ok", streams=room.hub.open_streams, broker=room.wake_state()), 200


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """200 if the database can be written and fits this program and the broker is heard; else 503. `worker` is
    told and decides nothing: without it there are still pages to show."""
    room = services()
    found = room.readiness.look(room)
    broker = room.wake_state()
    parts = {
        "database": found.database,
        "migrations": found.migrations,
        "broker": "cannot be reached" if broker == "away" else OK,
    }
    good = all(said == OK for said in parts.values())
    worker = OK if room.hub.calling() else "not heard"
    return jsonify(status=OK if good else "not ready", **parts, worker=worker), 200 if good else 503
