"""A hint from another process of this machine that rows wait for the worker. A lost one costs a second."""

import contextlib
import os
import socket
from pathlib import Path

from edge.errors import StorageError


class _Address:
    """The socket's address by way of its folder's descriptor: a path of its own may have 107 signs only."""

    def __init__(self, path: Path) -> None:
        self._folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.name = f"/proc/self/fd/{self._folder}/{path.name}"

    def close(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1


class Hinter:
    """Sends hints; never blocks and never fails: the worker looks at least once a second anyway."""

    def __init__(self, path: Path) -> None:
        self._address = _Address(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendto(b"h", self._address.name)

    def close(self) -> None:
        """May be called twice."""
        self._socket.close()
        self._address.close()


class HintListener:
    """The worker's end. `wait` blocks up to a time and says whether a hint came; several count as one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            path.unlink(missing_ok=True)
            self._address = _Address(path)
            self._socket.bind(self._address.name)
            path.chmod(0o600)
        except OSError as error:
            self._socket.close()
            raise StorageError(f"The worker cannot listen at {path}: {error.strerror}.") from None

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
        """May be called twice."""
        self._socket.close()
        self._address.close()
        self._path.unlink(missing_ok=True)
