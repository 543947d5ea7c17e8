"""The two slots and the one file that says which is meant.

    slots/a, slots/b      a whole release each, with a .venv; one that holds a file `unfinished` is not whole
    current               a link to one of them: where every program is started from
    update/state.json     State: what is meant. `current` follows it, not the other way round

A change is first written to the file, then the link is turned. A power cut in between is mended by `choose`
at the next start, which does nothing where both agree.
"""

import errno
import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from kiosk.keeper.files import Files

SLOTS = ("a", "b")
STATE, UNFINISHED, RESTART = "update/state.json", "unfinished", "update/restart"
RESERVE, RESERVE_BYTES = "update/reserve", 64 * 1024
PROGRAM = ".venv/bin/floorbell"
MOST_TRIES = 3
TOLD_MOST = 16
_VERSION = re.compile(r'^VERSION = "([^"]{1,40})"$', re.MULTILINE)


class SlotError(Exception):
    """Root of the keeper's errors: one sentence that says what to do."""


@dataclass(frozen=True)
class Trial:
    """A release that has yet to show that it is well. `tries`: how often its kiosk was started."""

    slot: str
    release: str
    order: str
    tries: int = 0


@dataclass(frozen=True)
class Staged:
    """A release that is whole in its slot and waits for a quiet moment."""

    slot: str
    release: str
    order: str


@dataclass(frozen=True)
class Told:
    """What is to be told to the store, until the kiosk has it in its outbox."""

    id: str
    order: str
    release: str
    stage: str
    reason: str = ""


@dataclass(frozen=True)
class State:
    """`good` is the slot that was well last, `done` the last order that was dealt with; `begun` is the one
    whose release was being built, for the `builds`-th time. `before` is the slot whose release was well
    before that of `good`, if it is still there: the only one that can be gone back to, once."""

    good: str
    trial: Trial | None = None
    staged: Staged | None = None
    done: str = ""
    begun: str = ""
    builds: int = 0
    before: str = ""
    told: tuple[Told, ...] = field(default_factory=tuple)

    @property
    def meant(self) -> str:
        """The slot that programs are to start from."""
        return self.trial.slot if self.trial is not None else self.good

    def telling(self, told: Told) -> "State":
        return replace(self, told=(*self.told, told)[-TOLD_MOST:])


