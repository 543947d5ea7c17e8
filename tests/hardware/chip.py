"""A simulated GPIO chip with the lines of a Pi 4, made by the kernel's gpio-sim.

lgpio and gpiozero see no difference: real interrupts, real edges. What is wired to a line is moved through
sysfs.
"""

import time
from pathlib import Path

SIMULATOR = Path("/sys/kernel/config/gpio-sim")
LINES = 54
_WIRED = range(28)


class Chip:
    """One a kernel, made as root. Its lines are pulled up, as with buttons that nobody presses."""

    def __init__(self) -> None:
        made = SIMULATOR / "pi"
        bank = made / "bank0"
        bank.mkdir(parents=True)
        (bank / "label").write_text("pinctrl-bcm2711")
        (bank / "num_lines").write_text(str(LINES))
        (made / "live").write_text("1")
        name = (bank / "chip_name").read_text().strip()
        self.number = int(name.removeprefix("gpiochip"))
        self._lines = Path("/sys/devices/platform") / (made / "dev_name").read_text().strip() / name
        for pin in _WIRED:
            self.release(pin)

    def press(self, pin: int) -> None:
        """What is between `pin` and ground conducts, until release()."""
        (self._lines / f"sim_gpio{pin}" / "pull").write_text("pull-down")

    def release(self, pin: int) -> None:
        (self._lines / f"sim_gpio{pin}" / "pull").write_text("pull-up")

    def bounce(self, pin: int, times: int, apart_s: float = 0.002) -> None:
        """Contact is made and lost so many times."""
        for _ in range(times):
            self.press(pin)
            time.sleep(apart_s)
            self.release(pin)
            time.sleep(apart_s)

    def level(self, pin: int) -> int:
        """What the line is now, also where the kiosk drives it."""
        return int((self._lines / f"sim_gpio{pin}" / "value").read_text())

    def high(self, pin: int, during_s: float) -> float:
        """Which part of the time the line is high."""
        until_s, levels = time.monotonic() + during_s, []
        while time.monotonic() < until_s:
            levels.append(self.level(pin))
        return sum(levels) / len(levels)
