"""Putting a renewed identity in the place of the old one, so that a power cut leaves one that works.

`next` in the identity's folder holds the new key, on disk before the store is asked for anything, and then
its certificate. Once the store has seen that one, `next/seen` says so, and both are copied into place; what a
power cut interrupts there is done again at the next start. Until then the old ones are used.

Where a kiosk is let in, the whole folder is made beside (enrolling.py) and takes the old one's place here.
"""

import shutil
from pathlib import Path

from broker.files import sync, write

NEXT, SEEN = "next", "seen"
KEY, CERTIFICATE, TRUST = "tls.key", "tls.crt", "ca.crt"
# The exit status of kiosk.renewing that says so.
RENEWED = 10


def settle(identity: Path) -> bool:
    """Finish what was begun; whether the identity is another one now. OSError if the card takes nothing."""
    if not identity.exists() and (fresh_of(identity) / CERTIFICATE).exists():
        place(identity)
        return True
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


def fresh_of(identity: Path) -> Path:
    """Where the folder is made that will be `identity`."""
    return identity.with_name(f"{identity.name}.new")


def before_of(identity: Path) -> Path:
    """Where the folder goes whose place another one takes."""
    return identity.with_name(f"{identity.name}.before")


def place(identity: Path) -> None:
    """Put the whole folder beside into the place of what is there. OSError if the card takes nothing."""
    if identity.exists():
        identity.rename(before_of(identity))
    fresh_of(identity).rename(identity)
    sync(identity.parent)


def is_fetched(identity: Path) -> bool:
    """Whether the next certificate is here and not in its place: the store may have seen it already, and
    refuse the old one."""
    return (identity / NEXT / CERTIFICATE).exists()


def saw(identity: Path) -> None:
    """The store has seen the new certificate: it refuses the old one from now on."""
    write(identity / NEXT / SEEN, b"")
