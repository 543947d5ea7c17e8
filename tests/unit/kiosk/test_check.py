from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk import check, disk
from kiosk.config import Config, load
from kiosk.errors import OutboxLocked
from kiosk.pins import mock_factory

EXAMPLE = Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    for name in ("ca.crt", "tls.crt", "tls.key"):
        (tmp_path / name).touch()
    example = load(EXAMPLE)
    return msgspec.structs.replace(
        example,
        outbox=msgspec.structs.replace(example.outbox, directory=str(tmp_path / "outbox")),
        broker=msgspec.structs.replace(example.broker, identity=str(tmp_path)),
    )


class Somebody:
    """Presses what is asked for, after a moment; except what is `dead`."""

    def __init__(self, config: Config, factory: Any, dead: str = "", swapped: str = "") -> None:
        self.pins = {button.name: pin for button, pin in config.wired}
        self.factory, self.dead, self.swapped = factory, dead, swapped
        self.now_s, self.lines = 0.0, list[str]()
        self.down: tuple[int, float] | None = None

    def say(self, line: str) -> None:
        self.lines.append(line)
        if line.startswith("Press "):
            name = line.split()[1].rstrip(".")
            if name != self.dead:
                pin = self.pins["till" if name == self.swapped else name]
                self.down = (pin, self.now_s + 0.5)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.down is not None:
            pin, at_s = self.down
            if at_s <= self.now_s < at_s + 2:
                self.factory.pin(pin).drive_low()
            elif self.now_s >= at_s + 2:
                self.factory.pin(pin).drive_high()
                self.down = None

    def technician(self, lamps: bool = True) -> check.Technician:
        return check.Technician(self.say, lambda question: lamps, lambda: self.now_s, self.sleep)


def test_a_whole_kiosk_passes(config: Config) -> None:
    factory = mock_factory()
    somebody = Somebody(config, factory)
    assert check.run(config, factory, somebody.technician()) == 0
    assert somebody.lines[-1] == "16 passed, 0 failed."
    assert "pass  button security on pin 26" in somebody.lines


def test_a_dead_button_fails_by_name_and_the_rest_goes_on(config: Config) -> None:
    factory = mock_factory()
    somebody = Somebody(config, factory, dead="cancel")
    assert check.run(config, factory, somebody.technician()) == 1
    assert "FAIL  button cancel on pin 6: nothing came in 20 s" in somebody.lines
    assert "pass  button security on pin 26" in somebody.lines


def test_swapped_wires_are_named(config: Config) -> None:
    factory = mock_factory()
    somebody = Somebody(config, factory, swapped="find-item")
    assert check.run(config, factory, somebody.technician()) == 1
    assert any("till answered instead" in line for line in somebody.lines)


def test_a_lamp_that_nobody_sees_and_a_missing_identity_fail(config: Config, tmp_path: Path) -> None:
    (tmp_path / "tls.key").unlink()
    factory = mock_factory()
    somebody = Somebody(config, factory)
    assert check.run(config, factory, somebody.technician(lamps=False)) == 1
    assert somebody.lines[-1] == "8 passed, 8 failed."


def test_it_refuses_while_the_kiosk_program_runs(config: Config) -> None:
    held = disk.lock(config.outbox_directory)
    with pytest.raises(OutboxLocked):
        check.run(config, mock_factory())
    held.close()
