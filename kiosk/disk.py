"""The outbox's directory: held by one program, and with a reserve for the day the disk is full."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

from kiosk.errors import KioskError, OutboxLocked

RESERVE_BYTES = 512 * 1024
_ROOM_BYTES = 8 * 1024 * 1024  # the reserve comes back when at least this much is free


def lock(directory: Path, name: str = "lock", what: str = "outbox") -> IO[str]:
    """Hold the directory for this program until the file is closed. OutboxLocked if another one has it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / name).open("a")
    except OSError as error:
        raise KioskError(f"The {what} directory {directory} cannot be used: {error}.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise OutboxLocked(
            f"Another kiosk program uses the {what} {directory}; end that one first."
        ) from None
    return file


def free_bytes(directory: Path) -> int | None:
    """What the disk still takes; None when it cannot be asked."""
    try:
        disk = os.statvfs(directory)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize


def keep_reserve(directory: Path) -> None:
    """A file whose room can be given to a security event when the disk is full."""
    path = directory / "reserve"
    with contextlib.suppress(OSError):
        if path.exists() or (free_bytes(directory) or 0) < _ROOM_BYTES:
            return
        try:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError:
            path.unlink(missing_ok=True)


def free_reserve(directory: Path) -> None:
    """Give the reserve's room away."""
    with contextlib.suppress(OSError):
        (directory / "reserve").unlink(missing_ok=True)
