"""The screen's end of the panel's socket: Views come in, Touches go out."""

from pathlib import Path

from kiosk.screen.board import Board
from kiosk.screen.messages import Touch, View
from kiosk.sockets import LineClient


class PanelLink:
    """While nothing is connected, or what comes cannot be read, the board holds None."""

    def __init__(self, path: Path, board: Board) -> None:
        self._client = LineClient(path, View, board.set)

    def start(self) -> None:
        self._client.start()

    def close(self) -> None:
        """May be called twice."""
        self._client.close()

    def send(self, touch: Touch) -> bool:
        """Whether the panel's socket took it; what it does with it shows in the next View."""
        return self._client.send(touch)
