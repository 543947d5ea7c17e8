"""The power goes between any two steps on the disk: a program always starts, and the right one."""

import shutil
from pathlib import Path

from kiosk.keeper.slots import Slots, choose
from tests.unit.kiosk.keeper.conftest import Machine, started
from tests.unit.kiosk.keeper.disk import Recorder, cuts


def after_every_cut(tmp_path: Path, make, flow) -> tuple[int, set[str]]:
    """How many states of the disk there were, and what started from them."""
    before = tmp_path / "before"
    Machine.make(before)
    make(Machine(before))
    shutil.copytree(before, tmp_path / "run", symlinks=True)
    recorder = Recorder(tmp_path / "run")
    machine = Machine(tmp_path / "run", recorder)
    flow(machine)
    count, starts = 0, set()
    for words, state in cuts(before, recorder.steps, tmp_path):
        slots = Slots(state)
        try:
            chosen = choose(slots, "id")
            starts.add(started(slots))
            assert slots.is_whole(chosen)
            # Once more, as after a second cut.
            choose(slots, "id")
            started(slots)
        except Exception as error:
            raise AssertionError(f"{words}: {error}") from error
        count += 1
    return count, starts


def nothing(machine: Machine) -> None:
    machine.look()


def built(machine: Machine) -> None:
    machine.order("0.2.0")
    machine.look(idle=False)


def tried(machine: Machine) -> None:
    built(machine)
    machine.look(idle=True)
    choose(machine.slots, "id")


def well(machine: Machine) -> None:
    tried(machine)
    machine.look(version="0.2.0", running_s=500)


def test_while_a_release_is_built_and_tried(tmp_path: Path) -> None:
    count, starts = after_every_cut(tmp_path, nothing, tried)
    assert starts == {"0.1.0", "0.2.0"} and count > 50


def test_while_a_release_is_built_over_an_older_one(tmp_path: Path) -> None:
    def next_one(machine: Machine) -> None:
        machine.order("0.3.0", "2")
        machine.look(idle=False)
        machine.look(idle=True)

    count, starts = after_every_cut(tmp_path, well, next_one)
    assert starts == {"0.2.0", "0.3.0"} and count > 50


def test_while_a_release_is_found_well(tmp_path: Path) -> None:
    count, starts = after_every_cut(tmp_path, tried, lambda m: m.look(version="0.2.0", running_s=500))
    assert starts == {"0.2.0"} and count


def test_while_a_release_is_taken_back(tmp_path: Path) -> None:
    def too_late(machine: Machine) -> None:
        machine.look(version="0.2.0", works=False)
        machine.look(301, works=False)

    count, starts = after_every_cut(tmp_path, tried, too_late)
    assert starts == {"0.1.0", "0.2.0"} and count


def test_while_a_release_is_left_after_its_last_try(tmp_path: Path) -> None:
    def starts(machine: Machine) -> None:
        for _ in range(4):
            choose(machine.slots, "id")

    count, begun = after_every_cut(tmp_path, tried, starts)
    assert begun == {"0.1.0", "0.2.0"} and count


def test_while_the_store_calls_a_release_back(tmp_path: Path) -> None:
    def called_back(machine: Machine) -> None:
        machine.order("0.2.0", "2", revert=True)
        machine.look()

    count, starts = after_every_cut(tmp_path, well, called_back)
    assert starts == {"0.1.0", "0.2.0"} and count
