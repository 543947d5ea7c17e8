"""The kiosk's buttons and lamps through real gpiozero and lgpio, on the kernel's simulated chip."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.config import Button, Config, Lamp, Security
from kiosk.display import State
from kiosk.errors import PinsMissing
from kiosk.pins import Pins, open_factory
from tests.hardware.chip import Chip
from tests.hardware.wired import WiredKiosk
from tests.system.kiosk_rig import BUZZER, CANCEL, HELP, LAMP, SECURITY, settings, until

pytestmark = [pytest.mark.hardware, pytest.mark.pins]
HOLD_S = 0.5  # of the security button, see settings()
TOML = """
store = "shop"
device = "kiosk-1"
zone = "shoes"
broker = {{ host = "127.0.0.1", identity = "{identity}" }}
button = [{{ name = "find", pin = 17, action = "help", topic = "find-item" }}]
"""
UNUSED = 12  # by every other test: gpiozero keeps a pin until its process ends
RELAY = 19
AMBER, GREEN, BLUE = 18, 23, 24


@pytest.fixture
def config(chip: Chip, credentials: Path, tmp_path: Path) -> Config:
    return settings(credentials, 1, tmp_path / "outbox", gpio_chip=chip.number)


@pytest.fixture
def kiosk(config: Config, chip: Chip, factory: Any) -> Iterator[WiredKiosk]:
    kiosk = WiredKiosk(config, chip, factory)
    yield kiosk
    kiosk.close()


def test_a_press_is_seen_lights_the_lamp_and_is_saved(kiosk: WiredKiosk, chip: Chip) -> None:
    assert chip.level(LAMP) == 0
    chip.press(HELP)
    until(lambda: chip.level(LAMP))
    kiosk.shows(State.SAVED)
    chip.release(HELP)
    assert kiosk.states[-2:] == [State.PRESSED, State.SAVED] and kiosk.stored() == ["help"]


def test_five_bounces_are_one_press(kiosk: WiredKiosk, chip: Chip) -> None:
    chip.bounce(HELP, 5)
    kiosk.press(HELP, 0.3)
    chip.bounce(HELP, 5)
    kiosk.shows(State.SAVED)
    time.sleep(0.5)  # for a second one, if there were one
    assert kiosk.states.count(State.PRESSED) == 1 and kiosk.stored() == ["help"]


def test_cancel_ends_the_request(kiosk: WiredKiosk) -> None:
    kiosk.press(HELP)
    kiosk.shows(State.SAVED)
    kiosk.press(CANCEL)
    kiosk.shows(State.CANCELLED)
    until(lambda: kiosk.stored() == ["help", "cancel"])


def test_a_security_button_that_is_held_is_saved_and_nothing_shows_it(kiosk: WiredKiosk, chip: Chip) -> None:
    before = list(kiosk.shown)
    chip.press(SECURITY)
    until(lambda: kiosk.stored() == ["security"])
    lit = chip.high(LAMP, 0.5), chip.high(BUZZER, 0.5)
    chip.release(SECURITY)
    time.sleep(0.3)
    assert lit == (0, 0) and kiosk.shown == before


def test_the_relay_closes_where_no_store_can_be_reached(config: Config, chip: Chip, factory: Any) -> None:
    kiosk = WiredKiosk(msgspec.structs.replace(config, security=Security(relay=RELAY)), chip, factory)
    assert chip.level(RELAY) == 0
    kiosk.press(SECURITY, 2 * HOLD_S)
    until(lambda: chip.level(RELAY))
    assert chip.level(LAMP) == chip.level(BUZZER) == 0
    kiosk.close()


def test_one_that_is_only_touched_does_nothing(kiosk: WiredKiosk) -> None:
    kiosk.press(SECURITY, HOLD_S / 3)
    time.sleep(2 * HOLD_S)
    assert kiosk.stored() == []


def test_the_lamp_is_as_bright_as_it_is_told(config: Config, chip: Chip, factory: Any) -> None:
    pins = Pins(config, factory, lambda *_: None)
    seen = {}
    for brightness in (0.0, 0.25, 0.75, 1.0):
        pins.light(brightness, (1, 1, 1))
        time.sleep(0.05)
        seen[brightness] = chip.high(LAMP, 1.0)
    pins.close()
    assert (seen[0.0], seen[1.0]) == (0, 1)
    assert seen == pytest.approx({part: part for part in seen}, abs=0.1)


def test_each_colour_of_a_lamp_has_its_own_line(chip: Chip, factory: Any, credentials: Path) -> None:
    coloured = Lamp(red=AMBER, green=GREEN, blue=BLUE)
    config = settings(credentials, 1, Path("unused"), lamp=coloured, gpio_chip=chip.number)
    pins = Pins(config, factory, lambda *_: None)
    pins.light(1.0, (0, 1, 0.5))
    time.sleep(0.05)
    assert chip.high(AMBER, 0.2) == 0 and chip.high(GREEN, 0.2) == 1
    assert chip.high(BLUE, 1.0) == pytest.approx(0.5, abs=0.15)
    pins.close()


def test_a_chip_that_is_not_there_is_one_sentence(chip: Chip) -> None:
    with pytest.raises(PinsMissing, match=r"^The GPIO chip cannot be opened: .*\.$"):
        open_factory(chip.number + 1)


def test_a_folder_where_lgpio_cannot_write_is_one_sentence(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text(TOML.format(identity=config.broker.identity))
    command = [sys.executable, "-m", "kiosk", "run", "--config", str(path)]
    done = subprocess.run(command, cwd="/sys", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"(.* xCreatePipe: .*\n)?The GPIO library must be able to write [^\n]*\.\n", done.stderr
    )


def test_a_pin_that_another_program_holds_is_one_sentence(config: Config, chip: Chip, factory: Any) -> None:
    import lgpio

    config = msgspec.structs.replace(config, button=[Button("find", "help", UNUSED, "find-item")])
    other = lgpio.gpiochip_open(chip.number)
    lgpio.gpio_claim_input(other, UNUSED)
    try:
        with pytest.raises(PinsMissing, match=r"^Pin 12 of find cannot be used: GPIO busy\.$"):
            Pins(config, factory, lambda *_: None)
    finally:
        lgpio.gpiochip_close(other)
