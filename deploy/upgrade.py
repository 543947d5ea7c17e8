"""`floorbell upgrade`: a store's database on its way to another release, for deploy/install.sh.

Before a migration the database is copied. A release refuses a database that is newer than itself, so going
back after a migration means going back to that copy, and what came since is not in it: never done unasked.
"""

import contextlib
import datetime as dt
import json
import os
import shutil
import sqlite3
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from broker import files
from deploy.asking import CONFIG
from deploy.errors import DeployError
from edge.config import EdgeConfig, load_config
from edge.db.engine import VERSION, migrate
from edge.errors import EdgeError
from edge.worker.lock import take_lock

FOLDER = "before-upgrade"
NOTE = "last.json"
_SQLITE = "sqlite:///"
_READY_LOOK_S = 0.5
# What only grows, and is not to be lost unasked: presses, what people did about them and who called from a
# phone, what was looked at of the evidence (kiosks hold the log's head), and what was changed at the desk.
GROWS = ("event", "interaction", "timeline", "custody", "audit")


@dataclass(frozen=True, slots=True)
class Copied:
    """The copy that was made before the last migration: of which version, and with how many entries."""

    file: str
    version: str
    entries: int


@click.group(hidden=True)
def upgrade() -> None:
    """The database on its way to another release; the installer calls this while no program runs."""


@upgrade.command("database")
@click.option("--copied-elsewhere", is_flag=True, help="A database that is no file was copied by somebody.")
@CONFIG
def upgrade_database(copied_elsewhere: bool, config: Path) -> None:
    """Copy the database and bring it to this release."""
    loaded = load_config(config)
    path = _file(loaded)
    if path is None:
        if not copied_elsewhere:
            raise DeployError(
                f"{loaded.database.partition(':')[0]} is no file that can be copied here; "
                "copy the database, then call this with --copied-elsewhere."
            )
        migrate(loaded.database_url)
        click.echo(f"The database stands at {VERSION}.")
        return
    with _alone(loaded):
        click.echo(bring_forward(path, Path(loaded.directory) / FOLDER, dt.datetime.now(dt.UTC)))


@upgrade.command("undo")
@click.option("--with-database", is_flag=True, help="Put the copy back, whatever has come since.")
@CONFIG
def upgrade_undo(with_database: bool, config: Path) -> None:
    """Bring the database back to this release, by the copy that was made before it was migrated."""
    loaded = load_config(config)
    path = _file(loaded)
    if path is None:
        click.echo("The database is no file; that it fits this release is shown once the programs start.")
        return
    with _alone(loaded):
        click.echo(bring_back(path, Path(loaded.directory) / FOLDER, dt.datetime.now(dt.UTC), with_database))


@upgrade.command("ready")
@click.option("--within", "within_s", default=60.0, show_default=True, help="Seconds.")
@CONFIG
def upgrade_ready(within_s: float, config: Path) -> None:
    """Wait until the store's own page says that all is ready."""
    web = load_config(config).web
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(web.host, web.host)
    scheme, context = ("http", None) if web.tls == "proxy" else ("https", ssl.create_default_context())
    if context is not None:
        # This machine itself, by an address that its certificate need not name; nothing is told to it.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    url = f"{scheme}://{host}:{web.port}/readyz"
    deadline, said = time.monotonic() + within_s, "nothing"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5, context=context):
                click.echo("The store is ready.")
                return
        except urllib.error.HTTPError as error:
            said = " ".join(error.read(400).decode(errors="replace").split())
        except OSError as error:
            said = str(error)
        time.sleep(_READY_LOOK_S)
    raise DeployError(f"The store is not ready after {within_s:g} s; {url} said: {said}.")


def bring_forward(path: Path, folder: Path, now: dt.datetime) -> str:
    """Copy the database at `path` into `folder` and migrate it; what was done, in a sentence. Where the
    migration fails the database is as it was. DeployError."""
    found, entries = standing(path)
    if found == VERSION:
        return f"The database stands at {VERSION} already."
    if found > VERSION:
        raise DeployError(
            f"The database stands at {found}, this release knows {VERSION} at most; install a newer release."
        )
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = folder / f"{path.name}.{found}.{now:%Y%m%dT%H%M%S}"
    _copy(path, copy)
    note = Copied(copy.name, found, entries)
    files.write(folder / NOTE, json.dumps(asdict(note)).encode())
    try:
        migrate(f"{_SQLITE}{path}")
    except EdgeError as error:
        _put(copy, path)
        raise DeployError(f"{error} It was put back as it was, from {copy}.") from None
    return f"The database was copied to {copy} and brought from {found} to {VERSION}."


def bring_back(path: Path, folder: Path, now: dt.datetime, with_database: bool) -> str:
    """Have the database at this program's version again; what was done, in a sentence.

    Without `with_database` the copy is put back only if nothing of GROWS has come since it was made. What is
    replaced is kept beside the copy. DeployError.
    """
    found, entries = standing(path)
    if found == VERSION:
        return f"The database stands at {VERSION}, as the release needs it."
    copied = _note(folder / NOTE)
    if copied is None or copied.version != VERSION or not (folder / copied.file).exists():
        raise DeployError(
            f"The database stands at {found}, the release before needs {VERSION}, and {folder} holds no copy "
            "of that version; restore a backup, or stay with this release."
        )
    came = entries - copied.entries
    if came and not with_database:
        raise DeployError(
            f"The database stands at {found}, the release before needs {VERSION}; going back to the "
            f"copy {copied.file} loses {_entries(came)} that came since; --with-database does so and keeps "
            "them aside."
        )
    aside = folder / f"{path.name}.{found}.{now:%Y%m%dT%H%M%S}"
    _copy(path, aside)
    _put(folder / copied.file, path)
    more = _entries(came)
    return f"The database is the copy {copied.file} again; what it was is in {aside}, with {more} more."


def standing(path: Path) -> tuple[str, int]:
    """The version of the database at `path`, and how many entries of GROWS it holds. DeployError."""
    if not path.exists():
        raise DeployError(f"There is no database {path}; 'deploy/install.sh server --store NAME' makes one.")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
            version = conn.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            counts = [conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in GROWS]
            return str(version), sum(map(int, counts))
    except (sqlite3.Error, TypeError) as error:
        raise DeployError(f"The database {path} cannot be read: {error}.") from None


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'} of contacts, evidence and changes"


def _file(config: EdgeConfig) -> Path | None:
    url = config.database_url
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


@contextlib.contextmanager
def _alone(config: EdgeConfig) -> Iterator[None]:
    """As the worker does, so that none runs meanwhile."""
    lock = take_lock(config)
    try:
        yield
    finally:
        lock.close()


def _copy(path: Path, to: Path) -> None:
    """With all that still stands in its log (WAL). On the disk when it returns."""
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(handle)
    try:
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(to)) as target,
        ):
            source.backup(target)
        with to.open("rb") as file:
            os.fsync(file.fileno())
    except (sqlite3.Error, OSError) as error:
        to.unlink(missing_ok=True)
        raise DeployError(f"The database {path} cannot be copied to {to}: {error}.") from None


def _put(copy: Path, path: Path) -> None:
    """`copy` in the place of the database at `path`, whose log belongs to what is replaced."""
    new = path.with_name(f"{path.name}.new")
    shutil.copyfile(copy, new)
    new.chmod(0o600)
    with new.open("rb") as file:
        os.fsync(file.fileno())
    # A power cut between these leaves what is replaced whole: its log is empty before it goes.
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    new.replace(path)
    files.sync(path.parent)


def _note(path: Path) -> Copied | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Copied(str(said["file"]), str(said["version"]), int(said["entries"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
