"""`python -m kiosk screen` beside a panel that a test plays."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.rig.panel import FakePanel, until

ROOT = Path(__file__).resolve().parents[2]


class Screen:
    """See the module. It serves at `address`; `panel` says what is shown and hears what is touched."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "outbox" / "screen.sock"
        self.socket.parent.mkdir()
        self._config = folder / "kiosk.toml"
        self._config.write_text(
            'store = "shop"\ndevice = "kiosk-1"\nzone = "shoes"\nlanguages = ["en", "ca", "sr", "it", "pt"]\n'
            '[screen]\n[broker]\nhost = "localhost"\nidentity = "identity"\n'
            '[[button]]\nname = "till"\npin = 17\naction = "help"\ntopic = "till"\n'
        )
        self.port = 0
        self.panel = FakePanel(self.socket)
        self.panel.show()
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        command = [sys.executable, "-m", "kiosk", "screen", "--config", str(self._config)]
        self._log = (self._config.parent / "log").open("w+")
        self._process = subprocess.Popen([*command, "--port", str(self.port)], cwd=ROOT, stderr=self._log)
        found = until(lambda: re.search(r"127\.0\.0\.1:(\d+)/", Path(self._log.name).read_text()))
        self.port = int(found[1])
        until(lambda: self.panel.connections)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._log.close()
        self.panel.connections.clear()

    def new_panel(self) -> None:
        self.panel = FakePanel(self.socket)

    def close(self) -> None:
        self.kill()
        self.panel.close()
