"""A hint from another process of this machine that rows wait for the worker. A lost one costs a second."""

import contextlib
import socket
from pathlib import Path


class Hinter:
    """Sends hints; never blocks and never fails: the worker looks at least once a second anyway."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendto(b"h", self._path)

    def close(self) -> None:
        self._socket.close()


class HintListener:
    """The worker's end. `wait` blocks up to a time and says whether a hint came; several count as one."""

    def __init__(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        path.chmod(0o600)

    def wait(self, timeout_s: float) -> bool:
        self._socket.settimeout(timeout_s)
        try:
            self._socket.recv(16)
            self._socket.setblocking(False)
            while True:
                self._socket.recv(16)
        except TimeoutError:
            return False
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
