"""The camera program, wired in one place. The panel never imports this: PyAV has no room there."""

import logging
import os
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from broker.errors import IdentityError
from broker.events import ClipLost, new_id
from broker.signing import load_signer
from broker.watchdog import HUNG, Watchdog, notify
from kiosk import VERSION
from kiosk.camera.clips import Announcement, Clips
from kiosk.camera.feed import Feed
from kiosk.camera.link import PanelLink
from kiosk.camera.losses import Loss, Why
from kiosk.camera.messages import CameraReport, Orders
from kiosk.camera.opening import source_of
from kiosk.camera.recorder import Limits, Recorder
from kiosk.camera.recording import Place
from kiosk.camera.ring import Ring
from kiosk.camera.seen import SENTENCES as TAMPERED
from kiosk.camera.source import CameraState, Source
from kiosk.camera.uploader import Uploader
from kiosk.camera.window import Reach, Trigger
from kiosk.clock import Clocks
from kiosk.config import Config
from kiosk.disk import lock
from kiosk.errors import KioskError

if TYPE_CHECKING:
    from kiosk.camera.watch import Lookout

log = logging.getLogger(__name__)

REPORT_S = 2.0
LATE_S = 2.0  # a press is known a moment after it happened
HUNG_S = 60.0  # a bad card may take half a minute for one sync
FINISHED_AT_ONCE = 16
WATCHED = (CameraState.OK, CameraState.SLOW, CameraState.FROZEN, CameraState.BLACK)
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Connected:
    """The panel is there and knows nothing yet."""


@dataclass(frozen=True)
class Noticed:
    """Something is seen in the pictures, or no longer."""


