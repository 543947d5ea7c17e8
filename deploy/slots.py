"""The two slots of an installed machine: from one the programs run, the other takes the next release.

    ROOT/slots/a, ROOT/slots/b    each a whole release with its own .venv
    ROOT/slots/a/RELEASE          written last of all, once everything else in the slot is on the disk
    ROOT/current -> slots/a       replaced by a rename: a power cut leaves the one or the other

Needs the standard library only: the installer runs it with the system's Python, before there is a .venv.
`slots.py ROOT current|other|clear|flip`, `slots.py ROOT release SLOT`, `slots.py ROOT seal VERSION DIGEST`
and `slots.py FOLDER digest`.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

NAMES = ("a", "b")
# What of a clone or an unpacked release goes into a slot.
PARTS = (
    "broker",
    "kiosk",
    "edge",
    "deploy",
    "requirements",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
)


class SlotError(Exception):
    """A sentence for the technician: why the slots stay as they are."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a slot holds. `digest` is of its code and of what it was installed with."""

    version: str
    digest: str


class Slots:
    """The slots below `root`. Whoever changes them holds `held()`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other installer and updater out. SlotError if one is at work."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SlotError(
                    f"Another installation is at work in {self.root}; try again once it has ended."
                ) from None
            yield

    def path(self, slot: str) -> Path:
        return self.root / "slots" / slot

    def current(self) -> str | None:
        """The slot that programs are started from; None before the first installation."""
        try:
            slot = (self.root / "current").readlink().name
        except OSError:
            return None
        return slot if slot in NAMES else None

    def other(self) -> str:
        """The slot that nothing is started from."""
        return "b" if self.current() == "a" else "a"

    def release(self, slot: str) -> Release | None:
        """What is whole in the slot; None for an empty one and for one that was never finished."""
        try:
            said = json.loads((self.path(slot) / "RELEASE").read_text(encoding="utf-8"))
            return Release(str(said["version"]), str(said["digest"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def clear(self) -> Path:
        """Empty the other slot; its folder. What is in it is no release from the first step on."""
        folder = self.path(self.other())
        (folder / "RELEASE").unlink(missing_ok=True)
        if folder.exists():
            _to_disk(folder)
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return folder

    def seal(self, release: Release) -> None:
        """Everything in the other slot is on the disk, and it is a release from now on."""
        folder = self.path(self.other())
        os.sync()
        new = folder / "RELEASE.new"
        with new.open("w", encoding="utf-8") as file:
            json.dump(asdict(release), file)
            file.flush()
            os.fsync(file.fileno())
        new.rename(folder / "RELEASE")
        _to_disk(folder)

    def flip(self) -> str:
        """Start programs from the other slot from now on; its name. SlotError if it holds no release."""
        slot = self.other()
        if self.release(slot) is None:
            raise SlotError(f"{self.path(slot)} holds no whole release; {self.root / 'current'} stays.")
        new = self.root / "current.new"
        new.unlink(missing_ok=True)
        new.symlink_to(Path("slots") / slot)
        new.rename(self.root / "current")
        _to_disk(self.root)
        return slot


def digest(folder: Path) -> str:
    """One hash of a release's files, by name and content, whatever else lies in `folder`. SlotError if it is
    none."""
    whole = hashlib.sha256()
    for part in PARTS:
        start = folder / part
        if not start.exists():
            raise SlotError(f"{folder} is no release of Floorbell: {part} is missing.")
        files = [start] if start.is_file() else sorted(path for path in start.rglob("*") if path.is_file())
        for path in files:
            if "__pycache__" in path.parts:
                continue
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            whole.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main(arguments: list[str]) -> int:
    """One step for the installer, which holds the lock itself."""
    try:
        match arguments:
            case [root, "current"]:
                print(Slots(Path(root)).current() or "")
            case [root, "other"]:
                print(Slots(Path(root)).other())
            case [root, "release", slot] if slot in NAMES:
                found = Slots(Path(root)).release(slot)
                print("" if found is None else f"{found.version} {found.digest}")
            case [root, "clear"]:
                print(Slots(Path(root)).clear())
            case [root, "seal", version, of]:
                Slots(Path(root)).seal(Release(version, of))
            case [root, "flip"]:
                print(Slots(Path(root)).flip())
            case [folder, "digest"]:
                print(digest(Path(folder)))
            case _:
                raise SlotError(
                    "Usage: slots.py ROOT current|other|clear|flip|release SLOT|seal VERSION DIGEST"
                )
    except SlotError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
