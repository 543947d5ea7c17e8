"""Files beside edge.toml that hold what is secret. No sentence from here quotes one."""

import os
import stat
from pathlib import Path

from broker import secrecy
from broker.errors import IdentityError
from edge.errors import EdgeError

MAX_BYTES = 64 * 1024


class FileFault(EdgeError):
    """A file cannot be used; the sentence says what to mend."""


def check(path: Path, refusal: type[EdgeError]) -> None:
    """As broker.secrecy's, with a `refusal` that callers here look out for."""
    try:
        secrecy.check(path)
    except IdentityError as error:
        raise refusal(str(error)) from None


def read(directory: Path, name: str) -> str:
    """Its text. FileFault also where others may read it."""
    try:
        # A pipe would be waited for, for ever.
        handle = os.open(directory / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise FileFault(f"{name} cannot be read: {error.strerror}.") from None
    with open(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise FileFault(f"{name} is no file.")
        if about.st_mode & 0o077:
            mode = stat.S_IMODE(about.st_mode)
            raise FileFault(f"{name} may be read by others (mode {mode:04o}); run chmod 600 on it.")
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise FileFault(f"{name} is larger than {MAX_BYTES // 1024} KiB.")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise FileFault(f"{name} is not text in UTF-8.") from None
