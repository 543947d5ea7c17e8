"""From a pin to the outbox and back to a lamp: gpiozero's mock pins, a real outbox, a time of its own."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from broker.events import FeedbackGiven, Greeted
from broker.messages import Call, CallState
from kiosk.config import Button, Config, Motion, Screen, load
from kiosk.feedback import ANSWER_S, ASK_S, THANKS_S
from kiosk.greeting import SHOWN_S
from tests.rig.booth import Booth

EXAMPLE = load(Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml")
SMILEYS = [Button(f"smiley-{n}", "smiley", 7 + n, score=n, lamp=18 + n) for n in (1, 2)]
SMILEYS += [Button("smiley-3", "smiley", 10, score=3), Button("smiley-4", "smiley", 12, score=4, lamp=21)]
CONFIG: Config = msgspec.structs.replace(
    EXAMPLE,
    screen=Screen(),
    lamp=type(EXAMPLE.lamp)(),
    button=[*EXAMPLE.button, *SMILEYS],
    motion=[Motion("door", 4, "in", cool_down_s=60), Motion("exit", 14, "out", cool_down_s=30)],
)
LAMPS = {1, 2, 4}
FIRST = UUID(int=1)


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Booth]:
    made = Booth(CONFIG, tmp_path / "outbox")
    yield made
    made.close()


def call(booth: Booth, state: CallState, text: str, revision: int, name: str | None = None) -> None:
    booth.panel.put(Call(FIRST, revision, state, text, "K7F-2QD", 600, name=name))
    booth.wait(0.1)


def resolve(booth: Booth) -> None:
    """A help request, served to its end."""
    booth.press("till")
    call(booth, CallState.RESOLVED, "resolved", 2)


def test_a_motion_at_the_door_is_stored_once_in_a_cool_down_and_greeted_in_varied_words(booth: Booth) -> None:
    said = []
    for _ in range(4):
        for _ in range(5):
            booth.move("door")
            booth.wait(2.0)
        said.append(booth.view.note)
        booth.wait(60.0)
    assert booth.stored("greet") == [Greeted("in", "door")] * 4
    assert None not in said and all(one != other for one, other in pairwise(said))
    assert booth.view.note is None


def test_a_greeting_leaves_the_screen_after_its_time(booth: Booth) -> None:
    booth.move("door")
    booth.wait(SHOWN_S - 2)
    assert booth.view.note is not None
    booth.wait(2)
    assert booth.view.note is None


def test_a_sensor_that_is_high_from_the_start_or_stays_high_greets_nobody_again(tmp_path: Path) -> None:
    booth = Booth(CONFIG, tmp_path / "outbox")
    booth.factory.pin(4).drive_high()
    booth.wait(200.0)
    assert len(booth.stored("greet")) == 1
    booth.close()


def test_at_the_exit_there_are_thanks_and_smileys_for_the_visit(booth: Booth) -> None:
    booth.move("exit")
    assert booth.stored("greet") == [Greeted("out", "exit")]
    assert booth.view.note is not None and booth.view.note.startswith("thanks.")
    assert booth.view.asking is not None and booth.view.asking.request is None
    assert booth.lit == LAMPS
    booth.press("smiley-4")
    assert booth.stored("feedback") == [FeedbackGiven(4)]
    assert booth.lit == {4}


def test_a_smiley_within_the_minute_after_the_end_is_tied_to_the_request(booth: Booth) -> None:
    assert booth.lit == set()
    resolve(booth)
    assert booth.lit == LAMPS
    booth.wait(ASK_S - 1)
    assert booth.lit == LAMPS
    booth.press("smiley-2")
    assert booth.stored("feedback") == [FeedbackGiven(2, request=FIRST)]
    assert booth.lit == {2}
    booth.wait(ANSWER_S + THANKS_S)
    assert booth.lit == set()


def test_the_lamps_are_lit_for_the_minute_and_a_later_smiley_is_the_visits(booth: Booth) -> None:
    resolve(booth)
    started_s = booth.now_s
    while booth.lit:
        booth.wait(0.25)
    assert ASK_S - 0.25 <= booth.now_s - started_s <= ASK_S + 0.25
    booth.press("smiley-3")
    assert booth.stored("feedback") == [FeedbackGiven(3)]
    booth.wait(ANSWER_S + THANKS_S)
    assert booth.lit == set() and booth.view.asking is None


def test_a_smiley_while_a_request_is_open_is_kept_and_noted_beside_what_is_known_of_it(booth: Booth) -> None:
    booth.press("till")
    call(booth, CallState.ACKNOWLEDGED, "coming", 2, "Marta")
    before = booth.view
    booth.press("smiley-1")
    assert booth.stored("feedback") == [FeedbackGiven(1)]
    now = booth.view
    assert (now.note, booth.lit) == ("feedback.saved", {1})
    told = [(view.state, view.text, view.name, view.keys, view.asking) for view in (before, now)]
    assert told[0] == told[1]
    booth.wait(THANKS_S)
    assert (booth.view.note, booth.lit) == (None, set())
    call(booth, CallState.RESOLVED, "resolved", 3)
    assert booth.lit == LAMPS and booth.view.asking is not None
    booth.press("smiley-4")
    assert booth.stored("feedback") == [FeedbackGiven(1), FeedbackGiven(4, request=FIRST)]


def test_a_request_that_ends_just_after_a_smiley_asks_all_the_same(booth: Booth) -> None:
    booth.press("till")
    booth.press("smiley-1")
    call(booth, CallState.RESOLVED, "resolved", 2)
    assert booth.lit == LAMPS and booth.view.note is None
    booth.wait(ASK_S)
    assert booth.lit == set() and len(booth.stored("feedback")) == 1


def test_a_smiley_lamp_that_fails_takes_no_button_with_it(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str, on: bool) -> None:
        raise OSError("the lamp is torn off")

    monkeypatch.setattr(booth._pins, "smile", fail)
    resolve(booth)
    booth.press("smiley-4")
    booth.press("till")
    assert len(booth.stored("feedback")) == 1 and len(booth.stored("help")) == 2
