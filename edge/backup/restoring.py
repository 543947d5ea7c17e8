"""Putting a store back from a backup, proven before it counts. Nothing that is there is overwritten.

edge.toml gets its name last: what was broken off is no store that a program would start on.
"""

import io
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import sqlalchemy as sa

from broker import revocation
from broker.errors import BrokerError
from broker.files import sync
from broker.signing import load_signer
from edge.backup import belongings, proof
from edge.backup.errors import BackupError, NotThere, NotWhole
from edge.backup.notes import Note, together
from edge.backup.opening import Opened
from edge.backup.proof import Proven
from edge.config import EdgeConfig, load_config
from edge.db import engine
from edge.db.store_tables import device
from edge.devices import certificates
from edge.evidence import restores
from edge.evidence.files import VaultFiles
from edge.handling import restored
from edge.handling.restored import Settled, ShutOut
from edge.supervision import backups
from edge.supervision.backups import Run

_DATA = re.compile(r"^data\s*=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to. `entries` is how many the custody log had, `asked` how many clips are waited
    for again; `known_at` is until when it is known who was shut out. `stopped` roll-outs were going on, and
    `releases` have no file any more."""

    config: EdgeConfig
    proven: Proven
    settled: Settled
    entries: int
    clips: int
    asked: int
    known_at: datetime
    without_outbox: list[str]
    stopped: int
    releases: int


def restore(
    opened: Opened,
    to: Path,
    now: datetime,
    notes: list[Note],
    identity: Path | None = None,
    each: Callable[[int], None] = lambda size: None,
) -> Restored:
    """Put the store back into the new or empty folder `to`. `identity` is what is left of its folder of
    identities, for whom it kept out. `each` is told of the size of each file of a clip.

    BackupError, in a sentence; what was written until then is no store, and may be deleted.
    """
    to = to.resolve()
    _make_empty(to)
    made = opened.manifest
    config, path = _configure(opened, to)
    database = to / "restored.db" if "://" in config.database else Path(to / config.database)
    opened.database(database)
    proven = opened.prove(database)
    if _is_earlier(made.version):
        engine.migrate(engine.sqlite_url(database))
    out = _shut_out(identity, notes)
    writing = engine.connect(engine.sqlite_url(database), write=True)
    try:
        with writing.begin() as conn:
            entries, settled = _settle(conn, config, opened, out, now)
            files = {path.name for path in config.releases_path.glob("*")}
            stopped, releases = restored.stop_roll_outs(conn, made.store, files, now)
        # What has to be deleted by its time is not even brought back.
        wanted = proof.vault_files(database, made.store)
        missing = _clips(opened, VaultFiles(config.vault_path), wanted, each)
        with writing.begin() as conn:
            asked = restored.ask_again(conn, made.store, missing, now)
            turned_away = certificates.revoked_devices(conn, made.store)
            without = _without_outbox(conn, made.store)
    finally:
        writing.dispose()
    revocation.turn_away(config.identity_path, turned_away)
    if identity is not None:
        _longer_list(identity, config.identity_path)
    if "://" in config.database:
        from edge.backup.rows import into_database

        into_database(database, config.database_url)
        database.unlink()
    else:
        database.chmod(0o600)
    path.replace(path.with_name("edge.toml"))
    _give(to)
    sync(to)
    known_at = max([made.made_at, *(note.at for note in notes)])
    return Restored(
        config, proven, settled, entries, len(wanted) - len(missing), asked, known_at, without, stopped,
        releases,
    )  # fmt: skip


def _make_empty(to: Path) -> None:
    try:
        to.mkdir(mode=0o750, parents=True, exist_ok=True)
        if any(to.iterdir()):
            raise BackupError(f"{to} is not empty; nothing is overwritten. Name an empty or a new folder.")
    except OSError as error:
        raise BackupError(f"{to} cannot be written: {error.strerror}.") from None


def _configure(opened: Opened, to: Path) -> tuple[EdgeConfig, Path]:
    """The configuration as it will be, and where it lies until then; identities and keys are in place."""
    packed = opened.belongings()
    written = belongings.content_of(packed, f"{belongings.BESIDE}/edge.toml")
    if written is None:
        raise NotWhole("Its configuration has no edge.toml.")
    path = to / "edge.toml.new"
    # Where its data was there may be another store by now.
    text = _DATA.sub("", written.decode(), count=1)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o640)
    config = load_config(path)
    places = [config.identity_path, config.vault_path / "sealed"]
    if "://" not in config.database:
        places.append(to / config.database)
    for place in places:
        if place.exists():
            raise BackupError(f"{place} is there already; nothing is overwritten.")
    path.unlink()
    packed.seek(0)
    belongings.unpack(io.BytesIO(packed.getvalue()), to, config.identity_path)
    path.write_text(text, encoding="utf-8")
    return config, path


def _is_earlier(version: str) -> bool:
    """Whether the database of the backup must be brought to this program's version first."""
    if version > engine.VERSION:
        raise BackupError(
            f"The backup is of a later program (database {version}); this one reads up to {engine.VERSION}."
        )
    return version < engine.VERSION


def _shut_out(identity: Path | None, notes: list[Note]) -> ShutOut:
    """Whoever is known to be shut out: by the notes, and by what is left of the lost server's own files."""
    known = together(notes)
    if identity is None:
        return known
    try:
        names, serials = revocation.turned_away(identity), revocation.revoked_serials(identity)
    except (OSError, BrokerError) as error:
        raise BackupError(f"What is left of the identities in {identity} cannot be read: {error}") from None
    return msgspec.structs.replace(
        known,
        devices=sorted({*known.devices, *names}),
        serials=sorted({*known.serials, *serials}),
    )


def _settle(
    conn: sa.Connection, config: EdgeConfig, opened: Opened, out: ShutOut, now: datetime
) -> tuple[int, Settled]:
    made = opened.manifest
    signer = load_signer(config.identity_path / "vault" / "sign.key")
    entries = restores.sign(conn, made.store, signer, made.id, made.made_at, now)
    ceiling = timedelta(seconds=config.policy.help.ceiling_s or 3600)
    settled = restored.settle(conn, made.store, made.id, made.made_at, out, config.retention, ceiling, now)
    size = sum(made.clips.values())
    run = Run(
        made.id, made.made_at, made.made_at, str(opened.target), None, made.parts["database"].bytes,
        len(made.clips), len(made.missing), size, 0, now,
    )  # fmt: skip
    backups.record(conn, made.store, run)
    return entries, settled


def _clips(
    opened: Opened, vault: VaultFiles, wanted: dict[str, int], each: Callable[[int], None]
) -> set[str]:
    """Put the files of the vault back; those that did not come back, or not as they were sealed."""
    missing = set()
    for digest in sorted(wanted):
        place = vault.sealed(digest)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if digest not in opened.manifest.clips:
            missing.add(digest)
            continue
        try:
            each(opened.clip(digest, place))
        except (NotThere, NotWhole):
            # One clip that is damaged, or was deleted since, is no reason to have none of the others.
            missing.add(digest)
            place.unlink(missing_ok=True)
        else:
            place.chmod(0o444)
    return missing


def _without_outbox(conn: sa.Connection, store: str) -> list[str]:
    """Devices that keep nothing which they could send again."""
    d = device.c
    rows = conn.execute(sa.select(d.name, d.heartbeat).where(d.store == store, d.revoked_at.is_(None)))
    return sorted(name for name, beat in rows if beat is not None and not beat.get("outbox"))


def _longer_list(left: Path, identity: Path) -> None:
    """The CA's list that was left takes the other's place, if it has more on it and is of the same CA."""
    theirs, ours = revocation.list_path(left), revocation.list_path(identity)
    if theirs.exists() and revocation.continues(theirs, ours, identity):
        shutil.copyfile(theirs, ours)


def _give(to: Path) -> None:
    """What root has put back belongs to whomever the folder was made for."""
    owner = to.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for folder, names, files in os.walk(to):
        for name in (*names, *files):
            os.chown(Path(folder) / name, owner.st_uid, owner.st_gid, follow_symlinks=False)
