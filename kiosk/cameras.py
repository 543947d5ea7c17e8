"""The panel's side of the camera: what happened goes out, how it is and what it recorded comes in.

`Watch` is what the panel knows, without a socket; `Cameras` is the socket. Nothing here is shown to a
shopper.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from broker.messages import Upload
from kiosk.camera.clips import Announcement
from kiosk.camera.losses import Loss
from kiosk.camera.messages import CameraReport, Happened, Orders
from kiosk.camera.seen import Tamper
from kiosk.camera.window import Kind
from kiosk.config import Camera
from kiosk.greeting import Sensor
from kiosk.sockets import LineServer

log = logging.getLogger(__name__)

HUNG_S = 10.0  # the camera says how it is every two seconds
ABSENT = "absent"
HUNG = "hung"
GRACE_S = 20.0
_STORED, _UPLOADS, _HAPPENED = 256, 64, 256


class Watch:
    """What the panel knows of its camera. One thread, that of the panel; faults() and state() from any."""

    def __init__(self, camera: Camera, now_s: float) -> None:
        self._camera = camera
        # With the time until which the camera is told of it.
        self._happened: OrderedDict[UUID, tuple[Happened, float]] = OrderedDict()
        self._uploads: OrderedDict[tuple[UUID, str], Upload] = OrderedDict()
        self._stored: OrderedDict[UUID, None] = OrderedDict()
        self._saving: set[UUID] = set()
        self._report: CameraReport | None = None
        self._moving = False
        self._tampered: Tamper | None = None
        self._heard_s = now_s

    def wants(self, topic: str) -> bool:
        """Whether footage is kept of a help request with this topic."""
        return topic in self._camera.on_help

    def happened(self, cause: UUID, kind: Kind, at_s: float, told_s: float | None = None) -> None:
        """Told to the camera until its time is over, however often it starts anew. What is known only at
        `told_s` is told once that is over too: the camera says whether it still has pictures."""
        until_s = max(at_s + self._camera.post_s, told_s or at_s) + GRACE_S
        self._happened.setdefault(cause, (Happened(cause, kind, int(at_s * 1000)), until_s))
        _shorten(self._happened, _HAPPENED)

    def upload(self, command: Upload) -> None:
        """Tickets are all kept: which of a clip's two is the good one only the store can say."""
        self._uploads[command.clip, command.ticket] = command
        _shorten(self._uploads, _UPLOADS)

    def reported(self, report: CameraReport | None, now_s: float) -> list[Announcement | Loss]:
        """How the camera is, None when it is gone; the clips and losses that are to be stored now."""
        self._report, self._heard_s = report, now_s
        if report is None:
            return []
        known = self._stored.keys() | self._saving
        told: list[Announcement | Loss] = [*report.finished, *report.lost]
        fresh = [about for about in told if about.event not in known]
        self._saving.update(about.event for about in fresh)
        return fresh

    @property
    def sensor(self) -> Sensor | None:
        """What greets whoever the camera sees, if it is to."""
        camera = self._camera
        return None if camera.greet is None else Sensor(camera.name, camera.greet, camera.cool_down_s)

    def begins_to_move(self, report: CameraReport | None) -> bool:
        """Whether somebody has come since the report before."""
        before, self._moving = self._moving, report is not None and report.moving
        return self._moving and not before

    def tampered(self, report: CameraReport) -> str | None:
        """What was done to the camera, said once until it is seen to be undone. A camera that does not know
        leaves it as it was: whoever restarts it while it is covered has uncovered nothing."""
        if report.tamper == "unknown":
            return None
        if report.tamper == "none":
            if self._tampered is not None:
                log.warning("The camera sees again as before; it was %s.", self._tampered)
            self._tampered = None
            return None
        if self._tampered is not None:
            return None
        self._tampered = report.tamper
        log.warning("The camera is %s.", report.tamper)
        return f"camera {report.tamper}"

    def stored(self, event: UUID) -> bool:
        """Whether that was a clip's or a loss's event, which is now in the outbox."""
        if event not in self._saving:
            return False
        self._saving.discard(event)
        self._stored[event] = None
        _shorten(self._stored, _STORED)
        return True

    def watching(self, now_s: float) -> bool:
        """Whether pictures are being kept, as far as is known."""
        return self._report is not None and self._report.watching and now_s - self._heard_s <= HUNG_S

    def due_at(self) -> float | None:
        """When the camera counts as hung."""
        return None if self._report is None else self._heard_s + HUNG_S

    def state(self, now_s: float) -> str:
        """One word for the heartbeat."""
        if self._report is None:
            return ABSENT
        return HUNG if now_s - self._heard_s > HUNG_S else self._report.state

    def faults(self, now_s: float) -> list[str]:
        """Sentences for the heartbeat."""
        report = self._report
        if report is None:
            away_s = now_s - self._heard_s
            return ["The camera's program does not run."] if away_s > HUNG_S else []
        if now_s - self._heard_s > HUNG_S:
            return ["The camera's program does not answer."]
        return list(report.faults)

    def orders(self, now_s: float) -> Orders:
        """What the camera is to know."""
        for cause in [cause for cause, (_, until_s) in self._happened.items() if until_s < now_s]:
            del self._happened[cause]
        happened = [one for one, _ in self._happened.values()]
        return Orders(happened, list(self._uploads.values()), list(self._stored))


class Cameras:
    """The camera's socket. `came` gets each report, and None when the camera has gone; it must only
    enqueue."""

    def __init__(self, path: Path, came: Callable[[CameraReport | None], None]) -> None:
        self._server = LineServer(path, "camera", CameraReport, came, left=lambda: came(None))

    def start(self) -> None:
        self._server.start()

    def tell(self, orders: Orders) -> None:
        """To the camera, now and whenever it connects. From any thread; never waits."""
        self._server.show(orders)

    def close(self) -> None:
        """May be called twice."""
        self._server.close()


def _shorten(known: "OrderedDict[Any, Any]", most: int) -> None:
    while len(known) > most:
        known.popitem(last=False)
