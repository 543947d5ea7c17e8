"""The camera on a Pi's own connector, through picamera2 itself. On a machine without it this is skipped."""

from itertools import islice, pairwise

import pytest

from broker.manifest import Mask
from kiosk.camera.mp4 import sets_of
from kiosk.camera.picamera import PiCamera
from kiosk.camera.sight import sight_of
from kiosk.camera.source import CameraState, SourceError

pytestmark = pytest.mark.hardware


@pytest.fixture
def camera() -> PiCamera:
    found = pytest.importorskip(
        "picamera2", reason="picamera2 is not here; on Raspberry Pi OS: apt-get install python3-picamera2"
    )
    if not found.Picamera2.global_camera_info():
        pytest.skip("libcamera finds no camera on this machine")
    return PiCamera(640, 480, 30, ())


def test_it_gives_h264_that_begins_anywhere_and_can_be_opened_again(camera: PiCamera) -> None:
    for _ in range(2):
        camera.open()
        packets = list(islice(camera.packets(), 90))
        camera.stop()
        camera.close()
        keys = [number for number, packet in enumerate(packets) if packet.key]
        assert keys[0] == 0 and [b - a for a, b in pairwise(keys)] == [30] * (len(keys) - 1)
        assert sets_of(packets[0].data) and sight_of(packets[0]) is not None
        assert packets[-1].came_s - packets[0].came_s == pytest.approx(3, abs=0.5)
        assert [p.dts_us for p in packets] == sorted(p.dts_us for p in packets)


def test_with_masks_its_pictures_are_masked_before_they_are_encoded(camera: PiCamera) -> None:
    masked = PiCamera(640, 480, 30, [Mask([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])])
    masked.open()
    packets = list(islice(masked.packets(), 31))
    masked.stop()
    masked.close()
    assert packets[0].stream.treatment == "encoded" and packets[0].key
    sight = sight_of(packets[0])
    assert sight is not None and sight.look().light == pytest.approx(16, abs=1)


def test_a_camera_that_is_taken_is_busy(camera: PiCamera) -> None:
    camera.open()
    other = PiCamera(640, 480, 30, ())
    with pytest.raises(SourceError) as caught:
        other.open()
    camera.stop()
    camera.close()
    assert caught.value.state is CameraState.BUSY
