"""Strangers flood every door of the store at once, and security is called meanwhile: by kiosk, phone and
pager, and every page is at its phone in under two seconds.

The doors: each address of the web program, half-sent requests and bodies that never come there, the vault's
and the broker's ports with TLS that is none and TLS that stops in the middle.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.alarms import Alarms
from tests.faults.booth import Booth, outboxes_empty
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.faults.staff import Desk
from tests.rig.store import ROOT, Rig, listens, wait_for

NAME = "flood"
WITHIN_S = 2.0
# What a flood may add to each program's log and to the database.
MOST_LOG_BYTES, MOST_AUDIT_ROWS = 512 * 1024, 300


def run(directory: Path, seed: int, seconds: float = 40.0, rate: int = 400, open_: int = 240) -> Outcome:
    """`rate` requests a second at most, and `open_` connections to each port that come to nothing."""
    outcome = Outcome(NAME)
    rig = Rig.make(directory)
    booth = Booth(rig, "kiosk-1", window_s=1)
    alarms = Alarms(rig, [booth], f"{seed}", hold=[booth], gap_s=(0.8, 1.6))
    Desk(rig, "present").make_present()
    try:
        rig.start_broker_program()
        rig.start("worker")
        rig.start("vault")
        wait_for(lambda: listens(rig.config.vault.port), "The start of the vault", 60)
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        booth.start()
        alarms.start()
        before = _written(rig)
        with flooding(rig, seed, seconds, rate, open_) as flood:
            said = json.loads(flood.communicate(timeout=seconds + 60)[0])
        alarms.quiet()
        outboxes_empty([booth])
        outcome.wrong += balance(rig, [booth]).wrong
        alarms.settle(outcome)
        after = _written(rig)
    finally:
        alarms.close()
        rig.stop()
    slowest_s = float(str(outcome.security["slowest"]))
    outcome.check(
        slowest_s < WITHIN_S, f"A page came after {slowest_s:.1f} s; {WITHIN_S:.0f} s are promised."
    )
    _refused(outcome, rig, said)
    for name, grown in {name: after[name] - before[name] for name in before}.items():
        most = MOST_AUDIT_ROWS if name == "audit rows" else MOST_LOG_BYTES
        outcome.check(grown <= most, f"{name} grew by {grown}; a flood must not fill the disk.")
    asked = sum(count for what, count in said.items() if what.startswith("web: ") and what[5:].isdigit())
    opened = sum(count for what, count in said.items() if what.endswith(": opened"))
    outcome.add({"seconds": seconds, "requests answered": asked, "connections that came to nothing": opened})
    outcome.add({what: count for what, count in sorted(said.items()) if what.startswith("web: ")})
    return outcome.add({name: after[name] - before[name] for name in before})


@contextmanager
def flooding(rig: Rig, seed: int, seconds: float, rate: int, open_: int) -> Iterator[subprocess.Popen[str]]:
    """Strangers are at every door. They are a process of their own, so that this one measures itself."""
    config = rig.config
    ports = {"web": config.web.port, "vault": config.vault.port, "broker": config.broker.port}
    numbers: dict[str, Any] = {**ports, "seconds": seconds, "rate": rate, "open": open_, "seed": seed}
    flood = subprocess.Popen(
        [sys.executable, "-m", "tests.rig.flood", *(f"--{name}={value}" for name, value in numbers.items())],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert flood.stdout is not None and flood.stdout.readline() == "begun\n"
        yield flood
    finally:
        flood.kill()
        flood.wait()


def _refused(outcome: Outcome, rig: Rig, said: dict[str, int]) -> None:
    """Nobody who had no business here was let in or heard of a fault of ours; it stands in the audit."""
    statuses = {int(what[5:]): count for what, count in said.items() if what[5:].isdigit()}
    outcome.check(not any(500 <= one != 503 for one in statuses), f"Answers were {statuses}.")
    outcome.check({401, 403, 404} <= statuses.keys(), f"Answers were {statuses}.")
    for what in ("web half-sent", "web slow body", "web silent", "vault noise", "broker noise"):
        outcome.check(said.get(f"{what}: ended there"), f"No connection was ended: {what}.")
    kinds = {kind for (kind,) in rig.read("SELECT DISTINCT what FROM audit")}
    outcome.check({"denied.token", "denied.door"} <= kinds, f"The audit says only {sorted(kinds)}.")


def _written(rig: Rig) -> dict[str, int]:
    """How much stands in the programs' logs and in the audit."""
    sizes = {f"{name}.log": (rig.directory / f"{name}.log").stat().st_size for name in rig.processes}
    ((rows,),) = rig.read("SELECT count(*) FROM audit")
    return {**sizes, "audit rows": int(rows)}
