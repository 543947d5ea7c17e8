"""Where backups lie: a folder, on another disk or a share. s3.py is the other kind.

backups/{id}/database.age, files.age, manifest.age    the manifest last: with it the backup is whole
clips/{key}/{ab}/{sha256}.age                         each clip and each manifest of a clip, once a key
notes/{key}/{time}.age                                who was shut out and what was erased since

{key} is the fingerprint of the recovery key that opens it: recovery.py.
"""

import os
import pwd
import shlex
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from broker.files import sync
from edge.backup.errors import BackupError, NotThere
from edge.backup.settings import Backup
from edge.config import EdgeConfig

# So much goes to the disk at a time: all of it at once holds up every commit on the same disk
# (edge/evidence/files.py has measured it).
_AT_ONCE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A file at the target; `name` with / between its parts."""

    name: str
    bytes: int


class Target(Protocol):
    """What both kinds can do. BackupError, in a sentence, for whatever fails."""

    def list(self, prefix: str) -> Iterator[Stored]:
        """Whatever lies below a folder like "clips/", in any order."""

    def put(self, name: str, parts: Iterable[bytes]) -> int:
        """Whole under this name or not at all, on disk when it returns; how many bytes."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """To be read from its beginning."""

    def delete(self, name: str) -> None:
        """It may be gone already."""

    def prepare(self) -> bool:
        """Make the place, once, so that a place that is missing later is noticed; whether it was made."""

    def check(self) -> None:
        """Whether something can be written there now."""


def target_of(config: EdgeConfig, to: str | None = None) -> Target:
    """The target of the configuration, or another one of the same kind of settings."""
    to = to or config.backup.to
    if to is None:
        raise BackupError(
            'There is no place for backups: set to = "/mnt/backup/shop" under [backup] in edge.toml.'
        )
    return target_at(to, config.backup, Path(config.directory))


def target_at(to: str, settings: Backup, directory: Path = Path()) -> Target:
    """A target without a store; relative paths begin in `directory`."""
    if to.startswith("s3://"):
        from edge.backup.s3 import Bucket

        return Bucket(to, settings, directory)
    return Folder(directory / to)


class Folder:
    """A folder, made by prepare() alone: with its disk unmounted it would be made on the server's own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __str__(self) -> str:
        return str(self._directory)

    def list(self, prefix: str) -> Iterator[Stored]:
        root = self._directory / prefix
        with self._failing("be read"):
            for folder, _, names in os.walk(root):
                for name in names:
                    path = Path(folder) / name
                    if not name.endswith(".half"):
                        yield Stored(path.relative_to(self._directory).as_posix(), path.stat().st_size)

    def put(self, name: str, parts: Iterable[bytes]) -> int:
        path = self._directory / name
        half = path.with_name(f"{path.name}.half")
        written = waiting = 0
        self._make_sure_it_is_there()
        with self._failing("be written"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            half.unlink(missing_ok=True)
            handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(handle, "wb", buffering=0) as file:
                    for part in parts:
                        view = memoryview(part)
                        while view:
                            view = view[file.write(view) :]
                        written, waiting = written + len(part), waiting + len(part)
                        if waiting >= _AT_ONCE_BYTES:
                            waiting = 0
                            os.fdatasync(handle)
                    os.fsync(handle)
                half.replace(path)
            except BaseException:
                half.unlink(missing_ok=True)
                raise
            sync(path.parent)
        return written

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with self._failing(f"be read: {name}"), open(self._directory / name, "rb") as file:
            yield file

    def delete(self, name: str) -> None:
        path = self._directory / name
        with self._failing("be written"):
            path.unlink(missing_ok=True)
            if path.parent != self._directory and not any(path.parent.iterdir()):
                path.parent.rmdir()

    def prepare(self) -> bool:
        if not self._directory.parent.is_dir():
            raise BackupError(
                f"The folder for backups, {self._directory}, cannot be made: {self._directory.parent} is not "
                "there; is its disk connected?"
            )
        if self._directory.is_dir():
            return False
        try:
            self._directory.mkdir(mode=0o700)
        except PermissionError:
            user = pwd.getpwuid(os.geteuid()).pw_name
            raise BackupError(
                f"The user {user} may make no folder in {self._directory.parent}; make it by hand: "
                f"sudo install -d -o {user} -m 700 {shlex.quote(str(self._directory))}"
            ) from None
        except OSError as error:
            raise BackupError(
                f"The folder for backups, {self._directory}, cannot be made: {error.strerror}."
            ) from None
        return True

    def check(self) -> None:
        self.put("probe", [b"may be deleted\n"])
        self.delete("probe")

    def _make_sure_it_is_there(self) -> None:
        if not self._directory.is_dir():
            raise BackupError(
                f"The folder for backups, {self._directory}, is not there; is its disk connected? A new one "
                "is made by 'floorbell backup key'."
            )

    @contextmanager
    def _failing(self, how: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise NotThere(
                f"The folder for backups, {self._directory}, cannot {how}: it is not there."
            ) from None
        except OSError as error:
            said = error.strerror or error
            raise BackupError(f"The folder for backups, {self._directory}, cannot {how}: {said}.") from None
