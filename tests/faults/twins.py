"""Two programs with one identity: each says so, neither starves the other, nothing is lost."""

import time
from pathlib import Path

from tests.faults.alarms import Alarms
from tests.faults.booth import Booth, outboxes_empty
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.faults.presser import Presser
from tests.faults.staff import Desk
from tests.rig.store import Rig, wait_for

KIOSKS, WORKERS = "two kiosks, one identity", "two workers, one identity"
SENTENCE = "another program uses the same identity"
TOGETHER_S = 40.0


def kiosks(directory: Path, seed: int) -> Outcome:
    """A kiosk's folder was copied to another one. Both press; each is heard in turns."""
    outcome = Outcome(KIOSKS)
    rig = Rig.make(directory)
    booths = [Booth(rig, "kiosk-1", window_s=1), Booth(rig, "kiosk-1", called="clone", window_s=1)]
    pressers = [Presser(booth, f"{seed}-{booth.name}") for booth in booths]
    desk = Desk(rig, f"{seed}-desk")
    alarms = Alarms(rig, booths, f"{seed}")
    try:
        rig.start_broker()
        rig.start("worker")
        desk.start()
        alarms.start()
        for booth, presser in zip(booths, pressers, strict=True):
            booth.start()
            presser.start()
        time.sleep(TOGETHER_S)
        alarms.quiet()
        for presser in pressers:
            presser.stop()
        # While both still run: each must get its turn.
        drained_s = outboxes_empty(booths, 120)
        changes = _said(rig, "kiosk-1") + _said(rig, "clone")
        for booth in booths:
            outcome.check(_said(rig, booth.name), f"{booth.name} never said that its identity is used twice.")
        wait_for(lambda: "uses the identity" in _faults(rig), "The word of it in a heartbeat", 60)
        outcome.check(changes < TOGETHER_S / 2, f"They threw each other out {changes} times: a livelock.")
        desk.stop()
        books = balance(rig, booths, {p.booth.name: p.pressed() for p in pressers})
        outcome.wrong += books.wrong
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    outcome.add({"together": TOGETHER_S, "take-overs": changes, **books.figures()})
    return outcome.add({"outboxes empty after": drained_s})


def workers(directory: Path, seed: int) -> Outcome:
    """A second worker on the same folder must not start; one on another folder shares the broker badly."""
    outcome = Outcome(WORKERS)
    rig = Rig.make(directory)
    booth = Booth(rig, "kiosk-1", window_s=1)
    presser = Presser(booth, f"{seed}-presser")
    desk = Desk(rig, f"{seed}-desk")
    alarms = Alarms(rig, [booth], f"{seed}")
    try:
        rig.start_broker()
        first = rig.start("worker")
        desk.start()
        alarms.start()
        booth.start()
        presser.start()
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        same = ("-m", "edge", "worker", "--config", str(directory / "edge.toml"))
        status = rig.start("same-folder", *same).wait(60)
        outcome.check(status == 1, f"A second worker on the same folder ended with {status}.")
        outcome.check("only one may" in rig.log_of("same-folder"), "It did not say why.")

        other = _other_folder(rig)
        second = rig.start("other-folder", "-m", "edge", "worker", "--config", str(other))
        time.sleep(TOGETHER_S)
        changes = _said(rig, "worker") + _said(rig, "other-folder")
        outcome.check(_said(rig, "worker"), "The worker never said that its identity is used twice.")
        outcome.check(changes < TOGETHER_S, f"They threw each other out {changes} times: a livelock.")
        outcome.check(first.poll() is None and second.poll() is None, "One of the workers ended.")
        alarms.quiet()
        presser.stop()
        drained_s = outboxes_empty([booth], 120)
        rig.kill("other-folder")
        desk.stop()
        books = balance(rig, [booth], {booth.name: presser.pressed()})
        outcome.wrong += books.wrong
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    outcome.add({"same folder": "refused with a sentence", "together": TOGETHER_S, "take-overs": changes})
    return outcome.add(books.figures()).add({"outbox empty after": drained_s})


def _other_folder(rig: Rig) -> Path:
    """Another edge.toml for the same database and identity: no lock can know of it."""
    folder = rig.directory / "other"
    folder.mkdir()
    text = (rig.directory / "edge.toml").read_text()
    for key, value in (("identity", "identity"), ("database", "floorbell.db")):
        text = text.replace(f'{key} = "{value}"', f'{key} = "{rig.directory / value}"')
    path = folder / "edge.toml"
    path.write_text(text)
    return path


def _said(rig: Rig, program: str) -> int:
    return rig.log_of(program).count(SENTENCE)


def _faults(rig: Rig) -> str:
    return str(rig.read("SELECT heartbeat FROM device WHERE name = 'kiosk-1'"))
