"""/.well-known/: what strangers look for at any server."""

from flask import Blueprint, Response, abort

from edge.web.services import services

wellknown = Blueprint("wellknown", __name__, url_prefix="/.well-known")


@wellknown.get("/security.txt")
def security_txt() -> Response:
    """Whom to tell of a weakness (RFC 9116); 404 where edge.toml names nobody, or that was too long ago."""
    room = services()
    contact = room.config.security_contact
    text = None if contact is None else contact.text(room.clock())
    if text is None:
        abort(404)
    return Response(text, mimetype="text/plain")
