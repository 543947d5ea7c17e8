"""The working copy of a clip, from real video and from broken one: there is always an answer."""

import contextlib
import io
import itertools
import threading
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from edge.evidence import copies
from edge.evidence.copies import Copy, Stopped
from tests.rig import film, shelf

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def copied(tmp_path: Path, video: bytes, seconds: float, **kind: Any) -> Copy:
    files, folder = shelf.folder(tmp_path), tmp_path / "work"
    folder.mkdir()
    return copies.copy(
        shelf.put(files, video, seconds, **kind), files, folder, lambda: NOW, threading.Event()
    )


def written(
    count: int,
    size: tuple[int, int] = (320, 180),
    *,
    pts: list[int] | None = None,
    codec: str = "libx264",
    per_second: int = 10,
) -> bytes:
    """A plain mp4 of that many pictures, one each 1 / `per_second` or at `pts`."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream: Any = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, per_second)
        for number in range(count):
            grey = np.full((size[1] * 3 // 2, size[0]), 90 + number, np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, "yuv420p")
            picture.pts, picture.time_base = (pts or range(count))[number], Fraction(1, per_second)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return file.getvalue()


def pictures(path: Path) -> list[Any]:
    with av.open(str(path)) as file:
        return [
            (frame.pts * frame.time_base, frame.to_ndarray(format="gray")) for frame in file.decode(video=0)
        ]


def test_a_copy_plays_everywhere_at_a_constant_rate_with_the_time_below(tmp_path: Path) -> None:
    master = film.fragmented(3, 640, 360)
    made = copied(tmp_path, master, 3)
    assert made.trouble is None and made.working is not None and made.made_at == NOW
    with av.open(str(made.working)) as file:
        (stream,) = file.streams
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.width) == ("h264", "yuv420p", 640)
        assert stream.average_rate == 10
    # The index stands before the pictures: it can be played while it is fetched.
    raw = made.working.read_bytes()
    assert raw.find(b"moov") < raw.find(b"mdat")
    shown = pictures(made.working)
    assert [time for time, _ in shown] == [Fraction(n, 10) for n in range(30)]
    before = pictures_of(master)
    strips = [picture[360:] for _, picture in shown]
    for (_, picture), true in zip(shown, before, strict=True):
        assert np.abs(picture[:360].astype(int) - true).mean() < 4
        assert picture[360:].max() > 200 and np.median(picture[360:]) < 5
    # Each tenth of a second has words of its own; the clip's id below them stays.
    half = len(strips[0]) // 2
    assert all(np.abs(a[:half].astype(int) - b[:half]).max() > 100 for a, b in itertools.pairwise(strips))
    assert np.abs(strips[0][half:].astype(int) - strips[-1][half:]).mean() < 3


def pictures_of(video: bytes) -> list[Any]:
    with av.open(io.BytesIO(video)) as file:
        return [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]


def test_stills_are_jpegs_with_their_times_and_the_trigger_is_marked(tmp_path: Path) -> None:
    made = copied(tmp_path, film.fragmented(3, 640, 360), 3, trigger_ms=1_250)
    times = [(round(s.shows_at.timestamp() * 1000) - shelf.START_MS, s.trigger) for s in made.stills]
    # The first picture from the trigger on; there are ten a second.
    assert times == [(0, False), (1_300, True)]
    for still in made.stills:
        with Image.open(still.path) as image:
            assert (image.format, image.width) == ("JPEG", 480) and image.height > 270


@pytest.mark.parametrize(("size", "width"), [((1920, 1080), 1280), ((64, 48), 320), ((1080, 1920), 720)])
def test_a_copy_is_of_moderate_size(tmp_path: Path, size: tuple[int, int], width: int) -> None:
    made = copied(tmp_path, film.fragmented(1, *size), 1)
    assert made.working is not None
    _, picture = pictures(made.working)[0]
    assert picture.shape[1] == width and picture.shape[0] <= 1280 + 80


def test_a_gap_in_the_pictures_is_a_picture_that_stands_with_its_own_time(tmp_path: Path) -> None:
    made = copied(tmp_path, written(3, pts=[0, 1, 20]), 2.1)
    assert made.working is not None
    shown = pictures(made.working)
    assert len(shown) == 21
    assert np.abs(shown[2][1].astype(int) - shown[19][1]).mean() < 2


def test_pictures_that_came_out_of_step_are_each_shown_once(tmp_path: Path) -> None:
    times_ms = [0, 104, 196, 304, 400, 452, 600]
    made = copied(tmp_path, written(7, pts=times_ms, per_second=1000), 0.7)
    assert made.working is not None
    assert [time for time, _ in pictures(made.working)] == [Fraction(n, 10) for n in range(7)]


def of_another_size() -> bytes:
    """One track whose pictures change their size, as no recorder writes and a broken one could."""
    file, small, large = io.BytesIO(), film.fragmented(1, 320, 180), film.fragmented(1, 640, 360)
    with av.open(file, "w", format="mp4") as container, av.open(io.BytesIO(small)) as first:
        stream: Any = container.add_stream_from_template(first.streams.video[0])
        for number, video in enumerate((small, large)):
            with av.open(io.BytesIO(video)) as source:
                into_bytes: Any = av.BitStreamFilterContext("h264_mp4toannexb", source.streams.video[0])
                for packet in source.demux(video=0):
                    for plain in into_bytes.filter(packet if packet.size else None):
                        raw = av.Packet(_prefixed(bytes(plain)))
                        raw.pts, raw.dts, raw.time_base = plain.pts, plain.dts, plain.time_base
                        raw.pts += round(number / plain.time_base)
                        raw.dts += round(number / plain.time_base)
                        raw.is_keyframe, raw.stream = plain.is_keyframe, stream
                        container.mux(raw)
    return file.getvalue()


def _prefixed(data: bytes) -> bytes:
    from kiosk.camera.mp4 import units

    return b"".join(len(unit).to_bytes(4) + unit for unit in units(data))


GOOD = film.fragmented(2, 320, 180)


@pytest.mark.parametrize(
    ("video", "sentence"),
    [
        (b"", "The video could not be copied: Invalid argument."),
        (bytes(range(256)) * 40, "The video could not be copied: Invalid data found when processing input."),
        (GOOD[: GOOD.find(b"moof") - 4], "The video has no picture that can be read."),
        (of_another_size(), "The picture changes its size from 320 x 180 to 640 x 360 within the video."),
    ],
    ids=["nothing", "no video", "no pictures", "another size"],
)
def test_what_cannot_be_copied_is_said_in_a_sentence(tmp_path: Path, video: bytes, sentence: str) -> None:
    made = copied(tmp_path, video, 2)
    assert (made.working, made.stills, made.trouble) == (None, [], sentence)


def test_a_plain_file_that_was_cut_off_cannot_be_copied(tmp_path: Path) -> None:
    whole = film.write(tmp_path / "whole.mp4", 2).read_bytes()
    made = copied(tmp_path, whole[: len(whole) // 2], 2)
    assert made.working is None and "could not be copied" in (made.trouble or "")


def test_what_is_no_h264_or_has_no_manifest_is_refused(tmp_path: Path) -> None:
    video = written(3, codec="mpeg4")
    made = copied(tmp_path, video, 1)
    assert made.trouble == "The video is mpeg4; only H.264 can be copied."
    (tmp_path / "other").mkdir()
    made = copied(tmp_path / "other", GOOD, 2, written=b"{}")
    assert made.working is None and "The manifest cannot be read" in (made.trouble or "")


def test_a_clip_that_was_cut_off_is_copied_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    made = copied(tmp_path, GOOD[: GOOD.rfind(b"moof") - 4], 2)
    assert made.working is not None and len(pictures(made.working)) == 10
    assert made.trouble == "The video ends 1.0 s before the end that its manifest tells of."


@pytest.mark.parametrize("seed", range(6))
def test_damaged_bytes_give_a_copy_or_a_sentence(tmp_path: Path, seed: int) -> None:
    chance = np.random.default_rng(seed)
    raw = bytearray(GOOD)
    for at in chance.integers(0 if seed % 2 else GOOD.find(b"mdat"), len(raw), 40):
        raw[at] ^= int(chance.integers(1, 256))
    made = copied(tmp_path, bytes(raw), 2)
    assert made.working is not None or (made.trouble or "").endswith(".")
    assert made.working is None or pictures(made.working)


def test_time_and_memory_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A picture that stands for nearly an hour is half an hour's work.
    endless = written(3, (640, 360), pts=[0, 1, 35_000])
    monkeypatch.setattr(copies, "CPU_S_AT_LEAST", 1)
    monkeypatch.setattr(copies, "CPU_S_PER_S", 0)
    # Of the two bounds the processor's is meant, on a machine that is busy too.
    monkeypatch.setattr(copies, "TIMES_LONGER", 600)
    made = copied(tmp_path, endless, 1)
    assert (made.working, made.trouble) == (None, "It took more than 1 s of the processor's time.")
    monkeypatch.setattr(copies, "TIMES_LONGER", 0)
    (tmp_path / "late").mkdir()
    assert copied(tmp_path / "late", GOOD, 2).trouble == "It was not done within 0 minutes."
    monkeypatch.undo()
    monkeypatch.setattr(copies, "MEMORY_BYTES", 90_000_000)
    (tmp_path / "small").mkdir()
    made = copied(tmp_path / "small", GOOD, 2)
    assert made.working is None and (made.trouble or "").endswith(".")


def test_a_video_that_claims_to_last_for_hours_is_refused(tmp_path: Path) -> None:
    made = copied(tmp_path, written(2, pts=[0, 36_001]), 1)
    assert made.trouble == "The video says that it lasts more than 3600 s, which no clip does."


class SetAfter(threading.Event):
    """Set when it was looked at so often."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    def is_set(self) -> bool:
        self._looks -= 1
        return self._looks < 0


@pytest.mark.parametrize("looks", [0, 1, 3])
def test_a_program_that_ends_does_not_wait_for_a_copy(tmp_path: Path, looks: int) -> None:
    files, folder, stop = shelf.folder(tmp_path), tmp_path / "work", SetAfter(looks)
    folder.mkdir()
    clip = shelf.put(files, written(3, (640, 360), pts=[0, 1, 35_000]), 1)
    with pytest.raises(Stopped):
        copies.copy(clip, files, folder, lambda: NOW, stop)
    # Nobody writes there any more.
    assert open_files(folder) == []


def open_files(folder: Path) -> list[Path]:
    """Of every process of this machine that can be looked at."""
    found = []
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if (target := handle.readlink()).is_relative_to(folder):
                found.append(target)
    return found
