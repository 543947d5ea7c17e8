"""The keeper's loop: hears the kiosk's word, has releases built, tries them and takes them back.

The kiosk says what it was ordered and how it is in a file of its own, `word`; it brings releases from the
store but cannot write a slot. The keeper can, and has no network but for one question: does anybody answer at
the broker's address? Whatever it reads there is only a hint: a release counts by its signature (installer).
"""

import json
import logging
import os
import socket
import stat
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kiosk.keeper.slots import MOST_TRIES, RESTART, SLOTS, Slots, Staged, State, Told, Trial, back
from kiosk.keeper.trial import Judge, Verdict, Way, Word, is_fresh

log = logging.getLogger(__name__)
TURN_S = 1.0
MAX_WORD_BYTES = 64 * 1024
BUILD_S = 1800.0
ASK_S, ASK_EVERY_S = 2.0, 5.0
RESTART_AGAIN_S = 60.0
REFUSED = 3


@dataclass(frozen=True)
class Settings:
    """`word` is the kiosk's file, `directory` where it puts releases, `keys` the release keys that count,
    `config` its kiosk.toml; the broker's address is `host` and `port`."""

    word: Path
    directory: Path
    keys: Path
    config: Path
    host: str
    port: int
    within_s: float = 300.0
    steady_s: float = 120.0


@dataclass(frozen=True)
class Order:
    """What the store wants of this kiosk: the release in `file`, or, with `revert`, that `release` ends."""

    id: str
    release: str
    file: Path | None
    revert: bool


@dataclass(frozen=True)
class Built:
    """How it went: '' or the sentence against it; `cut` where it was ended from outside and says nothing."""

    against: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Heard:
    """The kiosk's file, taken apart."""

    word: Word
    order: Order | None
    heard: frozenset[str]


class Keeper:
    """See the module. `build` puts a release into a slot; `answers` asks at the broker's address."""

    def __init__(
        self,
        slots: Slots,
        settings: Settings,
        build: Callable[[Slots, Settings, str, Order], Built] | None = None,
        answers: Callable[[str, int], bool] | None = None,
    ) -> None:
        self._slots, self._settings = slots, settings
        self._build = build or build_apart
        self._answers = answers or somebody_answers
        self._judge: Judge | None = None
        self._asked_s, self._answered = float("-inf"), False
        self._restarts = 0
        self._pushed, self._pushed_s = "", float("-inf")

    def run(self, stop: Callable[[], bool], sleep: Callable[[float], object] = time.sleep) -> None:
        """Until `stop` says so. What fails in one turn is tried again in the next."""
        while not stop():
            try:
                self.turn(time.monotonic())
                self._slots.keep_reserve()
            except OSError as error:
                log.error("The slots cannot be looked after: %s.", error)
            sleep(TURN_S)

    def turn(self, now_s: float) -> None:
        state = before = self._slots.known()
        heard = read_word(self._settings.word, self._settings.directory)
        if heard is not None and state.told:
            state = replace(state, told=tuple(one for one in state.told if one.id not in heard.heard))
        if state.meant != self._slots.pointed:
            # A cut between the two, and no start since.
            self._slots.turn(state.meant)
        if heard is not None and heard.order is not None and heard.order.id != state.done:
            state = self._follow(state, heard.order)
        if state.trial is not None:
            state = self._watch(state, heard.word if heard else None, now_s)
        elif state.staged is not None and heard is not None and _is_quiet(heard.word, now_s):
            state = self._try(state, state.staged)
        if state != before:
            meant_before = before.meant
            self._slots.mean(state)
            if state.meant != meant_before:
                self._restart(state, now_s)
        elif heard is not None and is_fresh(heard.word, now_s):
            self._push(state, heard.word, now_s)
        if state.trial is None:
            # Only now: a verdict that a full card did not take stands in the next turn.
            self._judge = None

    def _follow(self, state: State, order: Order) -> State:
        if order.revert:
            return self._revert(state, order)
        if state.trial is not None:
            # It waits until that is decided.
            return state
        builds = state.builds + 1 if state.begun == order.id else 1
        if builds > MOST_TRIES:
            why = f"It was cut off {MOST_TRIES} times while it was built."
            return replace(state, done=order.id).telling(_told(order, "refused", why))
        slot = next(name for name in SLOTS if name != state.good)
        # What stood there can be gone back to no more. After a cut it is built anew.
        state = replace(state, staged=None, begun=order.id, builds=builds, before="")
        self._slots.write(state)
        log.info("The release %s is taken into the slot %s.", order.release, slot)
        built = self._build(self._slots, self._settings, slot, order)
        if built.cut:
            log.warning("The release %s was cut off while it was built.", order.release)
            return state
        state = replace(state, done=order.id, begun="", builds=0)
        if built.against:
            log.error("The release %s is refused: %s", order.release, built.against)
            return state.telling(_told(order, "refused", built.against))
        state = replace(state, staged=Staged(slot, order.release, order.id))
        return state.telling(_told(order, "taken"))

    def _revert(self, known: State, order: Order) -> State:
        state = replace(known, done=order.id)
        release, why = order.release, "The store called it back."
        if state.staged is not None and state.staged.release == release:
            return replace(state, staged=None).telling(_told(order, "rolled_back", why))
        if state.trial is not None and state.trial.release == release:
            return replace(state, trial=None).telling(_told(order, "rolled_back", why))
        runs = self._slots.release_in(state.good)
        if not runs:
            return state.telling(_told(order, "refused", "What runs here does not say what it is."))
        if runs != release:
            return state.telling(_told(order, "rolled_back", f"{release} was not taken here."))
        if state.trial is not None:
            # What it would go back to is known once that is decided.
            return known
        if not state.before or not self._slots.is_whole(state.before):
            return state.telling(_told(order, "refused", "The release before it is not here any more."))
        back_at = replace(state, good=state.before, before="", staged=None)
        return back_at.telling(_told(order, "rolled_back", why))

    def _try(self, state: State, staged: Staged) -> State:
        if not self._slots.is_whole(staged.slot) or self._slots.release_in(staged.slot) != staged.release:
            why = "Something else was put into its slot meanwhile."
            return replace(state, staged=None).telling(_told(staged, "refused", why))
        log.info("The release %s is tried.", staged.release)
        trial = Trial(staged.slot, staged.release, staged.order)
        return replace(state, staged=None, trial=trial).telling(_told(trial, "trying"))

    def _watch(self, state: State, word: Word | None, now_s: float) -> State:
        trial = state.trial
        assert trial is not None
        if self._judge is None or self._judge.release != trial.release:
            self._judge = Judge(trial.release, self._settings.within_s, self._settings.steady_s)
        match self._judge.look(word, self._answering(now_s), now_s):
            case Verdict.HEALTHY:
                log.info("The release %s is well and stays.", trial.release)
                state = replace(state, good=trial.slot, before=state.good, trial=None)
                return state.telling(_told(trial, "healthy"))
            case Verdict.STEADY if trial.tries:
                return replace(state, trial=replace(trial, tries=0))
            case Verdict.BACK:
                log.error("The release %s is taken back: %s", trial.release, self._judge.reason)
                return back(state, new_id(), self._judge.reason)
        return state

    def _answering(self, now_s: float) -> bool:
        if now_s - self._asked_s >= ASK_EVERY_S:
            self._asked_s = now_s
            self._answered = self._answers(self._settings.host, self._settings.port)
        return self._answered

    def _push(self, state: State, word: Word, now_s: float) -> None:
        """Another release runs than is meant: the keeper was killed before it had the programs started anew,
        or nobody did what it asked for."""
        meant = self._slots.release_in(state.meant)
        if meant in ("", word.version):
            return
        if meant != self._pushed or now_s - self._pushed_s >= RESTART_AGAIN_S:
            self._restart(state, now_s)

    def _restart(self, state: State, now_s: float) -> None:
        """Whoever looks after the programs starts them anew when this file changes."""
        self._restarts += 1
        mark = f"{time.time_ns()} {self._restarts}\n"
        self._slots.files.write(self._slots.root / RESTART, mark.encode())
        # Not before: a card that took nothing is asked again.
        self._pushed, self._pushed_s = self._slots.release_in(state.meant), now_s


