"""The headers that every answer carries: what the browser must not do with our pages."""

from flask import Flask, request
from werkzeug.wrappers import Response

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors '{frames}'"
)


def install(app: Flask, frames: str) -> None:
    """`frames` is 'none' or 'self': who may show these pages in a frame."""
    policy = _POLICY.format(frames=frames)

    @app.after_request
    def add(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = policy
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        headers["X-Frame-Options"] = "DENY" if frames == "none" else "SAMEORIGIN"
        if request.endpoint != "static":
            headers["Cache-Control"] = "no-store"
        return response
