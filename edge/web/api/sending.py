"""What is no single record: the log as a file, and the stream of news."""

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from edge.errors import StorageError
from edge.paging import feed
from edge.tokens import store as tokens
from edge.web import bearer
from edge.web.api.log import Asked, asked_here
from edge.web.live import opened
from edge.web.manage import export
from edge.web.services import services


def log_csv(query: Asked) -> AnyResponse:
    """The filtered log as CSV, all of it."""
    return export.csv_of(asked_here())


def log_xlsx(query: Asked) -> AnyResponse:
    """The filtered log as a workbook."""
    return export.xlsx_of(asked_here())


def stream() -> Response:
    """News as server-sent events, from now on or behind Last-Event-ID. Each `data` is JSON; look again at
    what it names. `reload` says that news were missed."""
    room, token = services(), bearer.token_here()
    if request.method == "HEAD":
        return Response(mimetype="text/event-stream")
    audiences = {feed.STAFF, feed.MANAGE}
    if bearer.sees_silent():
        audiences.add(feed.SILENT)

    def valid() -> bool:
        try:
            with room.read() as conn:
                found = tokens.by_id(conn, room.store, token.id)
                return found is not None and found.revoked_at is None
        except StorageError:
            return True

    return opened(room, frozenset(audiences), f"token:{token.id}", valid, lambda _: None)
