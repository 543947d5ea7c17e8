"""The camera on a Pi's own connector, through picamera2 from apt. The only module that imports it.

A Pi 4 or Zero 2 encodes in hardware; a Pi 5 has no encoder, and picamera2 gives libx264 instead. With masks
each picture comes here raw, is masked, and is encoded here.
"""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from av.video.frame import VideoFrame

from broker.manifest import Mask
from kiosk.camera import mp4
from kiosk.camera.encoder import Encoder
from kiosk.camera.source import CameraState, Packet, SourceError, StreamInfo

HARDWARE = Path("/dev/video11")  # the H.264 encoder of a Pi up to 4
SILENT_S = 5.0
_HELD = 256  # packets between picamera2's thread and the reader's


class PiCamera:
    """See the module."""

    def __init__(self, width: int, height: int, frame_rate: int, masks: Sequence[Mask]) -> None:
        self._size = (width - width % 2, height - height % 2)
        self._rate = frame_rate
        self._masks = masks
        self._camera: Any = None
        self._came: queue.Queue[tuple[bytes, bool, int, float, int]] = queue.Queue(_HELD)
        self._stop = threading.Event()

    def open(self) -> None:
        self._stop.clear()
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            sentence = f"{error}; on Raspberry Pi OS: apt-get install python3-picamera2."
            raise SourceError(CameraState.MISSING, sentence) from None
        if not Picamera2.global_camera_info():
            raise SourceError(CameraState.MISSING, "libcamera finds no camera on this machine.")
        try:
            self._camera = Picamera2()
            configuration = self._camera.create_video_configuration(
                main={"size": self._size, "format": "YUV420"}, controls={"FrameRate": self._rate}
            )
            self._camera.configure(configuration)
            if self._masks:
                self._camera.start()
            else:
                self._record()
        except (RuntimeError, OSError) as error:
            self.close()
            # 'Camera __init__ sequence did not complete' is all that it says of one that is there and taken.
            busy = any(word in str(error) for word in ("acquire", "busy", "did not complete"))
            state = CameraState.BUSY if busy else CameraState.FAILED
            raise SourceError(state, f"The camera cannot be opened: {str(error).rstrip('.')}.") from None

    def packets(self) -> Iterator[Packet]:
        return self._masked() if self._masks else self._encoded()

    def stop(self) -> None:
        self._stop.set()

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            if camera.encoders:
                camera.stop_recording()
            else:
                camera.stop()
            camera.close()

    def _record(self) -> None:
        from picamera2.encoders import H264Encoder, LibavH264Encoder
        from picamera2.outputs import Output

        # A queue of its own: what an earlier opening left would stand before the first key frame.
        came = self._came = queue.Queue(_HELD)

        class Handing(Output):
            """picamera2's thread calls it; a reader that is too slow loses packets rather than memory."""

            def outputframe(
                self, frame: Any, keyframe: bool = True, timestamp: Any = None, *_: Any, **__: Any
            ) -> None:
                times = (time.monotonic(), time.time_ns() // 1_000_000)
                try:
                    came.put_nowait((bytes(frame), bool(keyframe), int(timestamp or 0), *times))
                except queue.Full:
                    return

        kind = H264Encoder if HARDWARE.exists() else LibavH264Encoder
        encoder = kind(repeat=True, iperiod=self._rate, framerate=self._rate)
        self._camera.start_recording(encoder, Handing())

    def _encoded(self) -> Iterator[Packet]:
        info = StreamInfo("h264", b"", *self._size, self._rate)
        while not self._stop.is_set():
            try:
                data, key, at_us, came_s, wall_ms = self._came.get(timeout=SILENT_S)
            except queue.Empty:
                raise _frozen() from None
            # The encoder of a Pi 5 says 'key' for every packet; the parameter sets tell the truth.
            key = key and bool(mp4.sets_of(data))
            yield Packet(info, data, at_us, at_us, key, came_s, wall_ms)

    def _masked(self) -> Iterator[Packet]:
        encoder = Encoder(*self._size, self._rate, self._masks)
        width, height = self._size
        # libcamera may give another order of colours than was asked for.
        nv12 = self._camera.camera_configuration()["main"]["format"] == "NV12"
        while not self._stop.is_set():
            try:
                pixels = self._camera.capture_array("main", wait=SILENT_S)
            except TimeoutError:
                # Behind a picture that never comes, picamera2 would wait for ever to be stopped.
                self._camera.cancel_all_and_flush()
                raise _frozen() from None
            if pixels.shape != (height * 3 // 2, width):
                # Rows with room at their end, whose colour planes would be read askew.
                sentence = f"The camera cannot give {width} pixels a row; choose a multiple of 64."
                raise SourceError(CameraState.FAILED, sentence)
            came_s, wall_ms = time.monotonic(), time.time_ns() // 1_000_000
            picture = VideoFrame.from_ndarray(pixels.copy(), format="nv12" if nv12 else "yuv420p")
            yield from encoder.encode(picture, int(came_s * 1e6), came_s, wall_ms)


def _frozen() -> SourceError:
    return SourceError(CameraState.FROZEN, "The camera gives no more pictures.")
