"""What the keeper does with a release, from an order to the day after."""

import os
from pathlib import Path

import pytest

from kiosk.keeper import loop
from kiosk.keeper.slots import MOST_TRIES, PROGRAM, SlotError, Slots, choose
from tests.unit.kiosk.keeper.conftest import Machine, started, tried


def test_a_release_is_built_beside_and_tried_only_while_nobody_waits(machine: Machine) -> None:
    machine.order("0.2.0")
    machine.look(idle=False)
    assert machine.stages == [("0.2.0", "taken")] and started(machine.slots) == "0.1.0"
    machine.look(60, idle=False)
    assert started(machine.slots) == "0.1.0" and not machine.restarts
    machine.look(idle=True)
    assert started(machine.slots) == "0.2.0" and machine.restarts
    assert machine.stages[-1] == ("0.2.0", "trying")
    assert len(machine.built) == 1


def test_a_release_that_runs_and_reaches_the_store_stays(machine: Machine) -> None:
    tried(machine)
    machine.look(version="0.2.0", running_s=60)
    assert machine.state.trial is not None
    machine.look(60, running_s=121)
    assert machine.state.trial is None and machine.state.good == "b"
    assert machine.stages[-1] == ("0.2.0", "healthy")
    assert choose(machine.slots) == "b"


def test_a_release_that_does_not_start_is_left_after_three_tries(machine: Machine) -> None:
    tried(machine)
    for _ in range(MOST_TRIES - 1):
        assert choose(machine.slots, "id") == "b"
    assert choose(machine.slots, "id") == "a"
    assert started(machine.slots) == "0.1.0" and machine.stages[-1] == ("0.2.0", "rolled_back")
    assert choose(machine.slots) == "a"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"version": "0.1.0"}, "did not say that it runs"),
        ({"version": "0.2.0", "works": False}, "panel or its outbox"),
        ({"version": "0.2.0", "way": "down"}, "did not reach the store"),
        ({"version": "0.2.0", "running_s": 60}, "without a new start"),
    ],
)
def test_a_release_that_is_not_well_in_time_is_taken_back(
    machine: Machine, said: dict[str, object], reason: str
) -> None:
    tried(machine)
    before = machine.restarts
    for _ in range(29):
        machine.look(10, **said)
        assert machine.state.trial is not None
    machine.look(30, **said)
    assert started(machine.slots) == "0.1.0" and machine.restarts != before
    assert machine.stages[-1] == ("0.2.0", "rolled_back") and reason in machine.state.told[-1].reason


def test_a_kiosk_that_says_nothing_is_taken_back_too(machine: Machine) -> None:
    tried(machine)
    machine.settings.word.unlink()
    for _ in range(40):
        machine.now_s += 10
        machine.keeper.turn(machine.now_s)
    assert started(machine.slots) == "0.1.0"


@pytest.mark.parametrize(("way", "answers"), [("held", True), ("down", False)])
def test_a_store_that_is_away_is_not_the_releases_fault(machine: Machine, way: str, answers: bool) -> None:
    tried(machine)
    machine.answers = answers
    for _ in range(200):
        machine.look(10, version="0.2.0", running_s=500, way=way)
    assert machine.state.trial is not None and machine.state.trial.tries == 0
    # And a night without power now and then is no try either.
    for _ in range(5):
        choose(machine.slots, "id")
        machine.look(10)
    machine.look(way="open")
    assert machine.stages[-1] == ("0.2.0", "healthy")


def test_what_was_told_is_told_until_the_kiosk_has_it(machine: Machine) -> None:
    machine.order("0.2.0")
    machine.look(idle=False)
    (told,) = machine.state.told
    machine.look(idle=False)
    assert machine.state.told == (told,)
    machine.look(idle=False, heard=[told.id])
    assert machine.state.told == ()


def test_an_order_is_dealt_with_once_and_a_refusal_changes_nothing(machine: Machine) -> None:
    machine.against = "The signature is none of a key that counts here."
    machine.order("0.2.0")
    for _ in range(3):
        machine.look()
    assert len(machine.built) == 1 and machine.stages == [("0.2.0", "refused")]
    assert machine.state.told[0].reason == machine.against and started(machine.slots) == "0.1.0"
    machine.against = ""
    machine.order("0.2.0", "2")
    machine.look()
    assert len(machine.built) == 2


class Cut(Exception):
    """The power goes."""


