"""Which of the rig's programs are up: alive, not stopped, and ready by their own word to systemd."""

import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path

from tests.faults.paths import History
from tests.rig.store import Rig

LOOK_S = 0.02
# These say READY=1 (sd_notify(3)); the others are up as soon as they are there.
SAY_READY = ("worker", "kiosk")


class Watched:
    """Looks at every process of the rig from its making to `close`, and writes into `history`."""

    def __init__(self, rig: Rig, history: History) -> None:
        self._rig, self._history = rig, history
        self._folder = Path(tempfile.mkdtemp(prefix="fb-ready-"))
        self._sockets: dict[str, socket.socket] = {}
        self._ready: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        rig.notified = self._listen
        self._thread = threading.Thread(target=self._run, name="watched", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self._rig.notified = None
        for sock in self._sockets.values():
            sock.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listen(self, program: str) -> str:
        """A new run of a program begins: it is not ready yet."""
        with self._lock:
            self._ready.discard(program)
            if program in self._sockets:
                self._sockets[program].close()
            path = self._folder / program
            path.unlink(missing_ok=True)
            sock = self._sockets[program] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.bind(str(path))
            return str(path)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            with self._lock:
                for program, sock in self._sockets.items():
                    self._hear(program, sock)
            broker = self._rig.broker
            self._history.mark("broker", broker is not None and _runs(broker.pid), time.monotonic())
            for program, process in list(self._rig.processes.items()):
                ready = program in self._ready or not program.startswith(SAY_READY)
                alive = ready and process.returncode is None and _runs(process.pid)
                self._history.mark(program, alive, time.monotonic())

    def _hear(self, program: str, sock: socket.socket) -> None:
        try:
            while True:
                if b"READY=1" in sock.recv(200):
                    self._ready.add(program)
        except BlockingIOError:
            return


def _runs(pid: int | None) -> bool:
    """Neither ended nor stopped (proc_pid_stat(5))."""
    if pid is None:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "TtZX"
