"""Makes a clip's working copy and its stills, or its covered copy, in a short process of its own: a Job on
stdin, Done on stdout.

What a kiosk sent may be broken in any way. So this process has the lowest priority, bounds of processor time
and memory, and one thread for each codec; it reads only H.264 in mp4, and not by a name that could lead
elsewhere. It knows nothing but the sealed master: what was masked before that was stored is not in it.
"""

import os
import resource
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from broker import manifest as manifests
from broker.errors import ContractError
from broker.manifest import Manifest
from edge.evidence.canvas import Canvas
from edge.evidence.masks import Masks, Mode, boxes
from edge.evidence.moments import Moments, still_times, trigger_ms

if TYPE_CHECKING:
    from av import VideoFrame

STILL_WIDTH = 480
# Longer than any clip may be; what claims more is broken.
LONGEST_S = 3600
WORKING = "working.mp4"
# 3 Mbit/s at most: a quarter of an hour is never more than 340 MB.
_OPTIONS = {"preset": "veryfast", "crf": "23", "maxrate": "3M", "bufsize": "6M"}


class Job(Struct, frozen=True):
    """`parent` is the process that waits for it. With `masks` it is a copy for one person, with others
    covered and without stills."""

    video: str
    manifest: str
    folder: str
    parent: int
    cpu_s: int
    memory_bytes: int
    masks: Masks | None = None


class Still(Struct, frozen=True):
    """The file {number:02}.jpg, and the wall clock of its picture in Unix ms. `trigger`: the first picture
    from the trigger on."""

    number: int
    shows_ms: int
    trigger: bool


class Done(Struct, frozen=True):
    """`trouble` is what is missing, in one sentence; without `made` that is everything."""

    by: str
    made: bool
    stills: list[Still]
    trouble: str | None


class Broken(Exception):
    """No working copy can be made, and why."""


def still_name(number: int) -> str:
    return f"{number:02}.jpg"


class _Copy:
    """The copy that is being written: pictures go in at their own times, and come out at a constant rate."""

    def __init__(
        self, folder: Path, manifest: Manifest, rate: int, size: tuple[int, int], masks: Masks | None
    ) -> None:
        import av

        self._folder, self._moments, self._rate, self._size = folder, Moments(manifest), rate, size
        self._masks, self._canvas = masks, Canvas(*size, manifest)
        self._file = av.open(str(folder / WORKING), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream: Any = self._file.add_stream("libx264", rate=rate, options=_OPTIONS)
        self._stream.width, self._stream.height = self._canvas.width, self._canvas.height
        self._stream.pix_fmt, self._stream.gop_size = "yuv420p", 2 * rate
        self._stream.codec_context.thread_count = 1
        self._wanted = still_times(manifest) if masks is None else []
        self._trigger = trigger_ms(manifest)
        self.stills: list[Still] = []
        # The picture, when it was taken and when it is shown, both in ms after the first one.
        self._held: tuple[VideoFrame, int, float] | None = None
        self._drawn: VideoFrame | None = None
        self._tick = 0

    def put(self, picture: "VideoFrame", time_ms: float) -> None:
        """The picture that is shown from `time_ms` on. Broken if its size is another."""
        if (picture.width, picture.height) != self._size:
            raise Broken(
                f"The picture changes its size from {self._size[0]} x {self._size[1]} to {picture.width} x "
                f"{picture.height} within the video."
            )
        # The nearest place: cameras are never quite in step.
        self._show(round(time_ms * self._rate / 1000))
        after_ms = self._moments.after_ms(time_ms)
        self._held, self._drawn = (picture, after_ms, time_ms), None
        if self._wanted and after_ms >= self._wanted[0]:
            self._keep_still(after_ms)

    def finish(self) -> None:
        self._show(self._tick + 1)
        self._file.mux(self._stream.encode(None))
        self._file.close()

    def close(self) -> None:
        """Of one that was not finished, too. May be called twice."""
        self._file.close()

    def _show(self, until: int) -> None:
        """The held picture at each place before `until` that has none."""
        while self._held is not None and self._tick < until:
            drawn = self._draw()
            if self._masks is not None:
                drawn = self._covered(drawn, self._masks, self._held[2])
            drawn.pts, drawn.time_base = self._tick, Fraction(1, self._rate)
            self._file.mux(self._stream.encode(drawn))
            self._tick += 1

    def _draw(self) -> "VideoFrame":
        assert self._held is not None
        if self._drawn is None:
            picture, after_ms, _ = self._held
            at = self._moments.at(after_ms).astimezone()
            said = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} {at:%z}"
            self._drawn = self._canvas.put(picture, said)
        return self._drawn

    def _covered(self, drawn: "VideoFrame", masks: Masks, time_ms: float) -> "VideoFrame":
        """As its place in the copy wants it, which is what a person sees who places the boxes. What is to be
        covered is so also where it was when the picture came, in case that is another moment."""
        found = boxes(masks, self._tick * 1000 / self._rate)
        if masks.mode is Mode.ALL_BUT:
            return self._canvas.all_but(drawn, found)
        return self._canvas.without(drawn, [*found, *boxes(masks, time_ms)])

    def _keep_still(self, after_ms: int) -> None:
        passed = [wanted for wanted in self._wanted if wanted <= after_ms]
        self._wanted = self._wanted[len(passed) :]
        drawn, number = self._draw(), len(self.stills) + 1
        width = min(STILL_WIDTH, drawn.width)
        image = drawn.to_image(width=width, height=round(drawn.height * width / drawn.width))
        image.save(self._folder / still_name(number), "JPEG", quality=80)
        shows_ms = round(self._moments.at(after_ms).timestamp() * 1000)
        self.stills.append(Still(number, shows_ms, self._trigger in passed))


