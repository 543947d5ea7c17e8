"""Everything of a kiosk is killed at seeded moments while releases come, are built, tried and taken back. A
program always starts, and whatever it said is saved reaches the store."""

import contextlib
import random
import time
from pathlib import Path

from deploy import provision, rollout
from deploy.errors import DeployError
from deploy.register import now
from edge.handling import updating
from tests.faults.outcome import Outcome
from tests.rig import releases
from tests.rig.machine import Machine, is_up
from tests.rig.store import STORE, Rig, wait_for

NAME = "power cut, update"
DEVICE = "kiosk-1"
SAVED = {"saved", "sent", "seen", "on_the_way", "here", "cancelled"}


def run(directory: Path, seed: int, rounds: int = 12) -> Outcome:
    outcome, chance = Outcome(NAME), random.Random(f"{seed}-updating")
    rig = Rig.make(directory / "store", (DEVICE,))
    key = directory / "release.pem"
    public = releases.make_key(key)
    rig.config.release_keys_path.write_text(public + "\n")
    machine = Machine(rig, DEVICE, public, within_s=30.0)
    saved: set[str] = set()
    orders = 0
    try:
        rig.start_broker()
        for program in ("worker", "vault"):
            rig.start(program)
        machine.start()
        wait_for(lambda: rig.read("SELECT 1 FROM device WHERE updates"), "The kiosk's first word", 60)
        for _ in range(rounds):
            if _over(rig):
                orders += 1
                _order(rig, directory, key, f"0.{orders + 1}.0")
            # Often while it is brought and built, as often while it is tried.
            until_s = time.monotonic() + chance.uniform(0.2, 10.0) + (15.0 if chance.random() < 0.6 else 0.0)
            if chance.random() < 0.5:
                saved |= _press(machine)
            time.sleep(max(0.0, until_s - time.monotonic()))
            machine.cut()
            chosen = machine.slots.pointed
            outcome.check(chosen is not None, "After a cut the link led nowhere.")
            machine.start()
            outcome.check(is_up(machine), "After a cut no program started.")
        wait_for(lambda: _over(rig), "The end of the last roll-out", 240)
        saved |= _press(machine)
        wait_for(lambda: saved <= _references(rig), "The last press", 90)
        lost = saved - _references(rig)
        outcome.check(not lost, f"Saved and not in the store: {sorted(lost)}")
        ends = [state for (state,) in rig.read("SELECT state FROM rollout_part")]
    finally:
        machine.cut()
        rig.stop()
    outcome.add({"cuts": rounds, "releases": orders, "healthy": ends.count("healthy")})
    outcome.add({"taken back": ends.count("rolled_back"), "refused": ends.count("refused")})
    outcome.add({"saved": len(saved), "lost": len(lost)})
    outcome.check(orders > 1 and saved, "Nothing was renewed or pressed: this round says nothing.")
    return outcome


def _order(rig: Rig, directory: Path, key: Path, version: str) -> None:
    rollout.add(rig.config, releases.make(directory / "made", version, key))
    with provision.writing(rig.config) as conn:
        updating.roll_out(
            conn, STORE, provision.ACTOR, version, DEVICE, now(), soak_minutes=0, vault_url="https://x"
        )


def _over(rig: Rig) -> bool:
    newest = rig.read("SELECT state FROM rollout ORDER BY id DESC LIMIT 1")
    return not newest or newest[0][0] != "running"


def _press(machine: Machine) -> set[str]:
    """Somebody asks for help and goes away again; the reference that the kiosk showed as saved."""
    found: set[str] = set()
    # It may be starting just now.
    with contextlib.suppress(DeployError):
        for button in ("till", "cancel"):
            machine.hand.press(button)
            time.sleep(0.1)
            machine.hand.release(button)
            until_s = time.monotonic() + 3
            while time.monotonic() < until_s:
                shown = machine.hand.look().shown
                if shown.state in SAVED and shown.reference:
                    found.add(shown.reference)
                    break
                time.sleep(0.05)
    return found


def _references(rig: Rig) -> set[str]:
    return {reference for (reference,) in rig.read("SELECT reference FROM interaction WHERE kind = 'help'")}
