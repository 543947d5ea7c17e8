"""Raw pictures into H.264 with libx264: quickest preset, no picture held back, a key frame each second."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from broker.manifest import Mask
from kiosk.camera.mask import Masks
from kiosk.camera.source import Packet, StreamInfo

_MICROSECONDS = Fraction(1, 1_000_000)


class Encoder:
    """Pictures of one size. Masks are painted before libx264 sees them."""

    def __init__(self, width: int, height: int, frame_rate: float, masks: Sequence[Mask]) -> None:
        # 4:2:0 has no odd sizes.
        self._width, self._height = width - width % 2, height - height % 2
        self._masks = Masks(masks, self._width, self._height)
        self._masked = bool(masks)
        rate = max(1, round(frame_rate))
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = self._width, self._height, "yuv420p"
        context.framerate, context.time_base = Fraction(rate), _MICROSECONDS
        context.gop_size = rate
        context.thread_count = 1  # each thread costs memory, and the buttons need the other cores
        context.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "25", "bf": "0"}
        context.open()
        self._context = context
        self._last_us = -1
        self.stream = StreamInfo("h264", b"", self._width, self._height, rate, "encoded", tuple(masks))

    def encode(self, picture: VideoFrame, at_us: int, came_s: float, wall_ms: int) -> Iterator[Packet]:
        """`at_us` rises; a picture that does not is left out."""
        if at_us <= self._last_us:
            return
        self._last_us = at_us
        if (picture.width, picture.height, picture.format.name) != (self._width, self._height, "yuv420p"):
            picture = picture.reformat(self._width, self._height, "yuv420p")
        if self._masked:
            pixels = picture.to_ndarray()
            self._masks.paint(pixels)
            picture = VideoFrame.from_ndarray(pixels, format="yuv420p")
        picture.pts, picture.time_base = at_us, _MICROSECONDS
        picture.pict_type = av.video.frame.PictureType.NONE
        for packet in self._context.encode(picture):
            shown, decoded = _us(packet.pts), _us(packet.dts)
            yield Packet(self.stream, bytes(packet), shown, decoded, packet.is_keyframe, came_s, wall_ms)


def _us(time: int | None) -> int:
    return time or 0
