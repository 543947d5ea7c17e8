"""What belongs to a store besides its database and its clips: configuration, identities and keys.

They go into one tar. Where each came from stands in its name: `beside/` is the folder of edge.toml,
`identity/` the folder of the identities.
"""

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from edge.backup.errors import BackupError, NotWhole
from edge.config import EdgeConfig

BESIDE, IDENTITY = "beside", "identity"
# Nothing that is configured by hand or is a key is as large.
_LARGEST_BYTES = 1024 * 1024
_MOST = 5000
_NOT = (".db", ".db-wal", ".db-shm", ".lock", ".hint", ".log", ".pid", ".half", ".sock")


def files(config: EdgeConfig, config_path: Path) -> Iterator[tuple[str, Path]]:
    """(name in the tar, where it lies), edge.toml first."""
    home, identity = Path(config.directory), config.identity_path
    yield f"{BESIDE}/edge.toml", config_path
    seen = {config_path.resolve(), (home / "edge.toml").resolve()}
    for path in sorted(home.iterdir()):
        if _belongs(path) and path.resolve() not in seen:
            seen.add(path.resolve())
            yield f"{BESIDE}/{path.name}", path
    for folder, root in ((IDENTITY, identity), (f"{BESIDE}/devices", home / "devices")):
        for path in sorted(root.rglob("*")) if root.is_dir() else ():
            if _belongs(path):
                seen.add(path.resolve())
                yield f"{folder}/{path.relative_to(root).as_posix()}", path


def pack(config: EdgeConfig, config_path: Path) -> bytes:
    """The tar. BackupError if a file cannot be read."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for number, (name, path) in enumerate(files(config, config_path)):
            if number >= _MOST:
                raise BackupError(f"{config.directory} has more than {_MOST} files beside edge.toml.")
            try:
                content = path.read_bytes()
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), stat.S_IMODE(path.stat().st_mode)
                info.mtime = int(path.stat().st_mtime)
            except OSError as error:
                raise BackupError(f"{path} cannot be read: {error.strerror}.") from None
            tar.addfile(info, io.BytesIO(content))
    return made.getvalue()


def names(packed: BinaryIO) -> list[str]:
    """What is in a tar. NotWhole if it is none, or not one of ours."""
    return [name for name, _, _ in _members(packed)]


def unpack(packed: BinaryIO, beside: Path, identity: Path) -> list[Path]:
    """Write each file to where it belongs, with its mode, and edge.toml as edge.toml.new: with its name the
    store is there. BackupError if one is there already."""
    written = []
    for name, mode, content in _members(packed):
        place, _, rest = name.partition("/")
        path = (identity if place == IDENTITY else beside) / rest
        if path == beside / "edge.toml":
            path = beside / "edge.toml.new"
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise BackupError(f"{path} is there already; nothing is overwritten.") from None
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(handle, mode & 0o777)
            file.flush()
            os.fsync(handle)
        written.append(path)
    return written


def content_of(packed: BinaryIO, wanted: str) -> bytes | None:
    """One file of a tar."""
    return next((content for name, _, content in _members(packed) if name == wanted), None)


def _belongs(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST_BYTES and not path.name.endswith(_NOT)


def _members(packed: BinaryIO) -> Iterator[tuple[str, int, bytes]]:
    try:
        with tarfile.open(fileobj=packed, mode="r") as tar:
            for member in tar:
                pure = PurePosixPath(member.name)
                if not member.isreg() or pure.is_absolute() or ".." in pure.parts or len(pure.parts) < 2:
                    raise NotWhole(f"The configuration in it has a file {member.name[:80]!r}.")
                file = tar.extractfile(member)
                assert file is not None
                yield member.name, member.mode, file.read()
    except tarfile.TarError as error:
        raise NotWhole(f"The configuration in it cannot be read: {error}.") from None
