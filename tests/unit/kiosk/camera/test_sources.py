"""Files, USB and network cameras through the real PyAV; what encoder and masks make of pictures."""

import itertools
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.manifest import Mask
from kiosk.camera import containers
from kiosk.camera.containers import ContainerSource
from kiosk.camera.feed import Feed
from kiosk.camera.mask import Masks, covered
from kiosk.camera.mp4 import units
from kiosk.camera.ring import Ring
from kiosk.camera.scene import Scene
from kiosk.camera.seen import Seen
from kiosk.camera.sight import sight_of
from kiosk.camera.source import CameraState, Packet, SourceError
from kiosk.camera.watch import Lookout
from tests.rig import film
from tests.rig.panel import until
from tests.rig.rtsp import NetworkCamera

VTEST = Path(__file__).parents[5] / "shared" / "data" / "vtest.avi"
LEFT = Mask([(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)])
WHITE = 235


def taken(source: ContainerSource | Scene, number: int) -> list[Packet]:
    source.open()
    try:
        return list(islice(source.packets(), number))
    finally:
        source.stop()
        source.close()


def decoded(packets: list[Packet]) -> "list[np.ndarray[Any, Any]]":
    decoder: Any = av.CodecContext.create("h264", "r")
    if packets[0].stream.extradata:
        decoder.extradata = packets[0].stream.extradata
    pictures = []
    for packet in packets:
        pictures += decoder.decode(av.Packet(packet.data))
    return [picture.to_ndarray(format="gray") for picture in [*pictures, *decoder.decode(None)]]


@pytest.fixture
def never_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden:
        def __init__(self, *_: object) -> None:
            raise AssertionError("something was encoded")

    monkeypatch.setattr("kiosk.camera.encoder.Encoder", Forbidden)


def test_h264_is_handed_on_as_it_is_and_a_file_begins_again_at_its_own_pace(
    tmp_path: Path, never_decodes: None
) -> None:
    path = film.write(tmp_path / "film.mp4", 2)
    with av.open(str(path)) as container:
        stored = [bytes(p) for p in container.demux(video=0) if p.size]
    packets = taken(ContainerSource(containers.file(path, loops=True), ()), 30)
    assert [p.data for p in packets] == (stored * 2)[:30]
    assert packets[0].stream.treatment == "none" and packets[0].stream.frame_rate == film.RATE
    assert packets[29].came_s - packets[0].came_s == pytest.approx(2.9, abs=0.5)


def test_the_sound_of_a_source_is_not_even_read(tmp_path: Path, never_decodes: None) -> None:
    path = film.write(tmp_path / "loud.mp4", 1, sound=True)
    with av.open(str(path)) as container:
        assert len(container.streams.audio) == 1
        stored = [bytes(p) for p in container.demux(container.streams.video[0]) if p.size]
    assert [p.data for p in taken(ContainerSource(containers.file(path, loops=False), ()), 99)] == stored


def test_what_is_no_h264_is_encoded() -> None:
    if not VTEST.exists():
        pytest.skip(f"{VTEST} is not there; it is not part of the project")
    packets = taken(ContainerSource(containers.file(VTEST, loops=False), ()), 12)
    assert (packets[0].stream.treatment, packets[0].stream.width) == ("encoded", 768)
    assert packets[0].key and len(decoded(packets)) == 12


def test_a_masked_source_is_decoded_and_no_masked_pixel_is_ever_encoded(tmp_path: Path) -> None:
    path = film.write(tmp_path / "film.mp4", 1, width=320, height=240)
    packets = taken(ContainerSource(containers.file(path, loops=False), [LEFT]), 10)
    assert packets[0].stream.treatment == "encoded" and packets[0].stream.masks == (LEFT,)
    pictures = decoded(packets)
    assert len(pictures) == 10
    for picture in pictures:
        assert picture[:, :158].max() <= 20 < 60 < picture[:, 164:].mean()


points = st.tuples(st.floats(0, 1), st.floats(0, 1))
polygons = st.lists(points, min_size=3, max_size=8).map(Mask)


