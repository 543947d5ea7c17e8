"""/api/v1: what the pages do, for other programs. A token, no cookies; JSON in and out."""

from collections.abc import Callable
from functools import cache

import msgspec
from flask import Blueprint, Response, make_response, render_template
from flask_limiter import Limiter
from werkzeug.wrappers import Response as AnyResponse

from edge.tokens.scopes import SCOPES
from edge.web.admission import Admission
from edge.web.api import docs, footage
from edge.web.api.document import document as described
from edge.web.api.routes import ROUTES
from edge.web.api.routing import mount


def api_blueprint(limiter: Limiter, title: str) -> Blueprint:
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    mount(api, limiter, ROUTES)
    api.add_url_rule("/openapi.json", "document", _document(title))
    api.add_url_rule("/asyncapi.yaml", "devices_document", docs.devices_document)
    api.add_url_rule("/", "index", index)
    api.add_url_rule("/docs", "api_page", docs.api_page)
    api.add_url_rule("/docs/devices", "devices_page", docs.devices_page)
    # No token: a player cannot send one. The grant in the address says whose look it is.
    api.add_url_rule("/footage/<clip_id>", "footage", footage.footage)
    return api


def admissions() -> dict[str, Admission]:
    """The API's part of the table of who is let in: each route asks for its scopes."""
    return {
        f"api.{route.name}": Admission("token", changes=route.method != "GET", scopes=route.scopes)
        for route in ROUTES
    }


def index() -> AnyResponse:
    """The routes, for people."""
    return make_response(render_template("api/index.html", routes=ROUTES, scopes=SCOPES))


def _document(title: str) -> Callable[[], Response]:
    @cache
    def written() -> bytes:
        return msgspec.json.encode(described(ROUTES, title))

    def document() -> Response:
        return Response(written(), mimetype="application/json")

    return document
