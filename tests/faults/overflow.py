"""A queue at the broker that overflows: what it threw away is sent again, and not for ever.

For MQTT v5 Mosquitto 2.0.11 counts messages in flight by the receiver's own maximum (500 for our worker)
and not by its max_inflight_messages, so the worker is started with a smaller one.
"""

import json
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

from broker import topics
from broker.session import Arrival, Delivery, Session
from broker.tls import Credentials
from tests.faults.alarms import Alarms
from tests.faults.booth import HELPS, HOLD_S, Booth, outboxes_empty
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.rig.store import STORE, Rig, wait_for

NAME = "broker queue overflow"
QUEUED, IN_FLIGHT = 20, 10
STROKE_S = 0.036
# Shorter than the silence after which kiosks hold their help back: they go on sending.
STOP_S = 5.0
MOST_SENDS = 10


class Observer:
    """Counts how often each event is published: what resending costs."""

    def __init__(self, rig: Rig) -> None:
        broker = rig.config.broker
        self.sends: Counter[str] = Counter()
        self._session = Session(
            "edge-observer",
            broker.host,
            broker.port,
            Credentials.in_directory(rig.config.identity_path / "edge-worker"),
            self._deliver,
            subscriptions=[(topics.event(STORE, "+", "+"), 0)],
        )

    def start(self) -> None:
        self._session.start()
        wait_for(lambda: self._session.connected, "The observer's connection")

    def stop(self) -> None:
        self._session.stop()

    def _deliver(self, delivery: Delivery) -> None:
        if isinstance(delivery, Arrival):
            self.sends[json.loads(delivery.payload)["id"]] += 1


def run(directory: Path, seed: int, stops: int = 4) -> Outcome:
    """The worker is stopped again and again while three kiosks press faster than the broker may keep."""
    outcome = Outcome(NAME)
    chance = random.Random(f"{seed}-overflow")
    names = ("kiosk-1", "kiosk-2", "kiosk-3")
    rig = Rig.make(directory, names)
    booths = [Booth(rig, name, window_s=1) for name in names]
    alarms = Alarms(rig, booths, f"{seed}")
    said: list[str] = []
    over = threading.Event()
    hands = [threading.Thread(target=_press, args=(booth, over), daemon=True) for booth in booths]
    try:
        rig.start_broker(said.append, max_queued=QUEUED, max_inflight=IN_FLIGHT)
        observer = Observer(rig)
        observer.start()
        rig.start("worker", "-m", "tests.faults.odd_worker", str(directory / "edge.toml"), str(IN_FLIGHT))
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        alarms.start()
        for booth in booths:
            booth.start()
        for hand in hands:
            hand.start()
        for _ in range(stops):
            time.sleep(chance.uniform(0.5, 2.0))
            rig.signal("worker", signal.SIGSTOP)
            time.sleep(STOP_S)
            rig.signal("worker", signal.SIGCONT)
        over.set()
        alarms.quiet()
        for hand in hands:
            hand.join(30)
        drained_s = outboxes_empty(booths)
        books = balance(rig, booths)
        outcome.wrong += books.wrong
        observer.stop()
        alarms.settle(outcome)
    finally:
        over.set()
        alarms.close()
        rig.stop()
    sends = observer.sends
    dropped = [line for line in said if "dropped" in line]
    outcome.check(dropped, "The queue never overflowed, or the broker did not say so.")
    mean = sum(sends.values()) / max(1, len(sends))
    most = max(sends.values(), default=0)
    outcome.check(len(sends) >= books.events, "The observer missed events: its figure says nothing.")
    outcome.check(mean < 3, f"Each event was sent {mean:.1f} times on average.")
    outcome.check(most <= MOST_SENDS, f"One event was sent {most} times.")
    outcome.add({"queue": QUEUED, "stops": stops, "events": books.events})
    outcome.add(
        {"sends per event": f"{mean:.2f}", "most": most, "sent again": sum(n > 1 for n in sends.values())}
    )
    return outcome.add(books.figures()).add({"outboxes empty after": drained_s})


def _press(booth: Booth, over: threading.Event) -> None:
    """Help and cancel in turns: each is an event of its own. A security hold now and then."""
    touch, number = booth.touch(), 0
    while not over.is_set():
        number += 1
        touch.press(HELPS[number % len(HELPS)], STROKE_S)
        time.sleep(STROKE_S)
        touch.press("cancel", STROKE_S)
        time.sleep(STROKE_S)
        if number % 25 == 0:
            touch.press("security", HOLD_S + 0.1)
    touch.close()