class CameraProgram:
    """One camera of one kiosk."""

    def __init__(self, config: Config, source: Source | None = None) -> None:
        if config.camera is None or config.camera_socket is None:
            raise KioskError("This kiosk has no camera: kiosk.toml has no [camera].")
        camera = config.camera
        try:
            signer = load_signer(config.identity / "sign.key")
        except IdentityError as error:
            raise KioskError(str(error)) from None
        self._clocks = Clocks()
        self.clips = Clips(Path(camera.clips))
        self._held = lock(self.clips.directory, ".lock", "clips")
        self._inbox: queue.SimpleQueue[Orders | Connected | Noticed | Loss] = queue.SimpleQueue()
        self._watchdog = Watchdog(["camera recorder", "camera feed"], HUNG_S)
        reach = Reach(camera.pre_s, camera.post_s, camera.longest_s)
        self._ring = Ring(camera.pre_s + LATE_S, camera.memory_mb * _MEGABYTE)
        self._feed = Feed(
            source or source_of(camera),
            self._ring,
            self._tick_feed,
            lookout=_lookout(camera.watch),
            noticed=lambda: self._inbox.put(Noticed()),
        )
        self._link = PanelLink(config.camera_socket, self._inbox.put, lambda: self._inbox.put(Connected()))
        self._recorder = Recorder(
            self.clips,
            self._ring,
            signer,
            Place(config.store, config.device, config.zone, camera.name, f"floorbell {VERSION}"),
            Limits(reach, camera.clips_mb * _MEGABYTE, camera.free_mb * _MEGABYTE),
            lambda at_s: self._clocks.stamp(at_s).clock,
            self._to_unix_ms,
            _new_id,
            self._on_finished,
            self._on_lost,
        )
        self._losses: dict[UUID, Loss] = {}
        self._finished: dict[UUID, Announcement] = {}
        self._uploader = Uploader(
            self.clips,
            config.identity,
            camera.upload_kib_s,
            camera.keep_sealed_h,
            self._clocks.now,
            self._on_lost,
        )
        self._reported_s = float("-inf")
        self._reported: CameraReport | None = None

    def run(self, stop: threading.Event) -> int:
        """Watch until `stop` is set; the exit status."""
        try:
            now_s = self._clocks.now()
            self._recorder.begin(now_s)
            self._finished = {clip.about.event: clip.about for clip in self.clips.unannounced()}
            self._feed.start()
            self._link.start()
            self._uploader.start()
            self._watchdog.start()
            notify("READY=1")
            while not stop.is_set() and self._feed.failed is None:
                self._turn()
            notify("STOPPING=1")
            self._recorder.end(self._clocks.now())
            return 0 if self._feed.failed is None else HUNG
        finally:
            self._watchdog.stop()
            self._feed.close()
            self._link.close()
            self._uploader.close()
            self._held.close()

    def _turn(self) -> None:
        now_s = self._clocks.now()
        due_s = self._recorder.due_at(now_s)
        times = [self._reported_s + REPORT_S, now_s + REPORT_S] + ([] if due_s is None else [due_s])
        try:
            item = self._inbox.get(timeout=max(0.001, min(times) - now_s))
            while True:
                self._handle(item)
                item = self._inbox.get_nowait()
        except queue.Empty:
            pass
        now_s = self._clocks.now()
        self._watchdog.tick("camera recorder")
        self._recorder.turn(now_s)
        self._report(now_s)

    def _handle(self, item: Orders | Connected | Noticed | Loss) -> None:
        now_s = self._clocks.now()
        match item:
            case Connected():
                self._reported = None
            case Noticed():
                pass  # the report says it
            case Loss():
                self._losses[item.event] = item
                self._reported = None
            case Orders(happened, uploads, stored):
                triggers = [Trigger(one.cause, one.kind, one.at_ms / 1000) for one in happened]
                self._recorder.happened(triggers, now_s)
                for event in stored:
                    self._losses.pop(event, None)
                    if (about := self._finished.pop(event, None)) is not None:
                        self.clips.announced(about.content.clip)
                if uploads:
                    self._uploader.put(uploads)

    def _on_finished(self, about: Announcement) -> None:
        self._finished[about.event] = about
        self._reported = None

    def _on_lost(self, why: Why, clip: UUID | None, cause: UUID | None) -> None:
        """From the recorder's thread and the uploader's."""
        now_s = self._clocks.now()
        clock = self._clocks.stamp(now_s).clock
        self._inbox.put(Loss(_new_id(), ClipLost(why, clip, cause), clock, self._to_unix_ms(now_s)))

    def _report(self, now_s: float) -> None:
        state, sentence = self._feed.state(now_s)
        seen = self._feed.seen(now_s)
        faults = self._recorder.faults(now_s) + self._uploader.faults() + self._feed.faults()
        if seen.tamper in TAMPERED and state not in (CameraState.BLACK, CameraState.FROZEN):
            faults.insert(0, TAMPERED[seen.tamper])
        if state not in (CameraState.OK, CameraState.STARTING):
            faults.insert(0, sentence)
        report = CameraReport(
            state,
            state in WATCHED,
            [fault[:200] for fault in faults[:8]],
            list(self._finished.values())[:FINISHED_AT_ONCE],
            seen.moving,
            None if seen.stands_since_s is None else int(seen.stands_since_s * 1000),
            seen.tamper,
            list(self._losses.values())[:FINISHED_AT_ONCE],
        )
        if report != self._reported or now_s - self._reported_s >= REPORT_S:
            self._reported_s = now_s
            self._reported = report if self._link.send(report) else None

    def _tick_feed(self) -> None:
        self._watchdog.tick("camera feed")

    def _to_unix_ms(self, at_s: float) -> int:
        return int((time.time() - (self._clocks.now() - at_s)) * 1000)


def run(config: Config, stop: threading.Event) -> int:
    """Be a kiosk's camera until `stop` is set; the exit status. KioskError says why it cannot."""
    os.umask(0o077)  # footage is for nobody else on this machine
    return CameraProgram(config).run(stop)


def _lookout(watch: bool) -> "Lookout | None":
    if not watch:
        return None
    from kiosk.camera.watch import Lookout  # numpy: 20 MB that a camera which only records does without

    return Lookout()


def _new_id() -> UUID:
    return new_id(time.time_ns() // 1_000_000)
