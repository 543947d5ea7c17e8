"""The page, its stream and its touches, for a browser on this machine.

Another site's page in the same browser can neither read this (Host is checked against DNS rebinding) nor
touch it: a touch needs a header that no form can send and no foreign script may (it would need CORS).
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import segno
from flask import Flask, Response, render_template, request

from broker.questions import QUESTIONS
from kiosk.screen import scene
from kiosk.screen.board import Board
from kiosk.screen.messages import Touch, View
from kiosk.screen.scene import Scene

HEADER, TOUCH = "X-Floorbell-Screen", "touch"
# The page takes silence for more than 1.6 s as the loss of this process.
BEAT_S = 0.5
MAX_STREAMS = 8
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors {framed}"
)
_HERE = Path(__file__).parent
REGIONS = ("mark", "status", "note", "name", "sentence", "steps", "extra", "keys", "languages", "notice")


def create_app(
    board: Board, send: Callable[[Touch], bool], hosts: frozenset[str], framed_by: str | None = None
) -> Flask:
    """`send` hands a touch to the panel and says whether it went. `hosts` are the Host headers that are us.

    `framed_by` is the one origin that may show the page in a frame.
    """
    app = Flask("kiosk.screen", root_path=str(_HERE))
    app.config.update(MAX_CONTENT_LENGTH=2048, SEND_FILE_MAX_AGE_DEFAULT=None)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["clock"] = clock
    app.jinja_env.filters["qr"] = qr
    policy = _POLICY.format(framed=framed_by or "'none'")
    streams: set[object] = set()

    @app.before_request
    def check_host() -> tuple[str, int] | None:
        if request.host not in hosts:
            return "This screen is only for a browser on this machine.\n", 403
        return None

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        return response

    def now_shown(view: View | None) -> Scene:
        if view is None:
            return scene.lost(board.language, board.languages)
        return scene.of(view, time.monotonic())

    @app.get("/")
    def page() -> str:
        _, view = board.look()
        shown = now_shown(view)
        away = scene.lost(board.language, board.languages)
        return render_template("page.html", scene=shown, away=away, regions=_regions(app, shown))

    @app.get("/stream")
    def stream() -> Response | tuple[str, int]:
        if len(streams) >= MAX_STREAMS:
            return "Too many pages look at this screen.\n", 503
        lines = _written(app, board, now_shown)
        streams.add(lines)
        response = Response(lines, mimetype="text/event-stream")
        response.call_on_close(partial(streams.discard, lines))
        return response

    @app.post("/touch")
    def touch() -> tuple[str, int]:
        if request.headers.get(HEADER) != TOUCH:
            return f"A touch carries the header {HEADER}: {TOUCH}.\n", 403
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return "A touch comes from the screen's own page.\n", 403
        try:
            touched = msgspec.json.decode(request.get_data(), type=Touch)
        except msgspec.MsgspecError as error:
            return f"This is not a touch: {error}.\n", 400
        _, view = board.look()
        if view is None:
            return "The panel is away.\n", 503
        if (refusal := refused(touched, view)) is not None:
            return refusal + "\n", 409
        return ("", 204) if send(touched) else ("The panel is away.\n", 503)

    return app


def refused(touch: Touch, view: View) -> str | None:
    """Why this touch is none of what is shown, in one sentence; None if it is."""
    asking = view.asking
    match touch.what:
        case "key":
            if touch.key not in {key.name for key in view.keys}:
                return f"There is no key {touch.key!r} now."
        case "language":
            if touch.value not in view.languages:
                return f"The language is {touch.value!r}; allowed are {', '.join(view.languages)}."
        case "score":
            if asking is None or asking.score is not None:
                return "No score is asked for now."
            if touch.value not in ("1", "2", "3", "4"):
                return f"The score is {touch.value!r}; allowed are 1 to 4."
        case "answer":
            if asking is None or touch.question not in asking.questions:
                return f"The question {touch.question!r} is not asked now."
            if touch.value not in QUESTIONS.get(touch.question, ()):
                return f"{touch.value!r} is no answer to {touch.question!r}."
        case "dismiss":
            if asking is None and not view.offer:
                return "There is nothing to put away now."
    return None


def clock(seconds: float) -> str:
    """65.3 as '1:05'."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def qr(link: str) -> str:
    """The code as SVG to stand in the page; always dark on light, which is what phones read best."""
    if not link.startswith(("https://", "http://")):
        return ""
    code = segno.make(link, error="m", micro=False)
    return str(code.svg_inline(border=3, dark="#000", light="#fff", omitsize=True, svgclass="qr"))


def _regions(app: Flask, shown: Scene) -> dict[str, str]:
    macros: Any = app.jinja_env.get_template("regions.html").module
    return {name: str(getattr(macros, name)(shown)).strip() for name in REGIONS}


def _written(app: Flask, board: Board, now_shown: Callable[[View | None], Scene]) -> Iterator[bytes]:
    """Server-sent events: the scene at once and at each change, and a beat in between."""
    version, view = board.look()
    due = True
    while True:
        if due:
            with app.app_context():
                shown = now_shown(view)
                body = {
                    "mode": shown.mode,
                    "state": shown.state,
                    "size": shown.size,
                    "lang": shown.speaker.tag,
                    "news": shown.news,
                    "regions": _regions(app, shown),
                }
            yield b"event: scene\ndata: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
        else:
            yield b"event: beat\ndata:\n\n"
        seen = version
        version, view = board.wait(seen, BEAT_S)
        due = version != seen
