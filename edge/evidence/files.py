"""The vault's files: what arrives lies in quarantine, what is sealed lies read-only under its own hash.

    quarantine/{clip}/manifest.json, video.part    growing
    quarantine/{clip}/compared                     it is what was told of, and is being sealed
    quarantine/{clip}.{n}.mismatched/              what came and was not what was told of
    exports/{export}.zip                           bundles that were asked for, for a week
    exports/{export}.work/                         the working copies that go into one that is being made
    covered/{copy}.mp4                             the clip of somebody who asked, with others covered
    covered/{request}.zip                          what goes to them, until the access request is closed
    covered/{copy or request}.work/                either, while it is being made
    sealed/{ab}/{sha256}                           the video file, and the manifest likewise

No name here comes from outside: a clip is named by its UUID and sealed under a hash that was computed here.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import UUID

from broker.files import sync
from edge.errors import EdgeError, StorageError

_CHUNK = 1024 * 1024
# So much of a clip goes to the disk at a time. All of it at its end held up every commit on the same disk:
# beside 86 MB/s of clips a commit's p99 went from 0.7 to 17 ms, and to 1.2 ms with this.
_AT_ONCE_BYTES = 1024 * 1024


class Growing:
    """One clip in quarantine, held open for appending. `offset` is how much of it is here."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """StorageError if the disk takes no file more, or does not give back what is here."""
        self._limit = limit_bytes
        self.path = folder / "video.part"
        self._hash = hashlib.sha256()
        self.offset = 0
        self._waiting = 0
        with _disk():
            folder.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115 (until close)
            self._file.seek(0)
            while chunk := self._file.read(_CHUNK):
                self._hash.update(chunk)
                self.offset += len(chunk)

    def append(self, chunk: bytes) -> None:
        """Behind what is here. EdgeError for more than was told of, StorageError if the disk takes no more;
        what was written before counts all the same, unless it failed on its way to the disk."""
        if self.offset + len(chunk) > self._limit:
            raise EdgeError(f"The clip was told of with {self._limit} bytes; this is more.")
        view = memoryview(chunk)
        while view:
            with _disk():
                written = self._file.write(view)
            self._hash.update(view[:written])
            self.offset += written
            view = view[written:]
            self._waiting += written
            if self._waiting >= _AT_ONCE_BYTES:
                self._to_disk(os.fdatasync)

    def whole(self) -> bool:
        return self.offset == self._limit

    def finish(self) -> str:
        """Everything on disk; the SHA-256 of what came, in hexadecimal. StorageError if the disk failed."""
        self._to_disk(os.fsync)
        if os.fstat(self._file.fileno()).st_size != self.offset:
            raise StorageError("The vault's disk does not hold what was written to it.")
        return self._hash.hexdigest()

    def close(self) -> None:
        self._file.close()

    def _to_disk(self, how: Callable[[int], None]) -> None:
        """StorageError if the disk failed. What came is gone then: a second fsync would say that all is well
        (fsync(2): an error is told once), and a second reading would be of memory."""
        self._waiting = 0
        try:
            with _disk():
                how(self._file.fileno())
        except StorageError:
            self._hash, self.offset = hashlib.sha256(), 0
            with _disk():
                self._file.truncate(0)
            raise


class VaultFiles:
    """The folder of one store's vault, made if it is not there."""

    def __init__(self, directory: Path) -> None:
        self._quarantine = directory / "quarantine"
        self._sealed = directory / "sealed"
        self._exports = directory / "exports"
        self._covered = directory / "covered"
        for folder in (directory, self._quarantine, self._sealed, self._exports, self._covered):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def quarantine(self, clip: UUID) -> Path:
        """Where a clip grows; the folder may not be there yet."""
        return self._quarantine / str(clip)

    def grow(self, clip: UUID, limit_bytes: int) -> Growing:
        return Growing(self.quarantine(clip), limit_bytes)

    def keep_manifest(self, clip: UUID, written: bytes) -> None:
        """Beside the growing clip, whole or not at all. StorageError if the disk takes no more."""
        folder = self.quarantine(clip)
        half = folder / "manifest.half"
        with _disk():
            folder.mkdir(parents=True, exist_ok=True)
            with open(half, "wb") as file:
                file.write(written)
                file.flush()
                os.fsync(file.fileno())
            half.replace(folder / "manifest.json")
            sync(folder)

    def manifest(self, clip: UUID) -> bytes | None:
        """The manifest that came for this clip, if one has."""
        try:
            return (self.quarantine(clip) / "manifest.json").read_bytes()
        except FileNotFoundError:
            return None

    def compared(self, clip: UUID) -> bool:
        """Whether this clip was found to be what was told of, and its sealing was begun."""
        return (self.quarantine(clip) / "compared").exists()

    def seal(self, clip: UUID, sha256: str, manifest_sha256: str) -> None:
        """Move both files under their hashes, read-only, and on disk. Again after a kill, or after the
        StorageError of a full disk: the same end."""
        folder = self.quarantine(clip)
        with _disk():
            (folder / "compared").touch()
            sync(folder)
            self._move(folder / "video.part", sha256)
            self._move(folder / "manifest.json", manifest_sha256)

    def leave(self, clip: UUID) -> None:
        """Its place in quarantine is empty now, or to be forgotten."""
        shutil.rmtree(self.quarantine(clip), ignore_errors=True)

    def arriving(self) -> list[UUID]:
        """Every clip that has a place in quarantine, however much of it is here."""
        return [UUID(path.name) for path in self._quarantine.iterdir() if "." not in path.name]

    def set_aside(self, clip: UUID) -> Path:
        """Keep what came and was not what was told of; where it lies now."""
        number = 1 + len(list(self._quarantine.glob(f"{clip}.*.mismatched")))
        place = self._quarantine / f"{clip}.{number}.mismatched"
        self.quarantine(clip).rename(place)
        sync(self._quarantine)
        return place

    def sealed(self, sha256: str) -> Path:
        """Where what has this hash lies, or would lie."""
        if len(sha256) != 64 or not all(sign in "0123456789abcdef" for sign in sha256):
            raise ValueError(f"{sha256[:80]!r} is no SHA-256")
        return self._sealed / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether what has this hash lies in the vault."""
        return self.sealed(sha256).is_file()

    def exported(self, export: UUID) -> Path:
        """Where the bundle of this export lies, or would lie."""
        return self._exports / f"{export}.zip"

    def all_exported(self) -> list[Path]:
        """Every bundle, whole or half, and what goes into one."""
        return sorted(self._exports.iterdir())

    def covered(self, copy: UUID) -> Path:
        """Where this covered copy lies, or would lie."""
        return self._covered / f"{copy}.mp4"

    def packed(self, request: UUID) -> Path:
        """Where what goes to the asker of this access request lies, or would lie."""
        return self._covered / f"{request}.zip"

    def all_covered(self) -> list[Path]:
        """Every covered copy and all that is packed, whole or half."""
        return sorted(self._covered.iterdir())

    def workplace(self, export: UUID) -> AbstractContextManager[Path]:
        """For what goes into this bundle."""
        return self._empty(self._exports / f"{export}.work")

    def covering(self, made: UUID) -> AbstractContextManager[Path]:
        """For a covered copy, or what is packed, while it is being made."""
        return self._empty(self._covered / f"{made}.work")

    @contextmanager
    def _empty(self, place: Path) -> Iterator[Path]:
        """An empty folder; what a kill has left there is gone, and so is it at the end."""
        shutil.rmtree(place, ignore_errors=True)
        try:
            place.mkdir(mode=0o700)
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def delete(self, sha256: str) -> None:
        """For retention alone: the caller has made sure that nothing else has this hash."""
        place = self.sealed(sha256)
        place.unlink(missing_ok=True)
        if place.parent.is_dir():
            sync(place.parent)

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._sealed).free

    def _move(self, source: Path, sha256: str) -> None:
        place = self.sealed(sha256)
        if not source.exists() and place.exists():
            return
        new = not place.parent.is_dir()
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if new:
            sync(self._sealed)
        source.chmod(0o444)
        if place.exists():
            # The same bytes, sealed before under another clip's name.
            source.unlink()
        else:
            source.rename(place)
        sync(place.parent)


@contextmanager
def _disk() -> Iterator[None]:
    """What the disk refuses as a sentence; it may be tried again."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"The vault's disk takes no more: {error.strerror or error}.") from None
