"""The headers that every answer carries: what the browser must not do with our pages."""

from flask import Flask, g, request
from werkzeug.wrappers import Response

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src {media}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors '{frames}'"
)


def allow_media() -> None:
    """The page of this request plays a clip; no other page may play anything."""
    g.plays_media = True


def install(app: Flask, frames: str) -> None:
    """`frames` is 'none' or 'self': who may show these pages in a frame."""
    silent, playing = (_POLICY.format(frames=frames, media=media) for media in ("'none'", "'self'"))

    @app.after_request
    def add(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = playing if g.get("plays_media") else silent
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        headers["X-Frame-Options"] = "DENY" if frames == "none" else "SAMEORIGIN"
        if request.endpoint != "static":
            headers["Cache-Control"] = "no-store"
        return response
