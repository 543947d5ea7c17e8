"""An event stream as a response: the same for the floor and the desk."""

import json
import select
import socket
from collections.abc import Callable
from typing import Any

from flask import Response, request

from edge.errors import StorageError
from edge.paging.feed import Entry, audiences_of
from edge.people import sessions
from edge.people.sessions import SignIn
from edge.serving.turns import stays
from edge.web.services import Services


def live(room: Services, sign_in: SignIn, *, pages: bool) -> Response:
    """The stream of what this person may see. With `pages`, what is written of them is recorded as sent.

    StreamsFull if there are too many.
    """
    if request.method == "HEAD":
        return Response(mimetype="text/event-stream")
    person = sign_in.person

    def valid() -> bool:
        try:
            with room.read() as conn:
                return (
                    sessions.find(conn, room.store, "floor" if pages else "manage", sign_in.key, room.clock())
                    is not None
                )
        except StorageError:
            # Not knowing is no reason to cut off a phone that pages must reach.
            return True

    def sent(entry: Entry) -> None:
        if pages and entry.what == "page":
            room.errands.sent(json.loads(entry.body)["page"])

    def nonce() -> str:
        # Only a phone is to be reached.
        return room.round_trips.ask(sign_in.key, room.clock()) if pages else ""

    return opened(room, audiences_of(person.id, person.role), sign_in.key, valid, sent, nonce)


def opened(
    room: Services,
    audiences: frozenset[str],
    session: str,
    valid: Callable[[], bool],
    sent: Callable[[Entry], None],
    nonce: Callable[[], str] = lambda: "",
) -> Response:
    """A new stream as an answer, from now on or behind the entry that the request names. StreamsFull."""
    stream = room.hub.enter(audiences, session, _place(), _gone_of(request.environ))
    # After a restart everybody is a stranger once: their streams must not keep out those who come next.
    stays()
    response = Response(stream.written(valid, sent, nonce), mimetype="text/event-stream")
    response.call_on_close(lambda: room.hub.leave(stream))
    # For a proxy in between: the first byte must not wait for the second.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _gone_of(environ: dict[str, Any]) -> Callable[[], bool]:
    """Whether the other end of this request's connection has hung up; never, where no one can tell."""
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return lambda: False

    def gone() -> bool:
        number = connection.fileno()
        if number < 0:
            return True
        look = select.poll()
        look.register(number, select.POLLRDHUP)
        return bool(look.poll(0))

    return gone


def _place() -> int | None:
    """Behind which entry the browser wants to go on; -1, which no feed holds, for what is no number."""
    text = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
