"""Whether Mosquitto answers, for systemd's watchdog: a connection of our own, and a ping on it now and then.

A broker that hangs still takes connections, because the kernel does; only an answer shows that it lives. A
refusal is an answer: that a certificate is out of date must not have the broker started anew for ever. And
where our own certificate cannot be read nobody can ask, and a broker started anew would not mend it.
"""

import socket
import ssl
import threading
from collections.abc import Callable

from broker.cutting import from_here
from broker.errors import BrokerError
from broker.tls import Credentials, tls_context

EVERY_S = 5.0
PATIENCE_S = 5.0
CLIENT = b"broker-pulse"
# MQTT 5: CONNECT with a clean start, a keepalive of 60 s and no properties (section 3.1); PINGREQ (3.12).
_HEAD = b"\x00\x04MQTT\x05\x02\x00\x3c\x00" + len(CLIENT).to_bytes(2, "big") + CLIENT
CONNECT = b"\x10" + bytes([len(_HEAD)]) + _HEAD
PING = b"\xc0\x00"


class Pulse:
    """One thread; calls `lives` after each answer. `credentials` are those of a program of ours; `say` gets a
    sentence when they cannot be used."""

    def __init__(
        self,
        host: str,
        port: int,
        credentials: Credentials,
        lives: Callable[[], None],
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._at = from_here(host), port
        self._credentials, self._lives, self._say = credentials, lives, say
        self._said = ""
        self._line: ssl.SSLSocket | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker-pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * PATIENCE_S)

    def beat(self) -> bool:
        """Whether the broker answered, be it with a refusal, or could not be asked at all."""
        try:
            if self._line is None:
                self._line = self._connect()
            self._line.settimeout(PATIENCE_S)
            self._line.sendall(PING)
            if self._line.recv(64):
                return True
        except (TimeoutError, ConnectionRefusedError):
            self.hang_up()
            return False
        except BrokerError as error:
            if self._said != (said := f"Whether the broker answers is not looked at: {error}"):
                self._say(said)
                self._said = said
        except OSError:
            pass
        # It ended the connection itself.
        self.hang_up()
        return True

    def hang_up(self) -> None:
        """End the connection; the next beat makes another."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _connect(self) -> ssl.SSLSocket:
        context = tls_context(self._credentials, check_time=False)
        self._said = ""
        context.check_hostname = False
        plain = socket.create_connection(self._at, PATIENCE_S)
        try:
            line = context.wrap_socket(plain)
            line.sendall(CONNECT)
            line.recv(256)
        except BaseException:
            plain.close()
            raise
        return line

    def _run(self) -> None:
        while not self._stop.is_set():
            if self.beat():
                self._lives()
            self._stop.wait(EVERY_S)
        self.hang_up()
