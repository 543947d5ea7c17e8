"""A clip's copies, for a bundle or for one person: they are for looking at and prove nothing.

copying.py makes them in a process of its own; here it is started, waited for and bounded. Whatever becomes of
it, there is an answer: the copy, or one sentence why there is none.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from edge.errors import EdgeError
from edge.evidence.clips import Clip
from edge.evidence.copying import WORKING, Done, Job, still_name
from edge.evidence.files import VaultFiles
from edge.evidence.masks import Masks

log = logging.getLogger(__name__)

# A small server takes about twice as long as the video lasts; beside a busy store much longer by the clock.
CPU_S_PER_S, CPU_S_AT_LEAST, LONGEST_S = 10, 60, 900
TIMES_LONGER = 4
# Of addresses; pictures of 3840 x 2160 take less than 400 MB here.
MEMORY_BYTES = 1024**3
_LOOKS_S = 0.2


@dataclass(frozen=True)
class Still:
    """A JPEG, and when the kiosk's clock said that its picture was taken."""

    path: Path
    shows_at: datetime
    trigger: bool


@dataclass(frozen=True)
class Copy:
    """`working` is None where no copy could be made; `trouble` says why, or what it lacks."""

    working: Path | None
    stills: list[Still]
    trouble: str | None
    by: str
    made_at: datetime


class Stopped(EdgeError):
    """The program ends; what was under way is made anew after the next start."""


def copy(
    clip: Clip,
    files: VaultFiles,
    folder: Path,
    clock: Callable[[], datetime],
    stop: threading.Event,
    masks: Masks | None = None,
) -> Copy:
    """Made from the sealed master into `folder`, which is empty. With `masks` it is a covered copy, without
    stills. Stopped as soon as `stop` is set."""
    if stop.is_set():
        raise Stopped("The program ends.")
    length_s = min(LONGEST_S, max(0, int((clip.ended_at - clip.started_at) / timedelta(seconds=1))))
    cpu_s = CPU_S_AT_LEAST + CPU_S_PER_S * length_s
    video, manifest = files.sealed(clip.sha256), files.sealed(clip.manifest_sha256)
    job = Job(str(video), str(manifest), str(folder), os.getpid(), cpu_s, MEMORY_BYTES, masks)
    done = _run(job, stop)
    if done.trouble is not None:
        log.warning("The copy of the clip %s: %s", clip.id, done.trouble)
    stills = [
        Still(folder / still_name(one.number), datetime.fromtimestamp(one.shows_ms / 1000, UTC), one.trigger)
        for one in done.stills
    ]
    return Copy(folder / WORKING if done.made else None, stills, done.trouble, done.by, clock())


def _run(job: Job, stop: threading.Event) -> Done:
    # Nothing of this process's surroundings but where the programs are and what time is local.
    known = {name: os.environ[name] for name in ("PATH", "TZ", "LD_LIBRARY_PATH") if name in os.environ}
    root = Path(__file__).resolve().parents[2]
    try:
        running = subprocess.Popen(
            [sys.executable, "-m", "edge.evidence.copying"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=known | {"PYTHONPATH": str(root)},
        )
    except OSError as error:
        return _none(f"The program that makes it cannot be started: {error.strerror}.")
    written: bytes | None = msgspec.json.encode(job)
    try:
        for _ in range(int(TIMES_LONGER * job.cpu_s / _LOOKS_S)):
            try:
                told, said = running.communicate(written, _LOOKS_S)
                return _judged(running.returncode, told, said, job)
            except subprocess.TimeoutExpired:
                written = None
                if stop.is_set():
                    raise Stopped("The copy was not finished: the program ends.") from None
        return _none(f"It was not done within {TIMES_LONGER * job.cpu_s // 60} minutes.")
    finally:
        running.kill()
        running.communicate()


def _judged(code: int, told: bytes, said: bytes, job: Job) -> Done:
    if code == -signal.SIGXCPU:
        return _none(f"It took more than {job.cpu_s} s of the processor's time.")
    try:
        if code == 0:
            return msgspec.json.decode(told, type=Done)
    except (msgspec.MsgspecError, UnicodeError):
        pass
    log.error("The program that makes copies ended with %d: %s", code, said[-2000:].decode(errors="replace"))
    return _none("The program that makes it failed at this video.")


def _none(trouble: str) -> Done:
    return Done("Floorbell", False, [], trouble)
