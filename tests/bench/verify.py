"""`floorbell evidence verify` over a bundle of real size, beside hashing the same file and nothing else.
No assertions."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from statistics import median
from uuid import uuid4

from edge.db.engine import connect
from edge.evidence.findings import Known
from edge.evidence.verify import verify
from tests.rig.footage import Shot, seal
from tests.rig.store import ROOT, STORE, Rig

MEGABYTE = 1_000_000
TURNS = 5


def run(directory: Path, megabytes: int = 500, clips: int = 20) -> dict[str, float]:
    """The figures; prints them."""
    rig = Rig.make(directory)
    figures: dict[str, float] = {}
    for name, number in (("", clips), ("one_", 1)):
        path, given = _exported(rig, megabytes // number, number)
        keys = frozenset(value for flag, value in given if flag == "key")
        ways = {
            "bare": lambda path=path: _bare(path),
            "verify": lambda path=path, keys=keys: _verify(path, keys),
            "command": lambda path=path, given=given: _command(path, given),
            "sha256sum": lambda path=path: subprocess.run(
                ("sha256sum", path), check=True, capture_output=True
            ),
        }
        took: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(TURNS):
            for way, act in ways.items():
                took[way].append(_seconds(act))
        size_mb = path.stat().st_size / MEGABYTE
        figures |= {f"{name}{way}_mb_s": size_mb / median(seconds) for way, seconds in took.items()}
        figures[f"{name}ratio"] = median(took["bare"]) / median(took["verify"])
        _say(figures, name, size_mb, number)
        path.unlink()
    return figures


def _say(f: dict[str, float], name: str, size_mb: float, clips: int) -> None:
    print(
        f"verify    {f[f'{name}verify_mb_s']:5.0f} MB/s of {size_mb:.0f} MB in {clips} clips; "
        f"hashlib alone {f[f'{name}bare_mb_s']:.0f}: {f[f'{name}ratio']:.2f} of it (aim: near 1)   "
        f"the command, start and all, {f[f'{name}command_mb_s']:.0f}; "
        f"sha256sum {f[f'{name}sha256sum_mb_s']:.0f}"
    )


def _exported(rig: Rig, megabytes: int, number: int) -> tuple[Path, list[tuple[str, str]]]:
    """A bundle as the desk's command writes it, and the keys and head that it says to verify it with."""
    engine, now, ids = connect(rig.config.database_url, write=True), datetime.now(UTC), []
    for place in range(number):
        at = now + timedelta(seconds=place)
        shot = Shot(STORE, "kiosk-1", "shoes", str(uuid4()), at, os.urandom(megabytes * MEGABYTE))
        with engine.begin() as conn:
            ids.append(seal(conn, rig.config.vault_path, shot, at))
    engine.dispose()
    path = rig.directory / f"{number}.zip"
    wanted = [word for clip in ids for word in ("--clip", clip)]
    why = ("--by", "Mira", "--reason", "For the court.")
    said = _run("evidence", "export", "--config", str(rig.directory / "edge.toml"), *wanted, *why, str(path))
    return path, re.findall(r"--(key|head) (\S+)", said)


def _bare(path: Path) -> None:
    with open(path, "rb") as file:
        file_digest(file, "sha256").hexdigest()


def _verify(path: Path, keys: frozenset[str]) -> None:
    verify(path, Known(keys))


def _command(path: Path, given: list[tuple[str, str]]) -> None:
    _run("evidence", "verify", *(word for flag, value in given for word in (f"--{flag}", value)), str(path))


def _run(*words: str) -> str:
    command = (sys.executable, "-m", "deploy.cli", *words)
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin
