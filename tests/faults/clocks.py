"""Clocks that are wrong: the server's wall clock jumps; a kiosk's monotonic clock is another one.

The worker takes its clock as an argument, so the jump is the process's own and not the machine's. The
kiosk lives in a time namespace, where the kernel gives it another monotonic clock (needs root).
"""

import signal
import time
from pathlib import Path

from tests.faults.alarms import Alarms
from tests.faults.booth import HELPS, HOLD_S, Booth, Touch, outboxes_empty
from tests.faults.disk import is_root
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.faults.staff import Desk
from tests.rig.store import Rig, wait_for

SERVER, KIOSK = "server's clock jumps", "kiosk's clock is another"
REPEAT_S = 3
LOOK_S = 10.0
POLICY = f"""
[policy.help]
ceiling_s = 60
steps = [{{after_s = 0, who = ["best"]}}, {{after_s = 8, who = ["all"]}}]
[policy.security]
repeat_s = {REPEAT_S}
steps = [{{after_s = 0, who = ["security"]}}, {{after_s = 4, who = ["all"]}}]
"""


def server(directory: Path, seed: int) -> Outcome:
    """An hour forward, then two back, with a help and a security request open."""
    outcome = Outcome(SERVER)
    rig = Rig.make(directory, ("kiosk-1", "kiosk-2"))
    rig.configure(lambda text: text + POLICY)
    Desk(rig, "present").make_present()
    booths = [Booth(rig, name, window_s=1) for name in ("kiosk-1", "kiosk-2")]
    rounds: list[int] = []
    # The pages' clock does not jump: a phone's call is none of this.
    alarms = Alarms(rig, booths, f"{seed}", others=["pager"], jumps=True, repeat_s=REPEAT_S)
    try:
        rig.start_broker()
        rig.start("worker", "-m", "tests.faults.odd_worker", str(directory / "edge.toml"))
        alarms.start()
        for booth in booths:
            booth.start()
        touches = [booth.touch() for booth in booths]
        for jump in (signal.SIGUSR1, signal.SIGUSR2):
            help_, security = _press(booths[0], touches[0])
            _wait_for_pages(rig, security, "The first security page")
            rig.signal("worker", jump)
            # The first press after a jump, before anything else can have noticed it.
            fresh = _help(booths[1], touches[1])
            before = _round(rig, security)
            time.sleep(LOOK_S)
            went = _round(rig, security) - before
            rounds.append(went)
            what = "forward" if jump is signal.SIGUSR1 else "back"
            outcome.check(2 <= went <= 6, f"{went} rounds of a security request in 10 s after a jump {what}.")
            for name, event in (("an open", help_), ("a new", fresh)):
                state = _state(rig, event)
                outcome.check(state == "raised", f"After a jump {what}, {name} help request is {state}.")
                people = len(_pages(rig, event))
                outcome.check(
                    people >= 4, f"After a jump {what}, {name} help request reached {people} people."
                )
            for booth in booths:
                outcome.check(
                    booth.shown == "sent", f"After a jump {what}, {booth.name} shows {booth.shown}."
                )
            for touch in touches:
                touch.press("cancel")
            _resolve_all(rig)
        outcome.check(rig.log_of("worker").count("jumped") == 2, "The worker did not name both jumps.")
        outboxes_empty(booths)
        books = balance(rig, booths)
        outcome.wrong += books.wrong
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    outcome.add({"rounds in 10 s after forward, back": f"{rounds[0]}, {rounds[1]}", "at rest": "3"})
    return outcome.add(books.figures())


def kiosk(directory: Path, seed: int) -> Outcome:
    """Eleven days ahead in its namespace; then the same kiosk, with events waiting, back outside."""
    outcome = Outcome(KIOSK)
    if not is_root():
        outcome.not_run = True
        return outcome
    rig = Rig.make(directory)
    Desk(rig, "present").make_present()
    booth = Booth(rig, "kiosk-1", window_s=1)
    booth.ahead_s = 1_000_000.0
    alarms = Alarms(rig, [booth], f"{seed}")
    try:
        rig.start_broker()
        rig.start("worker")
        alarms.start()
        booth.start(("unshare", "--time", "--monotonic", "1000000", "--boottime", "1000000"))
        touch = booth.touch()
        first = _help(booth, touch)
        _wait_for_pages(rig, first, "A page for a kiosk with another clock")
        ((raised, received),) = rig.read(
            "SELECT raised_at, received_at FROM interaction WHERE id = :id", id=first
        )
        age_s = (int(received) - int(raised)) / 1_000_000
        outcome.check(0 <= age_s < 30, f"A press of now is held to be {age_s:.0f} s old.")
        touch.press("cancel")
        outboxes_empty([booth])
        rig.kill("worker")
        _, waiting = _press(booth, touch)
        time.sleep(1.0)
        booth.kill()
        booth.start()
        touch = booth.touch()
        rig.start("worker")
        _wait_for_pages(rig, waiting, "A page for what waited over the change of clocks")
        # Outside a namespace no clock steps back within one boot: until the next heartbeat its new presses
        # would look as old as the step.
        last = _heard_at(rig)
        wait_for(lambda: _heard_at(rig) != last, "A heartbeat after the change of clocks")
        touch.press("cancel")
        again = _help(booth, touch)
        _wait_for_pages(rig, again, "A page after the change of clocks")
        outboxes_empty([booth])
        books = balance(rig, [booth])
        outcome.wrong += books.wrong
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    outcome.note = "A time namespace moves the monotonic clock only; a kiosk's wall clock decides nothing."
    return outcome.add({"age of a press of now": age_s}).add(books.figures())


def _heard_at(rig: Rig) -> object:
    ((heard_at,),) = rig.read("SELECT heartbeat_at FROM device WHERE name = 'kiosk-1'")
    return heard_at


def _press(booth: Booth, touch: Touch) -> tuple[str, str]:
    """A help and a security request; their ids."""
    help_ = _help(booth, touch)
    before = {e.id for e in booth.kept()}
    touch.press("security", HOLD_S + 0.2)
    found = wait_for(
        lambda: [e.id for e in booth.kept() if e.id not in before and e.kind == "security"], "A hold"
    )
    return help_, found[0]


def _help(booth: Booth, touch: Touch) -> str:
    before = {e.id for e in booth.kept()}
    touch.press(HELPS[0])
    return wait_for(
        lambda: [e.id for e in booth.kept() if e.id not in before and e.kind == "help"], "A press"
    )[0]


def _pages(rig: Rig, request: str) -> list[tuple[object, ...]]:
    return rig.read("SELECT DISTINCT person FROM page WHERE request = :id", id=request)


def _wait_for_pages(rig: Rig, request: str, what: str) -> None:
    wait_for(lambda: _pages(rig, request), what, 60)


def _round(rig: Rig, request: str) -> int:
    ((number,),) = rig.read("SELECT max(round) FROM page WHERE request = :id", id=request)
    return int(number or 0)


def _state(rig: Rig, request: str) -> str:
    rows = rig.read("SELECT state FROM interaction WHERE id = :id", id=request)
    return str(rows[0][0]) if rows else "not there"


def _resolve_all(rig: Rig) -> None:
    Desk(rig, "closing").close_all()
