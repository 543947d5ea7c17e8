"""A small disk of its own that can be filled up, or lose its power: ext4 in a file. Needs root."""

import fcntl
import os
import subprocess
from pathlib import Path

from tests.rig.store import wait_for

# EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (linux/ext4.h): what is not in the journal is gone.
_EXT4_IOC_SHUTDOWN = 0x8004587D
_NOLOGFLUSH = (2).to_bytes(4, "little")


def is_root() -> bool:
    return os.geteuid() == 0


class Disk:
    """An ext4 file system in `file`, mounted at `at`."""

    def __init__(self, directory: Path, name: str, megabytes: int) -> None:
        self.file = directory / f"{name}.img"
        self.at = directory / name
        self.at.mkdir(parents=True)
        self.cuts = 0
        self.lost = 0
        with open(self.file, "wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        # Nothing kept back for root: full is full for whoever runs this.
        _do("mkfs.ext4", "-q", "-F", "-m", "0", str(self.file))
        self._mounted = False
        self.mount()

    def mount(self) -> None:
        """After a cut this replays the journal, as a start does."""
        _do("mount", "-o", "loop", str(self.file), str(self.at))
        self._mounted = True

    def cut(self) -> None:
        """The power goes: whatever was not flushed is lost, and nothing can be written any more.

        A file that nobody flushed goes down with it each time; `lost` counts those that really did.
        """
        (self.at / "control").write_bytes(b"not flushed" * 100)
        descriptor = os.open(self.at, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _EXT4_IOC_SHUTDOWN, _NOLOGFLUSH)
        finally:
            os.close(descriptor)
        self.cuts += 1

    def unmount(self) -> None:
        """Nobody may have a file open. May be called twice."""
        if self._mounted:
            _do("umount", str(self.at))
            self._mounted = False
            # A copy of the mount in another namespace would keep the broken file system alive.
            wait_for(lambda: not _do("losetup", "-j", str(self.file)), f"The end of {self.at}", 30)

    def restart(self) -> None:
        """Power again, after a cut, with the writer dead."""
        self.unmount()
        self.mount()
        control = self.at / "control"
        if not control.exists() or control.stat().st_size == 0:
            self.lost += 1
        control.unlink(missing_ok=True)

    def fill(self) -> None:
        """Until not one byte more fits."""
        with open(self.at / "filler", "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 14, 1 << 10, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def empty(self) -> None:
        """Give the space back."""
        (self.at / "filler").unlink(missing_ok=True)


def _do(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
