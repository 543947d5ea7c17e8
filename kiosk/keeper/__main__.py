"""`python3 -P -m kiosk.keeper choose|keep|begin|finish|use|show|lay`, before and outside of every release."""

import argparse
import os
import shutil
import signal
import sys
import tomllib
from pathlib import Path

from kiosk.keeper import lines, loop
from kiosk.keeper.loop import Keeper, Settings
from kiosk.keeper.slots import SLOTS, STATE, SlotError, Slots, choose

_RUN = """#!/bin/sh
exec env PYTHONPATH='{home}' python3 -P -B -m kiosk.keeper "$@"
"""


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0, or 1 with one sentence."""
    parser = argparse.ArgumentParser(prog="keeper", description="Which slot a machine starts from.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, purpose in (
        ("choose", "before the kiosk starts: count a try, fall back, turn the link"),
        ("keep", "look after the slots until the program is ended"),
        ("begin", "empty a slot that is not in use, for a new release"),
        ("finish", "what is in that slot is whole"),
        ("use", "start from that slot from now on"),
        ("show", "say which slot is which"),
        ("lay", "put this program itself outside of the slots"),
    ):
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.add_argument("--root", type=Path, default=Path("/opt/floorbell"))
        if name in ("begin", "finish", "use"):
            command.add_argument("slot", choices=SLOTS)
        if name == "keep":
            command.add_argument("--config", type=Path, required=True, metavar="kiosk.toml")
            command.add_argument("--keys", type=Path, default=Path("/etc/floorbell/release.keys"))
    chosen = parser.parse_args(arguments)
    try:
        return _do(chosen)
    except SlotError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or chosen.root}: {error.strerror or error}.", file=sys.stderr)
    return 1


def _do(chosen: argparse.Namespace) -> int:
    slots = Slots(chosen.root.absolute())
    match chosen.command:
        case "choose":
            _become_owner(slots)
            print(choose(slots, loop.new_id()))
        case "keep":
            _keep(slots, chosen)
        case "begin":
            slots.begin(chosen.slot)
        case "finish":
            slots.finish(chosen.slot)
        case "use":
            slots.use(chosen.slot)
        case "show":
            _show(slots)
        case "lay":
            _lay(slots)
    return 0


def _keep(slots: Slots, chosen: argparse.Namespace) -> None:
    lines.begin(chosen.config)
    ended: list[bool] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.append(True))
    Keeper(slots, settings_of(chosen.config, chosen.keys)).run(lambda: bool(ended))


def settings_of(config: Path, keys: Path) -> Settings:
    """What of kiosk.toml concerns the keeper. SlotError if it cannot be used."""
    try:
        said = tomllib.loads(config.read_text(encoding="utf-8"))
        update, broker = said.get("update", {}), said["broker"]
        directory = config.absolute().parent / update.get("directory", "updates")
        return Settings(
            word=directory / update.get("word", "word.json"),
            directory=directory,
            keys=keys,
            config=config.absolute(),
            host=str(broker["host"]),
            port=int(broker.get("port", 8883)),
            within_s=float(update.get("healthy_within_s", 300)),
            steady_s=float(update.get("steady_s", 120)),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SlotError(f"{config} cannot be used: {error}.") from None


def _become_owner(slots: Slots) -> None:
    """Root starts it before a kiosk; the file belongs to whoever keeps the slots, and so does the work."""
    if os.geteuid() != 0:
        return
    owner = (slots.root / STATE).parent.stat()
    if owner.st_uid != 0:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


def _show(slots: Slots) -> None:
    state = slots.known()
    print(f"current leads to {slots.pointed or 'nowhere'}.")
    for name in SLOTS:
        words = "whole" if slots.is_whole(name) else "not whole"
        if name == state.good:
            words += f", well ({slots.release_in(name) or 'of an unknown version'})"
        if state.trial is not None and name == state.trial.slot:
            words += f", tried: {state.trial.release}, started {state.trial.tries} times"
        if state.staged is not None and name == state.staged.slot:
            words += f", waits: {state.staged.release}"
        print(f"{name}: {words}.")


def _lay(slots: Slots) -> None:
    """Copy this program to root/keeper, with root/keeper/run to start it, and make the folders it needs."""
    home, here = slots.root / "keeper", Path(__file__).resolve().parent
    for folder in (home / "kiosk" / "keeper", slots.root / "slots", (slots.root / STATE).parent):
        folder.mkdir(parents=True, exist_ok=True)
    (home / "kiosk" / "__init__.py").write_text('"""Only the keeper is here."""\n', encoding="utf-8")
    for file in sorted(here.glob("*.py")):
        shutil.copyfile(file, home / "kiosk" / "keeper" / file.name)
    run = home / "run"
    run.write_text(_RUN.format(home=home), encoding="utf-8")
    run.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())
