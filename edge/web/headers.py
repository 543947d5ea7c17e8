"""Puts the headers of edge/headers.py on every answer of the web program."""

from flask import Flask, g, request
from werkzeug.wrappers import Response

from edge import headers
from edge.config import Web


def allow_media() -> None:
    """The page of this request plays a clip; no other page may play anything."""
    g.plays_media = True


def install(app: Flask, web: Web) -> None:
    # A browser told to use nothing but HTTPS here would never open the plain page that lets it trust it.
    secure = web.secure_cookies and web.trust_port is None
    silent, playing = (headers.of_page(web.frames, media=media, secure=secure) for media in (False, True))

    @app.after_request
    def add(response: Response) -> Response:
        response.headers.update(playing if g.get("plays_media") else silent)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = headers.NO_STORE
        return response
