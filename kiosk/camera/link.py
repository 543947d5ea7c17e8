"""The camera's end of the panel's socket: Orders come in, CameraReports go out."""

from collections.abc import Callable
from pathlib import Path

from kiosk.camera.messages import CameraReport, Orders
from kiosk.sockets import LineClient


class PanelLink:
    """`came` gets each Orders from the link's thread and must only enqueue; `connected` likewise."""

    def __init__(self, path: Path, came: Callable[[Orders], None], connected: Callable[[], None]) -> None:
        def heard(orders: Orders | None) -> None:
            if orders is not None:
                came(orders)

        self._client = LineClient(path, Orders, heard, connected)

    def start(self) -> None:
        self._client.start()

    def send(self, report: CameraReport) -> bool:
        """Whether the panel's socket took it."""
        return self._client.send(report)

    def close(self) -> None:
        """May be called twice."""
        self._client.close()
