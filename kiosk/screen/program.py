"""The screen program, wired in one place. The kiosk itself never imports this: Flask has no room there."""

import logging
import threading
from pathlib import Path

from broker.watchdog import Watchdog, notify
from kiosk.config import Config
from kiosk.errors import KioskError
from kiosk.screen.board import Board
from kiosk.screen.link import PanelLink
from kiosk.screen.server import Server
from kiosk.screen.web import create_app

log = logging.getLogger(__name__)

PORT = 8970


def run(
    config: Config, port: int, stop: threading.Event, socket: Path | None = None, framed_by: str | None = None
) -> int:
    """Serve the page until `stop` is set; the exit status. `socket` if the panel's is elsewhere.

    KioskError if the kiosk serves no screen.
    """
    path = socket or config.screen_socket
    if path is None:
        raise KioskError(
            "kiosk.toml has no [screen], so this kiosk serves none; add the line [screen], "
            "start the kiosk anew and then its screen."
        )
    board = Board(config.spoken, list(config.languages))
    link = PanelLink(path, board)
    watchdog = Watchdog(["screen"])
    with Server(port, tick=lambda: watchdog.tick("screen")) as server:
        server.set_app(create_app(board, link.send, server.hosts, framed_by))
        serving = threading.Thread(target=server.serve_forever, name="screen-web", daemon=True)
        link.start()
        serving.start()
        watchdog.start()
        notify("READY=1")
        log.info("The screen is at http://127.0.0.1:%s/", server.server_port)
        try:
            stop.wait()
        finally:
            watchdog.stop()
            link.close()
            server.shutdown()
            serving.join(2.0)
    return 0
