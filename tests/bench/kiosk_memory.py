"""What the two programs of a kiosk with a display take of its memory: the panel, and its screen apart.

The panel runs as in a shop, on mock pins; its keys are touched over the socket that its screens use.
"""

import http.client
import socket
import time
from pathlib import Path

import msgspec

from broker.mosquitto import free_port
from kiosk.screen.messages import Touch
from tests.bench.resting import resident_mb
from tests.rig import kiosk
from tests.rig.store import Rig, listens, wait_for

DEVICE, SCREEN = "kiosk-1", "screen"
AIM_MB = 40
PRESSES, CONNECTIONS = 100, 20


def run(directory: Path) -> dict[str, dict[str, float]]:
    """Megabytes by program and moment; prints them."""
    rig = Rig.make(directory, devices=(DEVICE,))
    figures: dict[str, dict[str, float]] = {DEVICE: {}, SCREEN: {}}
    try:
        rig.start_broker_program()
        rig.start("worker")
        config = kiosk.configure(rig, DEVICE, screen=True, window_s=1)
        port = free_port()
        rig.start(DEVICE, "-m", "kiosk", "run", "--pins", "mock", "--config", str(config))
        path = config.parent / "outbox" / "screen.sock"
        wait_for(path.exists, "The panel's socket")
        rig.start(SCREEN, "-m", "kiosk", "screen", "--config", str(config), "--port", str(port))
        wait_for(lambda: listens(port), "The screen's page")

        def note(moment: str) -> None:
            time.sleep(2)
            for name, found in figures.items():
                found[moment] = resident_mb(rig.processes[name].pid)

        note("start")
        hand = _connected(path)
        _press(hand)
        note("presses")
        # More than either program serves; those beyond are sent away.
        held = [_connected(path) for _ in range(CONNECTIONS)]
        pages = [_page(port) for _ in range(CONNECTIONS)]
        note("connections")
        _press(hand)
        note("presses seen by all")
        for each in (hand, *held, *pages):
            each.close()
    finally:
        rig.stop()
    for name, found in figures.items():
        told = ", ".join(f"{moment} {size:.1f}" for moment, size in found.items())
        print(f"{name:9} {told} MB resident (aim: under {AIM_MB})")
    return figures


def _press(hand: socket.socket) -> None:
    """Help and cancel in turn; what comes is read, for a screen that reads nothing is cut off."""
    for number in range(PRESSES):
        touch = Touch("key", "cancel" if number % 2 else "till")
        hand.sendall(msgspec.json.encode(touch) + b"\n")
        time.sleep(0.1)
        hand.recv(1 << 20)


def _connected(path: Path) -> socket.socket:
    screen = socket.socket(socket.AF_UNIX)
    screen.connect(str(path))
    return screen


def _page(port: int) -> http.client.HTTPConnection:
    page = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    page.request("GET", "/stream")
    page.getresponse()
    return page