def test_a_release_that_was_cut_off_while_it_was_built_is_built_again_three_times_at_most(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> loop.Built:
        raise Cut

    machine.order("0.2.0")
    for _ in range(MOST_TRIES):
        monkeypatch.setattr(machine.keeper, "_build", cut)
        with pytest.raises(Cut):
            machine.look()
        assert choose(machine.slots) == "a" and started(machine.slots) == "0.1.0"
        machine.begin_keeper()
    machine.look()
    assert machine.stages == [("0.2.0", "refused")] and not machine.built
    # A cut or two less, and it would have been taken.
    machine.order("0.2.0", "2")
    monkeypatch.setattr(machine.keeper, "_build", cut)
    with pytest.raises(Cut):
        machine.look()
    machine.begin_keeper()
    machine.look(idle=False)
    assert machine.stages[-1] == ("0.2.0", "taken")


def test_the_kiosk_can_read_what_is_told_whoever_wrote_it(machine: Machine) -> None:
    before = os.umask(0o077)
    try:
        machine.order("0.2.0")
        machine.look(idle=False)
    finally:
        os.umask(before)
    assert (machine.slots.root / "update/state.json").stat().st_mode & 0o777 == 0o644


def test_the_store_calls_a_release_back_while_it_waits_is_tried_or_runs(machine: Machine) -> None:
    machine.order("0.2.0")
    machine.look(idle=False)
    machine.order("0.2.0", "2", revert=True)
    machine.look(idle=True)
    assert started(machine.slots) == "0.1.0" and machine.state.staged is None
    machine.order("0.2.0", "3")
    machine.look(), machine.look()
    assert started(machine.slots) == "0.2.0"
    machine.order("0.2.0", "4", revert=True)
    machine.look(version="0.2.0")
    assert started(machine.slots) == "0.1.0"
    machine.order("0.2.0", "5")
    machine.look(version="0.1.0"), machine.look(), machine.look(version="0.2.0")
    assert machine.state.good == "b"
    machine.order("0.2.0", "6", revert=True)
    machine.look()
    assert started(machine.slots) == "0.1.0" and machine.state.good == "a"
    assert machine.stages[-1] == ("0.2.0", "rolled_back")


def test_nobody_is_called_back_into_a_release_that_was_not_well(machine: Machine) -> None:
    tried(machine)
    machine.look(version="0.2.0", works=False)
    machine.look(301, works=False)
    assert started(machine.slots) == "0.1.0" and machine.slots.is_whole("b")
    machine.order("0.1.0", "9", revert=True)
    machine.look(version="0.1.0", works=True)
    assert machine.stages[-1] == ("0.1.0", "refused") and started(machine.slots) == "0.1.0"


def test_a_release_that_never_came_here_is_called_back_without_anything_to_do(machine: Machine) -> None:
    machine.order("0.3.0", revert=True)
    machine.look()
    assert machine.stages == [("0.3.0", "rolled_back")] and "not taken here" in machine.state.told[0].reason
    assert started(machine.slots) == "0.1.0" and not machine.restarts


def test_what_is_not_there_cannot_be_gone_back_to(machine: Machine) -> None:
    machine.order("0.1.0", "2", revert=True)
    machine.look()
    assert machine.stages == [("0.1.0", "refused")] and started(machine.slots) == "0.1.0"


def well(machine: Machine) -> None:
    tried(machine)
    machine.look(version="0.2.0", running_s=500)


def test_going_back_by_order_is_one_step_and_once(machine: Machine) -> None:
    well(machine)
    machine.order("0.2.0", "2", revert=True)
    machine.look()
    assert started(machine.slots) == "0.1.0"
    # Whoever gives orders cannot lead it to what was called back.
    machine.order("0.1.0", "3", revert=True)
    machine.look(version="0.1.0")
    assert machine.stages[-1] == ("0.1.0", "refused") and started(machine.slots) == "0.1.0"


@pytest.mark.parametrize("idle", [False, True])
def test_nobody_is_led_into_a_release_that_was_called_back_before_it_was_well(
    machine: Machine, idle: bool
) -> None:
    machine.order("0.2.0")
    machine.look(idle=False)
    machine.look(idle=idle)
    machine.order("0.2.0", "2", revert=True)
    machine.look(idle=False)
    machine.order("0.1.0", "3", revert=True)
    machine.look(idle=True)
    assert machine.slots.is_whole("b") and machine.stages[-1] == ("0.1.0", "refused")
    assert started(machine.slots) == "0.1.0"


def test_a_file_that_is_refused_makes_no_bad_release_one_to_go_back_to(machine: Machine) -> None:
    tried(machine)
    machine.look(version="0.2.0", works=False)
    machine.look(301, works=False)
    machine.against = "It is not signed."
    machine.order("0.9.0", "2")
    machine.look(version="0.1.0", works=True)
    machine.order("0.1.0", "3", revert=True)
    machine.look()
    assert machine.stages[-2:] == [("0.9.0", "refused"), ("0.1.0", "refused")]
    assert started(machine.slots) == "0.1.0"


def test_what_was_installed_by_hand_can_be_called_back_too(machine: Machine) -> None:
    machine._build(machine.slots, machine.settings, "b", loop.Order("1", "0.2.0", None, False))
    machine.slots.use("b")
    machine.order("0.2.0", "2", revert=True)
    machine.look(version="0.2.0")
    assert machine.stages == [("0.2.0", "rolled_back")] and started(machine.slots) == "0.1.0"


def test_an_order_waits_until_the_release_that_is_tried_is_decided(machine: Machine) -> None:
    tried(machine)
    for order in (("0.3.0", "2", False), ("0.1.0", "3", True)):
        machine.order(*order)
        machine.look(version="0.2.0", running_s=10)
        assert machine.stages[-1] == ("0.2.0", "trying") and machine.state.done == "1"
    machine.look(running_s=500, idle=False)
    machine.look()
    assert machine.stages[-2:] == [("0.2.0", "healthy"), ("0.1.0", "rolled_back")]
    machine.order("0.3.0", "2")
    machine.look()
    assert machine.stages[-1] == ("0.3.0", "taken") and started(machine.slots) == "0.2.0"


def test_what_somebody_put_into_the_slot_meanwhile_is_not_tried(machine: Machine) -> None:
    machine.order("0.2.0")
    machine.look(idle=False)
    machine.slots.begin("b")
    machine.look(idle=True)
    assert machine.stages[-1] == ("0.2.0", "refused") and started(machine.slots) == "0.1.0"
    assert machine.state.staged is None and not machine.restarts


def test_a_build_that_is_ended_from_outside_is_begun_anew_and_not_refused(machine: Machine) -> None:
    program = machine.slots.slot("a") / PROGRAM
    program.write_text("#!/bin/sh\nkill -TERM $$\n")
    program.chmod(0o755)
    order = loop.Order("1", "0.2.0", machine.settings.directory / "x", False)
    cut = loop.build_apart(machine.slots, machine.settings, "b", order)
    assert cut == loop.Built(cut=True)
    ends = [cut, loop.Built()]
    keeper = loop.Keeper(machine.slots, machine.settings, lambda *_: ends.pop(0), lambda *_: True)
    machine.keeper = keeper
    machine.order("0.2.0")
    machine.look(idle=False)
    assert machine.stages == [] and machine.state.done == ""
    machine.look(idle=False)
    assert machine.stages == [("0.2.0", "taken")]


def test_a_keeper_that_was_killed_before_it_had_the_kiosk_started_anew_does_so(machine: Machine) -> None:
    tried(machine)
    (machine.slots.root / "update/restart").unlink()
    machine.begin_keeper()
    machine.look(version="0.1.0")
    first = machine.restarts
    machine.look(version="0.1.0")
    assert first and machine.restarts == first
    # Nobody did it: it is asked for again.
    machine.look(loop.RESTART_AGAIN_S, version="0.1.0")
    assert machine.restarts != first


def test_an_address_that_is_none_is_one_where_nobody_answers() -> None:
    assert not loop.somebody_answers("x" * 64 + ".local", 8883)
    assert not loop.somebody_answers("127.0.0.1", 1 << 17)


def test_the_slot_in_use_is_never_emptied(machine: Machine) -> None:
    with pytest.raises(SlotError, match="in use"):
        machine.slots.begin("a")
    tried(machine)
    for slot in ("a", "b"):
        with pytest.raises(SlotError, match="in use"):
            machine.slots.begin(slot)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"{}", b"[]", b'{"good": "c"}'])