class Slots:
    """See the module. `root` is /opt/floorbell."""

    def __init__(self, root: Path, files: Files | None = None) -> None:
        self.root = root
        self.files = files or Files()

    def slot(self, name: str) -> Path:
        return self.root / "slots" / name

    def is_whole(self, name: str) -> bool:
        """Whether programs can be started from it."""
        slot = self.slot(name)
        return (slot / PROGRAM).is_file() and not (slot / UNFINISHED).exists()

    def release_in(self, name: str) -> str:
        """The version of the release in a slot; '' where it cannot be read."""
        try:
            found = _VERSION.search((self.slot(name) / "kiosk/__init__.py").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return found[1] if found else ""

    @property
    def pointed(self) -> str | None:
        """The slot that `current` leads to."""
        try:
            name = (self.root / "current").readlink().name
        except OSError:
            return None
        return name if name in SLOTS else None

    def read(self) -> State | None:
        """What the file says; None if there is none, or one that cannot be read."""
        try:
            return _state(json.loads((self.root / STATE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, state: State) -> None:
        """On the disk when it returns, also where the card is full: the reserve is there for that."""
        content, reserve = json.dumps(asdict(state), indent=1).encode() + b"\n", self.root / RESERVE
        try:
            self.files.write(self.root / STATE, content)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not reserve.exists():
                raise
            self.files.unlink(reserve)
            self.files.write(self.root / STATE, content)

    def keep_reserve(self) -> None:
        """Room on the card for a word that a release is to be taken back, whatever fills the rest."""
        if not (self.root / RESERVE).exists():
            self.files.reserve(self.root / RESERVE, RESERVE_BYTES)

    def known(self) -> State:
        """What the file says, or what can be seen without it."""
        return self.read() or State(self.pointed or next(filter(self.is_whole, SLOTS), SLOTS[0]))

    def turn(self, name: str) -> None:
        """Let `current` lead there, unless it does."""
        if self.pointed != name:
            self.files.point(self.root / "current", f"slots/{name}")

    def mean(self, state: State) -> None:
        """Write it down, then turn the link."""
        self.write(state)
        self.turn(state.meant)

    def begin(self, name: str) -> None:
        """Empty a slot for what comes. SlotError for the one that is in use."""
        state = self.known()
        if name not in SLOTS or name in (state.meant, state.good, self.pointed):
            raise SlotError(f"The slot {name} is in use; only the other one of a and b can be filled.")
        slot = self.slot(name)
        self.files.make_directory(slot)
        if not (slot / UNFINISHED).exists():
            self.files.create(slot / UNFINISHED, b"")
        self.files.sync(slot / UNFINISHED)
        self.files.sync_directory(slot)
        self.files.sync_directory(slot.parent)
        self.files.empty(slot, but=UNFINISHED)

    def finish(self, name: str) -> None:
        """All of it is there: on the disk first, whole afterwards."""
        slot = self.slot(name)
        if not (slot / PROGRAM).is_file():
            raise SlotError(f"{slot} holds no {PROGRAM}: it is not a whole release.")
        self.files.sync_all(slot)
        self.files.unlink(slot / UNFINISHED)

    def use(self, name: str) -> None:
        """Start from this slot from now on, without a trial: for whoever installs by hand."""
        if name not in SLOTS or not self.is_whole(name):
            raise SlotError(f"The slot {name} is not whole; 'finish' it first.")
        state = self.known()
        if name != state.good:
            state = replace(state, before=state.good if self.is_whole(state.good) else "")
        self.mean(replace(state, good=name, trial=None, staged=None))


def choose(slots: Slots, new_id: str = "") -> str:
    """Before a kiosk starts: count a try, fall back where there were enough, and turn the link if it has to
    be. The name of the slot; whatever is wrong with the file, it is a whole one if there is one."""
    state = slots.read()
    if state is None:
        meant = slots.known().good
    else:
        state = tried(state, new_id)
        if not slots.is_whole(state.meant):
            state = _without(slots, state, new_id)
        if state != slots.read():
            slots.write(state)
        meant = state.meant
    if not slots.is_whole(meant):
        meant = next(filter(slots.is_whole, SLOTS), meant)
    slots.turn(meant)
    return meant


def tried(state: State, new_id: str) -> State:
    """The state at one more start of the kiosk."""
    trial = state.trial
    if trial is None:
        return state
    if trial.tries >= MOST_TRIES:
        return back(state, new_id, f"It was started {trial.tries} times and was never well for long enough.")
    return replace(state, trial=replace(trial, tries=trial.tries + 1))


def back(state: State, new_id: str, reason: str) -> State:
    """The trial is over and failed: what was good before is meant again."""
    assert state.trial is not None
    told = Told(new_id, state.trial.order, state.trial.release, "rolled_back", reason)
    return replace(state, trial=None).telling(told)


def _without(slots: Slots, state: State, new_id: str) -> State:
    if state.trial is not None:
        return back(state, new_id, f"The slot {state.trial.slot} is not whole.")
    whole = next(filter(slots.is_whole, SLOTS), None)
    return state if whole is None else replace(state, good=whole, staged=None, before="")


def _state(said: dict[str, Any]) -> State:
    trial, staged = said["trial"], said["staged"]
    state = State(
        good=said["good"],
        trial=Trial(**trial) if trial else None,
        staged=Staged(**staged) if staged else None,
        done=str(said["done"]),
        begun=str(said.get("begun", "")),
        builds=int(said.get("builds", 0)),
        before=str(said.get("before", "")),
        told=tuple(Told(**one) for one in said["told"]),
    )
    if state.good not in SLOTS or state.meant not in SLOTS:
        raise ValueError("no slot of ours")
    return state
