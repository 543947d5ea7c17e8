"""`python -m kiosk run|check|screen|camera|update --config kiosk.toml`, or `enrol CODE`. Each loads only its
own."""

import argparse
import os
import sys
import textwrap
import threading
from pathlib import Path

from broker import logs
from broker.errors import BrokerError
from kiosk import config
from kiosk.errors import KioskError
from kiosk.signals import end_on_signals

# On a kiosk the journal says when.
PLAIN = "%(levelname)s %(name)s: %(message)s"


def parser() -> argparse.ArgumentParser:
    """What main() understands."""
    made = argparse.ArgumentParser(prog="kiosk", description="A Floorbell kiosk.")
    commands = made.add_subparsers(dest="command", required=True)
    for name, purpose in (("run", "be a kiosk"), ("check", "try each lamp and each button in turn")):
        command = commands.add_parser(name, help=purpose, description=purpose)
        _add_config(command)
        command.add_argument(
            "--pins", choices=("lgpio", "mock"), default="lgpio", help="'mock' needs no hardware"
        )
        command.add_argument("--verbose", action="store_true", help="say more in the log")
        if name == "check":
            command.add_argument("--self", action="store_true", help="only load everything; touch no pin")
    _add_screen(commands)
    _add_camera(commands)
    _add_enrol(commands)
    _add_update(commands)
    purpose = "ask the store now whether this kiosk's certificate is due; the running kiosk does each hour"
    renewal = commands.add_parser("renew", help=purpose, description=purpose)
    _add_config(renewal)
    return made


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 done, 1 a check failed, 2 cannot start, 70 a part of the program failed."""
    chosen = parser().parse_args(arguments)
    try:
        if chosen.command == "enrol":
            return _enrol(chosen)
        settings = config.load(chosen.config)
        program = "kiosk" if chosen.command in ("run", "check") else chosen.command
        logs.begin(settings.log, program, verbose=getattr(chosen, "verbose", False), plain=PLAIN)
        if chosen.command == "renew":
            return _renew(settings)
        if chosen.command == "screen":
            return _show(settings, chosen)
        if chosen.command == "camera":
            return _watch(settings, chosen)
        if chosen.command == "update":
            return _install(settings, chosen)
        if chosen.command == "check" and chosen.self:
            from kiosk.updating import selftest

            return selftest.run(settings)
        return _run(settings, chosen)
    except (KioskError, BrokerError) as error:
        print(error, file=sys.stderr)
        return 2


def _run(settings: config.Config, chosen: argparse.Namespace) -> int:
    # Only here: the screen and the camera have no use for 5 MB of MQTT.
    from kiosk import check, pins, program

    factory = pins.mock_factory() if chosen.pins == "mock" else pins.open_factory(settings.gpio_chip)
    if chosen.command == "check":
        return check.run(settings, factory)
    stop = threading.Event()
    end_on_signals(stop)
    return program.run(settings, factory, stop)


def _add_config(command: argparse.ArgumentParser) -> None:
    # An installed kiosk's `floorbell` command names its own.
    known = os.environ.get("FLOORBELL_KIOSK_CONFIG")
    command.add_argument("--config", type=Path, metavar="kiosk.toml", required=not known, default=known)


def _add_screen(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    purpose = "show a page on 127.0.0.1 that says what the kiosk says"
    command = commands.add_parser("screen", help=purpose, description=purpose)
    _add_config(command)
    command.add_argument("--port", type=int, default=8970, help="8970 if not given; 0 takes a free one")
    command.add_argument("--socket", type=Path, help="where the panel's socket is, if not beside the outbox")
    command.add_argument("--framed-by", metavar="ORIGIN", help="the one site that may show it in a frame")
    command.add_argument("--verbose", action="store_true", help="say more in the log")


def _add_camera(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    purpose = "keep the last half minute in memory, and a clip of it when something is pressed"
    command = commands.add_parser("camera", help=purpose, description=purpose)
    command.add_argument("what", nargs="?", choices=("watch", "masks"), default="watch")
    _add_config(command)
    command.add_argument(
        "--picture",
        type=Path,
        default=Path("masks.jpg"),
        help="with 'masks': the picture to write, .jpg or .png",
    )
    command.add_argument("--verbose", action="store_true", help="say more in the log")


def _add_enrol(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    purpose = "let this kiosk into a store, by the code that 'floorbell device invite' shows there"
    command = commands.add_parser("enrol", help=purpose, description=purpose)
    command.add_argument("code", metavar="CODE@HOST")
    command.add_argument("--dir", type=Path, required=True, help="where its keys are made, and stay")
    command.add_argument(
        "--anew", action="store_true", help="let it in again, with other keys; start the kiosk anew then"
    )


def _enrol(chosen: argparse.Namespace) -> int:
    from kiosk.enrolling import enrol

    try:
        done = enrol(chosen.code, chosen.dir, anew=chosen.anew)
    except OSError as error:
        raise KioskError(f"The identity could not be written to {chosen.dir}: {error.strerror}.") from None
    print(f"This kiosk is let in as {done.device}. In its kiosk.toml:")
    print(textwrap.indent(done.toml(chosen.dir), "  "), end="")
    return 0


def _add_update(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    purpose = "put a signed release into the slot that is not in use; the keeper runs this"
    command = commands.add_parser("update", help=purpose, description=purpose)
    command.add_argument("--config", type=Path, required=True, metavar="kiosk.toml")
    command.add_argument("--root", type=Path, default=Path("/opt/floorbell"))
    command.add_argument("--slot", choices=("a", "b"), required=True)
    command.add_argument("--release", type=Path, required=True, help="the release's file")
    command.add_argument("--version", required=True, help="the version that it is to be")
    command.add_argument("--keys", type=Path, default=Path("/etc/floorbell/release.keys"))


def _install(settings: config.Config, chosen: argparse.Namespace) -> int:
    # Only here: the cryptography library costs memory.
    from broker.release import ReleaseError
    from kiosk.keeper.loop import REFUSED
    from kiosk.keeper.slots import SlotError, Slots
    from kiosk.updating import installer

    slots = Slots(chosen.root.absolute())
    try:
        installer.install(
            slots,
            chosen.slot,
            chosen.release,
            chosen.version,
            chosen.keys,
            settings,
            chosen.config.absolute(),
        )
    except (ReleaseError, SlotError) as error:
        print(error)
        return REFUSED
    return 0


def _renew(settings: config.Config) -> int:
    from kiosk.renewing import Door, renew

    broker = settings.broker
    renewed = renew(Door(broker.host, broker.vault_port, settings.device, settings.identity))
    print("The certificate is renewed." if renewed else "The certificate is not due yet.")
    return 0


def _watch(settings: config.Config, chosen: argparse.Namespace) -> int:
    try:
        # Only here: the kiosk itself has no room for PyAV.
        if chosen.what == "masks":
            from kiosk.camera import trying

            trying.masks(settings, chosen.picture)
            return 0
        from kiosk.camera import program as camera
    except ImportError as error:
        raise KioskError(f"{error}; install requirements/camera.txt for the camera.") from None
    stop = threading.Event()
    end_on_signals(stop)
    return camera.run(settings, stop)


def _show(settings: config.Config, chosen: argparse.Namespace) -> int:
    try:
        # Only here: the kiosk itself has no room for Flask.
        from kiosk.screen import program as screen
    except ImportError as error:
        raise KioskError(f"{error}; install requirements/screen.txt for the screen.") from None
    stop = threading.Event()
    end_on_signals(stop)
    return screen.run(settings, chosen.port, stop, chosen.socket, chosen.framed_by)


if __name__ == "__main__":
    sys.exit(main())
