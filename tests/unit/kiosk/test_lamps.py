from kiosk.display import State
from kiosk.lamps import PATTERNS, Pattern, Player


class FakeLights:
    def __init__(self) -> None:
        self.levels: list[float] = []
        self.sounds: list[bool] = []

    def light(self, brightness: float, colour: tuple[float, float, float]) -> None:
        self.levels.append(brightness)

    def sound(self, on: bool) -> None:
        self.sounds.append(on)


def rhythm(pattern: Pattern) -> tuple[tuple[float, float | None], ...]:
    return tuple((step.brightness, step.seconds) for step in pattern.steps)


def test_every_state_has_a_light_of_its_own_that_needs_no_colours_to_be_told_apart() -> None:
    assert set(PATTERNS) == set(State)
    # Solid light is 'pressed' for the moment before 'saved', and 'here' when somebody stands there.
    rhythms = [rhythm(PATTERNS[state]) for state in State if state is not State.PRESSED]
    assert len(set(rhythms)) == len(rhythms)


def test_only_idle_is_dark() -> None:
    dark = [s for s, p in PATTERNS.items() if max(step.brightness for step in p.steps) == 0]
    assert dark == [State.IDLE]


def test_no_light_flickers_faster_than_three_times_a_second() -> None:
    # WCAG 2.3.1: more than three flashes within a second can harm.
    for pattern in PATTERNS.values():
        flashes = [s for s in pattern.steps if s.seconds is not None]
        period = sum(step.seconds or 0 for step in flashes)
        assert not flashes or sum(step.brightness == 1.0 for step in flashes) / max(period, 1.0) <= 3


def test_the_player_ends_dark_and_silent_and_can_be_closed_twice() -> None:
    lights = FakeLights()
    player = Player(lights)
    player.start()
    player.show(State.SAVED, chirp=True)
    player.close()
    player.close()
    assert lights.levels[-1] == 0.0
    assert lights.sounds[-1] is False
