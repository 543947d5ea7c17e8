"""One worker per folder."""

import fcntl
import os
from typing import IO

from edge.config import EdgeConfig
from edge.errors import StorageError


def take_lock(config: EdgeConfig) -> IO[str]:
    """Held while the worker runs. Two workers on one folder would throw each other off the broker."""
    try:
        file = open(config.lock_path, "a+", encoding="ascii")  # noqa: SIM115 - held open as the lock
    except OSError as error:
        raise StorageError(f"The worker cannot lock {config.lock_path}: {error.strerror}.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        raise StorageError(
            f"Another worker (process {file.read().strip() or 'unknown'}) runs on {config.directory}; "
            "only one may."
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
