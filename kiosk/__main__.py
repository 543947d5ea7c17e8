"""`python -m kiosk run|check --config kiosk.toml`"""

import argparse
import logging
import sys
import threading
from pathlib import Path

from broker.errors import BrokerError
from kiosk import check, config, pins, program
from kiosk.errors import KioskError


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 done, 1 a check failed, 2 cannot start, 70 a part of the program failed."""
    parser = argparse.ArgumentParser(prog="kiosk", description="A Floorbell kiosk.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, purpose in (("run", "be a kiosk"), ("check", "try each lamp and each button in turn")):
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.add_argument("--config", type=Path, required=True, metavar="kiosk.toml")
        command.add_argument(
            "--pins", choices=("lgpio", "mock"), default="lgpio", help="'mock' needs no hardware"
        )
        command.add_argument("--verbose", action="store_true", help="say more in the log")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if chosen.verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
    )
    try:
        settings = config.load(chosen.config)
        factory = pins.mock_factory() if chosen.pins == "mock" else pins.open_factory(settings.gpio_chip)
        if chosen.command == "check":
            return check.run(settings, factory)
        stop = threading.Event()
        program.end_on_signals(stop)
        return program.run(settings, factory, stop)
    except (KioskError, BrokerError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
