"""The clips on the card: a folder each, named by the clip's id, that appears whole or not at all.

In it are video.mp4, manifest.json, manifest.sig and event.json; `announced` once the panel has stored the
event, `sealed` once the store's vault has the clip, `refused` with how often it would not take it. A clip
that is being written, or being deleted, has a folder with a dot before its name.
"""

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from broker.events import ClipRecorded, Clock
from broker.files import sync
from kiosk.camera.window import Kind
from kiosk.errors import KioskError

log = logging.getLogger(__name__)

VIDEO, MANIFEST, SIGNATURE, EVENT, JOURNAL = (
    "video.mp4",
    "manifest.json",
    "manifest.sig",
    "event.json",
    "journal",
)
ANNOUNCED, SEALED, REFUSED = "announced", "sealed", "refused"
_PART, _GONE = ".part-", ".gone-"


class Announcement(Struct, frozen=True):
    """A finished clip as the panel stores it. `clock` and `at_ms` (Unix) are of the clip's end."""

    event: UUID
    content: ClipRecorded
    causes: tuple[tuple[UUID, Kind], ...]
    clock: Clock
    at_ms: int
    interrupted: bool = False

    @property
    def at(self) -> datetime:
        """The camera's wall clock at the clip's end."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    @property
    def spared(self) -> bool:
        """Whether a full card must not cost this clip."""
        return any(kind != "help" for _, kind in self.causes)


@dataclass(frozen=True)
class Clip:
    """A finished clip. `bytes` is what its folder takes."""

    folder: Path
    about: Announcement
    announced: bool
    bytes: int
    sealed: bool = False
    refused: int = 0

    @property
    def id(self) -> UUID:
        return self.about.content.clip

    @property
    def video(self) -> Path:
        return self.folder / VIDEO

    @property
    def manifest(self) -> Path:
        return self.folder / MANIFEST

    @property
    def signature(self) -> Path:
        """128 hexadecimal signs, over broker.manifest.to_sign of the manifest's bytes."""
        return self.folder / SIGNATURE


class Clips:
    """See the module. One program at a time writes here."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._held: int | None = None
        self._counting = threading.Lock()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for gone in directory.glob(f"{_GONE}*"):
                shutil.rmtree(gone, ignore_errors=True)
        except OSError as error:
            raise KioskError(f"The clips' folder {directory} cannot be used: {error}.") from None

    def begin(self, clip: UUID) -> Path:
        """The folder in which a clip is written."""
        folder = self.directory / f"{_PART}{clip}"
        folder.mkdir()
        return folder

    def parts(self) -> list[Path]:
        """The folders of clips that are not finished, the oldest first."""
        return sorted(self.directory.glob(f"{_PART}*"))

    def finish(self, part: Path) -> Path:
        """Everything in `part` is on the disk; from now on it is a clip."""
        folder = self.directory / part.name.removeprefix(_PART)
        part.rename(folder)
        sync(self.directory)
        with contextlib.suppress(OSError):
            (folder / JOURNAL).unlink(missing_ok=True)
        self._count(_size(folder))
        return folder

    def all(self) -> list[Clip]:
        """The finished clips, the oldest first: their ids begin with the time."""
        found = []
        for folder in sorted(self.directory.iterdir()):
            if not folder.name.startswith(".") and (clip := self._read(folder)) is not None:
                found.append(clip)
        return found

    def find(self, clip: UUID) -> Clip | None:
        return self._read(self.directory / str(clip))

    def holds(self, clip: UUID) -> bool:
        """Whether the card has something of this clip, readable or not."""
        return (self.directory / str(clip)).exists()

    def unannounced(self) -> list[Clip]:
        return [clip for clip in self.all() if not clip.announced]

    def announced(self, clip: UUID) -> None:
        """The panel has stored the clip's event."""
        folder = self.directory / str(clip)
        with contextlib.suppress(OSError):
            (folder / ANNOUNCED).touch()
            sync(folder)

    def held_bytes(self) -> int:
        """What all finished clips take. They are looked at once; then it is counted on."""
        with self._counting:
            if self._held is None:
                self._held = sum(clip.bytes for clip in self.all())
            return self._held

    def _count(self, more_bytes: int) -> None:
        with self._counting:
            if self._held is not None:
                self._held += more_bytes

    def delete(self, clip: UUID) -> bool:
        """Once the store has sealed it, or to make room; whether it was there."""
        folder = self.directory / str(clip)
        gone = self.directory / f"{_GONE}{clip}"
        try:
            folder.rename(gone)
        except FileNotFoundError:
            return False
        sync(self.directory)
        self._count(-_size(gone))
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def seal(self, clip: Clip) -> None:
        """The store has it: it may go."""
        with contextlib.suppress(OSError):
            (clip.folder / SEALED).touch()

    def refuse(self, clip: Clip) -> int:
        """The store would not take it; how often so by now."""
        with contextlib.suppress(OSError):
            (clip.folder / REFUSED).write_text(str(clip.refused + 1))
        return clip.refused + 1

    def forget_sealed(self, older_than_s: float, wall: Callable[[], float] = time.time) -> int:
        """Delete what the store has had for so long; how many. One folder after the other is looked at."""
        gone = 0
        with os.scandir(self.directory) as folders:
            for folder in folders:
                if (
                    not folder.name.startswith(".")
                    and self._sealed_for(Path(folder.path), wall()) >= older_than_s
                ):
                    gone += self.delete(UUID(folder.name))
        return gone

    def free_bytes(self) -> int:
        disk = os.statvfs(self.directory)
        return disk.f_bavail * disk.f_frsize

    def _sealed_for(self, folder: Path, now_s: float) -> float:
        """Seconds. A clock that was set back makes it long ago: the store has it."""
        try:
            age_s = now_s - (folder / SEALED).stat().st_mtime
        except OSError:
            return -1.0
        return age_s if age_s >= 0 else float("inf")

    def _read(self, folder: Path) -> Clip | None:
        try:
            about = msgspec.json.decode((folder / EVENT).read_bytes(), type=Announcement)
            sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder)}
            refused = int((folder / REFUSED).read_text() or 0) if REFUSED in sizes else 0
            return Clip(folder, about, ANNOUNCED in sizes, sum(sizes.values()), SEALED in sizes, refused)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            log.error("The clip %s cannot be read: %s.", folder.name, error)
            return None


def _size(folder: Path) -> int:
    with contextlib.suppress(OSError):
        return sum(entry.stat().st_size for entry in os.scandir(folder))
    return 0
