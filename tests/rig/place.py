"""Where a test keeps its database: a suite that commits a hundred thousand times should not wait for a disk.

Kiosks' tests stay out of it: there a path below /dev is a camera's.
"""

import os
from pathlib import Path

MEMORY, DISK = Path("/dev/shm"), Path("/tmp")
_ROOM_BYTES = 4 * 1024**3


def place() -> Path:
    """In memory, where there is room for a whole run and programs may be started; otherwise on the disk."""
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return DISK
    room = found.f_bavail * found.f_frsize >= _ROOM_BYTES and not found.f_flag & os.ST_NOEXEC
    return MEMORY if room and os.access(MEMORY, os.W_OK) else DISK
