"""The kiosk on gpiozero, lgpio and the kernel's own GPIO, with a simulated chip under them.

Run as root inside a User Mode Linux kernel with gpio-sim (CONFIG_GPIO_SIM): real interrupts, real edges,
real bounce, no Raspberry Pi. Prints what was seen and exits 0 only if all of it was as it should be:

    python -m tests.hardware.simulated_pins
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from kiosk import config as configuration
from kiosk import program
from kiosk.display import Display
from kiosk.pins import open_factory

SIM = Path("/sys/kernel/config/gpio-sim/pi")
TOML = """
store = "trial"
device = "kiosk-1"
zone = "shoes"
gpio_chip = {chip}
[broker]
host = "127.0.0.1"
identity = "{identity}"
[[button]]
name = "find-item"
pin = 17
action = "help"
topic = "find-item"
[[button]]
name = "cancel"
pin = 6
action = "cancel"
[[button]]
name = "security"
pin = 26
action = "security"
hold_s = 0.8
[lamp]
red = 18
green = 23
blue = 24
"""


class Chip:
    """A simulated chip with 54 lines, labelled like a Pi 4's; its lines are pulled through sysfs."""

    def __init__(self) -> None:
        bank = SIM / "bank0"
        bank.mkdir(parents=True)
        (bank / "label").write_text("pinctrl-bcm2711")
        (bank / "num_lines").write_text("54")
        (SIM / "live").write_text("1")
        name = (bank / "chip_name").read_text().strip()
        self.number = int(name.removeprefix("gpiochip"))
        self._lines = Path("/sys/devices/platform") / (SIM / "dev_name").read_text().strip() / name

    def press(self, pin: int) -> None:
        (self._lines / f"sim_gpio{pin}" / "pull").write_text("pull-down")

    def release(self, pin: int) -> None:
        (self._lines / f"sim_gpio{pin}" / "pull").write_text("pull-up")

    def level(self, pin: int) -> int:
        return int((self._lines / f"sim_gpio{pin}" / "value").read_text())


class Trial:
    """A kiosk on the chip, and every display that it has shown with its time."""

    def __init__(self, chip: Chip, directory: Path, identity: Path) -> None:
        self.chip = chip
        self.shown: list[tuple[float, Display]] = []
        path = directory / "kiosk.toml"
        path.write_text(TOML.format(chip=chip.number, identity=identity))
        config = configuration.load(path)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=program.run, args=(config, open_factory(chip.number), self._stop, self._watch)
        )
        for pin in (17, 6, 26):
            chip.release(pin)
        self._thread.start()
        time.sleep(3)

    def _watch(self, display: Display) -> None:
        self.shown.append((time.monotonic(), display))

    def after(self, at_s: float, wait_s: float = 1.5) -> list[tuple[int, str]]:
        """(milliseconds since `at_s`, state) of the displays since then."""
        time.sleep(wait_s)
        return [(round(1000 * (t - at_s)), d.state.value) for t, d in self.shown if t >= at_s]

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


def main(identity: str) -> int:
    failed = 0

    def say(what: str, seen: object, right: bool) -> None:
        nonlocal failed
        failed += not right
        print(f"{'ok  ' if right else 'FAIL'} {what}: {seen}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Chip(), Path(folder), Path(identity))
        chip = trial.chip
        at = time.monotonic()
        chip.press(17)
        lit = [chip.level(pin) for pin in (18, 23, 24) for _ in range(50)]
        seen = trial.after(at)
        chip.release(17)
        say("press, then saved", seen, [s for _, s in seen][:2] == ["pressed", "saved"])
        say("the lamp's lines carry light", f"{sum(lit)} of {len(lit)} samples high", any(lit))

        at = time.monotonic()
        chip.press(6)
        seen = trial.after(at)
        chip.release(6)
        say("cancel", seen, "cancelled" in [s for _, s in seen])
        time.sleep(11)

        at = time.monotonic()
        for _ in range(5):
            chip.press(17)
            time.sleep(0.002)
            chip.release(17)
            time.sleep(0.002)
        chip.press(17)
        seen = trial.after(at, 2.0)
        chip.release(17)
        count = sum(1 for _, s in seen if s == "pressed")
        say("five bounces are one press", seen, count == 1)

        before = len(trial.shown)
        chip.press(26)
        time.sleep(1.2)
        chip.release(26)
        time.sleep(0.5)
        states = [d.text for _, d in trial.shown[before:]]
        say("a security hold shows nothing", states, not states)
        trial.stop()
        stored = _kinds(Path(folder) / "outbox")
        say("what the outbox holds", stored, sorted(stored) == ["cancel", "help", "help", "security"])
    return 1 if failed else 0


def _kinds(directory: Path) -> list[str]:
    import sqlite3

    (database,) = directory.glob("*.db")
    with sqlite3.connect(database) as conn:
        return [kind for (kind,) in conn.execute("SELECT kind FROM event")]


if __name__ == "__main__":
    print("model", Path("/proc/cpuinfo").read_text().split("Model")[-1].strip(" \t:\n"), os.uname().machine)
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "identity"))
