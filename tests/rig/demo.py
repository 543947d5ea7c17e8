"""The running demo, and the browser that looks at it."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.mosquitto import free_port
from tests.rig.store import ROOT

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip


def chromium() -> str:
    """Debian's Chromium. AssertionError that says how to get it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program is not None, "Chromium is not installed; on Debian: apt-get install chromium."
    return program


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[str]:
    """The address of a demo in this folder, once everything in it works together."""
    where = ("--data", str(folder), "--port", str(free_port()))
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "demo", *where, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    try:
        found = re.search(r"Open\s+(http://\S+)/", said)
        assert found is not None, f"The demo did not start: {said}"
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