def _is_quiet(word: Word, now_s: float) -> bool:
    return word.idle and is_fresh(word, now_s)


def _told(of: Order | Staged | Trial, stage: str, reason: str = "") -> Told:
    order = of.id if isinstance(of, Order) else of.order
    return Told(new_id(), order, of.release, stage, reason[:300])


def new_id() -> str:
    """A UUIDv7 (RFC 9562, 5.7), as every event has one."""
    value = int.from_bytes(os.urandom(16))
    value = value & ~(((1 << 48) - 1) << 80) | (time.time_ns() // 1_000_000) << 80
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=value & ~(0b11 << 62) | 0b10 << 62))


def read_word(path: Path, directory: Path) -> Heard | None:
    """The kiosk's file; None where there is none or it is none of ours."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return None
            said = json.loads(file.read(MAX_WORD_BYTES))
        word = Word(
            version=str(said["version"])[:40],
            at_s=float(said["at_s"]),
            running_s=float(said["running_s"]),
            works=said["works"] is True,
            way=Way(said["way"]),
            idle=said["idle"] is True,
        )
        return Heard(word, _order(said.get("order"), directory), frozenset(map(str, said["heard"])))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _order(said: Any, directory: Path) -> Order | None:
    if said is None:
        return None
    revert = said["revert"] is True
    # Only a name: it lies where releases do.
    file = None if revert else directory / Path(str(said["file"])).name
    return Order(str(said["id"])[:64], str(said["release"])[:40], file, revert)


def build_apart(slots: Slots, settings: Settings, slot: str, order: Order) -> Built:
    """In a program of the release that runs now, which is known to be well."""
    program = slots.root / "current" / ".venv/bin/floorbell"
    command = [str(program), "kiosk", "update", "--root", str(slots.root), "--slot", slot]
    command += ["--release", str(order.file), "--version", order.release]
    command += ["--keys", str(settings.keys), "--config", str(settings.config)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=BUILD_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Built(f"It could not be built: {error}."[:300])
    said = done.stdout.decode(errors="replace").strip().splitlines()
    if done.returncode == 0:
        return Built()
    if done.returncode < 0:
        # The machine is shut down, or has no memory for it at the moment.
        return Built(cut=True)
    if done.returncode == REFUSED and said:
        return Built(said[-1][:300])
    return Built(f"It could not be built: the installer ended with {done.returncode}.")


def somebody_answers(host: str, port: int) -> bool:
    """Whether a connection can be made at all; nothing is said over it."""
    try:
        socket.create_connection((host, port), ASK_S).close()
    except (OSError, ValueError, OverflowError):
        # Or what kiosk.toml has there is no address at all.
        return False
    return True
