"""From a press to the page on a phone, and from a tap to its answer; idle, under a backlog of events, beside
clips that fill the line and the vault, and under both.

Each figure stands over its floor, measured in turn with it in the same run. No assertions.
"""

import json
import queue
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from broker import codec, topics
from broker.events import FeedbackGiven, Greeted, SecurityRequested, new_id
from broker.mosquitto import free_port
from deploy.demo.control import Hand
from kiosk.clock import Clocks
from kiosk.outbox import NewEvent, Outbox
from tests.bench.uploads import Uploads
from tests.rig import kiosk
from tests.rig.phone import Listening, Phone, Told
from tests.rig.store import STORE, Rig, listens, wait_for

DEVICE, PAGER = "kiosk-1", "kiosk-2"
LOADERS = ("kiosk-3", "kiosk-4", "kiosk-5", "kiosk-6")


class Floor:
    """The bare hops, with one listener on the stream."""

    def __init__(self, rig: Rig) -> None:
        self._control = rig.directory / "bare.socket"
        http_port = free_port()
        port, identities = str(rig.config.broker.port), rig.config.identity_path
        module = ("-m", "tests.bench.bare_hops")
        worker = (port, str(identities / "edge-worker"), STORE, str(rig.directory / "bare-worker.db"), "-")
        web = (port, str(identities / "edge-web"), STORE, "-", str(http_port))
        device = (port, str(rig.directory / "devices" / DEVICE), STORE, str(rig.directory / "bare-kiosk.db"))
        rig.start("bare-worker", *module, "worker", *worker)
        rig.start("bare-web", *module, "web", *web)
        rig.start("bare-kiosk", *module, "kiosk", *device, str(self._control))
        wait_for(self._control.exists, "The bare kiosk's start")
        wait_for(lambda: "listens" in rig.log_of("bare-web"), "The bare web server's start")
        self.told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._listening = Listening("127.0.0.1", http_port, "/", "", "", self.told.put)
        self._listening.ready.wait(5)

    def once(self) -> float:
        """Seconds from the press to the first byte of the page."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self._control))
            pressed_s = float(sock.recv(64))
        return self.told.get(timeout=10).at_s - pressed_s


class Shop:
    """The product: a kiosk on mock pins, worker, web, and people with phones."""

    def __init__(self, rig: Rig, camera: str = "") -> None:
        self.rig = rig
        rig.start("worker")
        rig.start("web")
        host = rig.config.broker.host
        kiosk.configure(rig, DEVICE, host=host, camera=camera)
        kiosk.configure(rig, PAGER, host=host)
        self.hand = kiosk.start(rig, DEVICE)
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start")
        wait_for(lambda: listens(rig.config.web.port), "The web's start")
        wait_for(lambda: _state(self.hand) == "idle", "The kiosk's start")
        time.sleep(3)
        self.ana = Someone(rig, "Ana")
        self.igor = Someone(rig, "Igor")
        self.pager = rig.session(PAGER, lambda delivery: None)
        self.pager.start()
        wait_for(lambda: self.pager.connected, "The pager's connection")

    def press(self) -> tuple[float, float]:
        """(seconds from press to page, seconds of the acknowledging request) for one help request."""
        # No finger is faster; the kiosk would take it for a bounce of the press before.
        time.sleep(0.08)
        self.hand.press("find-item")
        pressed_s = self.hand.look().pressed_s
        page = self.ana.page()
        self.hand.release("find-item")
        return page.at_s - pressed_s, self.ana.answer(page)

    def hold(self, hold_s: float = 0.5, hand: Hand | None = None) -> float:
        """Seconds from the end of a security button's hold to the page; at another kiosk, if given."""
        hand = hand or self.hand
        time.sleep(0.08)
        hand.press("security")
        held_s = hand.look().pressed_s + hold_s
        page = self.igor.page()
        hand.release("security")
        self.igor.answer(page)
        return page.at_s - held_s

    def security(self) -> tuple[float, float]:
        """The same for a security request of a pager that speaks only the contract."""
        event_id = new_id(int(time.time() * 1000))
        payload = codec.encode_event(event_id, SecurityRequested("panic"), "security")
        pressed_s = time.monotonic()
        self.pager.publish(topics.event(STORE, PAGER, "security"), payload)
        page = self.igor.page()
        return page.at_s - pressed_s, self.igor.answer(page)


class Someone:
    """A signed-in person with an open stream."""

    def __init__(self, rig: Rig, name: str) -> None:
        person = rig.people[name]
        self.phone = Phone(rig.config.web.port)
        self.phone.sign_in(person.id, person.pin or "")
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._listening = self.phone.listen(self._told.put)
        self._listening.ready.wait(5)

    def page(self) -> Told:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            told = self._told.get(timeout=20)
            if told.event == "page":
                return told
        raise AssertionError("No page came within 20 s.")

    def answer(self, page: Told) -> float:
        """Acknowledge (the seconds of that whole HTTP request), then close so that the next can be raised."""
        request = json.loads(page.data)["request"]
        begin = time.monotonic()
        status, text = self.phone.post(f"/floor/requests/{request}/acknowledge")
        took = time.monotonic() - begin
        assert status in (200, 303), (status, text[:300])
        self.phone.post(f"/floor/requests/{request}/resolve", outcome="handled")
        return took


