"""Ten thousand presses while the server is down: every one of them counts, exactly once."""

import random
import threading
import time
from pathlib import Path

from tests.faults.alarms import Alarms
from tests.faults.booth import HELPS, Booth, outboxes_empty
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.rig.store import Rig, wait_for

NAME = "presses offline"
# Above the 30 ms that count as one contact's bounce.
STROKE_S = 0.036
KIOSKS = ("kiosk-1", "kiosk-2", "kiosk-3")


def run(directory: Path, seed: int, presses: int = 10_000) -> Outcome:
    """Two kiosks are hammered on four buttons at once, with a cancel now and then; at the third every press
    is a request of its own, cancelled at once, so that its outbox grows deep."""
    outcome = Outcome(NAME)
    rig = Rig.make(directory, KIOSKS)
    booths = [Booth(rig, name, window_s=5) for name in KIOSKS]
    alarms = Alarms(rig, booths, f"{seed}", hold=booths)
    try:
        rig.start_broker()
        alarms.start()
        for booth in booths:
            booth.start()
        begin = time.monotonic()
        done = _press(booths, presses, seed)
        pressing_s = time.monotonic() - begin
        alarms.quiet()
        wait_for(
            lambda: sum(_helps(b) for b in booths) + sum(_waiting(b) for b in booths) == done, "Saving", 60
        )
        depth = sum(booth.waiting() for booth in booths)
        logged = rig.read("SELECT id FROM event WHERE device <> 'phone' LIMIT 1")
        outcome.check(not logged, "Something was logged without a server.")
        rig.start("worker")
        drained_s = outboxes_empty(booths, 600)
        books = balance(rig, booths)
        outcome.wrong += books.wrong
        ((counted,),) = rig.read("SELECT coalesce(sum(count), 0) FROM interaction WHERE kind = 'help'")
        outcome.check(int(counted) == done, f"{done} presses were made, {counted} are logged.")
        cancels = sum(1 for b in booths for e in b.kept() if e.kind == "cancel")
        ((still_open,),) = rig.read(
            "SELECT count(*) FROM interaction WHERE state = 'raised' AND kind = 'help'"
        )
        outcome.check(still_open <= len(booths), f"{still_open} requests stand open; most were cancelled.")
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    outcome.add({"presses": done, "logged presses": counted, "cancels": cancels, "requests": books.requests})
    outcome.add({"waiting events": depth, "pressing": pressing_s, "outboxes empty after": drained_s})
    outcome.add({"lost": books.lost, "duplicated": books.duplicated, "phantom": books.phantom})
    return outcome.add({"paged twice": books.paged_twice})


def _press(booths: list[Booth], presses: int, seed: int) -> int:
    """Press from nine threads at once; how often a help button was pressed."""
    left = threading.Semaphore(presses)
    wrong: list[BaseException] = []

    def hammer(booth: Booth, button: str, chance: random.Random | None) -> None:
        try:
            touch = booth.touch()
            while left.acquire(blocking=False):
                touch.press(button, STROKE_S)
                time.sleep(STROKE_S)
                if chance is None:
                    touch.press("cancel", STROKE_S)
                    time.sleep(STROKE_S)
                elif chance.random() < 0.01:
                    touch.press("cancel", STROKE_S)
            touch.close()
        except BaseException as error:
            wrong.append(error)

    hands = [
        threading.Thread(target=hammer, args=(booth, button, random.Random(f"{seed}-{booth.name}-{button}")))
        for booth in booths[:2]
        for button in HELPS
    ]
    hands.append(threading.Thread(target=hammer, args=(booths[2], HELPS[0], None)))
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    if wrong:
        raise wrong[0]
    return presses


def _helps(booth: Booth) -> int:
    return sum(event.presses for event in booth.kept() if event.kind == "help")


def _waiting(booth: Booth) -> int:
    return booth.counted()
