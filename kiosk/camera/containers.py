"""Network cameras (RTSP), video files and USB cameras, through PyAV.

H.264 without masks is handed on as it came and is never decoded. Everything else is decoded and encoded. Only
the first video stream is ever read out of a source: sound is left where it is.
"""

import errno
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import InputContainer
from av.packet import Packet as AvPacket
from av.video.stream import VideoStream

from broker.manifest import Mask
from kiosk.camera import mp4
from kiosk.camera.source import CameraState, Packet, SourceError, StreamInfo

if TYPE_CHECKING:
    from kiosk.camera.encoder import Encoder

OPEN_S = 10.0
SILENT_S = 5.0
DEFAULT_RATE = 25.0
_BEFORE_OPEN = {errno.ENOENT: CameraState.MISSING, errno.ENODEV: CameraState.MISSING}
_BEFORE_OPEN |= {errno.ECONNREFUSED: CameraState.MISSING, errno.EHOSTUNREACH: CameraState.MISSING}
_BEFORE_OPEN |= {errno.EBUSY: CameraState.BUSY, errno.ENXIO: CameraState.MISSING}
_DURING = {errno.ETIMEDOUT: CameraState.FROZEN, errno.EAGAIN: CameraState.FROZEN}


@dataclass(frozen=True)
class Container:
    """What PyAV is to open. A file is `paced`: handed on at its own pace, again and again if it `loops`."""

    url: str
    format: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    paced: bool = False
    loops: bool = False


def network(url: str) -> Container:
    # Over TCP: a lost UDP packet is a grey picture until the next key frame.
    options = (("rtsp_transport", "tcp"), ("allowed_media_types", "video")) if url.startswith("rtsp") else ()
    return Container(url, options=options)


def usb(path: str, width: int, height: int, frame_rate: float) -> Container:
    options = (("video_size", f"{width}x{height}"), ("framerate", f"{frame_rate:g}"))
    return Container(path, "v4l2", options)


def file(path: Path, loops: bool) -> Container:
    return Container(str(path), paced=True, loops=loops)


