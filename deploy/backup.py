"""`floorbell backup`: make backups, prove them, and put a store back."""

import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.errors import BrokerError
from deploy import noting
from deploy.asking import CONFIG
from deploy.errors import DeployError
from deploy.provision import reading, writing
from edge.config import EdgeConfig, load_config
from edge.errors import EdgeError
from edge.supervision import backups
from edge.supervision.backups import Run

if TYPE_CHECKING:
    from edge.backup.manifest import Manifest
    from edge.backup.recovery import RecoveryKey
    from edge.backup.restoring import Restored

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
KEY_FILE = click.option(
    "--key-file", type=_FILE, help="A file with the recovery key; without it you are asked for the key."
)


@click.group()
def backup() -> None:
    """Backups of the whole store, and putting it back."""


@backup.command("key")
@click.option("--out", type=_FILE, help="A new file, on a stick that is then locked away; else it is shown.")
@click.option("--renew", is_flag=True, help="Make another; older backups still need the one before.")
@CONFIG
def backup_key(out: Path | None, renew: bool, config: Path) -> None:
    """Make the recovery key, which opens the backups and is never kept on this server; and the folder for
    them, if edge.toml names one that is not there yet."""
    from edge.backup import recovery, targets

    loaded = load_config(config)
    identity = loaded.identity_path
    made = loaded.backup.to is not None and targets.target_of(loaded).prepare()
    if made:
        click.echo(f"The folder for backups, {loaded.backup.to}, is made.", err=True)
    if made and recovery.installed(identity) and not renew:
        return
    if recovery.installed(identity) and not renew:
        raise DeployError(
            f"Backups are sealed for {recovery.recipient_of(identity)} already; --renew makes another key."
        )
    key = recovery.RecoveryKey.new()
    if out is not None:
        _write_new(out, f"{key}\n")
    recovery.install(identity, key)
    if out is None:
        click.echo(str(key))
        click.echo(
            "This is shown once. Print it, or write it down, and lock it away outside this building.",
            err=True,
        )
    else:
        click.echo(f"{out} has the recovery key. Keep it outside this building, and not on this server.")
    click.echo("Without it no backup can be opened, by nobody. 'floorbell backup check' tries it.", err=True)
    if renew:
        # What the notes of the key before say, the new one does not open.
        noting.leave_if_backed_up(loaded, _now())


@backup.command("run")
@CONFIG
def backup_run(config: Path) -> None:
    """Make a backup now, beside whatever the store does."""
    from edge.backup import making, pace, settings, targets

    loaded = load_config(config)
    if loaded.backup.to is None:
        targets.target_of(loaded)
    pace.make_way()
    began = _now()
    name = settings.name_of(began)
    try:
        made = making.make(loaded, config, targets.target_of(loaded), name)
    except (EdgeError, BrokerError, OSError) as error:
        _written_down(loaded, Run(name, began, _now(), str(loaded.backup.to), _sentence(error)))
        raise
    _written_down(
        loaded,
        Run(
            name,
            began,
            _now(),
            str(loaded.backup.to),
            None,
            made.database_bytes,
            made.clips,
            made.missing,
            made.clip_bytes,
            made.sent_bytes,
        ),
    )
    click.echo(
        f"{name}: database {_size(made.database_bytes)}, {made.clips} files of clips "
        f"({_size(made.clip_bytes)}, {made.new_clips} of them new), {_size(made.sent_bytes)} sent in "
        f"{(_now() - began).total_seconds():.0f} s."
    )
    if made.missing:
        click.echo(
            f"Not in it: {made.missing} files of clips that the vault does not have, or has damaged.",
            err=True,
        )


@backup.command("list")
@CONFIG
def backup_list(config: Path) -> None:
    """Show the backups at the target, and what this store knows of them."""
    from edge.backup import making, targets

    loaded = load_config(config)
    target = targets.target_of(loaded)
    known = {}
    if _has_database(loaded):
        with reading(loaded) as conn:
            known = {run.name: run for run in backups.runs(conn, loaded.store, 1000)}
    found = making.standing(target)
    for one in found:
        run = known.get(one.name)
        said = "whole" if one.whole else "not whole"
        if run is not None and one.whole:
            said += f", database {_size(run.database_bytes)}, clips {_size(run.clip_bytes)}"
            said += f", proven {run.proven_at:%Y-%m-%d %H:%M} UTC" if run.proven_at else ", not yet proven"
        click.echo(f"{one.name}  {said}")
    if not found:
        click.echo("There is no backup yet.")


@backup.command("check")
@click.argument("name", required=False)
@click.option("--from", "source", help="A folder or s3://bucket/prefix; without it that of edge.toml.")
@KEY_FILE
@CONFIG
def backup_check(name: str | None, source: str | None, key_file: Path | None, config: Path) -> None:
    """Open the newest backup, or NAME, and prove it: each byte, each row, the custody log. The store is not
    touched."""
    from edge.backup import opening, targets

    loaded = load_config(config)
    target = targets.target_of(loaded, source)
    chosen = opening.choose(target, name)
    opened = opening.open_backup(target, chosen, _key(key_file))
    with _space() as work:
        proven = opening.check(opened, work)
    made = opened.manifest
    click.echo(
        f"{chosen} is whole: {proven.rows} rows, {len(made.clips)} files of clips, {proven.entries} entries "
        f"of the custody log, a signed head over {proven.signed}, heads countersigned by {proven.witnesses} "
        "devices."
    )
    if made.missing:
        click.echo(f"Not in it: {len(made.missing)} files of clips that the vault did not have.", err=True)
    if _has_database(loaded):
        with writing(loaded) as conn:
            backups.set_proven(conn, loaded.store, chosen, _now())


