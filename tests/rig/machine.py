"""A kiosk's machine as install.sh lays it out, in a folder and without root: two slots, the keeper, and
somebody who starts the kiosk as systemd would."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from deploy.demo.control import Hand
from kiosk.keeper.slots import RESTART, Slots
from kiosk.updating import installer
from tests.rig import kiosk, releases
from tests.rig.store import Rig

# Of 2 minutes, so that a test need not wait so long.
STEADY_S = 1.0
AGAIN_S = 0.3


class Machine:
    """One kiosk of the rig's store; a release has `within_s` to be well. `start` lets it run; `cut` is a
    power cut, as far as processes go."""

    def __init__(
        self, rig: Rig, device: str, key: str, version: str = "0.1.0", within_s: float = 60.0
    ) -> None:
        self.rig, self.device = rig, device
        self.folder = kiosk.configure(rig, device).parent
        self.root, self.keys = self.folder / "opt", self.folder / "release.keys"
        self.keys.write_text(f"{key}  the shop's\n")
        self.config = self.folder / "kiosk.toml"
        lines = ["[update]", f'root = "{self.root}"', "limit_kib_s = 0"]
        lines += [f"healthy_within_s = {within_s}", f"steady_s = {STEADY_S}"]
        self.config.write_text(self.config.read_text() + "\n".join(lines) + "\n")
        self.slots = Slots(self.root)
        slot = releases.source(self.slots.slot("a"), version)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", slot / ".venv"], check=True)
        installer.write_script(slot)
        self._run("lay")
        self.slots.turn("a")
        self.starts = 0
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def hand(self) -> Hand:
        """What presses its buttons; while the kiosk runs."""
        return Hand(self.folder / "hand")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """The power is there: the keeper and the kiosk are started, again and again."""
        self._stop.clear()
        looks = (self._look_after_keeper, self._look_after_kiosk)
        self._threads = [
            threading.Thread(target=look, name=f"{self.device}-{n}") for n, look in enumerate(looks)
        ]
        for thread in self._threads:
            thread.start()

    def cut(self) -> None:
        """kill -9 of everything, in the middle of whatever it was."""
        self._stop.set()
        for process in list(self._processes):
            self._signal(process, signal.SIGKILL)
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _look_after_keeper(self) -> None:
        while not self._stop.is_set():
            command = ("keep", "--config", self.config, "--keys", self.keys)
            self._begin(self._keeper(*command)).wait()
            self._stop.wait(AGAIN_S)

    def _look_after_kiosk(self) -> None:
        restart = self.root / RESTART
        while not self._stop.is_set():
            self._begin(self._keeper("choose")).wait()
            asked = _changed(restart)
            slot = (self.root / "current").resolve()
            process = self._begin(
                [
                    *(slot / ".venv/bin/python", "-m", "deploy.demo.kiosk"),
                    *("--config", self.config, "--socket", self.folder / "hand"),
                ],
                f"{slot}:{releases.SITE}",
            )
            self.starts += 1
            while process.poll() is None and not self._stop.wait(0.05):
                if _changed(restart) != asked:
                    self._signal(process, signal.SIGTERM)
                    try:
                        process.wait(8)
                    except subprocess.TimeoutExpired:
                        self._signal(process, signal.SIGKILL)
            process.wait()
            self._stop.wait(AGAIN_S)

    def _keeper(self, command: str, *arguments: object) -> list[object]:
        base = [sys.executable, "-P", "-B", "-m", "kiosk.keeper", command, "--root", self.root]
        return [*base, *arguments]

    def _run(self, command: str) -> None:
        subprocess.run(
            list(map(str, self._keeper(command))), check=True, cwd=releases.ROOT,
            env={**os.environ, "PYTHONPATH": str(releases.ROOT)},
        )  # fmt: skip

    def _begin(self, command: list[object], path: str = "") -> subprocess.Popen[bytes]:
        path = path or f"{self.root / 'keeper'}:{releases.SITE}"
        with open(self.folder / "log", "ab") as log:
            process = subprocess.Popen(
                list(map(str, command)), cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": path}, start_new_session=True,
            )  # fmt: skip
        self._processes = [one for one in self._processes if one.poll() is None] + [process]
        if self._stop.is_set():
            # The cut came meanwhile.
            self._signal(process, signal.SIGKILL)
        return process

    def _signal(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def is_up(machine: Machine, patience_s: float = 60.0) -> bool:
    """Whether a kiosk on it answers to whoever stands there, at last."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            machine.hand.look()
            return True
        except Exception:
            time.sleep(0.1)
    return False