@settings(max_examples=60, deadline=None)
@given(st.lists(polygons, max_size=3), st.integers(2, 40), st.integers(2, 40))
def test_every_corner_and_no_half_block_of_a_mask_is_painted(
    masks: list[Mask], half_width: int, half_height: int
) -> None:
    width, height = 2 * half_width, 2 * half_height
    mask = covered(masks, width, height)
    picture = np.full((height * 3 // 2, width), WHITE, np.uint8)
    Masks(masks, width, height).paint(picture)
    assert ((picture[:height] == 16) == mask).all()
    assert not (mask[::2] ^ mask[1::2]).any() and not (mask[:, ::2] ^ mask[:, 1::2]).any()
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    assert ((chroma == 128) == mask[::2, ::2]).all()
    for polygon in masks:
        for x, y in polygon.points:
            assert mask[min(height - 1, round(y * height)), min(width - 1, round(x * width))]


def test_the_scene_moves_and_each_second_begins_with_a_key_frame() -> None:
    packets = taken(Scene(160, 120, 20, ()), 41)
    assert [n for n, p in enumerate(packets) if p.key] == [0, 20, 40]
    pictures = decoded(packets)
    assert any((a != b).mean() > 0.01 for a, b in zip(pictures, pictures[10:], strict=False))


def wrong(source: ContainerSource) -> SourceError:
    with pytest.raises(SourceError) as caught:
        taken(source, 1)
    return caught.value


def test_each_way_of_having_no_camera_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a film " * 100)
    whole = film.write(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        tone = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.rate = 8000
        container.mux(tone.encode(frame))
    for source, state in (
        (containers.usb("/dev/video97", 640, 480, 25), CameraState.MISSING),
        (containers.network("rtsp://127.0.0.1:9/none"), CameraState.MISSING),
        (containers.file(tmp_path / "none.mp4", False), CameraState.MISSING),
        (containers.file(tmp_path / "text.mp4", False), CameraState.FAILED),
        (containers.file(tmp_path / "cut.mp4", False), CameraState.FAILED),
        (containers.file(tmp_path / "sound.wav", False), CameraState.FAILED),
    ):
        error = wrong(ContainerSource(source, ()))
        assert error.state is state and error.sentence.endswith("."), (source, error)


class Moody:
    """A camera that does as it is told, one mood after the other."""

    def __init__(self, *moods: SourceError | int) -> None:
        self._moods = list(moods)
        self._live = film.running(0.0)
        self.stopped = threading.Event()
        self.opened = 0

    def open(self) -> None:
        self.opened += 1
        if isinstance(self._moods[0], SourceError):
            raise self._moods.pop(0)  # type: ignore[misc]

    def packets(self) -> Iterator[Packet]:
        number = self._moods.pop(0)
        assert isinstance(number, int)
        yield from islice(self._live, number)
        if not self._moods:
            self.stopped.wait(10)

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None: ...


def test_a_lost_camera_is_named_opened_again_and_what_it_gave_before_is_kept() -> None:
    gone = SourceError(CameraState.MISSING, "There is no such camera.")
    busy = SourceError(CameraState.BUSY, "Another program holds it.")
    source = Moody(busy, gone, 25, gone, 25)
    ring = Ring(60, 10_000_000)
    feed = Feed(source, ring, pauses_s=(0.02,), look_s=1e9)
    assert feed.state(0.0)[0] is CameraState.STARTING
    feed.start()
    said = set()
    until(lambda: said.add(feed.state(4.0)[0]) or (source.opened == 5 and len(ring.since(0)[1]) > 40))
    feed.close()
    assert {CameraState.BUSY, CameraState.MISSING} <= said
    assert feed.state(5.0)[0] is CameraState.OK and feed.failed is None
    assert ring.since(0)[1][0].came_s == 0.0


def test_a_camera_whose_driver_breaks_is_tried_again() -> None:
    class Broken(Moody):
        def open(self) -> None:
            super().open()
            if self.opened < 3:
                raise ZeroDivisionError("in the driver")

    source = Broken(25)
    feed = Feed(source, Ring(60, 10_000_000), pauses_s=(0.02,), look_s=1e9)
    feed.start()
    until(lambda: source.opened == 3 and feed.state(2.5)[0] is CameraState.OK)
    feed.close()


def test_watching_that_fails_costs_no_picture() -> None:
    class Blind(Lookout):
        def looked(self, picture: Any, now_s: float) -> Seen:
            raise ZeroDivisionError

    ring, source = Ring(60, 10_000_000), Moody(25)
    feed = Feed(source, ring, pauses_s=(0.02,), look_s=1e9, lookout=Blind())
    feed.start()
    until(lambda: feed.faults() and len(ring.since(0)[1]) > 20)
    feed.close()
    assert feed.faults() == ["Watching the camera's pictures failed; it records all the same."]
    assert feed.seen(2.0) == Seen() and feed.state(2.5)[0] is CameraState.OK


def test_the_small_picture_is_of_the_same_shape_and_light() -> None:
    sight = sight_of(film.film(width=320, height=180)[0])
    assert sight is not None and sight.small().shape == (90, 160)
    assert sight.small().mean() == pytest.approx((sight.look().light - 16) * 255 / 219, abs=8)


def test_a_black_picture_is_seen_as_black_and_a_bright_one_is_not() -> None:
    bright = sight_of(film.film()[0])
    assert bright is not None and bright.look().light > 60
    from kiosk.camera.encoder import Encoder

    picture = av.VideoFrame.from_ndarray(np.full((72, 64), 16, np.uint8), format="yuv420p")
    (packet,) = Encoder(64, 48, 10, ()).encode(picture, 0, 0.0, 0)
    black = sight_of(packet)
    assert black is not None and black.look().light < 20
    assert sight_of(Packet(packet.stream, b"\0\0\1\x65nonsense", 0, 0, True, 0.0, 0)) is None


@pytest.fixture
def camera() -> Iterator[NetworkCamera]:
    camera = NetworkCamera()
    yield camera
    camera.close()


def test_a_network_camera_is_handed_on_undecoded_and_its_sound_is_never_asked_for(
    camera: NetworkCamera, never_decodes: None
) -> None:
    packets = taken(ContainerSource(containers.network(camera.url), ()), 25)
    assert camera.asked == ["video"]
    assert (packets[0].stream.width, packets[0].stream.height, packets[0].stream.treatment) == (
        64,
        48,
        "none",
    )
    first = next(n for n, p in enumerate(packets) if p.key)
    assert len(decoded(packets[first:])) == len(packets) - first
    assert {bytes(unit) for p in packets for unit in units(p.data)} <= camera.sent


def test_a_network_camera_that_is_lost_and_comes_back_in_another_format_is_followed(
    camera: NetworkCamera,
) -> None:
    ring = Ring(60, 10_000_000)
    feed = Feed(ContainerSource(containers.network(camera.url), ()), ring, pauses_s=(0.05,))
    feed.start()
    until(lambda: len(ring.since(0)[1]) > 15)
    camera.width = 80
    until(lambda: ring.since(0)[1][-1].stream.width == 80)
    camera.hang_up()
    until(lambda: feed.state(time.monotonic())[0] is CameraState.UNPLUGGED)
    known = len(ring.since(0)[1])
    until(lambda: len(ring.since(0)[1]) > known + 10)
    assert feed.state(time.monotonic())[0] is CameraState.OK
    feed.close()
    held = ring.since(0)[1]
    assert [b.dts_us > a.dts_us for a, b in itertools.pairwise(held)] == [True] * (len(held) - 1)
    for width in (64, 80):
        reel = [p for p in held if p.stream.width == width]
        assert reel[0].key and reel[0].stream.width == width


def test_a_network_camera_that_falls_silent_is_frozen(
    camera: NetworkCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "SILENT_S", 1.0)
    feed = Feed(ContainerSource(containers.network(camera.url), ()), Ring(60, 10_000_000), pauses_s=(5.0,))
    feed.start()
    until(lambda: feed.state(time.monotonic())[0] is CameraState.OK)
    camera.silent.set()
    until(lambda: feed.state(time.monotonic())[0] is CameraState.FROZEN)
    feed.close()