class ContainerSource:
    """See the module."""

    def __init__(self, container: Container, masks: Sequence[Mask]) -> None:
        self._container = container
        self._masks = masks
        self._opened: InputContainer | None = None
        self._encoder: Encoder | None = None
        self._stop = threading.Event()

    def open(self) -> None:
        self._stop.clear()
        what = self._container
        try:
            opened = av.open(
                what.url, "r", format=what.format, options=dict(what.options), timeout=(OPEN_S, SILENT_S)
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _lost(error, _BEFORE_OPEN, CameraState.FAILED) from None
        if not opened.streams.video:
            opened.close()
            raise SourceError(CameraState.FAILED, f"{what.url} holds no video.")
        self._opened = opened
        self._stream: VideoStream = opened.streams.video[0]
        context = self._stream.codec_context
        rate = float(self._stream.average_rate or self._stream.guessed_rate or DEFAULT_RATE)
        if not context.width or not context.height:
            self.close()
            state = CameraState.FAILED if what.paced else CameraState.FROZEN
            raise SourceError(state, "The camera answers and gives no picture that can be read.")
        if context.name == "h264" and not self._masks:
            self._encoder = None
            extradata = bytes(context.extradata or b"")
            self._info = StreamInfo("h264", extradata, context.width, context.height, rate)
        else:
            # Only here: numpy is 15 MB that a camera which is not decoded does without.
            from kiosk.camera.encoder import Encoder

            context.thread_type, context.thread_count = "SLICE", 1
            self._encoder = Encoder(context.width, context.height, rate, self._masks)

    def packets(self) -> Iterator[Packet]:
        while True:
            yield from self._once()
            if not (self._container.paced and self._container.loops) or self._stop.is_set():
                return
            assert self._opened is not None
            self._opened.seek(0)

    def stop(self) -> None:
        self._stop.set()

    def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _once(self) -> Iterator[Packet]:
        assert self._opened is not None
        base: int | None = None
        last: int | None = None
        begun_s = time.monotonic()
        try:
            # An empty packet at the end flushes a decoder.
            for packet in self._opened.demux(self._stream):
                if self._stop.is_set():
                    return
                packet_us = _us(packet.dts if packet.dts is not None else packet.pts, packet.time_base)
                if packet_us is None and packet.size:
                    packet_us = 0 if last is None else last + int(1e6 / self._rate)
                last = packet_us if packet_us is not None else last
                if self._container.paced and packet_us is not None:
                    base = packet_us if base is None else base
                    if self._stop.wait(max(0.0, begun_s + (packet_us - base) / 1e6 - time.monotonic())):
                        return
                yield from self._taken(packet, packet_us)
        except (av.FFmpegError, OSError) as error:
            raise _lost(error, _DURING, CameraState.UNPLUGGED) from None

    @property
    def _rate(self) -> float:
        info = self._info if self._encoder is None else self._encoder.stream
        return info.frame_rate or DEFAULT_RATE

    def _taken(self, packet: "AvPacket[VideoStream]", dts_us: int | None) -> Iterator[Packet]:
        came_s, wall_ms = time.monotonic(), time.time_ns() // 1_000_000
        if self._encoder is not None:
            try:
                pictures = packet.decode()
            except av.InvalidDataError:
                return  # a broken picture; the next key frame mends it
            for picture in pictures:
                # The decoder may hold pictures back; their own times keep the distances.
                at_us = _us(picture.pts, picture.time_base)
                at_us = at_us if at_us is not None else int(came_s * 1e6)
                yield from self._encoder.encode(picture, at_us, came_s, wall_ms)
            return
        if not packet.size or dts_us is None:
            return
        data, pts_us = bytes(packet), _us(packet.pts, packet.time_base)
        if packet.is_keyframe:
            self._follow(data)
        shown_us = dts_us if pts_us is None else pts_us
        yield Packet(self._info, data, shown_us, dts_us, packet.is_keyframe, came_s, wall_ms)

    def _follow(self, data: bytes) -> None:
        """A network camera may change its format while it runs; its key frames say so."""
        if self._info.extradata[:1] == b"\1":
            return
        sets = mp4.sets_of(data)
        if not sets or sets == mp4.sets_of(self._info.extradata):
            return
        known = self._info.extradata
        extradata = b"".join(b"\0\0\0\1" + unit for unit in (*sets.sps, *sets.pps))
        width, height = (self._info.width, self._info.height) if not known else size_of(data)
        self._info = StreamInfo("h264", extradata, width, height, self._info.frame_rate)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of the pictures in an H.264 byte stream that begins with a key frame."""
    decoder: Any = av.CodecContext.create("h264", "r")
    for packet in (*decoder.parse(data), *decoder.parse(None)):
        decoder.decode(packet)
    decoder.decode(None)
    if not decoder.width:
        raise SourceError(CameraState.FAILED, "The camera changed to a format that cannot be read.")
    return decoder.width, decoder.height


def _us(time_in: int | None, base: Fraction | None) -> int | None:
    return None if time_in is None or base is None else int(time_in * base * 1_000_000)


def _lost(error: Exception, states: dict[int, CameraState], otherwise: CameraState) -> SourceError:
    if isinstance(error, av.error.ExitError):
        # PyAV's word for a timeout of its own.
        return SourceError(CameraState.FROZEN, f"The camera gave nothing for {SILENT_S:.0f} s.")
    number = getattr(error, "errno", None)
    state = states.get(number or 0, otherwise)
    if isinstance(error, av.error.HTTPNotFoundError):
        state = CameraState.MISSING
    reason = getattr(error, "strerror", None) or str(error)
    return SourceError(state, f"The camera cannot be read: {str(reason)[:120].rstrip('.')}.")
