"""The kiosk's own camera program on real picamera2: what reaches the ring, the clip, and the manager."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import uuid4

import av
import numpy as np
import pytest

from broker import manifest as manifests
from broker.manifest import Mask
from broker.signing import is_signed, load_signer
from kiosk.camera.clips import Clip
from kiosk.camera.feed import Feed
from kiosk.camera.messages import CameraReport, Happened, Orders
from kiosk.camera.picamera import PiCamera
from kiosk.camera.program import CameraProgram
from kiosk.camera.ring import Ring
from kiosk.camera.sight import sight_of
from kiosk.camera.source import CameraState
from kiosk.cameras import Cameras
from kiosk.config import Camera
from tests.hardware.virtual_camera import Cable
from tests.system.kiosk_rig import settings, until

pytestmark = pytest.mark.hardware
SIZE = (640, 480)
PRE_S, POST_S = 3, 1
RIGHT = [(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]
MASKS = pytest.mark.parametrize("masks", [[], [RIGHT]], ids=["plain", "masked"])
Watch = Callable[[list[list[tuple[float, float]]]], "Watched"]


@dataclass
class Watched:
    """The camera program, and what its panel hears."""

    program: CameraProgram
    panel: Cameras
    key: str
    reports: list[CameraReport] = field(default_factory=list)

    def clip(self) -> Clip:
        """Something happens now; the clip of it."""
        self.panel.tell(Orders([Happened(uuid4(), "security", int(time.monotonic() * 1000))]))
        return until(lambda: next(iter(self.program.clips.all()), None))


@pytest.fixture
def watch(camera: None, credentials: Path, tmp_path: Path, short_path: Path) -> Iterator[Watch]:
    stop, threads, panels = threading.Event(), [], []

    def begin(masks: list[list[tuple[float, float]]]) -> Watched:
        shot = Camera(
            "picamera", width=SIZE[0], height=SIZE[1], frame_rate=30, pre_s=PRE_S, post_s=POST_S,
            longest_s=10, clips=str(tmp_path / "clips"), masks=masks, socket=str(short_path / "socket"),
        )  # fmt: skip
        config = settings(credentials, 1, tmp_path / "outbox", camera=shot)
        reports: list[CameraReport] = []
        panel = Cameras(short_path / "socket", lambda report: reports.append(report) if report else None)
        panels.append(panel)
        panel.start()
        program = CameraProgram(config)
        threads.append(threading.Thread(target=program.run, args=[stop]))
        threads[-1].start()
        return Watched(program, panel, load_signer(credentials / "sign.key").key, reports)

    yield begin
    stop.set()
    for thread in threads:
        thread.join(10)
    for panel in panels:
        panel.close()


@MASKS
def test_a_trigger_writes_a_signed_clip_that_begins_before_it(
    watch: Watch, masks: list[list[tuple[float, float]]]
) -> None:
    watched = watch(masks)
    until(lambda: watched.reports and watched.reports[-1].state == "ok")
    time.sleep(PRE_S + 1)
    at_s = time.time()
    clip = watched.clip()
    written = clip.manifest.read_bytes()
    assert is_signed(watched.key, manifests.to_sign(written), clip.signature.read_text())
    manifest = manifests.decode(written)
    assert PRE_S <= at_s - manifest.started_at.timestamp() <= PRE_S + 1.5  # it begins at a key frame
    assert manifest.ended_at.timestamp() - at_s == pytest.approx(POST_S, abs=0.3)
    with av.open(str(clip.video)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        pictures = [picture.to_ndarray(format="gray") for picture in container.decode(video=0)]
    assert len(pictures) == len(manifest.footage.frames) >= 30 * (PRE_S + POST_S) * 0.8
    assert manifest.footage.treatment == ("encoded" if masks else "none")
    for picture in pictures:
        assert picture.shape == SIZE[::-1]
        assert picture[:, : SIZE[0] // 2 - 8].max() > 150
        assert (picture[:, SIZE[0] // 2 + 8 :].max() <= 20) == bool(masks)


def test_whoever_looks_at_the_pictures_sees_the_masks_too(camera: None) -> None:
    source = PiCamera(*SIZE, 30, [Mask(RIGHT)])
    source.open()
    try:
        sight = sight_of(next(packet for packet in islice(source.packets(), 60) if packet.key))
    finally:
        source.stop()
        source.close()
    assert sight is not None
    small = np.asarray(sight.small())
    assert small[:, 84:].max() == 0 and small[:, :76].max() > 150


@MASKS
def test_a_camera_that_vanishes_is_named_and_comes_back_by_itself(
    cable: Cable, masks: list[list[tuple[float, float]]]
) -> None:
    ring = Ring(60, 32_000_000)
    feed = Feed(PiCamera(*SIZE, 30, [Mask(mask) for mask in masks]), ring, pauses_s=(0.5,))
    said: list[CameraState] = []

    def says(state: CameraState) -> bool:
        now = feed.state(time.monotonic())[0]
        if now not in said[-1:]:
            said.append(now)
        return now is state

    feed.start()
    try:
        until(lambda: says(CameraState.OK))
        cable.plugged = False
        until(lambda: says(CameraState.MISSING), 30)
        held = ring.bytes
        cable.plugged = True
        until(lambda: says(CameraState.OK))
        until(lambda: ring.bytes > held)
    finally:
        feed.close()
    assert feed.failed is None
    gone = said.index(CameraState.OK) + 1
    assert said[gone:] == [CameraState.FROZEN, CameraState.MISSING, CameraState.OK] or said[gone:] == [
        CameraState.SLOW, CameraState.FROZEN, CameraState.MISSING, CameraState.OK,
    ]  # fmt: skip