def copied(job: Job) -> Done:
    """Broken if nothing can be made."""
    import av

    av.logging.set_level(av.logging.PANIC)
    by = f"Floorbell with PyAV {av.__version__} and libx264"
    try:
        manifest = manifests.decode(Path(job.manifest).read_bytes())
        with open(job.video, "rb") as file, av.open(file, "r", format="mp4") as master:
            return _copied(master, manifest, job, by)
    except ContractError as error:
        raise Broken(error.reason) from None
    except MemoryError:
        raise Broken("Its pictures take more memory than is allowed for it.") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Broken(f"The video could not be copied: {reason[:120].rstrip('.')}.") from None


def _copied(master: Any, manifest: Manifest, job: Job, by: str) -> Done:
    if not master.streams.video:
        raise Broken("There is no video in the file.")
    stream = master.streams.video[0]
    if stream.codec_context.name != "h264":
        raise Broken(f"The video is {stream.codec_context.name}; only H.264 can be copied.")
    stream.codec_context.thread_count = 1
    told = stream.average_rate
    rate = Moments(manifest).rate(None if told is None else float(told))
    copy, unread, began, last_ms = None, [0], None, -1.0
    try:
        for picture in _pictures(master, stream, unread):
            if os.getppid() != job.parent:
                sys.exit(1)  # Whoever waited was killed, and will begin anew.
            if picture.pts is None or picture.time_base is None:
                unread[0] += 1
                continue
            time_ms = float(picture.pts * picture.time_base * 1000)
            began = time_ms if began is None else began
            time_ms -= began
            if time_ms <= last_ms:
                unread[0] += 1
                continue
            if time_ms > LONGEST_S * 1000:
                raise Broken(f"The video says that it lasts more than {LONGEST_S} s, which no clip does.")
            if copy is None:
                size = (picture.width, picture.height)
                copy = _Copy(Path(job.folder), manifest, rate, size, job.masks)
            copy.put(picture, time_ms)
            last_ms = time_ms
        if copy is None:
            raise Broken("The video has no picture that can be read.")
        copy.finish()
    finally:
        if copy is not None:
            copy.close()
    return Done(by, True, copy.stills, _missing(manifest, unread[0], last_ms))


def _pictures(master: Any, stream: Any, unread: list[int]) -> Iterator["VideoFrame"]:
    """As they are shown. One that cannot be read is counted; the next key frame mends what follows."""
    import av

    for packet in master.demux(stream):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            unread[0] += 1


def _missing(manifest: Manifest, unread: int, last_ms: float) -> str | None:
    frames = manifest.footage.frames
    short_s = (max(time for time, _ in frames) - min(time for time, _ in frames) - last_ms) / 1000
    if short_s > 0.5:
        return f"The video ends {short_s:.1f} s before the end that its manifest tells of."
    if unread:
        return f"Of its pictures {unread} cannot be read; the one before stands in their place."
    return None


def main() -> int:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_CPU, (job.cpu_s, job.cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, job.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        done = copied(job)
    except Broken as error:
        done = Done("Floorbell", False, [], str(error))
    except ImportError as error:
        done = Done("Floorbell", False, [], f"What makes it cannot be loaded on this server: {error.msg}.")
    sys.stdout.buffer.write(msgspec.json.encode(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
