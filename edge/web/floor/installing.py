"""What a phone needs to put the page on its home screen (W3C, Web Application Manifest)."""

from flask import json, url_for
from werkzeug.wrappers import Response

from edge.web.services import services

# As --paper in css/tokens.css; in the dark the page's own theme-color takes over.
_PAPER = "#f4f3ee"


def manifest() -> Response:
    """Read without cookies, so it says nothing but the store's name."""
    icons: list[dict[str, str]] = [
        {"src": url_for("static", filename="bell.svg"), "type": "image/svg+xml", "sizes": "any"}
    ]
    for side in (192, 512):
        src = url_for("static", filename=f"icons/icon-{side}.png")
        icons.append({"src": src, "type": "image/png", "sizes": f"{side}x{side}"})
    src = url_for("static", filename="icons/maskable-512.png")
    icons.append({"src": src, "type": "image/png", "sizes": "512x512", "purpose": "maskable"})
    body = {
        "id": url_for("floor.pages"),
        "name": f"Floorbell · {services().config.title}",
        "short_name": "Floorbell",
        "start_url": url_for("floor.pages"),
        "scope": url_for("floor.pages"),
        "display": "standalone",
        "theme_color": _PAPER,
        "background_color": _PAPER,
        "icons": icons,
    }
    return Response(json.dumps(body), mimetype="application/manifest+json")
