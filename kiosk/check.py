"""`kiosk check`: tries lamps and sound, and waits for each button in turn. For the first real device."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from broker.errors import BrokerError
from broker.tls import Credentials
from kiosk import disk
from kiosk.config import Config
from kiosk.lamps import AMBER, BLUE, GREEN, RED, VIOLET, WHITE
from kiosk.pins import Pins

WAIT_S = 20.0
LOOK_S = 0.01
_COLOURS = {"red": RED, "green": GREEN, "blue": BLUE, "amber": AMBER, "violet": VIOLET, "white": WHITE}


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _ask(question: str) -> bool:
    return input(f"{question} [y/n] ").strip().lower().startswith("y")


@dataclass(frozen=True)
class Technician:
    """Whom the check talks to, and the clock it waits by."""

    say: Callable[[str], None] = _print
    ask: Callable[[str], bool] = _ask
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def run(config: Config, pin_factory: Any, technician: Technician | None = None) -> int:
    """0 when everything passed, 1 when something failed. KioskError while a kiosk program runs here."""
    technician = technician or Technician()
    held = disk.lock(config.outbox_directory)
    try:
        results = [_identity(config), _outbox(config)]
        for passed, what in results:
            technician.say(_line(passed, what))
        pins = Pins(config, pin_factory, lambda *_: None)
        try:
            for passed, what in _lamps(config, pins, technician):
                technician.say(_line(passed, what))
                results.append((passed, what))
            for passed, what in (*_buttons(config, pins, technician), *_sensors(config, pins, technician)):
                technician.say(_line(passed, what))
                results.append((passed, what))
        finally:
            pins.close()
    finally:
        held.close()
    failed = [what for passed, what in results if not passed]
    technician.say(f"{len(results) - len(failed)} passed, {len(failed)} failed.")
    return 1 if failed else 0


def _line(passed: bool, what: str) -> str:
    return f"{'pass' if passed else 'FAIL'}  {what}"


def _identity(config: Config) -> tuple[bool, str]:
    files = Credentials.in_directory(config.identity)
    try:
        for path in (files.ca, files.certificate, files.key):
            path.read_bytes()
    except (OSError, BrokerError) as error:
        return False, f"identity: {error}; see 'Set up a shop' in README.md"
    return True, f"identity: {config.identity}"


def _outbox(config: Config) -> tuple[bool, str]:
    path = config.outbox_directory / "check"
    try:
        path.write_bytes(b"written by kiosk check")
        path.unlink()
    except OSError as error:
        return False, f"outbox: {error}"
    free = disk.free_bytes(config.outbox_directory) or 0
    return free > disk.RESERVE_BYTES, f"outbox: {config.outbox_directory}, {free // 1_000_000} MB free"


def _lamps(config: Config, pins: Pins, technician: Technician) -> list[tuple[bool, str]]:
    results = []
    if config.lamp.red is not None:
        wanted = [(f"lamp {name}", colour) for name, colour in _COLOURS.items()]
    else:
        wanted = [("lamp", WHITE)] if config.lamp.pin is not None else []
    for name, colour in wanted:
        for brightness in (1.0, 0.0, 1.0, 0.0, 0.3):
            pins.light(brightness, colour)
            technician.sleep(0.4)
        results.append((technician.ask(f"Did the {name} blink twice, and is it dim now?"), name))
        pins.light(0.0, colour)
    if config.buzzer is not None:
        for on in (True, False, True, False):
            pins.sound(on)
            technician.sleep(0.2)
        results.append((technician.ask("Did the buzzer sound twice?"), "buzzer"))
    for name in (button.name for button in config.button if button.lamp is not None):
        for on in (True, False, True, False):
            pins.smile(name, on)
            technician.sleep(0.4)
        results.append((technician.ask(f"Did the lamp of {name} blink twice?"), f"lamp of {name}"))
    return results


def _buttons(config: Config, pins: Pins, technician: Technician) -> list[tuple[bool, str]]:
    results = []
    for button, pin in config.wired:
        what = f"button {button.name} on pin {pin}"
        if pins.pressed(button.name):
            results.append((False, f"{what}: is pressed already; check its wiring and pull_up"))
            continue
        hold_s = button.held_s if button.action == "security" else 0.0
        technician.say(f"Press {button.name}" + (f" and hold it for {hold_s:g} s." if hold_s else "."))
        results.append(_wait(config, pins, technician, button.name, hold_s, what))
    return results


def _sensors(config: Config, pins: Pins, technician: Technician) -> list[tuple[bool, str]]:
    wanted = [(m.name, f"motion sensor {m.name} on pin {m.pin}", "Walk past", True) for m in config.motion]
    for contact in config.contact:
        closed = contact.open_when == "closed"
        wanted.append((contact.name, f"contact {contact.name} on pin {contact.pin}", "Open", closed))
    results = []
    for name, what, ask, level in wanted:
        technician.say(f"{ask} {name}.")
        until_s = technician.now() + WAIT_S
        while not (seen := pins.pressed(name) == level) and technician.now() < until_s:
            technician.sleep(LOOK_S)
        results.append((seen, what if seen else f"{what}: nothing came in {WAIT_S:.0f} s"))
    return results


def _wait(
    config: Config, pins: Pins, technician: Technician, name: str, hold_s: float, what: str
) -> tuple[bool, str]:
    until_s = technician.now() + WAIT_S
    pressed_s: float | None = None
    seen = False
    while technician.now() < until_s:
        others = [b.name for b, _ in config.wired if b.name != name and pins.pressed(b.name)]
        if others:
            return False, f"{what}: {others[0]} answered instead; are the wires swapped?"
        if not pins.pressed(name):
            if seen:
                return True, what
            pressed_s = None
        elif pressed_s is None:
            pressed_s = technician.now()
        if pressed_s is not None and technician.now() - pressed_s >= hold_s:
            seen = True
        technician.sleep(LOOK_S)
    if seen:
        return False, f"{what}: was not released; is it stuck?"
    return False, f"{what}: nothing came in {WAIT_S:.0f} s"