@backup.command("note")
@CONFIG
def backup_note(config: Path) -> None:
    """Leave word beside the backups of whoever is shut out now: a restored store lets them in no more."""
    noting.leave(load_config(config), _now())
    click.echo("It is noted who is shut out.")


@backup.command("restore")
@click.option("--from", "source", required=True, help="A folder or s3://bucket/prefix.")
@click.option("--to", type=_FOLDER, required=True, help="A new or empty folder.")
@click.option("--name", help="The backup; without it the newest.")
@click.option(
    "--left", type=_FOLDER, help="What is left of the lost server's folder 'identity', if anything."
)
@click.option("--endpoint", help="Of another object store than Amazon's.")
@click.option("--region", default="us-east-1", show_default=True, help="As the object store wants it.")
@click.option("--credentials", type=_FILE, default="backup-s3.txt", show_default=True, help="For a bucket.")
@KEY_FILE
def backup_restore(
    source: str,
    to: Path,
    name: str | None,
    left: Path | None,
    endpoint: str | None,
    region: str,
    credentials: Path,
    key_file: Path | None,
) -> None:
    """Put a store back, proven. What came after the backup is then asked of the kiosks, as they come."""
    from edge.backup import notes, opening, restoring, settings, targets

    if not source.startswith("s3://"):
        source = str(Path(source).absolute())
    wanted = settings.Backup(source, endpoint, region, str(credentials.absolute()))
    if wrong := wanted.fault():
        raise DeployError(wrong)
    target = targets.target_at(source, wanted)
    key = _key(key_file)
    opened = opening.open_backup(target, opening.choose(target, name), key)
    known, others = notes.read(target, key, opened.manifest.store)
    done = restoring.restore(opened, to, _now(), known, left)
    for line in _said(opened.manifest, done, others):
        click.echo(line)


def _said(made: "Manifest", done: "Restored", others: int) -> Iterator[str]:
    """What a restore came to, and what nobody can know, each in a sentence; `others` is how many notes are
    sealed for another key."""
    proven, settled = done.proven, done.settled
    at = f"{made.made_at:%Y-%m-%d %H:%M} UTC"
    yield f"{made.store} is back in {done.config.directory} as it was at {at}."
    yield (
        f"Its configuration is {done.config.directory}/edge.toml; an installed server reads "
        f'/etc/floorbell/edge.toml: put it there, with data = "{done.config.directory}" as its first line.'
    )
    yield (
        f"Proven: {proven.rows} rows, {done.clips} files of clips by their hashes, {proven.entries} entries "
        f"of the custody log, the signed head over {proven.signed}, heads countersigned by "
        f"{proven.witnesses} devices."
    )
    yield f"All {settled.sessions} sign-ins have ended; everybody signs in again."
    if settled.purged:
        yield f"{settled.purged} clips whose time is over were not brought back."
    if done.asked:
        yield f"{done.asked} clips were not in the backup; their kiosks are asked for them."
    if settled.shut_out or settled.erased:
        yield (
            f"Shut out again: {settled.shut_out} devices, certificates, people or tokens; names erased again "
            f"in {settled.erased} entries."
        )
    yield (
        f"Not known: who was shut out, and whose name was erased, after {done.known_at:%Y-%m-%d %H:%M} UTC. "
        "Whoever was revoked, disabled or erased since then is to be so again, by you."
    )
    if others:
        yield f"{others} notes of who was shut out or erased are sealed for another recovery key: not read."
    yield (
        "Not known either: who was let in, and what was set at the desk, after the backup. Devices "
        "that were let in since then are let in anew; a certificate that was renewed since counts by itself. "
        "Recovery codes used since are good once more, and numbers of incidents are given again."
    )
    if settled.unknown:
        yield f"{settled.unknown} requests for help were open then; what became of them is not known."
    if settled.urgent:
        yield f"{settled.urgent} security requests were open then: people are called until somebody answers."
    if done.stopped or done.releases:
        yield (
            f"Releases for kiosks are in no backup: {done.releases} are to be added again, and "
            f"{done.stopped} roll-outs that were going on are stopped."
        )
    if done.without_outbox:
        yield f"These keep nothing that they could send again: {', '.join(done.without_outbox)}."
    yield "Start the programs: kiosks send again what came after the backup, of the last 7 days."


@contextmanager
def _space() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="floorbell-check-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _key(file: Path | None) -> "RecoveryKey":
    from edge.backup.recovery import RecoveryKey

    if file is None:
        return RecoveryKey.parse(str(click.prompt("Recovery key", hide_input=True, err=True)))
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"The recovery key in {file} cannot be read: {error}.") from None
    # As age-keygen writes them, with remarks.
    return RecoveryKey.parse(next((line for line in lines if line.strip() and not line.startswith("#")), ""))


def _written_down(config: EdgeConfig, run: Run) -> None:
    with writing(config) as conn:
        backups.record(conn, config.store, run)


def _has_database(config: EdgeConfig) -> bool:
    return "://" in config.database or (Path(config.directory) / config.database).exists()


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'The disk'}: {error.strerror or error}."[:500]
    return str(error)[:500]


def _write_new(path: Path, text: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise DeployError(f"{path} is there already; choose another name.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
