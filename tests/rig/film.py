"""Real H.264 made by PyAV, once, and the packets that a camera would give of it at chosen times."""

import functools
import io
import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from kiosk.camera.source import Packet, StreamInfo

RATE = 10
WALL_MS = 1_790_000_000_000


@functools.cache
def film(seconds: int = 4, width: int = 64, height: int = 48, b_frames: int = 0) -> tuple[Packet, ...]:
    """`seconds` of a moving picture with a key frame each second; the first comes at 0 s."""
    context: Any = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate, context.gop_size = Fraction(1, RATE), Fraction(RATE), RATE
    context.thread_count = 1
    context.options = {"preset": "veryfast", "bf": str(b_frames), "sc_threshold": "0"}
    context.open()
    stream = StreamInfo("h264", b"", width, height, RATE)
    packets = []
    for number in range(seconds * RATE):
        picture = av.VideoFrame.from_ndarray(_picture(number, width, height), format="yuv420p")
        picture.pts = number
        packets += context.encode(picture)
    packets += context.encode(None)
    step = 1_000_000 // RATE
    return tuple(
        Packet(
            stream, bytes(p), p.pts * step, p.dts * step, p.is_keyframe, n / RATE, WALL_MS + n * 1000 // RATE
        )
        for n, p in enumerate(packets)
    )


def running(from_s: float, later_s: float = 0.0, **kind: int) -> Iterator[Packet]:
    """The film again and again, without end, as it comes live from `from_s` (monotonic) on. The wall clock
    begins `later_s` after WALL_MS."""
    reel = film(**kind)
    length_us = len(reel) * 1_000_000 // RATE
    for turn in itertools.count():
        for number, packet in enumerate(reel):
            since_s = (turn * len(reel) + number) / RATE
            yield replace(
                packet,
                pts_us=packet.pts_us + turn * length_us,
                dts_us=packet.dts_us + turn * length_us,
                came_s=from_s + since_s,
                wall_ms=WALL_MS + int((later_s + since_s) * 1000),
            )


def write(path: Path, seconds: int = 4, *, sound: bool = False, codec: str = "libx264", **more: int) -> Path:
    """A video file of the moving picture, with a tone if it has `sound`; `noise` makes it take more bytes."""
    width, height = more.get("width", 64), more.get("height", 48)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=RATE)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.gop_size = RATE
        tone = container.add_stream("aac", rate=44_100) if sound else None
        for number in range(seconds * RATE):
            drawn = _picture(number, width, height)
            if noise := more.get("noise", 0):
                drawn += np.random.default_rng(number).integers(0, noise, drawn.shape, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(drawn, format="yuv420p")))
        if tone is not None:
            wave = np.sin(np.arange(44_100 * seconds) / 20).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.rate = 44_100
            container.mux(tone.encode(frame))
            container.mux(tone.encode(None))
        container.mux(video.encode(None))
    return path


def fragmented(seconds: int, width: int = 320, height: int = 180, *, grain: int = 0) -> bytes:
    """A film as a clip is: fragmented mp4. `grain` is how much noise makes it large, 0 to 60."""
    file, noise = io.BytesIO(), np.random.default_rng(1)
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(file, "w", format="mp4", options=flags) as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt, video.gop_size = width, height, "yuv420p", RATE
        video.options = {"preset": "ultrafast", "crf": "18"}
        for number in range(seconds * RATE):
            picture = _picture(number, width, height)
            picture += noise.integers(0, grain + 1, picture.shape, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(video.encode(None))
    return file.getvalue()


def _picture(number: int, width: int, height: int) -> "np.ndarray[Any, Any]":
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    rows, columns = np.mgrid[0:height, 0:width]
    picture[:height] = (rows * 3 + columns * 2 + number * 9) % 200 + 30
    return picture
