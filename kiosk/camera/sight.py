"""A key frame decoded once, for all that looks at pictures: how bright it is, and a small one in grey."""

import zlib
from dataclasses import dataclass
from typing import Any

import av
from av.video.frame import VideoFrame

from kiosk.camera.pulse import Look
from kiosk.camera.source import Packet

LONGER_SIDE = 160  # pixels of the small picture
_EACH = 16  # every so many-th row and pixel tells how bright a picture is


@dataclass(frozen=True)
class Sight:
    """One decoded picture."""

    frame: VideoFrame

    def look(self) -> Look:
        plane = self.frame.planes[0]
        row, pixels = plane.line_size, bytes(plane)
        # A row is longer than the picture is wide, and what stands behind it is no light.
        rows = (pixels[y * row : y * row + plane.width] for y in range(0, plane.height, _EACH))
        some = b"".join(pixels[_EACH // 2 :: _EACH] for pixels in rows)
        return Look(sum(some) / len(some), zlib.crc32(pixels))

    def small(self) -> Any:
        """(height, width) in grey, 0 black and 255 white, its longer side LONGER_SIDE. The first loads
        numpy."""
        by = LONGER_SIDE / max(self.frame.width, self.frame.height)
        width, height = (max(1, round(side * by)) for side in (self.frame.width, self.frame.height))
        return self.frame.reformat(width, height, "gray", interpolation="AREA").to_ndarray()


def sight_of(packet: Packet) -> Sight | None:
    """The picture of a key frame; None if it cannot be decoded."""
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    # A tenth of the time, for edges of blocks that nobody sees here.
    decoder.options = {"skip_loop_filter": "all"}
    if packet.stream.extradata:
        decoder.extradata = packet.stream.extradata
    try:
        pictures = [*decoder.decode(av.Packet(packet.data)), *decoder.decode(None)]
    except av.FFmpegError:
        return None
    return Sight(pictures[0]) if pictures else None