def test_a_state_that_cannot_be_read_still_starts_a_program(machine: Machine, content: bytes) -> None:
    (machine.slots.root / "update/state.json").write_bytes(content)
    assert choose(machine.slots) == "a"
    (machine.slots.root / "current").unlink()
    assert choose(machine.slots) == "a" and started(machine.slots) == "0.1.0"


@pytest.mark.parametrize("word", [b"", b"[" * 60_000, b'{"version": 1}', b"\xff" * 100])
def test_a_word_that_is_none_is_as_good_as_none(tmp_path: Path, word: bytes) -> None:
    path = tmp_path / "word.json"
    path.write_bytes(word)
    assert loop.read_word(path, tmp_path) is None
    (tmp_path / "link").symlink_to(path)
    assert loop.read_word(tmp_path / "link", tmp_path) is None
    assert loop.read_word(tmp_path, tmp_path) is None


def test_an_order_names_only_a_file_where_releases_are(machine: Machine) -> None:
    machine.order("0.2.0")
    machine.said["order"]["file"] = "../../etc/passwd"
    machine.look()
    assert machine.built[0].file == machine.settings.directory / "passwd"


def test_ids_are_those_of_events() -> None:
    from uuid import UUID

    made = UUID(loop.new_id())
    assert made.version == 7 and made.variant == "specified in RFC 4122"


def test_whoever_installs_by_hand_fills_the_other_slot_and_uses_it(machine: Machine) -> None:
    slots: Slots = machine.slots
    slots.begin("b")
    with pytest.raises(SlotError, match="not whole"):
        slots.use("b")
    with pytest.raises(SlotError, match="not a whole release"):
        slots.finish("b")
    machine._build(slots, machine.settings, "b", loop.Order("1", "0.2.0", None, False))
    slots.use("b")
    assert choose(slots) == "b" and started(slots) == "0.2.0"
