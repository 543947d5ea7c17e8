"""A disk without one free byte: the kiosk says so and sends all the same; the server receipts nothing."""

import time
from pathlib import Path

from tests.faults.alarms import Alarms
from tests.faults.booth import HELPS, HOLD_S, Booth, Touch, outboxes_empty
from tests.faults.disk import Disk, is_root
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.rig.store import Rig, wait_for

KIOSK, SERVER = "full disk, kiosk", "full disk, server"


def kiosk(directory: Path, seed: int) -> Outcome:
    """The outbox's disk is full, with the server there and without it."""
    outcome = Outcome(KIOSK)
    if not is_root():
        outcome.not_run = True
        return outcome
    rig = Rig.make(directory)
    disk = Disk(directory, "card", 24)
    booth = Booth(rig, "kiosk-1", outbox=disk.at / "outbox", window_s=1)
    alarms = Alarms(rig, [booth], f"{seed}")
    try:
        rig.start_broker()
        rig.start("worker")
        alarms.start()
        booth.start()
        touch = booth.touch()
        touch.press(HELPS[0])
        _shows(booth, "sent")
        touch.press("cancel")
        _shows(booth, "cancelled")
        life = booth.lives[-1]

        disk.fill()
        helped = _presses_until_not_saved(booth, touch)
        _shows(booth, "sent")
        after = [state for _, state in life.states[_last(life.states, "not_saved") :]]
        outcome.check("saved" not in after[: after.index("sent")], "It said 'saved' on a full disk.")
        outcome.check(_arrived(rig, "help") >= 2, "A press on a full disk did not arrive.")

        # The server is away as well: only security may still go to disk, into the reserve.
        rig.kill("worker")
        before = {e.id for e in booth.kept() if e.kind == "security"}
        touch.press("security", HOLD_S + 0.3)
        wait_for(
            lambda: {e.id for e in booth.kept() if e.kind == "security"} - before,
            "A security event in the reserve of a full disk",
        )
        reserve = not (booth.outbox / "reserve").exists()
        rig.start("worker")
        wait_for(lambda: _arrived(rig, "security") == 1, "The security event's arrival", 60)

        disk.empty()
        wait_for(lambda: "takes events again" in rig.log_of(booth.name), "The outbox's recovery", 60)
        touch.press("cancel")
        outboxes_empty([booth])
        books = balance(rig, [booth], from_memory=1)
        outcome.wrong += books.wrong
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
        disk.unmount()
    outcome.check(life.not_saved, "It never said that it could not save.")
    outcome.check(reserve, "The security event did not need the reserve: the disk was not full.")
    outcome.add(
        {"presses until 'not saved'": helped, "then": "sent", "security": "saved in the reserve, sent"}
    )
    return outcome.add(books.figures())


def server(directory: Path, seed: int) -> Outcome:
    """The database's disk is full: no receipts, presses wait at the kiosks; space returns, and they come."""
    outcome = Outcome(SERVER)
    if not is_root():
        outcome.not_run = True
        return outcome
    rig = Rig.make(directory)
    disk = Disk(directory, "disk", 48)
    rig.move_database(disk.at)
    booth = Booth(rig, "kiosk-1", window_s=1)
    alarms = Alarms(rig, [booth], f"{seed}", beyond=["disk"])
    try:
        rig.start_broker()
        worker = rig.start("worker")
        alarms.start()
        booth.start()
        touch = booth.touch()
        touch.press(HELPS[0])
        _shows(booth, "sent")
        alarms.mark("disk", False)
        disk.fill()
        # The log of the database has room of its own until it must grow.
        pressed = 0
        while "cannot be written" not in rig.log_of("worker") and pressed < 2000:
            touch.press(HELPS[0])
            touch.press("cancel")
            touch.press("security", HOLD_S + 0.1)
            pressed += 1
        outcome.check(
            "cannot be written" in rig.log_of("worker"), "The worker never said that the disk is full."
        )
        receipted = booth.receipted()
        for _ in range(5):
            touch.press(HELPS[1])
            touch.press("cancel")
        touch.press("security", HOLD_S + 0.1)
        time.sleep(6.0)
        outcome.check(booth.receipted() == receipted, "A receipt was given with the disk full.")
        outcome.check(booth.waiting() >= 11, "Presses are missing in the outbox.")
        outcome.check(worker.poll() is None, "The worker ended.")
        waiting = booth.waiting()
        disk.empty()
        alarms.mark("disk", True)
        begin = time.monotonic()
        wait_for(lambda: booth.receipted() > receipted, "The first receipt with room again", 60)
        recovery_s = time.monotonic() - begin
        outboxes_empty([booth])
        books = balance(rig, [booth])
        outcome.wrong += books.wrong
        outcome.check(worker.poll() is None, "The worker had to be started again.")
        outcome.check(
            "can be written again" in rig.log_of("worker"), "The worker did not say that it is well."
        )
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
        disk.unmount()
    outcome.add({"waited at the kiosk": waiting, "recovery": recovery_s})
    return outcome.add(books.figures())


def _shows(booth: Booth, state: str) -> None:
    wait_for(lambda: booth.shown == state, f"{state!r} on the display of {booth.name}", 30)


def _presses_until_not_saved(booth: Booth, touch: Touch) -> int:
    """The outbox's log may have room of its own for a while: press and cancel until it has not."""
    life = booth.lives[-1]
    for number in range(1, 400):
        touch.press(HELPS[number % len(HELPS)])
        time.sleep(0.1)
        if life.not_saved:
            return number
        touch.press("cancel")
    raise AssertionError("The kiosk never said that it could not save.")


def _last(states: list[tuple[float, str]], wanted: str) -> int:
    return max(index for index, (_, state) in enumerate(states) if state == wanted)


def _arrived(rig: Rig, kind: str) -> int:
    query = "SELECT id FROM event WHERE kind = :kind AND device = 'kiosk-1'"
    return len(rig.read(query, kind=kind))
