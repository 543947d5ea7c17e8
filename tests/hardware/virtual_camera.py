"""Real picamera2 on real libcamera, whose camera is libcamera's virtual one: no Pi, no sensor.

What stands in here for a Pi's own: the buffers (memory instead of the DMA heap), the list of raw modes (there
is no sensor), the pace of the pictures (the virtual camera gives one as soon as it is asked), and a cable
that can be pulled. Everything else is picamera2's and libcamera's own code.
"""

import contextlib
import mmap
import os
import queue
import sys
import threading
import time
from typing import Any

_PAGE = mmap.PAGESIZE


class Cable:
    """What a test pulls: then no picture is completed any more, and no camera is found. `rate` is how many
    pictures a second come through it."""

    def __init__(self, rate: int = 30) -> None:
        self.plugged = True
        self.rate = rate


class _PreviewLibrary:
    """picamera2 asks for a library of its preview windows, which nothing here opens."""

    class PixelFormat:
        def __getattr__(self, name: str) -> str:
            return name

    PixelFormat = PixelFormat()  # type: ignore[misc, assignment]


def picamera2_on(cable: Cable) -> type:
    """Picamera2 for libcamera's virtual camera. ImportError if one of the two is not there."""
    import libcamera

    sys.modules.setdefault("pykms", _PreviewLibrary())  # type: ignore[arg-type]
    import picamera2.picamera2
    from picamera2.allocators import Allocator

    # A program's own Picamera2 is made without an allocator, and closes with a new one.
    picamera2.picamera2.DmaAllocator = _allocator(libcamera, Allocator)

    class VirtualPicamera2(picamera2.picamera2.Picamera2):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            self.camera = _Paced(self.camera, cable)

        @staticmethod
        def global_camera_info() -> list[dict[str, Any]]:
            return picamera2.picamera2.Picamera2.global_camera_info() if cable.plugged else []

        def _get_raw_modes(self) -> list[dict[str, Any]]:
            role = libcamera.StreamRole.VideoRecording
            wanted = self.camera.generate_configuration([role]).at(0)
            return [{"format": str(wanted.pixel_format), "size": (wanted.size.width, wanted.size.height)}]

    return VirtualPicamera2


class _Paced:
    """libcamera's camera, asked for its next picture when a sensor would have had one: by a thread of its
    own, because picamera2 does not expect to wait there."""

    def __init__(self, camera: Any, cable: Cable) -> None:
        self._camera = camera
        self._cable = cable
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._camera, name)

    def start(self, *controls: Any) -> None:
        self._camera.start(*controls)
        self._waiting, self._stopped = queue.SimpleQueue(), threading.Event()
        self._thread = threading.Thread(target=self._ask, name="virtual-sensor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        self._camera.stop()

    def queue_request(self, request: Any) -> None:
        self._waiting.put(request)

    def _ask(self) -> None:
        next_s = time.monotonic()
        while not self._stopped.wait(max(0.0, next_s - time.monotonic())):
            next_s = max(next_s + 1 / self._cable.rate, time.monotonic())
            with contextlib.suppress(queue.Empty):
                request = self._waiting.get_nowait()
                if self._cable.plugged:
                    self._camera.queue_request(request)


def _allocator(libcamera: Any, base: type) -> type:
    """NV12 in memory files, as the virtual pipeline wants it: both planes behind each other in one."""

    class Allocator(base):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__()
            self.sync = Mapped
            self.mapped_buffers: dict[Any, mmap.mmap] = {}
            self._buffers: dict[Any, list[Any]] = {}
            self._files: list[int] = []

        def allocate(self, configuration: Any, _: object) -> None:
            self.close()
            for stream in configuration:
                lit = stream.stride * stream.size.height
                buffers = [self._buffer(lit, lit // 2) for _ in range(stream.buffer_count)]
                self._buffers[stream.stream] = buffers

        def buffers(self, stream: Any) -> list[Any]:
            return self._buffers[stream]

        def close(self) -> None:
            for file in self._files:
                os.close(file)
            self.mapped_buffers, self._buffers, self._files = {}, {}, []

        def _buffer(self, lit: int, coloured: int) -> Any:
            file = os.memfd_create("picture")
            self._files.append(file)
            size = lit + coloured
            os.ftruncate(file, -(-size // _PAGE) * _PAGE)
            planes = []
            for offset, length in ((0, lit), (lit, coloured)):
                plane = libcamera.FrameBuffer.Plane()
                plane.fd, plane.offset, plane.length = file, offset, length
                planes.append(plane)
            buffer = libcamera.FrameBuffer(planes)
            self.mapped_buffers[buffer] = mmap.mmap(file, size)
            return buffer

    class Mapped:
        def __init__(self, allocator: Allocator, buffer: Any, _: bool) -> None:
            self._pixels = allocator.mapped_buffers[buffer]

        def __enter__(self) -> mmap.mmap:
            return self._pixels

        def __exit__(self, *_: object) -> None:
            pass

        def get_buffer(self) -> mmap.mmap:
            return self._pixels

    return Allocator
