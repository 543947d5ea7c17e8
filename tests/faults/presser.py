"""Shoppers in front of one kiosk: a seeded script of presses, and an honest note of each."""

import random
import threading
import time
from dataclasses import dataclass

from deploy.demo.control import Ask
from tests.faults.booth import HELPS, HOLD_S, Booth, Gone, Touch, pause
from tests.faults.ledger import Pressed

# Presses this short before a kill may not have reached the disk. Far longer than a commit takes.
LATE_S = 2.0
STROKE_S = 0.04
KIND = {"cancel": "cancel", "here": "attend", "security": "security"}


@dataclass(frozen=True)
class Note:
    """One press: when it was answered, and whether it was."""

    at_s: float
    kind: str
    sure: bool


class Presser:
    """See the module. `busy` is the longest pause between two actions."""

    def __init__(self, booth: Booth, seed: str, busy_s: float = 0.9) -> None:
        self.booth = booth
        self.notes: list[Note] = []
        self._chance = random.Random(seed)
        self._busy_s = busy_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"presser-{booth.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No further action; waits for the one that is under way. The kiosk must run."""
        self._stop.set()
        self._thread.join(90)
        assert not self._thread.is_alive(), f"The presser of {self.booth.name} hangs."

    def pressed(self) -> Pressed:
        """The notes, with those set apart that a kill may have overtaken."""
        books = Pressed()
        kills = [life.killed_s for life in self.booth.lives if life.killed_s is not None]
        for note in self.notes:
            if not note.sure:
                books.unsure[note.kind] += 1
                continue
            books.presses[note.kind] += 1
            if any(killed - LATE_S - HOLD_S <= note.at_s <= killed + STROKE_S for killed in kills):
                books.late[note.kind] += 1
        return books

    def _run(self) -> None:
        touch: Touch | None = None
        while not self._stop.is_set():
            if not self.booth.ready.wait(0.2):
                continue
            try:
                touch = touch or self.booth.touch()
                self._act(touch)
            except Gone:
                if touch is not None:
                    touch.close()
                touch = None
                self._stop.wait(0.1)
            pause(self._chance, 0.05, self._busy_s, self._stop)
        if touch is not None:
            touch.close()

    def _act(self, touch: Touch) -> None:
        (action,) = self._chance.choices(["help", "burst", "cancel", "security", "here"], [50, 14, 18, 10, 8])
        if action == "help":
            self._press(touch, self._chance.choice(HELPS), STROKE_S)
        elif action == "burst":
            button = self._chance.choice(HELPS)
            for _ in range(self._chance.randint(4, 25)):
                self._press(touch, button, STROKE_S)
                time.sleep(STROKE_S)
        elif action == "security":
            self._press(touch, "security", HOLD_S + 0.15)
        else:
            self._press(touch, action, STROKE_S)

    def _press(self, touch: Touch, button: str, seconds: float) -> None:
        kind = KIND.get(button, "help")
        try:
            touch.ask(Ask("press", button))
            if kind == "security":
                time.sleep(seconds)
            # A press counts from its first edge, a hold when it has lasted.
            self.notes.append(Note(time.monotonic(), kind, True))
        except Gone:
            self.notes.append(Note(time.monotonic(), kind, False))
            raise
        if kind != "security":
            time.sleep(seconds)
        try:
            touch.ask(Ask("release", button))
        except Gone:
            if kind == "security":
                # It was killed during the hold, or just after it.
                last = self.notes.pop()
                self.notes.append(Note(last.at_s, kind, False))
            raise
