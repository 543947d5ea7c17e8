"""A recorder on real H.264, whose camera and clock the test moves."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.events import Clock, new_id
from broker.signing import Signer
from kiosk.camera.clips import Announcement, Clip, Clips
from kiosk.camera.losses import Why
from kiosk.camera.recorder import Limits, Recorder
from kiosk.camera.recording import Place
from kiosk.camera.ring import Ring
from kiosk.camera.source import Packet
from kiosk.camera.timeline import Timeline
from kiosk.camera.window import Kind, Reach, Trigger
from tests.rig import film

BOOT = UUID(int=7)
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
WHOSE = Place("shop", "kiosk-1", "shoes", "camera", "floorbell test")
REACH = Reach(pre_s=5, post_s=4, longest_s=30)
MEGABYTE = 1_000_000


class Trial:
    """A recorder whose camera and clock the test moves."""

    def __init__(self, directory: Path, reach: Reach = REACH, **limits: int) -> None:
        self.clips = Clips(directory)
        self.ring = Ring(reach.pre_s, limits.get("memory", 32 * MEGABYTE))
        self.now_s = float(limits.get("start", 1000))
        self.came: list[Announcement] = []
        self.lost: list[tuple[Why, UUID | None, UUID | None]] = []
        self.timeline = Timeline()
        self.packets: Iterator[Packet] = film.running(self.now_s, self.now_s - 1000)
        self.next = next(self.packets)
        self._ids = 0
        self.recorder = Recorder(
            self.clips,
            self.ring,
            SIGNER,
            WHOSE,
            Limits(reach, limits.get("clips", 1000 * MEGABYTE), limits.get("floor", 0)),
            lambda at_s: Clock(True, BOOT, int(at_s * 1000)),
            lambda at_s: film.WALL_MS + int((at_s - 1000.0) * 1000),
            self.new_id,
            self.came.append,
            lambda why, clip, cause: self.lost.append((why, clip, cause)),
        )
        self.recorder.begin(self.now_s)

    def new_id(self) -> UUID:
        self._ids += 1
        return new_id(film.WALL_MS + int(self.now_s * 1000) + self._ids)

    def pass_s(self, seconds: float, camera: bool = True) -> None:
        """Time goes on, in the recorder's own steps."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s = min(until_s, self.now_s + 0.25)
            while self.next.came_s <= self.now_s:
                if camera:
                    self.ring.add(self.timeline.put(self.next))
                self.next = next(self.packets)
            self.recorder.turn(self.now_s)

    def press(self, kind: Kind = "security", ago_s: float = 0.0, cause: UUID | None = None) -> UUID:
        cause = cause or self.new_id()
        self.recorder.happened([Trigger(cause, kind, self.now_s - ago_s)], self.now_s)
        return cause

    def only(self) -> Clip:
        (clip,) = self.clips.all()
        return clip
