"""/healthz for whoever watches the server: whether pages can be read, and whether they are live."""

from flask import Blueprint, Response, jsonify

from edge.errors import StorageError
from edge.paging import feed
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
