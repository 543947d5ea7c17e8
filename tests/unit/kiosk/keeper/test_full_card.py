"""What the keeper does where the card takes nothing more: no bad release keeps its place by that."""

from pathlib import Path

import pytest

from kiosk.keeper.slots import MOST_TRIES, RESERVE, choose
from tests.unit.kiosk.keeper.conftest import Machine, started, tried


def test_a_start_that_a_full_card_could_not_ask_for_is_asked_for_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, write = machine.slots.files, machine.slots.files.write

    def full(path: Path, content: bytes) -> None:
        if path.name == "restart":
            raise OSError(28, "No space left on device")
        write(path, content)

    with monkeypatch.context() as card, pytest.raises(OSError, match="No space"):
        card.setattr(files, "write", full)
        tried(machine)
    assert not machine.restarts
    machine.look(version="0.1.0")
    assert machine.restarts


class Full:
    """A card that takes nothing new while the reserve is there."""

    def __init__(self, machine: Machine, monkeypatch: pytest.MonkeyPatch, reserve: bool) -> None:
        create, root = machine.slots.files.create, machine.slots.root
        if reserve:
            machine.slots.keep_reserve()
        self.freed = False

        def creating(path: Path, content: bytes) -> None:
            if not self.freed and (not reserve or (root / RESERVE).exists()):
                raise OSError(28, "No space left on device")
            create(path, content)

        monkeypatch.setattr(machine.slots.files, "create", creating)


def test_a_release_that_fills_the_card_is_taken_back_all_the_same(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried(machine)
    machine.look(version="0.2.0", works=False)
    Full(machine, monkeypatch, reserve=True)
    machine.look(301, works=False)
    assert started(machine.slots) == "0.1.0" and machine.stages[-1] == ("0.2.0", "rolled_back")
    assert machine.restarts


def test_a_release_that_fills_the_card_is_left_after_its_last_try(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried(machine)
    Full(machine, monkeypatch, reserve=True)
    for _ in range(MOST_TRIES):
        choose(machine.slots, "id")
    assert started(machine.slots) == "0.1.0"


def test_a_verdict_that_a_full_card_did_not_take_stands(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried(machine)
    machine.look(version="0.2.0", works=False)
    card = Full(machine, monkeypatch, reserve=False)
    with pytest.raises(OSError, match="No space"):
        machine.look(301, works=False)
    card.freed = True
    machine.look(1, works=False)
    assert started(machine.slots) == "0.1.0" and machine.stages[-1] == ("0.2.0", "rolled_back")
