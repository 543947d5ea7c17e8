"""What is done to the disk, so that a power cut at any point leaves the old or the new, and nothing between.

Each step is a method of its own: tests cut between any two of them.
"""

import contextlib
import os
import shutil
from pathlib import Path

SPARE_BYTES = 8 * 1024 * 1024


class Files:
    """The steps, and what is made of them."""

    def write(self, path: Path, content: bytes) -> None:
        """The file's content is the old one or this one, whole."""
        beside = path.with_name(f".{path.name}.new")
        self.create(beside, content)
        self.sync(beside)
        self.rename(beside, path)
        self.sync_directory(path.parent)

    def point(self, link: Path, target: str) -> None:
        """The link leads to where it did or to `target`; it is never missing."""
        beside = link.with_name(f".{link.name}.new")
        self.symlink(beside, target)
        self.rename(beside, link)
        self.sync_directory(link.parent)

    def unlink(self, path: Path) -> None:
        """It is there or gone for good."""
        self.delete(path)
        self.sync_directory(path.parent)

    def create(self, path: Path, content: bytes) -> None:
        """Not yet on the disk."""
        self.delete(path)
        # Whatever somebody put there meanwhile is not followed.
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(number, "wb") as file:
            # Whatever mask it was started with: the kiosk reads it too.
            os.fchmod(number, 0o644)
            file.write(content)

    def symlink(self, link: Path, target: str) -> None:
        self.delete(link)
        link.symlink_to(target)

    def rename(self, old: Path, new: Path) -> None:
        old.replace(new)

    def delete(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()

    def sync(self, path: Path) -> None:
        _sync(path, os.O_RDONLY)

    def sync_directory(self, path: Path) -> None:
        _sync(path, os.O_RDONLY | os.O_DIRECTORY)

    def reserve(self, path: Path, size: int) -> None:
        """A file of so many bytes whose room can be given away later; none where little room is left."""
        disk = os.statvfs(path.parent)
        if disk.f_bavail * disk.f_frsize < SPARE_BYTES:
            return
        try:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            self.delete(path)

    def make_directory(self, path: Path) -> None:
        path.mkdir(mode=0o755, exist_ok=True)

    def empty(self, path: Path, but: str) -> None:
        """Delete everything in the folder `path` except the file `but`."""
        for entry in sorted(path.iterdir()):
            if entry.name == but:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def sync_all(self, path: Path) -> None:
        """Everything below `path` is on the disk, and so is everything else."""
        os.sync()
        # sync(2) tells of no error; what stands here does of the last.
        self.sync_directory(path)


def _sync(path: Path, flags: int) -> None:
    number = os.open(path, flags)
    try:
        os.fsync(number)
    finally:
        os.close(number)
