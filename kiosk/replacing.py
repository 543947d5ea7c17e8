"""Putting a renewed identity in the place of the old one, so that a power cut leaves one that works.

`next` in the identity's folder holds the new key, on disk before the store is asked for anything, and then
its certificate. Once the store has seen that one, `next/seen` says so, and both are copied into place; what a
power cut interrupts there is done again at the next start. Until then the old ones are used.
"""

import os
import shutil
from pathlib import Path

NEXT, SEEN = "next", "seen"
KEY, CERTIFICATE, TRUST = "tls.key", "tls.crt", "ca.crt"
# The exit status of kiosk.renewing that says so.
RENEWED = 10


def settle(identity: Path) -> bool:
    """Finish what was begun; whether the identity is another one now. OSError if the card takes nothing."""
    fresh = identity / NEXT
    if not (fresh / SEEN).exists():
        return False
    if (fresh / KEY).exists() and (fresh / CERTIFICATE).exists():
        write(identity / KEY, (fresh / KEY).read_bytes(), secret=True)
        write(identity / CERTIFICATE, (fresh / CERTIFICATE).read_bytes())
    # From here on both are in place, and the mark goes last.
    for name in (CERTIFICATE, KEY, SEEN):
        (fresh / name).unlink(missing_ok=True)
    shutil.rmtree(fresh, ignore_errors=True)
    return True


def saw(identity: Path) -> None:
    """The store has seen the new certificate: it refuses the old one from now on."""
    write(identity / NEXT / SEEN, b"")


def write(path: Path, content: bytes, *, secret: bool = False) -> None:
    """Whole and on disk, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.half")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
