"""Puts a signed release into the slot that is not in use. Run by the keeper, in the program that runs now.

The file was brought by the kiosk, who may be anybody: nothing of it is believed before its signature, nothing
is written that was not compared with what was signed, and nothing outside of the slot. No network is used.
"""

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from broker import release
from broker.release import Archive, Manifest, ReleaseError
from kiosk import VERSION, disk
from kiosk.config import Config
from kiosk.keeper.slots import PROGRAM, Slots

ROOM = 2.5
SPARE_BYTES = 64_000_000
SELF_TEST_S = 180.0
# All of it together: the keeper's own patience is longer.
BUILD_S = 1400.0
_SCRIPT = """#!/bin/sh
export PYTHONPATH='{slot}'${{PYTHONPATH:+":$PYTHONPATH"}}
# A kiosk has little memory: it loads nothing of the server's.
if [ "${{1:-}}" = kiosk ]; then
    shift
    exec '{slot}/.venv/bin/python' -m kiosk "$@"
elif [ "${{1:-}}" = camera ]; then
    exec '{slot}/.venv/bin/python' -m kiosk "$@"
fi
exec '{slot}/.venv/bin/python' -m deploy.cli "$@"
"""


def install(
    slots: Slots, name: str, path: Path, version: str, keys: Path, config: Config, where: Path
) -> None:
    """Fill the slot `name` with the release in `path`, which was called `version`; `config` was read from
    `where`. ReleaseError with one sentence: the slot is then not whole, and never started from."""
    os.umask(0o022)
    with _opened(path) as file:
        archive = Archive(file)
        manifest, _ = release.check(archive, _keys(keys))
        if manifest.version != version:
            raise ReleaseError(f"The release is {manifest.version}; {version} was told of.")
        release.may_replace(manifest, VERSION, f"{sys.version_info.major}.{sys.version_info.minor}")
        locks = _locks(manifest, config)
        slots.begin(name)
        _make_sure_of_room(slots.root, manifest)
        _unpack(archive, manifest, slots.slot(name))
    slot = slots.slot(name)
    _build(slot, locks, time.monotonic() + BUILD_S)
    _try(slot, version, where)
    shutil.rmtree(slot / "wheels")
    slots.finish(name)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ReleaseError(f"The release cannot be read: {error.strerror}.") from None
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise ReleaseError("The release is not a file.")
        yield file


def _keys(path: Path) -> list[str]:
    try:
        return release.read_keys(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"The release keys in {path} cannot be read: {error}.") from None


def _locks(manifest: Manifest, config: Config) -> list[str]:
    """What this kiosk installs: for itself, its screen and its camera."""
    parts = ["kiosk"] + ["screen"] * (config.screen is not None) + ["camera"] * (config.camera is not None)
    held = {file.path for file in manifest.files}
    wanted = [f"requirements/{part}.txt" for part in parts]
    if missing := [lock for lock in wanted if lock not in held]:
        raise ReleaseError(f"The release has no {missing[0]}, which this kiosk needs.")
    return wanted


def _make_sure_of_room(root: Path, manifest: Manifest) -> None:
    needed = int(manifest.size * ROOM) + SPARE_BYTES
    free = disk.free_bytes(root)
    if free is not None and free < needed:
        mega = 1_000_000
        raise ReleaseError(f"{needed // mega} MB are needed for the release; {free // mega} MB are free.")


def _unpack(archive: Archive, manifest: Manifest, slot: Path) -> None:
    for file, content in archive.contents(manifest):
        path = slot / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(number, "wb") as out:
            for chunk in content:
                out.write(chunk)
    (slot / release.MANIFEST).write_bytes(archive.written)


def _build(slot: Path, locks: list[str], until_s: float) -> None:
    """Its own .venv, of the wheels that came along and nothing else."""

    def run(command: list[str], *, must: bool = True) -> None:
        _run(command, slot, max(0.0, until_s - time.monotonic()), must)

    python, wheels = slot / ".venv/bin/python", slot / "wheels"
    base = getattr(sys, "_base_executable", sys.executable)
    seen = ["--system-site-packages"] if _sees_system() else []
    run([base, "-m", "venv", "--without-pip", *seen, str(slot / ".venv")])
    pip = next(iter(sorted(wheels.glob("pip-*.whl"))), None)
    if pip is None:
        raise ReleaseError("The release brings no pip.")
    wanted = [part for lock in locks for part in ("-r", str(slot / lock))]
    run(
        [
            *(str(python), str(pip / "pip"), "install", "--no-index", "--find-links", str(wheels)),
            *("--require-hashes", "--only-binary", ":all:", "--no-cache-dir", "--no-compile", "--no-input"),
            *("--disable-pip-version-check", "--isolated", "-q", *wanted),
        ]
    )
    # Nobody who runs it can write there.
    compiled = [str(slot / part) for part in ("broker", "kiosk", ".venv/lib")]
    run([str(python), "-m", "compileall", "-q", *compiled], must=False)
    write_script(slot)


def write_script(slot: Path) -> None:
    """What starts every program of the slot."""
    script = slot / PROGRAM
    script.write_text(_SCRIPT.format(slot=slot), encoding="utf-8")
    script.chmod(0o755)


def _sees_system() -> bool:
    """Whether this program sees the packages of apt: lgpio and picamera2 are there on a Pi."""
    try:
        said = (Path(sys.prefix) / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    return "include-system-site-packages = true" in said.lower()


def _try(slot: Path, version: str, config: Path) -> None:
    """The release loads all that it will run here, reads this kiosk's configuration and says its version."""
    command = [str(slot / PROGRAM), "kiosk", "check", "--self", "--config", str(config)]
    said = _run(command, slot, limit_s=SELF_TEST_S).strip().splitlines()
    if not said or said[-1] != version:
        raise ReleaseError(f"The release does not say that it is {version}, as its manifest does.")


def _run(command: list[str], slot: Path, limit_s: float, must: bool = True) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=slot,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReleaseError("The release was not ready in time.") from None
    if done.returncode and must:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise ReleaseError(f"The release cannot be made ready here: {said[-1][:200]}")
    return done.stdout.decode(errors="replace")
