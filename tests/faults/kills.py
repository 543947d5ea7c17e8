"""kill -9 and SIGSTOP at broker, worker, web and kiosks, at seeded moments, while presses go on."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.alarms import Alarms
from tests.faults.booth import Booth, outboxes_empty
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.faults.presser import Presser
from tests.faults.staff import Associate, Desk
from tests.rig.store import Rig, wait_for

NAME = "kills"
TICK_S = 0.05
SETTLE_S = 180.0


@dataclass(frozen=True)
class Plan:
    """How hard: seconds of faults, the longest stop, the longest wait before the next fault."""

    seconds: float
    kiosks: int = 3
    web: bool = True
    longest_stop_s: float = 12.0
    gap_s: float = 4.0


# What fits into `make test`: no web, two kiosks, short stops.
SHORT = Plan(seconds=16.0, kiosks=2, web=False, longest_stop_s=3.0, gap_s=2.0)


@dataclass
class Recovery:
    """The time from the end of the last standing fault to the first receipt, a killed kiosk's own first."""

    booths: list[Booth]
    slowest_s: float = 0.0
    samples: int = 0
    interrupted: int = 0
    _since_s: float | None = None
    _hit: set[str] = field(default_factory=set)
    _before: dict[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        return self._since_s is not None

    def fault(self, target: str) -> None:
        if self._since_s is not None:
            self.interrupted += 1
        self._since_s = None
        self._hit.add(target)

    def all_back(self) -> None:
        self._since_s = time.monotonic()
        self._before = {booth.name: booth.receipted() for booth in self.booths}

    def look(self) -> None:
        if self._since_s is None:
            return
        more = {b.name for b in self.booths if b.receipted() > self._before[b.name]}
        kiosks = self._hit & {booth.name for booth in self.booths}
        if more and kiosks <= more:
            self.samples += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - self._since_s)
            self._since_s = None
            self._hit = set()


class Saboteur:
    """Chooses targets, hurts them and brings them back."""

    def __init__(
        self,
        rig: Rig,
        booths: list[Booth],
        plan: Plan,
        seed: str,
        others: Mapping[str, Callable[[], object]] | None = None,
        struck: Callable[[], object] = lambda: None,
    ) -> None:
        """`others` are further programs and how each is started; `struck` is called before each fault."""
        self._rig, self._plan = rig, plan
        self._others, self._struck = dict(others or {}), struck
        self._booths = {booth.name: booth for booth in booths}
        self._chance = random.Random(seed)
        self._programs = ["broker", "worker"] + (["web"] if plan.web else []) + list(self._others)
        self._hurt: dict[str, tuple[float, str, float]] = {}
        self.recovery = Recovery(booths)
        self._deck: list[tuple[str, str]] = []
        self.hits: Counter[str] = Counter()
        self.kills = self.stops = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        """All the plan's seconds; afterwards everything runs."""
        end = time.monotonic() + self._plan.seconds
        next_s = time.monotonic() + 1.0
        calm = False
        self.recovery.all_back()
        while time.monotonic() < end or self._hurt:
            now = time.monotonic()
            for target in [t for t, (due, _, _) in self._hurt.items() if due <= now]:
                self._heal(target)
            if now >= next_s and now < end and not (calm and self._recovering):
                next_s = now + self._chance.uniform(0.3, self._plan.gap_s)
                # Often one after the other, so that a recovery can be seen; often several at once.
                calm = self._chance.random() < 0.6
                self._strike(end)
            self.recovery.look()
            self._check()
            time.sleep(TICK_S)

    @property
    def _recovering(self) -> bool:
        return bool(self._hurt) or self.recovery.waiting

    def _strike(self, end: float) -> None:
        if not self._deck:
            targets = [*self._programs, *self._booths]
            self._deck = [(t, how) for t in targets for how in ("kill", "stop", "kill", "stop", "hang")]
            self._chance.shuffle(self._deck)
        card = next((card for card in self._deck if card[0] not in self._hurt), None)
        if card is None:
            return
        self._deck.remove(card)
        target, how = card
        length = self._chance.uniform(0.0, 2.0) if how == "kill" else self._length()
        self.hits[target] += 1
        self._struck()
        now = time.monotonic()
        self.recovery.fault(target)
        self._hurt[target] = (min(now + length, end + 1.0), how, now)
        if how == "kill":
            self.kills += 1
            self._kill(target, now)
        else:
            self.stops += 1
            self._rig.signal(target, signal.SIGSTOP)

    def _heal(self, target: str) -> None:
        _, how, since = self._hurt[target]
        if how == "hang":
            # It hung, and whoever looks after it pulled the plug.
            self.kills += 1
            self._kill(target, since)
        if how == "stop":
            self._rig.signal(target, signal.SIGCONT)
        elif target == "broker":
            assert self._rig.broker is not None
            self._rig.broker.start()
        elif target in self._booths:
            self._booths[target].start()
        else:
            self._start(target)
        del self._hurt[target]
        if not self._hurt:
            self.recovery.all_back()

    def _kill(self, target: str, since_s: float) -> None:
        if target in self._booths:
            self._booths[target].kill(since_s)
        else:
            self._rig.kill(target)

    def _length(self) -> float:
        return self._chance.uniform(1.0, self._plan.longest_stop_s)

    def _check(self) -> None:
        """Nothing may end by itself. It is started again, as systemd would, so that the round goes on."""
        for name in [*self._programs[1:], *self._booths]:
            if name in self._hurt or self._rig.processes[name].poll() is None:
                continue
            last = self._rig.log_of(name).splitlines()[-1:] or ["it said nothing"]
            self.wrong.append(f"{name} ended by itself: {last[0][:200]}")
            if name in self._booths:
                self._booths[name].kill()
                self._booths[name].start()
            else:
                self._start(name)

    def _start(self, program: str) -> None:
        self._others.get(program, lambda: self._rig.start(program))()


