"""A real kiosk program on gpiozero's mock pins, and a socket at which its buttons are pressed.

A press drives the mock pin; the kiosk notices it as it would notice a real one. Nothing else is faked.
"""

import argparse
import contextlib
import socketserver
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from broker import logs
from broker.errors import BrokerError
from deploy.demo.control import Ask, Panel, Shown
from kiosk import config as configuration
from kiosk import pins, program, texts
from kiosk.config import Config
from kiosk.display import Display
from kiosk.errors import KioskError
from kiosk.signals import end_on_signals

SAMPLE_S = 0.04
BEAT_S = 1.0
# A browser that vanished while its button was down must not leave it down.
LET_GO_S = 8.0


class Booth:
    """The pins and the display of one kiosk, as somebody standing before it would touch and see them."""

    def __init__(self, config: Config, factory: Any) -> None:
        self._factory = factory
        self._config = config
        # Buttons are low while they are pressed, sensors high while somebody moves.
        self._buttons = {button.name: pin for button, pin in config.wired}
        self._sensors = {motion.name: motion.pin for motion in config.motion}
        self._lights = {button.name: button.lamp for button in config.button if button.lamp is not None}
        self._changed = threading.Condition()
        self._shown: deque[Shown] = deque(maxlen=200)
        self._count = 0
        self._letting_go: dict[str, threading.Timer] = {}
        self._pressed_s = 0.0

    def watch(self, display: Display) -> None:
        """What the kiosk's main loop calls."""
        sentence = texts.say(display.text, display.args)
        with self._changed:
            self._count += 1
            self._shown.append(
                Shown(
                    self._count,
                    time.monotonic(),
                    display.state.value,
                    sentence,
                    display.name,
                    display.reference,
                )
            )
            self._changed.notify_all()

    def press(self, button: str) -> None:
        self._let_go_later(button)
        self._pressed_s = time.monotonic()
        self._drive(button, active=True)

    def release(self, button: str) -> None:
        if timer := self._letting_go.pop(button, None):
            timer.cancel()
        self._drive(button, active=False)

    def _drive(self, name: str, *, active: bool) -> None:
        pin = self._factory.pin(self._buttons[name] if name in self._buttons else self._sensors[name])
        if active is (name in self._sensors):
            pin.drive_high()
        else:
            pin.drive_low()

    def look(self, after: int, wait_s: float) -> Panel:
        with self._changed:
            if wait_s > 0:
                self._changed.wait_for(lambda: self._count > after, wait_s)
            shown = list(self._shown)
        now = shown[-1] if shown else Shown(0, time.monotonic(), "starting", "Starting.", None, None)
        return Panel(
            now,
            self._lamp(),
            self._sound(),
            self._down(),
            [s for s in shown if s.number > after],
            lit=[name for name, pin in self._lights.items() if self._level(pin)],
            pressed_s=self._pressed_s,
            films=self._films(),
        )

    def _lamp(self) -> tuple[float, float, float]:
        lamp = self._config.lamp
        red, green, blue = (self._level(pin) for pin in (lamp.red, lamp.green, lamp.blue))
        return red, green, blue

    def _sound(self) -> bool:
        return self._config.buzzer is not None and self._level(self._config.buzzer.pin) > 0

    def _films(self) -> bool | None:
        camera = self._config.camera
        return None if camera is None or camera.lamp is None else self._level(camera.lamp) > 0

    def _down(self) -> list[str]:
        return [name for name, pin in self._buttons.items() if not self._factory.pin(pin).state]

    def _level(self, pin: int | None) -> float:
        return 0.0 if pin is None else round(float(self._factory.pin(pin).state), 2)

    def _let_go_later(self, button: str) -> None:
        if timer := self._letting_go.pop(button, None):
            timer.cancel()
        timer = self._letting_go[button] = threading.Timer(LET_GO_S, self.release, (button,))
        timer.daemon = True
        timer.start()


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, booth: Booth) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self.booth = booth
        super().__init__(str(path), Talk)


class Talk(socketserver.StreamRequestHandler):
    """One connection: lines of Ask in, lines of Panel out."""

    server: Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            for line in self.rfile:
                try:
                    ask = msgspec.json.decode(line, type=Ask)
                    self._answer(ask)
                except msgspec.DecodeError as error:
                    self._say(self._panel(wrong=f"The kiosk does not understand this: {error}."))
                except KeyError:
                    self._say(self._panel(wrong=f"This kiosk has no button {ask.button!r}."))

    def _answer(self, ask: Ask) -> None:
        booth = self.server.booth
        if ask.do == "press":
            booth.press(ask.button)
        elif ask.do == "release":
            booth.release(ask.button)
        if ask.do == "follow":
            self._follow()
        else:
            self._say(booth.look(ask.after, ask.wait_s if ask.do == "look" else 0.0))

    def _follow(self) -> None:
        said, said_s = None, 0.0
        while True:
            panel = self._panel()
            if panel != said or time.monotonic() - said_s >= BEAT_S:
                self._say(panel)
                said, said_s = panel, time.monotonic()
            time.sleep(SAMPLE_S)

    def _panel(self, wrong: str = "") -> Panel:
        panel = self.server.booth.look(0, 0.0)
        return msgspec.structs.replace(panel, new=[], wrong=wrong)

    def _say(self, panel: Panel) -> None:
        self.wfile.write(msgspec.json.encode(panel) + b"\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo kiosk")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    chosen = parser.parse_args()
    try:
        config = configuration.load(chosen.config)
        logs.begin(config.log, "kiosk")
        factory = pins.mock_factory()
        booth = Booth(config, factory)
        server = Server(chosen.socket, booth)
        threading.Thread(target=server.serve_forever, name="control", daemon=True).start()
        stop = threading.Event()
        end_on_signals(stop)
        return program.run(config, factory, stop, booth.watch)
    except (KioskError, BrokerError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
