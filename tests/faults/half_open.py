"""The way to the store breaks and nobody says so: no FIN, no RST. Noticed by silence; nothing is lost.

An absence of hours is simulated by a short one: the help policy's ceiling is 10 s instead of 120 s, so that
presses of a quarter of a minute ago are as late as they would be after hours. The age comes from the
kiosk's monotonic clock either way.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.alarms import Alarms
from tests.faults.booth import HELPS, HOLD_S, Booth, Kept, Touch, outboxes_empty
from tests.faults.disk import is_root
from tests.faults.ledger import balance
from tests.faults.network import Cable, Proxy
from tests.faults.outcome import Outcome
from tests.faults.staff import Desk
from tests.rig.store import Rig, wait_for

CABLE, PROXY = "half-open, cable", "half-open, proxy"
CEILING_S = 10
AWAY_S = 16.0
# Further absences, of up to a quarter of a minute.
CUTS = 4
POLICY = f'\n[policy.help]\nceiling_s = {CEILING_S}\nsteps = [{{after_s = 0, who = ["best"]}}]\n'


def cable(directory: Path, seed: int) -> Outcome:
    """In network namespaces of its own."""
    outcome = Outcome(CABLE)
    if not is_root():
        outcome.not_run = True
        return outcome
    way = Cable()
    try:
        rig = Rig.make(directory, hosts=("127.0.0.1", way.store_address))
        rig.configure(lambda text: text.replace('host = "127.0.0.1"', f'host = "{way.store_address}"', 1))
        booth = Booth(rig, "kiosk-1", host=way.store_address, window_s=1)
        return _away(
            outcome, rig, booth, way.prefix, way.cut, way.mend, {"host": way.store_address}, f"{seed}"
        )
    finally:
        way.close()


def proxy(directory: Path, seed: int) -> Outcome:
    """With a proxy that is stopped."""
    outcome = Outcome(PROXY)
    rig = Rig.make(directory)
    way = Proxy(rig.config.broker.port)
    try:
        booth = Booth(rig, "kiosk-1", port=way.port, window_s=1)
        return _away(outcome, rig, booth, (), way.cut, way.mend, {}, f"{seed}")
    finally:
        way.close()


def _away(
    outcome: Outcome,
    rig: Rig,
    booth: Booth,
    prefix: tuple[str, ...],
    cut: Callable[[], None],
    mend: Callable[[], None],
    broker: dict[str, Any],
    seed: str,
) -> Outcome:
    rig.configure(lambda text: text + POLICY)
    desk = Desk(rig, "present")
    desk.make_present()
    alarms = Alarms(rig, [booth], seed, ways=["way"])
    try:
        rig.start_broker(**broker)
        rig.start("worker")
        alarms.start()
        booth.start(prefix)
        touch = booth.touch()
        touch.press(HELPS[0])
        _shows(booth, "sent")
        touch.press("cancel")
        _shows(booth, "cancelled")
        wait_for(lambda: _status(rig) == "online", "The kiosk's 'online' at the server")
        before, noticed = {e.id for e in booth.kept()}, _noticed(rig)

        alarms.mark("way", False)
        cut()
        begin = time.monotonic()
        touch.press(HELPS[1])
        touch.press("security", HOLD_S + 0.2)
        old = wait_for(lambda: [e for e in booth.kept() if e.id not in before], "The presses on disk")
        wait_for(lambda: _noticed(rig) > noticed, "The kiosk's notice of the silence", 60)
        kiosk_s = time.monotonic() - begin
        wait_for(lambda: _status(rig) == "offline", "The server's notice of the silence", 60)
        server_s = time.monotonic() - begin
        outcome.check(not _committed(rig, old[0].id), "A press went over a way that was cut.")
        time.sleep(max(0.0, AWAY_S - (time.monotonic() - begin)))
        touch.press("cancel")
        touch.press(HELPS[2])
        time.sleep(1.0)
        new = max((e for e in booth.kept() if e.kind == "help"), key=lambda e: e.seq or 0)
        receipted = booth.receipted()

        mend()
        alarms.mark("way", True)
        begin = time.monotonic()
        wait_for(lambda: booth.receipted() > receipted, "The first receipt after the absence", 60)
        recovery_s = time.monotonic() - begin
        outboxes_empty([booth])
        _late(outcome, rig, old, new.id)
        chance = random.Random(seed)
        for _ in range(CUTS):
            _cut_again(touch, alarms, cut, mend, chance)
        outboxes_empty([booth])
        books = balance(rig, [booth])
        outcome.wrong += books.wrong
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    outcome.note = f"An absence of hours is simulated: {AWAY_S:.0f} s with a ceiling of {CEILING_S} s."
    outcome.add({"noticed by the kiosk": kiosk_s, "by the server": server_s, "recovery": recovery_s})
    return outcome.add(books.figures())


def _cut_again(
    touch: Touch, alarms: Alarms, cut: Callable[[], None], mend: Callable[[], None], chance: random.Random
) -> None:
    """Security held at a seeded moment of an absence that may be too short for anybody to notice it."""
    before_s, after_s = chance.uniform(0.0, 6.0), chance.uniform(0.0, 8.0)
    alarms.mark("way", False)
    cut()
    time.sleep(before_s)
    touch.press("security", HOLD_S + 0.2)
    time.sleep(after_s)
    mend()
    alarms.mark("way", True)
    # Its page, and its answer: the next is a request of its own.
    time.sleep(7.0)


def _late(outcome: Outcome, rig: Rig, old: list[Kept], new: str) -> None:
    """Help that is too late is logged and pages nobody; security pages whatever its age; new help pages."""
    for event in old:
        pages = len(rig.read("SELECT id FROM page WHERE request = :id", id=event.id))
        ((state,),) = rig.read("SELECT state FROM interaction WHERE id = :id", id=event.id)
        if event.kind == "help":
            outcome.check(not pages, f"Help older than its ceiling paged {pages} people.")
            outcome.check(state in ("missed", "cancelled"), f"Help older than its ceiling is {state}.")
        elif event.kind == "security":
            outcome.check(pages, "A late security request paged nobody.")
    outcome.check(rig.read("SELECT id FROM page WHERE request = :id", id=new), "New help paged nobody.")


def _committed(rig: Rig, event_id: str) -> bool:
    return bool(rig.read("SELECT id FROM event WHERE id = :id", id=event_id))


def _noticed(rig: Rig) -> int:
    return rig.log_of("kiosk-1").count("does not answer")


def _status(rig: Rig) -> str:
    ((status,),) = rig.read("SELECT status FROM device WHERE name = 'kiosk-1'")
    return str(status)


def _shows(booth: Booth, state: str) -> None:
    wait_for(lambda: booth.shown == state, f"{state!r} on the display of {booth.name}", 30)
