"""A machine in a folder: two slots, a kiosk's word, and a program in each slot that can say what it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from kiosk.keeper.files import Files
from kiosk.keeper.loop import Built, Keeper, Order, Settings
from kiosk.keeper.slots import PROGRAM, Slots, State, choose


def fill(put: Any, slot: Path, release: str) -> None:
    """A release as an installer would write it; the program last."""
    put(slot / "kiosk/__init__.py", f'VERSION = "{release}"\n'.encode())
    put(slot / PROGRAM, f"I am {release}.".encode())


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def started(slots: Slots) -> str:
    """What starts from `current`; an AssertionError if nothing does."""
    program = slots.root / "current" / PROGRAM
    assert program.is_file(), "there is no program to start"
    said = program.read_text()
    assert said.startswith("I am "), f"the program is torn: {said!r}"
    return said.removeprefix("I am ").rstrip(".")


class Machine:
    """One machine; what its kiosk says is set by `say`, time goes by `look`."""

    def __init__(self, root: Path, files: Files | None = None) -> None:
        self.slots = Slots(root, files)
        self.settings = Settings(
            root / "word.json", root / "releases", root / "keys", root / "kiosk.toml", "127.0.0.1", 1
        )
        self.now_s, self.answers, self.built = 1000.0, True, list[Order]()
        self.against = ""
        self.said: dict[str, Any] = {
            "version": "0.1.0", "at_s": 0.0, "running_s": 500.0, "works": True, "way": "open",
            "idle": True, "order": None, "heard": [],
        }  # fmt: skip
        self.begin_keeper()

    @classmethod
    def make(cls, root: Path) -> "Machine":
        for folder in ("slots/a", "update"):
            (root / folder).mkdir(parents=True)
        fill(_put, root / "slots/a", "0.1.0")
        (root / "current").symlink_to("slots/a")
        return cls(root)

    def begin_keeper(self) -> None:
        self.keeper = Keeper(self.slots, self.settings, self._build, lambda host, port: self.answers)

    def _build(self, slots: Slots, settings: Settings, slot: str, order: Order) -> Built:
        self.built.append(order)
        if self.against:
            return Built(self.against)
        slots.begin(slot)
        put = getattr(slots.files, "put", _put)
        fill(put, slots.slot(slot), order.release)
        slots.finish(slot)
        return Built()

    def order(self, release: str, id_: str = "1", revert: bool = False) -> None:
        self.said["order"] = {"id": id_, "release": release, "file": "x.release", "revert": revert}

    def look(self, seconds: float = 1.0, **said: Any) -> State:
        """One turn of the keeper, so many seconds later; the kiosk says `said` besides what it said."""
        self.now_s += seconds
        self.said |= {"at_s": self.now_s} | said
        self.settings.word.write_text(json.dumps(self.said))
        self.keeper.turn(self.now_s)
        return self.state

    @property
    def state(self) -> State:
        return self.slots.known()

    @property
    def stages(self) -> list[tuple[str, str]]:
        return [(one.release, one.stage) for one in self.state.told]

    @property
    def restarts(self) -> str:
        path = self.slots.root / "update/restart"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.make(tmp_path / "root")


def tried(machine: Machine) -> None:
    """A release is built, and its kiosk was started once."""
    machine.order("0.2.0")
    machine.look(idle=False)
    machine.look(idle=True)
    choose(machine.slots, "id")
