"""From a simulated pin to a clip: the panel and the camera program together, on lgpio and picamera2."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import pytest

from broker import manifest as manifests
from broker.signing import is_signed, load_signer
from kiosk.camera.program import CameraProgram
from kiosk.config import Camera
from tests.hardware.chip import Chip
from tests.hardware.virtual_camera import Cable
from tests.hardware.wired import WiredKiosk
from tests.system.kiosk_rig import LAMP, SECURITY, settings, until

pytestmark = [pytest.mark.hardware, pytest.mark.pins]
WATCH = 21
RATE = 10  # User Mode Linux is slow with video
PRE_S = 3


def test_who_holds_the_security_button_was_filmed_before(
    chip: Chip, factory: Any, cable: Cable, credentials: Path, tmp_path: Path, short_path: Path
) -> None:
    cable.rate = RATE
    camera = Camera(
        "picamera", width=320, height=240, frame_rate=RATE, pre_s=PRE_S, post_s=1, longest_s=10, lamp=WATCH,
        free_mb=10, clips=str(tmp_path / "clips"), socket=str(short_path / "socket"),
    )  # fmt: skip
    config = settings(credentials, 1, tmp_path / "outbox", camera=camera, gpio_chip=chip.number)
    kiosk = WiredKiosk(config, chip, factory)
    program, stop = CameraProgram(config), threading.Event()
    thread = threading.Thread(target=program.run, args=[stop])
    thread.start()
    try:
        until(lambda: chip.level(WATCH), 30)  # the lamp that says that it watches
        time.sleep(PRE_S + 1)
        shown, at = list(kiosk.shown), datetime.now(UTC)
        kiosk.press(SECURITY, 1.0)
        clip = until(lambda: next(iter(program.clips.all()), None), 30)
        until(lambda: kiosk.stored() == ["security", "clip"])
        assert kiosk.shown == shown and chip.level(LAMP) == 0
    finally:
        stop.set()
        thread.join(20)
        kiosk.close()
    written = clip.manifest.read_bytes()
    key = load_signer(credentials / "sign.key").key
    assert is_signed(key, manifests.to_sign(written), clip.signature.read_text())
    manifest = manifests.decode(written)
    before_s = (at - manifest.started_at).total_seconds()
    # The request is made when the hold is over, and its clip begins at a key frame.
    assert PRE_S - 1 <= before_s <= PRE_S + 2
    with av.open(str(clip.video)) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    assert pictures == len(manifest.footage.frames) >= PRE_S * RATE * 0.6
