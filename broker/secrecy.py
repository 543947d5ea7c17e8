"""Files that hold a secret, asked for before each is read: nobody but their owner may open them.

Secrets stand in such files and nowhere else: no environment and no command line of ours holds one.
"""

import os
import stat
from pathlib import Path

from broker.errors import IdentityError


def check(path: Path) -> None:
    """IdentityError in one sentence unless the file is its owner's alone, who is root or runs this program.
    A file that is not there is its reader's to tell of."""
    try:
        found = path.stat()
    except OSError:
        return
    if (wrong := fault(found.st_mode, found.st_uid, os.geteuid())) is not None:
        raise IdentityError(f"{path} {wrong}; run: {_mend(path, found.st_mode)}")


def fault(mode: int, owner: int, user: int) -> str | None:
    """What is wrong with a secret's file of this mode and owner, for a program of `user`. Pure."""
    if not stat.S_ISREG(mode):
        return f"holds a secret and is no file (mode {mode:o})"
    if mode & 0o077:
        return f"holds a secret and others may read or change it (mode {stat.S_IMODE(mode):04o})"
    if owner not in (0, user) and user != 0:
        return f"holds a secret and is the user's with the number {owner}, not of who runs this"
    return None


def _mend(path: Path, mode: int) -> str:
    return f"chmod 600 {path}" if stat.S_ISREG(mode) and mode & 0o077 else f"chown $(id -un) {path}"
