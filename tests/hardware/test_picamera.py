"""The camera on a Pi's own connector, through picamera2 itself: a Pi's, or libcamera's virtual one."""

from itertools import islice, pairwise

import pytest

from broker.manifest import Mask
from kiosk.camera.mp4 import sets_of
from kiosk.camera.picamera import PiCamera
from kiosk.camera.sight import sight_of
from kiosk.camera.source import CameraState, SourceError

pytestmark = [pytest.mark.hardware, pytest.mark.usefixtures("camera")]


def test_it_gives_h264_that_begins_anywhere_and_can_be_opened_again() -> None:
    camera = PiCamera(640, 480, 30, ())
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


def test_with_masks_its_pictures_are_masked_before_they_are_encoded() -> None:
    masked = PiCamera(640, 480, 30, [Mask([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])])
    masked.open()
    packets = list(islice(masked.packets(), 31))
    masked.stop()
    masked.close()
    assert packets[0].stream.treatment == "encoded" and packets[0].key
    sight = sight_of(packets[0])
    assert sight is not None and sight.look().light == pytest.approx(16, abs=1)


def test_a_camera_that_is_taken_is_busy() -> None:
    camera = PiCamera(640, 480, 30, ())
    camera.open()
    other = PiCamera(640, 480, 30, ())
    with pytest.raises(SourceError) as caught:
        other.open()
    camera.stop()
    camera.close()
    assert caught.value.state is CameraState.BUSY