def run(directory: Path, seed: int, plan: Plan) -> Outcome:
    outcome = Outcome(NAME)
    names = tuple(f"kiosk-{n + 1}" for n in range(plan.kiosks))
    rig = Rig.make(directory, names)
    booths = [Booth(rig, name, window_s=2) for name in names]
    pressers = [Presser(booth, f"{seed}-{booth.name}") for booth in booths]
    phones: list[Associate] = []
    alarms = Alarms(rig, booths, f"{seed}")
    try:
        rig.start_broker()
        rig.start("worker")
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        desk = Desk(rig, f"{seed}-desk")
        desk.start()
        if plan.web:
            rig.start("web")
            phones = [Associate(rig, name, f"{seed}-{name}") for name in ("Ana", "Marc")]
            for phone in phones:
                wait_for(phone.start, "The sign-in of a phone", 60)
        alarms.start()
        for booth, presser in zip(booths, pressers, strict=True):
            booth.start()
            presser.start()
        saboteur = Saboteur(rig, booths, plan, f"{seed}-saboteur")
        saboteur.run()
        alarms.quiet()
        for presser in pressers:
            presser.stop()
        drained_s = outboxes_empty(booths, SETTLE_S)
        desk.stop()
        if phones:
            wait_for(lambda: all(phone.caught_up() for phone in phones), "The phones' last page", 60)
        for phone in phones:
            phone.stop()
        books = balance(rig, booths, {p.booth.name: p.pressed() for p in pressers})
        outcome.wrong += saboteur.wrong + books.wrong
        for phone in phones:
            outcome.wrong += phone.missed()
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    recovery = saboteur.recovery
    outcome.add({"seconds": f"{plan.seconds:.0f}", "kills": saboteur.kills, "stops": saboteur.stops})
    outcome.add({"at": ", ".join(f"{name} {n}" for name, n in sorted(saboteur.hits.items()))})
    outcome.add(books.figures())
    outcome.add({"requests": books.requests, "pages": books.pages, "closed": desk.closed})
    if phones:
        outcome.add({"closed by phone": sum(phone.closed for phone in phones)})
        outcome.add({"streams broken": sum(phone.breaks for phone in phones)})
    outcome.add({"slowest recovery": recovery.slowest_s, "recoveries": recovery.samples})
    outcome.add({"outboxes empty after": drained_s})
    outcome.check(books.saved and books.requests, "Nothing was pressed: this round says nothing.")
    outcome.check(saboteur.kills and saboteur.stops, "Nothing was killed: this round says nothing.")
    return outcome
