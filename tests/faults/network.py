"""Two ways to a broker that can break without a word: a cable between network namespaces, and a proxy."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests.rig.store import ROOT


class Cable:
    """A kiosk's own network namespace and a switch in another between it and the store. Needs root.

    `cut` takes the switch's port to the store away: the kiosk's own link stays up, and no FIN ever arrives.
    """

    def __init__(self) -> None:
        tag = os.getpid() % 100_000
        self.store_address, self._kiosk_address = "10.213.7.1", "10.213.7.2"
        self._kiosk, self._switch, self._here = f"fbk{tag}", f"fbs{tag}", f"fbh{tag}"
        for name in (self._kiosk, self._switch):
            _ip("netns", "add", name)
        try:
            self._lay()
        except BaseException:
            self.close()
            raise

    def _lay(self) -> None:
        switch = ("-n", self._switch)
        _ip("link", "add", self._here, "type", "veth", "peer", "name", "store0", "netns", self._switch)
        _ip(*switch, "link", "add", "kiosk0", "type", "veth", "peer", "name", "net0", "netns", self._kiosk)
        _ip(*switch, "link", "add", "switch0", "type", "bridge")
        for port in ("store0", "kiosk0"):
            _ip(*switch, "link", "set", port, "master", "switch0")
            _ip(*switch, "link", "set", port, "up")
        _ip(*switch, "link", "set", "switch0", "up")
        _ip("addr", "add", f"{self.store_address}/30", "dev", self._here)
        _ip("link", "set", self._here, "up")
        _ip("-n", self._kiosk, "addr", "add", f"{self._kiosk_address}/30", "dev", "net0")
        # paho talks to its own thread over loopback.
        for device in ("lo", "net0"):
            _ip("-n", self._kiosk, "link", "set", device, "up")

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a program that is to live at the kiosk's end is started with."""
        # Not 'ip netns exec': its mount namespace would hold on to every disk that is mounted now.
        return ("nsenter", f"--net=/run/netns/{self._kiosk}")

    def narrow(self, megabits: int) -> None:
        """No more than this leaves the kiosk's end, first come first served, as over a shop's poor Wi-Fi."""
        shape = ("root", "tbf", "rate", f"{megabits}mbit", "burst", "16kb", "latency", "200ms")
        _do("tc", "-n", self._kiosk, "qdisc", "replace", "dev", "net0", *shape)

    def cut(self) -> None:
        _ip("-n", self._switch, "link", "set", "kiosk0", "nomaster")

    def mend(self) -> None:
        _ip("-n", self._switch, "link", "set", "kiosk0", "master", "switch0")

    def close(self) -> None:
        """No program may live there any more."""
        subprocess.run(["ip", "link", "del", self._here], capture_output=True, check=False)
        for name in (self._kiosk, self._switch):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


class Proxy:
    """A process on loopback that passes bytes on; stopped, it stays connected and says nothing. No root."""

    def __init__(self, target: int) -> None:
        from broker.mosquitto import free_port

        self.port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.network", str(self.port), str(target)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )

    def cut(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def mend(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def _ip(*words: str) -> None:
    _do("ip", *words)


def _do(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[:200]}")


def _serve(port: int, target: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            near, _ = listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", target), 5)
            except OSError:
                near.close()
                continue
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_pass, args=(one, other), daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    source.settimeout(None)
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


if __name__ == "__main__":
    assert Path.cwd() == ROOT
    _serve(int(sys.argv[1]), int(sys.argv[2]))
