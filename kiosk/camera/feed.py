"""The thread that reads the camera into the ring, opens it again when it is lost, and knows how it is."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.camera import mp4
from kiosk.camera.pulse import Pulse
from kiosk.camera.ring import Ring
from kiosk.camera.seen import Seen
from kiosk.camera.sight import sight_of
from kiosk.camera.source import SENTENCES, CameraState, Packet, Source, SourceError
from kiosk.camera.timeline import Timeline

if TYPE_CHECKING:
    from kiosk.camera.watch import Lookout

log = logging.getLogger(__name__)

PAUSES_S = (1.0, 2.0, 5.0, 10.0)
LOOK_S = 10.0
WATCH_S = 0.9  # a camera whose every picture is a key frame costs no more than another
SPARSE_S = 5.0
STALE_S = 10.0


class Feed:
    """See the module. `tick` is called with every packet and in every pause, `noticed` from the same thread
    when the lookout sees another thing than before."""

    def __init__(
        self,
        source: Source,
        ring: Ring,
        tick: Callable[[], None] = lambda: None,
        pauses_s: tuple[float, ...] = PAUSES_S,
        look_s: float = LOOK_S,
        lookout: "Lookout | None" = None,
        noticed: Callable[[], None] = lambda: None,
    ) -> None:
        self._source = source
        self._ring = ring
        self._tick = tick
        self._pauses_s = pauses_s
        self._look_s = look_s
        self._lookout = lookout
        self._noticed = noticed
        self._seen, self._seen_s = Seen(), float("-inf")
        self._trouble: str | None = None
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
        if state is CameraState.OK and self.seen(now_s).tamper == "frozen":
            state = CameraState.FROZEN
        return state, SENTENCES[state]

    def seen(self, now_s: float) -> Seen:
        """What is seen in the pictures; nothing is known while there are none."""
        return Seen() if self._lost is not None or now_s - self._seen_s > STALE_S else self._seen

    def faults(self) -> list[str]:
        """Sentences for the manager about watching."""
        return [] if self._trouble is None else [self._trouble]

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
                if packet.key:
                    self._look(packet, pulse)
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

    def _look(self, packet: Packet, pulse: Pulse) -> None:
        now_s = packet.came_s
        looks = now_s - self._looked_s >= self._look_s
        watches = self._lookout is not None and now_s - self._seen_s >= WATCH_S
        if not (looks or watches) or (sight := sight_of(packet)) is None:
            return
        if looks:
            self._looked_s = now_s
            pulse.looked(sight.look())
        if watches and self._lookout is not None:
            gap_s, before = now_s - self._seen_s, self._seen
            try:
                self._seen, self._seen_s = self._lookout.looked(sight.small(), now_s), now_s
            except Exception:
                # Watching must never cost the recording.
                log.exception("Watching failed and is given up.")
                self._lookout, self._seen = None, Seen()
                self._trouble = "Watching the camera's pictures failed; it records all the same."
                return
            sparse = SPARSE_S < gap_s < float("inf")
            self._trouble = (
                f"The camera gives a key frame only every {gap_s:.0f} s; set it to one in 2 s for watching."
                if sparse
                else None
            )
            if self._seen != before:
                self._noticed()

    def _say(self, error: SourceError) -> None:
        if self._lost is None or self._lost.sentence != error.sentence:
            log.warning("%s It is tried again.", error.sentence)
        self._lost = error


def has_parameters(packet: Packet) -> bool:
    """Whether a file can begin with this key frame."""
    return bool(mp4.sets_of(packet.stream.extradata) or mp4.sets_of(packet.data))
