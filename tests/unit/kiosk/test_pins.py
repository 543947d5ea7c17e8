from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.config import Config, load
from kiosk.errors import PinsMissing
from kiosk.pins import Pins, mock_factory, open_factory

EXAMPLE = Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml"


@pytest.fixture
def config() -> Config:
    return load(EXAMPLE)


@pytest.fixture
def factory() -> Iterator[Any]:
    made = mock_factory()
    yield made
    made.close()


def test_a_button_to_ground_delivers_its_edges(config: Config, factory: Any) -> None:
    edges: list[tuple[str, bool]] = []
    pins = Pins(config, factory, lambda name, pressed, _: edges.append((name, pressed)))
    assert not pins.pressed("till")
    factory.pin(22).drive_low()
    assert pins.pressed("till")
    factory.pin(22).drive_high()
    assert edges == [("till", True), ("till", False)]
    pins.close()
    pins.close()


def test_a_button_to_the_supply_is_pressed_when_high(config: Config, factory: Any) -> None:
    button = msgspec.structs.replace(config.button[0], pull_up=False)
    pins = Pins(msgspec.structs.replace(config, button=[button]), factory, lambda *_: None)
    assert not pins.pressed(button.name)
    factory.pin(button.pin).drive_high()
    assert pins.pressed(button.name)
    pins.close()


def test_colours_are_mixed_at_the_lamp(config: Config, factory: Any) -> None:
    pins = Pins(config, factory, lambda *_: None)
    pins.light(0.5, (1.0, 0.5, 0.0))
    assert [factory.pin(pin).state for pin in (18, 23, 24)] == [0.5, 0.25, 0.0]
    pins.sound(True)
    assert factory.pin(25).state == 1
    pins.close()


def test_a_pin_that_is_taken_is_one_sentence(config: Config, factory: Any) -> None:
    first = Pins(config, factory, lambda *_: None)
    with pytest.raises(PinsMissing, match="cannot be used"):
        Pins(config, factory, lambda *_: None)
    first.close()


def test_a_machine_without_gpio_is_told_what_is_missing() -> None:
    with pytest.raises(PinsMissing, match=r"python3-lgpio|cannot be opened"):
        open_factory(63)