def run(directory: Path, count: int = 200, backlog: int = 100_000) -> dict[str, dict[str, float]]:
    """The figures by name, in milliseconds; prints them."""
    begun_s = time.monotonic()
    uploads = Uploads(directory)
    # A broker each, from the same configuration: on one, either worker would be served the other's events.
    devices = (DEVICE, PAGER, *LOADERS, *uploads.devices)
    rig = Rig.make(directory / "shop", devices=devices, hosts=(uploads.host, "127.0.0.1"))
    bare = Rig.make(directory / "bare")
    try:
        uploads.configure(rig)
        rig.start_broker_program("0.0.0.0")
        bare.start_broker_program()
        rig.start("vault")
        shop, floor = Shop(rig), Floor(bare)
        narrow = uploads.hand(rig)
        for _ in range(10):
            shop.press(), shop.security(), floor.once()
        found = _turns(shop, floor, count)
        found["hold"] = _holds(shop, narrow, count // 4)
        found |= _under_backlog(shop, backlog, "backlog")
        uploads.start(rig)
        found |= _beside_uploads(shop, narrow, count)
        print(f"beside nothing else, {uploads.told(rig)}")
        uploads.stop(rig)
        uploads.start(rig)
        found |= _under_backlog(shop, backlog, "both")
        found["hold, both"] = _holds(shop, narrow, count // 4)
        print(f"beside the backlog, {uploads.told(rig)}")
    finally:
        bare.stop()
        rig.stop()
        uploads.close()
    figures = {name: _figures(seconds) for name, seconds in found.items() if seconds}
    _print(figures)
    print(f"it took {time.monotonic() - begun_s:.0f} s")
    return figures


def _holds(shop: Shop, narrow: Hand | None, count: int) -> list[float]:
    """At the kiosk behind the line of its own; [] where nobody may make one."""
    return [shop.hold(hand=narrow) for _ in range(count)] if narrow is not None else []


def _beside_uploads(shop: Shop, narrow: Hand | None, count: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"security, upload": [], "security tap, upload": []}
    for _ in range(count):
        security, tap = shop.security()
        found["security, upload"].append(security)
        found["security tap, upload"].append(tap)
        time.sleep(0.02)
    return found | {"hold, upload": _holds(shop, narrow, count // 4)}


def _turns(shop: Shop, floor: Floor, count: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"floor": [], "press": [], "tap": [], "security": [], "security tap": []}
    for _ in range(count):
        found["floor"].append(floor.once())
        press, tap = shop.press()
        security, security_tap = shop.security()
        for name, value in (
            ("press", press), ("tap", tap), ("security", security), ("security tap", security_tap),
        ):  # fmt: skip
            found[name].append(value)
        time.sleep(0.02)
    return found


def _under_backlog(shop: Shop, backlog: int, beside: str) -> dict[str, list[float]]:
    """Kiosks come back with full outboxes; while the store takes them in, security is pressed and answered.
    `beside` is what the figures are called by.

    In a shop their processors and disks are their own: here they are nice, and their outboxes are in memory.
    """
    expected = _logged(shop.rig) + backlog
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        for name in LOADERS:
            fill(shop.rig, name, backlog // len(LOADERS), Path(folder) / name)
            kiosk.start(shop.rig, name, prefix=("nice", "-n", "10"))
        found = _press_until(shop, expected, beside)
        for name in LOADERS:
            shop.rig.kill(name)
    return found


def _press_until(shop: Shop, expected: int, beside: str) -> dict[str, list[float]]:
    """Security pressed and answered again and again until so many other events are logged."""
    security_name, tap_name = f"security, {beside}", f"security tap, {beside}"
    found: dict[str, list[float]] = {security_name: [], tap_name: []}
    begin, pressed = time.monotonic(), 0
    while _logged(shop.rig) < expected + pressed:
        for _ in range(10):
            security, tap = shop.security()
            found[security_name].append(security)
            found[tap_name].append(tap)
            pressed += 1
            time.sleep(0.02)
    took = time.monotonic() - begin
    print(f"the backlog of {len(LOADERS)} kiosks was taken in within {took:.0f} s meanwhile")
    return found


def fill(rig: Rig, device: str, count: int, folder: Path) -> None:
    """An outbox in `folder` with `count` events that were made while the store was away."""
    kiosk.configure(rig, device, folder, host=rig.config.broker.host)
    folder.mkdir(parents=True, exist_ok=True)
    clocks = Clocks()
    outbox = Outbox(folder, clocks.boot, clocks.now())
    now_ms = int(time.time() * 1000)
    with outbox.transaction():
        for n in range(count):
            content = Greeted("in", "pir") if n % 4 else FeedbackGiven(3)
            outbox.save(NewEvent(new_id(now_ms), content, clocks.stamp(clocks.now() - 100)))
    outbox.close()


def _logged(rig: Rig) -> int:
    return int(str(rig.read("SELECT count(*) FROM event")[0][0]))


def _figures(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(1000 * s for s in seconds)
    return {
        "count": len(ordered),
        "p50": statistics.median(ordered),
        "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
    }


def _print(figures: dict[str, dict[str, float]]) -> None:
    floor, quiet, tap = figures["floor"], figures["security"], figures["security tap"]
    for name, f in figures.items():
        note = ""
        if name in ("press", "security"):
            ratios = f["p50"] / floor["p50"], f["p99"] / floor["p99"]
            note = f"{ratios[0]:.2f} x and {ratios[1]:.2f} x of the floor (aim: 1.5 and 2)"
        elif ", " in name:
            idle = tap if "tap" in name else figures["hold"] if name.startswith("hold") else quiet
            more = f["p99"] - idle["p99"]
            note = f"p99 {f['p99'] / idle['p99']:.2f} x of idle, {more:+.1f} ms (aim: 2 x or +10 ms)"
        print(f"{name:22} n={f['count']:4.0f}  p50 {f['p50']:6.2f} ms  p99 {f['p99']:6.2f} ms  {note}")


def _state(hand: Hand) -> str:
    try:
        return hand.look().shown.state
    except Exception:
        return ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="floorbell-bench-") as folder:
        run(Path(folder), *(int(a) for a in sys.argv[1:3]))
