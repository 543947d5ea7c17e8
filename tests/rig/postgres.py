"""A PostgreSQL of the tests' own, from apt's binaries: one cluster for a run, a fresh database for a test."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.rig.place import place

_UNPRIVILEGED = ("postgres", "nobody")
_CLUSTER = ("-U", "floorbell", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
# Nothing here must survive a power cut, and the suite should not wait for a disk.
_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=",
    "max_connections=60",
    "autovacuum=off",
)
_START_S = 30.0


class Postgres:
    """A running cluster that only this machine's socket reaches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://floorbell@/{database}?host={self._folder}"

    def create(self, template: str = "template0") -> str:
        """The name of a new database, a copy of `template`, to which nobody may be connected."""
        self._made += 1
        name = f"store_{self._made}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, database: str) -> None:
        self._run(f"DROP DATABASE {database} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self._folder), user="floorbell", dbname="postgres", autocommit=True
        ) as conn:
            conn.execute(statement.encode())


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """A cluster in a folder of its own with a short name: it is the path of a socket."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="floorbell-pg-", dir=place()))
    log = folder / "log"
    process = None
    try:
        become = _unprivileged(folder)
        data = folder / "data"
        made = subprocess.run(
            [*become, binaries / "initdb", "-D", data, *_CLUSTER],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise RuntimeError(f"initdb could not make a cluster in {folder}: {made.stderr.strip()}")
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*become, binaries / "postgres", "-D", data, "-k", folder, *settings],
                cwd=folder,
                stdout=out,
                stderr=out,
            )
        _wait(folder, process, log)
        yield Postgres(folder)
    finally:
        if process is not None:
            # "Immediate": nobody needs a checkpoint of what is deleted next.
            process.send_signal(signal.SIGQUIT)
            process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    if there := shutil.which("initdb"):
        return Path(there).resolve().parent
    raise RuntimeError("The store's tests also need PostgreSQL; install it with: apt-get install postgresql")


def _unprivileged(folder: Path) -> list[str]:
    """What to put before a command so that it does not run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return []
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(folder, user.pw_uid, user.pw_gid)
            folder.chmod(0o755)
            return [
                "setpriv",
                f"--reuid={user.pw_uid}",
                f"--regid={user.pw_gid}",
                "--clear-groups",
                "--pdeathsig=QUIT",
                "--",
            ]
    raise RuntimeError("PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody'.")


def _wait(folder: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            psycopg.connect(host=str(folder), user="floorbell", dbname="postgres").close()
            return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text().strip()}") from error
            time.sleep(0.05)
