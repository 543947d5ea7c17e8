"""gpiozero's devices for one kiosk. Thin: a callback only hands on (button, level, seconds)."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from kiosk.config import Config
from kiosk.errors import PinsMissing
from kiosk.guard import Output

_QUOTED = ".'"  # lgpio's sentences stand in quotation marks
Edge = Callable[[str, bool, float], None]


class Pins:
    """See the module. `deliver(name, pressed, monotonic_s)` is called from gpiozero's threads."""

    def __init__(
        self, config: Config, factory: Any, deliver: Edge, now: Callable[[], float] = time.monotonic
    ) -> None:
        from gpiozero import LED, PWMLED, RGBLED, Buzzer, DigitalInputDevice, DigitalOutputDevice

        self._inputs: dict[str, Any] = {}
        self._smileys: dict[str, Any] = {}
        self._devices: list[Any] = []
        self._lamp: Any = None
        self._colour = config.lamp.red is not None
        self._buzzer: Any = None
        self._watching: Any = None
        self._guards: dict[str, Any] = {}
        taking = ""
        try:
            inputs = [(button.name, pin, button.pull_up) for button, pin in config.wired]
            inputs += [(motion.name, motion.pin, motion.pull_up) for motion in config.motion]
            inputs += [(contact.name, contact.pin, contact.pull_up) for contact in config.contact]
            for name, pin, pull_up in inputs:
                taking = f"Pin {pin} of {name}"
                device = DigitalInputDevice(pin, pull_up=pull_up, bounce_time=None, pin_factory=factory)
                self._devices.append(device)
                self._inputs[name] = device
                device.when_activated = _edge(deliver, name, True, now)
                device.when_deactivated = _edge(deliver, name, False, now)
            for button in config.button:
                if button.lamp is not None:
                    taking = f"Pin {button.lamp} of the lamp of {button.name}"
                    self._smileys[button.name] = LED(button.lamp, pin_factory=factory)
                    self._devices.append(self._smileys[button.name])
            lamp = config.lamp
            taking = f"Pin {lamp.pin} of the lamp"
            if self._colour:
                taking = f"One of the pins {lamp.red}, {lamp.green} and {lamp.blue} of the lamp"
                self._lamp = RGBLED(lamp.red, lamp.green, lamp.blue, pin_factory=factory)
            elif lamp.pin is not None:
                self._lamp = PWMLED(lamp.pin, pin_factory=factory)
            if config.buzzer is not None:
                taking = f"Pin {config.buzzer.pin} of the buzzer"
                self._buzzer = Buzzer(config.buzzer.pin, pin_factory=factory)
            if config.camera is not None and config.camera.lamp is not None:
                taking = f"Pin {config.camera.lamp} of the camera's lamp"
                self._watching = LED(config.camera.lamp, pin_factory=factory)
                self._devices.append(self._watching)
            for output, number in (("relay", config.security.relay), ("pulse", config.security.pulse)):
                if number is not None:
                    taking = f"Pin {number} of the {output}"
                    self._guards[output] = DigitalOutputDevice(number, pin_factory=factory)
                    self._devices.append(self._guards[output])
        except Exception as error:
            # gpiozero raises one class, and lgpio one of its own for a pin that another program holds.
            self.close()
            raise PinsMissing(f"{taking} cannot be used: {str(error).strip(_QUOTED)}.") from None
        self._devices += [device for device in (self._lamp, self._buzzer) if device is not None]

    def pressed(self, name: str) -> bool:
        """The level of a button or a sensor as it is now."""
        return bool(self._inputs[name].is_active)

    def light(self, brightness: float, colour: tuple[float, float, float]) -> None:
        """Set the lamp: `brightness` 0 to 1; `colour` counts only where three colours are wired."""
        if self._lamp is None:
            return
        self._lamp.value = tuple(brightness * part for part in colour) if self._colour else brightness

    def sound(self, on: bool) -> None:
        if self._buzzer is not None:
            self._buzzer.value = on

    def smile(self, name: str, on: bool) -> None:
        """The lamp of the smiley `name`, if it has one."""
        if name in self._smileys:
            self._smileys[name].value = on

    def watch(self, on: bool) -> None:
        """The lamp that says that the camera watches."""
        if self._watching is not None:
            self._watching.value = on

    def guard(self, name: Output, on: bool) -> None:
        """The siren's relay, or what only the caller of a security request notices."""
        if name in self._guards:
            self._guards[name].value = on

    def close(self) -> None:
        """Everything off, every pin free. May be called twice."""
        devices, self._devices = self._devices, []
        for device in devices:
            with contextlib.suppress(Exception):
                device.close()


def open_factory(chip: int | None) -> Any:
    """lgpio's pins. PinsMissing says what is not there."""
    try:
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError:
        raise PinsMissing(
            "The GPIO library is missing; on Raspberry Pi OS: apt-get install python3-lgpio."
        ) from None
    except OSError as error:
        # It keeps a pipe there from its import on.
        raise PinsMissing(
            f"The GPIO library must be able to write in the folder that the kiosk is started in: {error}."
        ) from None
    try:
        return LGPIOFactory(chip=chip)
    except Exception as error:
        # lgpio raises its own error class, and gpiozero others, for a chip that is not there.
        raise PinsMissing(f"The GPIO chip cannot be opened: {error}.") from None


def mock_factory() -> Any:
    """gpiozero's pins without hardware, with PWM."""
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    return MockFactory(pin_class=MockPWMPin)


def _edge(deliver: Edge, name: str, pressed: bool, now: Callable[[], float]) -> Callable[[], None]:
    def changed() -> None:
        deliver(name, pressed, now())

    return changed
