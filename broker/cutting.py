"""Keeps revoked devices, and revoked certificates, off a running Mosquitto (decisions/003).

Mosquitto takes a new access list and a new list of certificates at SIGHUP, and leaves every connection that
is open as it is. So each connection of a revoked device is ended by taking its client id over; likewise each
that a name has at the moment when it is let in anew, because it may be by the certificate from before.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from broker import anchors, revocation
from broker.errors import BrokerError
from broker.tls import Credentials, tls_context

LOOK_S = 1.0
# A device that comes back at once is cut again this much later at the earliest.
PACE_S = 0.2
PATIENCE_S = 5.0
REMEMBERED = 5000
# The program whose certificate takes over: of ours it may do the least at the broker.
AS = "edge-web"


class Cutter:
    """One thread. `reload` gives Mosquitto the lists anew, for the names it is called with; `restart` ends
    every connection; `cut` ends the one with this client id and says whether it could."""

    def __init__(
        self,
        directory: Path,
        reload: Callable[[frozenset[str]], None],
        restart: Callable[[], None],
        cut: Callable[[str], bool],
        say: Callable[[str], None],
    ) -> None:
        self._directory, self._reload, self._restart = directory, reload, restart
        self._cut, self._say = cut, say
        self._lock = threading.Lock()
        self._users: OrderedDict[str, str] = OrderedDict()
        self._unread = False
        # Client ids that are to go whatever their name may do now.
        self._going: set[str] = set()
        self._newest = revocation.newest(directory)
        self._names = revocation.turned_away(directory)
        self._lists, self._trust = anchors.lists(directory), anchors.trust(directory)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker-cutter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(2 * PATIENCE_S)

    def connected(self, client: str, user: str | None) -> None:
        """A client id and the name in its certificate, from the broker's log; None where the log's line was
        too short for it. Any thread; only takes a note."""
        with self._lock:
            if user is None:
                self._unread = True
                return
            self._users[client] = user
            self._users.move_to_end(client)
            if len(self._users) > REMEMBERED:
                self._users.popitem(last=False)
                self._unread = True
            if user in self._names:
                self._wake.set()

    def look(self) -> None:
        """Follow what has changed in the files since, and cut whoever is there and is revoked."""
        directory = self._directory
        # First: what it tells of is on the lists by then, and nobody comes back with it.
        newest = revocation.newest(directory)
        names, lists = revocation.turned_away(directory), anchors.lists(directory)
        trust = anchors.trust(directory)
        changed = names ^ self._names | {
            name for name, one in newest.items() if self._newest.get(name) != one
        }
        if changed or lists != self._lists or trust != self._trust:
            # Mosquitto begins to use a list, and trusts another CA, at its start only; and a connection
            # whose client id nobody could read cannot be taken over.
            anew = trust != self._trust or len(lists) != len(self._lists)
            with self._lock:
                self._names, self._lists, self._trust, self._newest = names, lists, trust, newest
                unread, self._unread = self._unread and bool(changed), self._unread and not changed
            self._reload(names)
            if anew or unread:
                why = "that what is revoked leaves it" if unread else "that other certificates count"
                self._say(f"Mosquitto is started anew, so {why}.")
                with self._lock:
                    self._users.clear()
                self._restart()
        with self._lock:
            self._going |= {client for client, user in self._users.items() if user in names | changed}
            going = sorted(self._going)
        for client in going:
            with self._lock:
                user = self._users.pop(client, None)
            if user is None or self._cut(client):
                self._going.discard(client)
                if user in names:
                    self._say(f"{user} is revoked: its connection was ended.")
                elif user is not None:
                    self._say(f"{user} was let in anew: its connection from before was ended.")
            else:
                with self._lock:
                    self._users.setdefault(client, user)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(LOOK_S)
            self._wake.clear()
            if self._stop.is_set():
                return
            try:
                self.look()
            except (BrokerError, OSError) as error:
                self._say(f"What is revoked could not be read or written: {str(error).rstrip('.')}.")
            self._stop.wait(PACE_S)


def take_over(directory: Path, host: str, port: int, client: str) -> bool:
    """Connect to the broker with this client id and leave again: it ends whoever had the id. Whether it was
    let in."""
    let_in = threading.Event()
    try:
        tls = tls_context(Credentials.in_directory(directory / AS), check_time=True)
    except BrokerError:
        # Written anew just now, perhaps; it is tried again.
        return False
    # The broker is on this machine, and its certificate need not name every address that it listens at.
    tls.check_hostname = False
    taker = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client, protocol=mqtt.MQTTv5)
    taker.tls_set_context(tls)
    taker.on_connect = lambda _client, _data, _flags, reason, _properties: (
        None if reason.is_failure else let_in.set()
    )
    try:
        taker.connect(from_here(host), port, keepalive=5)
        taker.loop_start()
        return let_in.wait(PATIENCE_S)
    except (OSError, ValueError):
        return False
    finally:
        taker.disconnect()
        taker.loop_stop()


def from_here(host: str) -> str:
    """The address that a program on this machine reaches the broker by, which listens at `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
