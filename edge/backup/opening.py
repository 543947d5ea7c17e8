"""Opening a backup with the recovery key: its manifest, its parts and its clips, each held against what the
manifest says of it. What is written is checked before it counts."""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.backup import age, belongings, manifest, proof
from edge.backup.errors import BackupError, NotWhole
from edge.backup.making import DATABASE, FILES, MANIFEST, clip_name, decompressed, part_name, standing
from edge.backup.manifest import Manifest
from edge.backup.proof import Proven
from edge.backup.recovery import RecoveryKey
from edge.backup.targets import Target


@dataclass(frozen=True)
class Opened:
    """A backup whose manifest was read and is signed by the server that this key belongs to."""

    target: Target
    key: RecoveryKey
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.id

    def database(self, to: Path) -> None:
        """Write the database to the new file `to`. NotWhole if it is not the one of the manifest."""
        _write(to, decompressed(self._part(DATABASE)))

    def belongings(self) -> io.BytesIO:
        """The tar of configuration and keys."""
        return io.BytesIO(b"".join(self._part(FILES)))

    def clip(self, sha256: str, to: Path | None = None) -> int:
        """Read a file of the vault, and write it to the new file `to`; its size. NotWhole for another."""
        what = f"The clip {sha256[:16]}"
        with self.target.open(clip_name(sha256, self.key.public)) as file:
            read = age.Digesting(age.opened(file, self.key.private, what))
            if to is None:
                for _ in read:
                    pass
            else:
                _write(to, read)
        if (read.sha256, read.bytes) != (sha256, self.manifest.clips[sha256]):
            if to is not None:
                to.unlink(missing_ok=True)
            raise NotWhole(f"{what} is another file than the one that was backed up.")
        return read.bytes

    def prove(self, database: Path) -> Proven:
        """That the written database is the one that was copied, its custody log the one that was signed."""
        if proof.version_of(database) != self.manifest.version:
            raise NotWhole("The database in it is of another version than its manifest says.")
        return proof.prove(database, self.manifest.store, self.manifest.rows, self.manifest.head)

    def _part(self, part: str) -> Iterator[bytes]:
        wanted, what = self.manifest.parts.get(part), f"The {part} of {self.name}"
        if wanted is None:
            raise NotWhole(f"{what} is not in its manifest.")
        with self.target.open(part_name(self.name, part)) as file:
            read = age.Digesting(age.opened(file, self.key.private, what))
            yield from read
        if (read.sha256, read.bytes) != (wanted.sha256, wanted.bytes):
            raise NotWhole(f"{what} is another file than the one of its manifest: files were exchanged.")


def choose(target: Target, wanted: str | None = None) -> str:
    """The name of the newest whole backup, or the wanted one. BackupError if there is none."""
    found = standing(target)
    whole = [one.name for one in found if one.whole]
    if wanted is None:
        if not whole:
            raise BackupError(f"There is no whole backup in {target}.")
        return whole[-1]
    if wanted in whole:
        return wanted
    if any(one.name == wanted for one in found):
        raise BackupError(f"The backup {wanted} was begun and never ended: it is not whole.")
    raise BackupError(f"There is no backup {wanted[:40]!r} in {target}; 'floorbell backup list' shows them.")


def open_backup(target: Target, name: str, key: RecoveryKey) -> Opened:
    """BackupError for another's key; NotWhole for what is not as it was made."""
    what = f"The manifest of {name}"
    with target.open(part_name(name, MANIFEST)) as file:
        written = b"".join(age.opened(file, key.private, what))
    return Opened(target, key, manifest.decode(written, name, key.signing.key))


def check(opened: Opened, work: Path, each: Callable[[int], None] = lambda size: None) -> Proven:
    """Prove the whole backup in the empty folder `work`, without any store: its database, its files and each
    clip. `each` is told of the size of each clip."""
    database = work / "floorbell.db"
    opened.database(database)
    proven = opened.prove(database)
    registered = proof.vault_files(database, opened.manifest.store)
    listed = opened.manifest.clips.keys() | set(opened.manifest.missing)
    if registered.keys() != listed:
        raise NotWhole("The clips that its database has are not those of its manifest.")
    if f"{belongings.BESIDE}/edge.toml" not in belongings.names(opened.belongings()):
        raise NotWhole("Its configuration has no edge.toml.")
    for digest in opened.manifest.clips:
        each(opened.clip(digest))
    return proven


def _write(path: Path, parts: Iterable[bytes]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
