"""Asking the cameras around a security request for pictures of it.

A device that was not there is asked again when it comes back, and says itself whether it is too late. What it
is asked shows nothing to whoever stands before it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from broker.messages import Capture
from edge.evidence import captures
from edge.evidence.captures import Camera
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.request import Request
from edge.interactions.store import Entry


def ask(
    conn: sa.Connection, telling: Telling, request: Request, cause: str, at: datetime, now: datetime
) -> None:
    """Ask every camera of the request's zone and of the zones beside it for pictures of around `at`; not its
    own kiosk's, which knows already. `cause` is the request, or the press that joined it."""
    found = captures.near(conn, telling.store, request.zone, request.device, now)
    if not found:
        return
    names = [camera.device for camera in found]
    captures.add(conn, telling.store, cause, request.id, names, at, now)
    for camera in found:
        _send(telling, camera, cause, at)
    requests.append(conn, [Entry(request.id, now, "noted", "policy", _asked(names))])


def ask_again(conn: sa.Connection, telling: Telling, name: str, now: datetime) -> None:
    """A device has come back: what it was asked for and has not answered."""
    waiting = captures.unanswered(conn, telling.store, name, now)
    camera = captures.camera_of(conn, telling.store, name) if waiting else None
    for one in waiting:
        if camera is not None:
            _send(telling, camera, one.cause, one.wanted_at)


def _send(telling: Telling, camera: Camera, cause: str, at: datetime) -> None:
    moment = camera.moment(at)
    command = Capture(UUID(cause))
    if moment is not None:
        command = Capture(UUID(cause), UUID(moment[0]), moment[1])
    telling.command(camera.device, command, int(captures.GOOD_FOR.total_seconds()))


def _asked(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"The camera of {names[0]} is asked for pictures."
    listed = ", ".join(names[:-1])
    return f"The cameras of {listed} and {names[-1]} are asked for pictures."[:500]
