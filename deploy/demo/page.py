"""The page at /: three kiosks that can be pressed, an associate's phone and the log, side by side."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, Response, abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from deploy.demo import shop
from deploy.demo.control import Hand
from deploy.demo.drilling import Drills
from deploy.demo.outside import MAX_BYTES, PATH, Receiver
from deploy.demo.stage import port_file, socket_of
from deploy.errors import DeployError
from edge import headers
from edge.config import EdgeConfig

Wsgi = Callable[..., object]
# Each open page holds one thread of the web process.
STREAMS = 8
_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-src 'self' {screens}; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def build(directory: Path, config: EdgeConfig) -> Flask:
    """The demo's own small application. It knows the kiosks' sockets, the store's API and a receiver outside,
    and nothing of the store's inside."""
    app = Flask("deploy.demo", root_path=str(Path(__file__).parent), static_url_path="/demo/static")
    hands = {kiosk.name: Hand(socket_of(directory, kiosk.name)) for kiosk in shop.KIOSKS}
    screens = {
        kiosk.name: f"http://127.0.0.1:{port_file(directory, kiosk.name).read_text()}"
        for kiosk in shop.KIOSKS
        if kiosk.screen
    }
    policy = _POLICY.format(screens=" ".join(screens.values()))
    drills, receiver = Drills(directory, config), Receiver(directory)
    places = threading.BoundedSemaphore(STREAMS)

    def hand_of(kiosk: str) -> Hand:
        return hands[kiosk] if kiosk in hands else abort(404)

    def from_the_page() -> None:
        # A header that a form of another site cannot send.
        if request.headers.get("X-Floorbell-Demo") != "1":
            abort(403)

    @app.get("/")
    def page() -> AnyResponse:
        return make_response(
            render_template("page.html", shop=shop, screens=screens, floor="/floor/", desk="/manage/")
        )

    @app.get("/demo/kiosk/<kiosk>/stream")
    def stream(kiosk: str) -> Response:
        hand = hand_of(kiosk)
        if not places.acquire(blocking=False):
            abort(503, "Too many demo pages are open.")
        response = Response(_events(hand), mimetype="text/event-stream")
        response.call_on_close(places.release)
        return response

    @app.post("/demo/kiosk/<kiosk>/<any(press, release):act>")
    def touch(kiosk: str, act: str) -> AnyResponse:
        from_the_page()
        hand, button = hand_of(kiosk), request.args.get("button", "")
        try:
            hand.press(button) if act == "press" else hand.release(button)
        except DeployError as error:
            return make_response(str(error), 503)
        return Response(status=204)

    @app.post("/demo/drill")
    def drill() -> AnyResponse:
        from_the_page()
        kiosk, kind, responder = (request.args.get(name, "") for name in ("kiosk", "kind", "responder"))
        return asked(lambda: drills.run(kiosk, kind, responder))

    @app.get("/demo/drill/<uuid:id_>")
    def drill_look(id_: UUID) -> AnyResponse:
        return asked(lambda: drills.look(str(id_)))

    @app.get("/demo/drill/<uuid:id_>/result")
    def drill_result(id_: UUID) -> AnyResponse:
        try:
            response = Response(drills.result(str(id_)), mimetype="application/json")
        except DeployError as error:
            return make_response(str(error), 503)
        response.headers["Content-Disposition"] = f'attachment; filename="drill-{id_}.json"'
        return response

    @app.post(PATH)
    def outside_take() -> AnyResponse:
        if (request.content_length or MAX_BYTES + 1) > MAX_BYTES:
            abort(413)
        return Response(status=receiver.take(dict(request.headers), request.get_data()))

    @app.get(PATH)
    def outside_told() -> AnyResponse:
        return make_response({"told": receiver.told()})

    def asked(work: Callable[[], dict[str, Any]]) -> AnyResponse:
        try:
            return make_response(work())
        except DeployError as error:
            return make_response({"wrong": str(error)}, 503)

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.update({**headers.ALWAYS, "Content-Security-Policy": policy})
        response.headers["Cache-Control"] = headers.NO_STORE
        return response

    app.jinja_env.globals["asset"] = lambda name: url_for("static", filename=name)
    return app


def beside(store: Wsgi, demo: Wsgi) -> Wsgi:
    """One WSGI application: / and /demo/ are the demo's, all else is the store's, untouched."""

    def application(environ: dict[str, str], start_response: object) -> object:
        path = environ.get("PATH_INFO", "")
        chosen = demo if path == "/" or path.startswith("/demo/") else store
        return chosen(environ, start_response)

    return application


def _events(hand: Hand) -> Iterator[bytes]:
    yield b"retry: 1000\n\n"
    try:
        for line in hand.follow():
            yield b"data: " + line + b"\n\n"
    except (DeployError, OSError):
        # The kiosk is away; the browser comes back by itself.
        yield b"event: away\ndata: {}\n\n"
