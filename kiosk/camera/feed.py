"""The thread that reads the camera into the ring, opens it again when it is lost, and knows how it is."""

import logging
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import av

from kiosk.camera import mp4
from kiosk.camera.pulse import Look, Pulse
from kiosk.camera.ring import Ring
from kiosk.camera.source import SENTENCES, CameraState, Packet, Source, SourceError
from kiosk.camera.timeline import Timeline

log = logging.getLogger(__name__)

PAUSES_S = (1.0, 2.0, 5.0, 10.0)
LOOK_S = 10.0
_STRIDE = 251  # every so many-th pixel tells how bright a picture is


class Feed:
    """See the module. `tick` is called with every packet and in every pause."""

    def __init__(
        self,
        source: Source,
        ring: Ring,
        tick: Callable[[], None] = lambda: None,
        pauses_s: tuple[float, ...] = PAUSES_S,
        look_s: float = LOOK_S,
    ) -> None:
        self._source = source
        self._ring = ring
        self._tick = tick
        self._pauses_s = pauses_s
        self._look_s = look_s
        self._timeline = Timeline()
        self._pulse: Pulse | None = None
        self._lost: SourceError | None = None
        self._looked_s = float("-inf")
        self._stop = threading.Event()
        self.failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="camera-feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """May be called twice."""
        self._stop.set()
        self._source.stop()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def state(self, now_s: float) -> tuple[CameraState, str]:
        """How the camera is, and that as a sentence."""
        lost, pulse = self._lost, self._pulse
        if lost is not None:
            return lost.state, lost.sentence
        state = CameraState.STARTING if pulse is None else pulse.state(now_s)
        return state, SENTENCES[state]

    def _run(self) -> None:
        tries = 0
        try:
            while not self._stop.is_set():
                before_s = time.monotonic()
                self._read()
                tries = 0 if time.monotonic() - before_s > 30 else tries + 1
                pause_s = self._pauses_s[min(tries, len(self._pauses_s)) - 1]
                until_s = time.monotonic() + pause_s
                while time.monotonic() < until_s and not self._stop.wait(min(1.0, pause_s)):
                    self._tick()
        except BaseException as error:
            log.exception("The camera's thread ended.")
            self.failed = error

    def _read(self) -> None:
        self._tick()
        seen = False
        try:
            self._source.open()
            self._timeline.begin()
            pulse: Pulse | None = None
            for packet in self._source.packets():
                self._tick()
                if pulse is None:
                    seen, pulse = True, Pulse(packet.stream.frame_rate, packet.came_s)
                    self._pulse, self._lost = pulse, None
                    log.info(
                        "The camera gives pictures of %d × %d.", packet.stream.width, packet.stream.height
                    )
                pulse.came(packet.came_s)
                self._ring.add(self._timeline.put(packet))
                if packet.key and packet.came_s - self._looked_s >= self._look_s:
                    self._looked_s = packet.came_s
                    if (look := look_at(packet)) is not None:
                        pulse.looked(look)
            if not self._stop.is_set():
                self._say(SourceError(CameraState.UNPLUGGED, "The camera's stream has ended."))
        except SourceError as error:
            gone = seen and error.state is CameraState.MISSING
            self._say(SourceError(CameraState.UNPLUGGED, error.sentence) if gone else error)
        except Exception as error:
            # Whatever a driver raises, the camera is tried again and the process stays.
            log.exception("The camera failed.")
            self._say(SourceError(CameraState.FAILED, f"The camera failed: {error!r}."[:200]))
        finally:
            self._source.close()

    def _say(self, error: SourceError) -> None:
        if self._lost is None or self._lost.sentence != error.sentence:
            log.warning("%s It is tried again.", error.sentence)
        self._lost = error


def look_at(packet: Packet) -> Look | None:
    """What the picture of a key frame looks like; None if it cannot be decoded."""
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    if packet.stream.extradata:
        decoder.extradata = packet.stream.extradata
    try:
        pictures = [*decoder.decode(av.Packet(packet.data)), *decoder.decode(None)]
    except av.FFmpegError:
        return None
    if not pictures:
        return None
    plane = bytes(pictures[0].planes[0])
    some = plane[::_STRIDE]
    return Look(sum(some) / len(some), zlib.crc32(plane))


def has_parameters(packet: Packet) -> bool:
    """Whether a file can begin with this key frame."""
    return bool(mp4.sets_of(packet.stream.extradata) or mp4.sets_of(packet.data))
