"""The checker of races finds every way in which a history is wrong, and only those."""

from dataclasses import replace

import pytest

from tests.rig.race import TOLD, UNHEARD, UNKNOWN, WON, Answer, Line, Race, faults, wins

WINNER = Answer("Ana", "phone", 0.0, 0.3, WON)
LOSER = Answer("Igor", "api", 0.1, 0.2, TOLD, "Ana")
BADGE = Answer("Rosa", "kiosk", 0.0, 0.1, UNHEARD)
REFUSED = Line("noted", None, "At the kiosk: attend. Ana is already coming.")
RACE = Race(
    "r1", [WINNER, LOSER, BADGE], [Line("paged", "Ana"), Line("acknowledged", "Ana"), REFUSED], "Ana",
    pages=[1, 2], answered=3, waits=["progress", "arrival"], may_not_know=frozenset({"Marc"}),
)  # fmt: skip


def test_one_winner_and_everyone_else_told_who_is_right() -> None:
    assert faults(RACE) == []
    assert wins([RACE]) == {"phone": 1}


def test_who_was_not_called_for_a_silent_one_may_be_told_that_there_is_none() -> None:
    marc = Answer("Marc", "phone", 0.0, 0.1, UNKNOWN)
    assert faults(replace(RACE, answers=[*RACE.answers, marc])) == []


def test_a_badge_that_wins_leaves_its_arrival_in_the_log() -> None:
    loser = replace(LOSER, holder="Rosa")
    race = replace(RACE, answers=[loser, BADGE], owner="Rosa", lines=[Line("attended", "Rosa")])
    assert faults(race) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"answers": [WINNER, replace(LOSER, came_to=WON)]}, "won, and Ana has it"),
        ({"answers": [replace(LOSER, came_to=WON), BADGE]}, "Igor won, and Ana has it"),
        ({"answers": [replace(WINNER, came_to=TOLD, holder="Igor"), LOSER]}, "has it and was told"),
        ({"answers": [WINNER, replace(LOSER, holder="Rosa")]}, "was told Rosa, and Ana has it"),
        ({"answers": [WINNER, replace(LOSER, holder=None)]}, "was told None"),
        ({"answers": [WINNER, replace(LOSER, came_to=UNKNOWN)]}, "was told that there is none"),
        ({"answers": [replace(WINNER, began_s=0.25), LOSER]}, "before they had answered"),
        ({"answers": [WINNER, replace(LOSER, came_to="answered with 500")]}, "answered with 500"),
        ({"answers": [LOSER]}, "never answered"),
        ({"owner": None}, "None has it"),
        ({"owner": "Igor"}, "Igor has it, and the timeline says Ana"),
        ({"lines": [REFUSED]}, "0 answers"),
        ({"lines": [*RACE.lines, Line("acknowledged", "Igor")]}, "2 answers"),
        ({"lines": [Line("acknowledged", "Ana")]}, "of Rosa's badge"),
        ({"lines": [*RACE.lines, Line("paged", "Marc")]}, "called after it was answered"),
        ({"pages": [1, 2, 4]}, "1 pages went out"),
        ({"answered": None}, "told that it is over"),
        ({"waits": ["escalate"]}, "still waits to be escalated"),
    ],
)
def test_a_broken_history_is_found(change: dict[str, object], sentence: str) -> None:
    found = faults(replace(RACE, **change))  # type: ignore[arg-type]
    assert any(sentence in one for one in found), found
