"""What the log says of the request that a line belongs to: an id, the method and the route, no address.

An address may hold a code or the id of a request; and whoever reads the log learns nothing of calls for
security, so what has to do with them has no route there.
"""

import secrets

from flask import Flask, request
from werkzeug.wrappers import Response

from broker import logs

HEADER = "X-Request-Id"
_QUIET = ("/floor/quiet", "/api/v1/security")


def install(app: Flask) -> None:
    """Name each request; the answer has the id too, so that whoever was refused can tell which it was."""

    @app.before_request
    def begin() -> None:
        request.environ["floorbell.id"] = id_ = secrets.token_hex(6)
        logs.about(web_request=id_, method=request.method, route=route())

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        # The thread goes on to others, and its own lines are of no request.
        logs.about()

    @app.after_request
    def tell(response: Response) -> Response:
        if id_ := request.environ.get("floorbell.id"):
            response.headers[HEADER] = id_
        return response


def route() -> str:
    """As in /floor/requests/<request_id>/acknowledge; '' where none is told."""
    rule = request.url_rule.rule if request.url_rule is not None else ""
    return "" if rule.startswith(_QUIET) else rule


def said() -> str:
    """The request in a line for people."""
    return f"{request.method} {route() or 'of a page'}"
