"""`floorbell release add | list | roll-out | stop | call-back`: on the store server, which carries them."""

import os
import shutil
from hashlib import file_digest
from pathlib import Path
from typing import IO

import click
import sqlalchemy as sa

from broker import files, release
from deploy import provision as making
from deploy.asking import CONFIG
from deploy.errors import DeployError
from deploy.register import now
from deploy.release import keys_in
from edge.config import EdgeConfig, load_config
from edge.handling import updating
from edge.updates import store as updates


def add(config: EdgeConfig, path: Path) -> str:
    """Verify a release by the keys that count here, and keep it; its version. ReleaseError, DeployError."""
    with path.open("rb") as file:
        manifest, key = release.check_whole(file, keys_in(config.release_keys_path))
        file.seek(0)
        digest, size = file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
        if size > release.MAX_RELEASE_BYTES:
            raise DeployError(f"The release has {size} bytes; allowed are {release.MAX_RELEASE_BYTES}.")
        path, was_there = config.releases_path / digest, (config.releases_path / digest).exists()
        _keep(config, file, path)
    try:
        with making.writing(config) as conn:
            updating.add(conn, config.store, making.ACTOR, manifest, digest, size, key, now())
    except Exception:
        if not was_there:
            path.unlink(missing_ok=True)
        raise
    return manifest.version


def _keep(config: EdgeConfig, file: IO[bytes], path: Path) -> None:
    """In the vault's folder, for those who own that one. On the disk when it returns."""
    folder, beside = path.parent, path.with_name(f".{path.name}.new")
    folder.mkdir(parents=True, exist_ok=True)
    owner = config.vault_path.stat()
    file.seek(0)
    try:
        with beside.open("wb") as out:
            shutil.copyfileobj(file, out)
            out.flush()
            os.fsync(out.fileno())
        beside.chmod(0o640)
        if os.geteuid() == 0:
            for one in (folder, beside):
                os.chown(one, owner.st_uid, owner.st_gid)
        beside.replace(path)
        files.sync(folder)
    except OSError as error:
        raise DeployError(f"The release cannot be kept in {folder}: {error.strerror or error}.") from None
    finally:
        beside.unlink(missing_ok=True)


@click.command("add")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@CONFIG
def release_add(path: Path, config: Path) -> None:
    """Verify a release and carry it from now on. No kiosk is told of it yet."""
    version = add(load_config(config), path)
    click.echo(f"The release {version} is here. To roll it out, one kiosk first:")
    click.echo(f"  floorbell release roll-out {version} --first KIOSK")


@click.command("list")
@CONFIG
def release_list(config: Path) -> None:
    """The releases here, what each kiosk runs, and how far the newest roll-out is."""
    loaded = load_config(config)
    with making.reading(loaded) as conn:
        carried = updates.releases(conn, loaded.store)
        kiosks = updates.renewable(conn, loaded.store)
        newest = updates.newest(conn, loaded.store, 1)
        parts = updates.parts(conn, newest[0].id) if newest else []
    for one in carried:
        click.echo(
            f"{one.version:<12}  {one.bytes / 1e6:6.1f} MB  added {one.added_at:%Y-%m-%d} by {one.added_by}"
        )
    if not carried:
        click.echo("There is no release here yet.")
    for row in kiosks:
        click.echo(f"{row.name:<32}  runs {row.version or 'what is not known'}")
    for rolled in newest:
        click.echo(f"Roll-out of {rolled.version}: {rolled.state}. {rolled.words}".rstrip())
    for part in parts:
        click.echo(f"  {part.device:<30}  {part.state.replace('_', ' ')}  {part.reason}".rstrip())


@click.command("roll-out")
@click.argument("version")
@click.option("--first", required=True, help="The kiosk that goes first.")
@click.option(
    "--after",
    "minutes",
    default=updating.SOAK_MINUTES,
    show_default=True,
    help="Minutes until the others follow.",
)
@click.option("--batch", default=updating.BATCH, show_default=True, help="How many of them at once.")
@CONFIG
def release_roll_out(version: str, first: str, minutes: int, batch: int, config: Path) -> None:
    """Tell one kiosk of the release VERSION, and the others once it is well for a while."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        updating.roll_out(
            conn,
            loaded.store,
            making.ACTOR,
            version,
            first,
            now(),
            minutes,
            batch,
            vault_url=loaded.vault.url,
        )
    click.echo(f"The roll-out of {version} begins with {first}.")


@click.command("stop")
@CONFIG
def release_stop(config: Path) -> None:
    """Tell no further kiosk of the release that is being rolled out."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        found = _newest(conn, loaded.store)
        updating.stop(conn, loaded.store, making.ACTOR, found.id, now())
    click.echo(f"No further kiosk is told of {found.version}. Those that have it, or are fetching it, go on.")


@click.command("call-back")
@CONFIG
def release_call_back(config: Path) -> None:
    """Tell every kiosk that has the newest release, or is at it, to go back to what ran before."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        found = _newest(conn, loaded.store)
        updating.call_back(conn, loaded.store, making.ACTOR, found.id, now())
    click.echo(f"{found.version} is called back.")


def _newest(conn: sa.Connection, store: str) -> updates.Rolled:
    found = updates.newest(conn, store, 1)
    if not found:
        raise DeployError("Nothing was ever rolled out here.")
    return found[0]


ON_SERVER = (release_add, release_list, release_roll_out, release_stop, release_call_back)
