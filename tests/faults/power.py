"""The power goes while the kiosk, or the server, writes. Whatever was said to be saved must be there again.

Each cut: the writer is stopped at a seeded moment, its ext4 is shut down without flushing its journal, the
writer is killed, the disk mounted again (which replays the journal) and the writer started again.
"""

import contextlib
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.alarms import Alarms
from tests.faults.booth import Booth, outboxes_empty
from tests.faults.disk import Disk, is_root
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.faults.presser import Presser
from tests.faults.staff import Desk
from tests.rig.store import Rig, wait_for

KIOSK, SERVER = "power cut, kiosk", "power cut, server"


def kiosk(directory: Path, seed: int, rounds: int = 12) -> Outcome:
    """Cuts of one kiosk's disk. The server goes on; what was saved, and seen to be so, must reach it."""
    outcome = Outcome(KIOSK)
    if not is_root():
        outcome.not_run = True
        return outcome
    chance = random.Random(f"{seed}-power-kiosk")
    with _store(directory, outcome) as rig:
        disk = Disk(directory, "card", 48)
        booth = Booth(rig, "kiosk-1", outbox=disk.at / "outbox", window_s=1)
        presser = Presser(booth, f"{seed}-presser", 0.15)
        desk = Desk(rig, f"{seed}-desk")
        alarms = Alarms(rig, [booth], f"{seed}")
        try:
            rig.start("worker")
            desk.start()
            alarms.start()
            booth.start()
            presser.start()
            for number in range(rounds):
                # Half of the cuts while the server is away too, so that the outbox is all there is.
                if number % 2:
                    rig.signal("worker", signal.SIGSTOP)
                time.sleep(chance.uniform(0.3, 2.5))
                booth.stop()
                stopped_s = time.monotonic()
                disk.cut()
                booth.kill(stopped_s)
                disk.restart()
                outcome.check(_whole(booth.outbox / "outbox.db"), "The outbox is damaged after a cut.")
                booth.start()
                if number % 2:
                    rig.signal("worker", signal.SIGCONT)
            alarms.quiet()
            presser.stop()
            drained_s = outboxes_empty([booth])
            desk.stop()
            books = balance(rig, [booth], {booth.name: presser.pressed()})
            outcome.wrong += books.wrong
            alarms.settle(outcome)
            asides = sorted(path.name for path in booth.outbox.glob("damaged-*"))
            outcome.check(not asides, f"An outbox was set aside as damaged: {asides}")
            said = sum(len(life.saved) for life in booth.lives)
        finally:
            alarms.close()
            rig.stop()
            disk.unmount()
    outcome.check(
        disk.lost == disk.cuts, "A file that was not flushed survived a cut: this round says nothing."
    )
    outcome.add({"cuts": disk.cuts, "said to be saved": said, **books.figures()})
    return outcome.add({"outbox empty after": drained_s})


def server(directory: Path, seed: int, rounds: int = 12) -> Outcome:
    """Cuts of the database's disk under the worker. What was receipted must be there."""
    outcome = Outcome(SERVER)
    if not is_root():
        outcome.not_run = True
        return outcome
    chance = random.Random(f"{seed}-power-server")
    with _store(directory, outcome, ("kiosk-1", "kiosk-2")) as rig:
        disk = Disk(directory, "disk", 96)
        database = rig.move_database(disk.at)
        booths = [Booth(rig, name, window_s=1) for name in ("kiosk-1", "kiosk-2")]
        pressers = [Presser(booth, f"{seed}-{booth.name}", 0.15) for booth in booths]
        alarms = Alarms(rig, booths, f"{seed}")
        receipted = 0
        try:
            rig.start("worker")
            alarms.start()
            for booth, presser in zip(booths, pressers, strict=True):
                booth.start()
                presser.start()
            for _ in range(rounds):
                _wait_for_receipts(booths)
                time.sleep(chance.uniform(0.1, 2.0))
                # The pages have the database open too.
                for program in ("worker", "web"):
                    rig.signal(program, signal.SIGSTOP)
                disk.cut()
                for program in ("worker", "web"):
                    rig.kill(program)
                # Receipts that were on their way are taken; after that none is given.
                time.sleep(0.3)
                closed = {b.name: {e.id for e in b.kept() if e.closed} for b in booths}
                receipted = sum(len(ids) for ids in closed.values())
                disk.restart()
                outcome.check(_whole(database), "The database is damaged after a cut.")
                there = {str(row[0]) for row in rig.read("SELECT id FROM event")}
                for name, ids in closed.items():
                    gone = len(ids - there)
                    outcome.check(not gone, f"{gone} receipted events of {name} are gone after a cut.")
                rig.start("worker")
                rig.start("web")
            alarms.quiet()
            for presser in pressers:
                presser.stop()
            drained_s = outboxes_empty(booths)
            books = balance(rig, booths, {p.booth.name: p.pressed() for p in pressers})
            outcome.wrong += books.wrong
            alarms.settle(outcome)
        finally:
            alarms.close()
            rig.stop()
            disk.unmount()
    outcome.check(
        disk.lost == disk.cuts, "A file that was not flushed survived a cut: this round says nothing."
    )
    outcome.add({"cuts": disk.cuts, "receipted before the last": receipted, **books.figures()})
    return outcome.add({"outboxes empty after": drained_s})


@contextlib.contextmanager
def _store(directory: Path, outcome: Outcome, devices: tuple[str, ...] = ("kiosk-1",)) -> Iterator[Rig]:
    rig = Rig.make(directory, devices)
    rig.start_broker()
    try:
        yield rig
    finally:
        rig.stop()


def _wait_for_receipts(booths: list[Booth]) -> None:
    """The worker is back at work."""
    before = sum(booth.receipted() for booth in booths)
    wait_for(lambda: sum(booth.receipted() for booth in booths) > before, "The first receipt after a cut", 60)


def _whole(database: Path) -> bool:
    with contextlib.closing(sqlite3.connect(database)) as db:
        return bool(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok")
