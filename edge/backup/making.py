"""One backup: the database as it is now, the clips that are not there yet, configuration and keys.

It never waits for the store's one writer and never keeps it waiting; what it reads and writes is paced.
"""

import fcntl
import logging
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath

from edge.backup import age, belongings, manifest, proof, recovery, settings, snapshot
from edge.backup.errors import BackupError
from edge.backup.manifest import FORMAT, Manifest, Part
from edge.backup.pace import Pace
from edge.backup.settings import Standing
from edge.backup.targets import Target
from edge.config import EdgeConfig
from edge.evidence.files import VaultFiles

log = logging.getLogger(__name__)
DATABASE, FILES, MANIFEST = "database", "files", "manifest"
_CHUNK = 1024 * 1024
# What is left free on the server's disk beside the copy of the database.
_LEAVE_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup came to. `clips` is how many files of the vault it has, `new_clips` how many of them it
    brought and `missing` how many the vault lacks or no longer holds as they were sealed; `sent_bytes` is
    what was written to the target, `removed` how many backups and clips were deleted there."""

    database_bytes: int
    clips: int
    clip_bytes: int
    new_clips: int
    sent_bytes: int
    missing: int
    removed: int


def make(
    config: EdgeConfig,
    config_path: Path,
    target: Target,
    name: str,
    pace: Pace | None = None,
) -> Made:
    """Make the backup `name` and delete what is superfluous after it. BackupError if it could not be made;
    what is whole at the target stays whole."""
    sealer = recovery.sealer(config.identity_path)
    pace, now = pace or Pace(config.backup.mb_s), settings.time_of(name)
    target.check()
    with _workplace(config) as work:
        database = work / "floorbell.db"
        _make_sure_of_room(config, work)
        kind = snapshot.take(config.database_url, database, pace.passed)
        writing = _Writing(target, sealer.recipient, pace)
        clips, missing = writing.clips(
            VaultFiles(config.vault_path), proof.vault_files(database, config.store)
        )
        parts = {
            DATABASE: writing.part(name, DATABASE, _compressed(database)),
            FILES: writing.part(name, FILES, [belongings.pack(config, config_path)]),
        }
        described = Manifest(
            format=FORMAT,
            id=name,
            store=config.store,
            made_at=now,
            version=proof.version_of(database),
            kind=kind,
            parts=parts,
            clips=clips,
            missing=missing,
            rows=proof.rows_of(database),
            head=proof.head_of(database, config.store),
        )
        # Last, because it is what says that the backup is whole.
        writing.part(name, MANIFEST, [manifest.encode(described, sealer.signer.sign)])
        before = now - timedelta(days=config.backup.clip_days)
        gone = proof.deleted_files(database, config.store, before)
        size = database.stat().st_size
    removed = tidy(config, target, name) + _forget(target, gone)
    return Made(
        size, len(clips), sum(clips.values()), writing.new_clips, writing.sent_bytes, len(missing), removed
    )


def standing(target: Target) -> list[Standing]:
    """The backups at the target, the oldest first."""
    found: dict[str, set[str]] = {}
    for stored in target.list("backups/"):
        _, name, file = [*stored.name.split("/"), "", ""][:3]
        try:
            settings.time_of(name)
        except ValueError:
            continue
        found.setdefault(name, set()).add(file)
    return [Standing(name, f"{MANIFEST}.age" in files) for name, files in sorted(found.items())]


def tidy(config: EdgeConfig, target: Target, making: str) -> int:
    """Delete what is superfluous, the manifest first, so that half a backup is never called whole."""
    keep = config.backup
    names = settings.superfluous(standing(target), keep.keep_days, keep.keep_months, making)
    for name in names:
        for part in (MANIFEST, DATABASE, FILES):
            target.delete(part_name(name, part))
    return len(names)


def part_name(backup: str, part: str) -> str:
    return f"backups/{backup}/{part}.age"


def clip_name(sha256: str, recipient: bytes) -> str:
    """Where the clip lies that is sealed for this key: another opens it not, so each key has its own."""
    return f"clips/{recovery.fingerprint(recipient)}/{sha256[:2]}/{sha256}.age"


class _Writing:
    """What goes to the target, sealed. `new_clips` and `sent_bytes` as in Made."""

    def __init__(self, target: Target, recipient: bytes, pace: Pace) -> None:
        self._target, self._recipient, self._pace = target, recipient, pace
        self.new_clips = self.sent_bytes = 0

    def part(self, backup: str, part: str, parts: Iterable[bytes]) -> Part:
        read = age.Digesting(parts)
        self._put(part_name(backup, part), read)
        return Part(read.sha256, read.bytes)

    def clips(self, vault: VaultFiles, wanted: dict[str, int]) -> tuple[dict[str, int], list[str]]:
        """Bring what is not there yet: (the size of each by its SHA-256, what the vault does not have).

        `wanted` as proof.vault_files() has it.
        """
        own = f"clips/{recovery.fingerprint(self._recipient)}/"
        there = {one.name: one.bytes for one in self._target.list(own)}
        had, missing = {}, []
        for digest in sorted(wanted):
            place, name = vault.sealed(digest), clip_name(digest, self._recipient)
            try:
                size = place.stat().st_size
            except OSError:
                # Deleted by retention since the database was copied, or lost.
                missing.append(digest)
                continue
            if there.get(name) == age.sealed_bytes(size) or self._clip(digest, place, name in there):
                had[digest] = size
            elif there.get(name) == age.sealed_bytes(wanted[digest]):
                # Damaged here; what was brought before is as large as it was sealed, and counts.
                had[digest] = wanted[digest]
            else:
                missing.append(digest)
        return had, missing

    def _clip(self, digest: str, place: Path, there: bool) -> bool:
        """Whether it was brought; not what is damaged, nor over what is `there` before that is known."""
        name = clip_name(digest, self._recipient)
        try:
            if there and self._sha256(place) != digest:
                log.error(
                    "The file %s of the vault is no longer what was sealed; its backup is left as it was.",
                    place.name,
                )
                return False
            with open(place, "rb") as file:
                read = age.Digesting(iter(lambda: file.read(_CHUNK), b""))
                self._put(name, read)
        except OSError as error:
            raise BackupError(
                f"A clip in the vault, {place.name}, cannot be read: {error.strerror}."
            ) from None
        if read.sha256 != digest:
            self._target.delete(name)
            log.error(
                "The file %s of the vault is no longer what was sealed; it is not backed up.", place.name
            )
            return False
        self.new_clips += 1
        return True

    def _sha256(self, place: Path) -> str:
        with open(place, "rb") as file:
            read = age.Digesting(self._pace.of(iter(lambda: file.read(_CHUNK), b"")))
            for _ in read:
                pass
        return read.sha256

    def _put(self, name: str, parts: Iterable[bytes]) -> None:
        self.sent_bytes += self._target.put(name, self._pace.of(age.sealed(parts, self._recipient)))


def _forget(target: Target, gone: set[str]) -> int:
    """What retention deleted in the store is deleted here too: it must not come back by a restore."""
    there = [one.name for one in target.list("clips/")] if gone else []
    # Sealed for whichever key.
    names = [name for name in there if PurePosixPath(name).stem in gone]
    for name in names:
        target.delete(name)
    return len(names)


def _compressed(path: Path) -> Iterator[bytes]:
    """gzip, at its fastest: a database shrinks to a quarter, and a core is not busy for long."""
    packer = zlib.compressobj(1, wbits=31)
    with open(path, "rb") as file:
        while part := file.read(_CHUNK):
            if packed := packer.compress(part):
                yield packed
    yield packer.flush()


def decompressed(parts: Iterable[bytes]) -> Iterator[bytes]:
    """What _compressed() was given."""
    unpacker = zlib.decompressobj(wbits=31)
    for part in parts:
        while part:
            yield unpacker.decompress(part, _CHUNK)
            part = unpacker.unconsumed_tail
    yield unpacker.flush()


@contextmanager
def _workplace(config: EdgeConfig) -> Iterator[Path]:
    """A folder for the copy of the database, beside the vault; what a kill has left there is gone."""
    work = config.vault_path.parent / "backup.work"
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(work.with_name("backup.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BackupError(f"{work} cannot be made for the copy of the database: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupError("Another backup of this store is being made at this moment.") from None
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(handle)


def _make_sure_of_room(config: EdgeConfig, work: Path) -> None:
    needed, free = snapshot.size_of(config.database_url) + _LEAVE_BYTES, shutil.disk_usage(work).free
    if free < needed:
        raise BackupError(
            f"The copy of the database needs {needed // 1_000_000} MB on the disk of {work.parent}; "
            f"{free // 1_000_000} MB are free."
        )
