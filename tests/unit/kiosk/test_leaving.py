"""A kiosk is started anew, as when a release is tried: whatever is pressed meanwhile is nobody's loss."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from broker.events import HelpRequested, SecurityRequested
from kiosk import leaving
from kiosk.buttons import STUCK_S
from kiosk.config import Config, load
from kiosk.leaving import Left
from tests.rig.booth import Booth

CONFIG: Config = load(Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml")
HELP = next(button.name for button in CONFIG.button if button.action == "help")
GUARD = next(button.name for button in CONFIG.button if button.action == "security")
HELD_S = next(button.held_s for button in CONFIG.button if button.action == "security")
BOOT = UUID(int=9)


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Booth]:
    yield Booth(CONFIG, tmp_path / "outbox")


def anew(booth: Booth, tmp_path: Path, seconds: float = 4.0) -> Booth:
    """Another kiosk on the same pins, so many seconds after the first began to end."""
    booth.now_s += seconds
    return Booth(CONFIG, tmp_path / "outbox", booth)


def test_a_press_while_it_ends_counts_once_the_next_one_runs(booth: Booth, tmp_path: Path) -> None:
    booth.level(HELP, pressed=True)
    booth.now_s += 0.1
    booth.level(HELP, pressed=False)
    booth.leave()
    after = anew(booth, tmp_path)
    after.turn()
    assert [one.topic for one in after.stored("help") if isinstance(one, HelpRequested)] != []
    after.close()


def test_a_button_that_was_not_pressed_when_it_ended_and_is_now_has_been_pressed(
    booth: Booth, tmp_path: Path
) -> None:
    booth.leave()
    booth.level(HELP, pressed=True)
    after = anew(booth, tmp_path)
    after.wait(0.1)
    assert len(after.stored("help")) == 1
    after.wait(1)
    after.level(HELP, pressed=False)
    after.wait(1)
    assert len(after.stored("help")) == 1
    after.close()


def test_a_hold_that_began_before_the_start_or_in_it_calls_security(booth: Booth, tmp_path: Path) -> None:
    booth.level(GUARD, pressed=True)
    booth.leave()
    after = anew(booth, tmp_path, HELD_S + 1)
    after.turn()
    assert after.stored("security") == [SecurityRequested("hold")]
    after.level(GUARD, pressed=False)
    after.wait(1)
    after.leave()
    after.level(GUARD, pressed=True)
    third = anew(after, tmp_path)
    third.wait(HELD_S - 0.5)
    assert len(third.stored("security")) == 1
    third.wait(1)
    assert len(third.stored("security")) == 2
    third.close()


def test_a_button_that_was_pressed_all_the_time_is_pressed_for_nobody(booth: Booth, tmp_path: Path) -> None:
    booth.level(GUARD, pressed=True)
    booth.wait(STUCK_S + 1)
    before = len(booth.stored("security"))
    booth.leave()
    after = anew(booth, tmp_path)
    after.wait(HELD_S + 1)
    assert len(after.stored("security")) == before
    after.close()


def test_what_was_left_counts_once_in_the_same_boot_and_for_a_minute(tmp_path: Path) -> None:
    path = tmp_path / "left.json"
    left = Left(BOOT, 100.0, {"find": False}, [("find", True, 100.5)])
    for boot, now_s, counts in ((BOOT, 105.0, True), (UUID(int=8), 105.0, False), (BOOT, 161.0, False)):
        leaving.note(path, left)
        assert leaving.take(path, boot, now_s) == (left if counts else None)
        assert leaving.take(path, boot, now_s) is None and not path.exists()
    leaving.note(tmp_path / "nowhere" / "left.json", left)
    leaving.note(path, None)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"boot": 1}', b"[" * 60_000])
def test_what_is_no_word_of_the_one_before_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "left.json").write_bytes(content)
    assert leaving.take(tmp_path / "left.json", BOOT, 1.0) is None


def test_a_button_that_is_not_there_any_more_is_passed_over() -> None:
    left = Left(BOOT, 1.0, {"old": False, "find": False}, [("old", True, 1.5), ("find", True, 1.2)])
    assert left.edges_until({"find": False, "new": True}, 9.0) == [("find", True, 1.2), ("find", False, 9.0)]
