"""`python -m tests.faults [--seed N] [--seconds S] [--short] [--only NAME]`: every fault, one table."""

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.faults import (
    clip_way,
    clocks,
    flood,
    full_card,
    full_disk,
    full_vault,
    half_open,
    kills,
    lost_server,
    offline,
    overflow,
    power,
    races,
    twins,
    updating,
)
from tests.faults.outcome import Outcome, table

Fault = Callable[[Path, int], Outcome]


def faults(seconds: float, short: bool, rounds: int, presses: int, ran: int) -> dict[str, Fault]:
    """Every kind of fault by name, in the order in which they run."""
    plan = kills.SHORT if short else kills.Plan(seconds)
    longest_s = min(seconds, clip_way.LONGEST_S)
    clips = clip_way.SHORT if short else kills.Plan(longest_s, kiosks=2, web=False, longest_stop_s=6.0)
    return {
        kills.NAME: lambda folder, seed: kills.run(folder, seed, plan),
        clip_way.NAME: lambda folder, seed: clip_way.run(folder, seed, clips),
        power.KIOSK: lambda folder, seed: power.kiosk(folder, seed, rounds),
        power.SERVER: lambda folder, seed: power.server(folder, seed, rounds),
        updating.NAME: lambda folder, seed: updating.run(folder, seed, rounds),
        full_disk.KIOSK: full_disk.kiosk,
        full_disk.SERVER: full_disk.server,
        full_vault.NAME: full_vault.run,
        full_card.NAME: full_card.run,
        half_open.CABLE: half_open.cable,
        half_open.PROXY: half_open.proxy,
        offline.NAME: lambda folder, seed: offline.run(folder, seed, presses),
        overflow.NAME: overflow.run,
        flood.NAME: flood.run,
        races.NAME: lambda folder, seed: races.run(folder, seed, ran),
        lost_server.NAME: lost_server.run,
        twins.KIOSKS: twins.kiosks,
        twins.WORKERS: twins.workers,
        clocks.SERVER: clocks.server,
        clocks.KIOSK: clocks.kiosk,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="make faults", description="Kills, stops, power cuts and full disks under the real programs."
    )
    parser.add_argument("--seed", type=int, help="the same seed makes the same script (default: the time)")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long kills go on (default 120)")
    parser.add_argument("--rounds", type=int, default=12, help="power cuts of each disk (default 12)")
    parser.add_argument("--presses", type=int, default=10_000, help="presses made offline (default 10000)")
    parser.add_argument("--races", type=int, default=races.RACES, help="races for a request (default 10000)")
    parser.add_argument("--short", action="store_true", help="short rounds of kills and clip-way only")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this fault; may be repeated")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the stores and their logs in DIR")
    chosen = parser.parse_args(arguments)
    seed = chosen.seed if chosen.seed is not None else int(time.time()) % 100_000
    known = faults(chosen.seconds, chosen.short, chosen.rounds, chosen.presses, chosen.races)
    wanted = chosen.only or ([kills.NAME, clip_way.NAME] if chosen.short else list(known))
    for name in wanted:
        if name not in known:
            parser.error(f"--only is {name!r}; allowed are {', '.join(known)}.")
    # However it is ended, it takes its programs and disks away with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes = [_run(name, known[name], seed, chosen.keep) for name in wanted]
    print(table(outcomes, seed))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def _run(name: str, fault: Fault, seed: int, keep: Path | None) -> Outcome:
    begin = time.monotonic()
    print(f"{name} … ", end="", flush=True)
    with tempfile.TemporaryDirectory(prefix="fb-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary) if keep is None else keep / name
        try:
            outcome = fault(folder, seed)
        except Exception as error:
            # One fault that cannot be carried out must not hide what the others find.
            traceback.print_exc()
            outcome = Outcome(name, wrong=[f"It could not be carried out: {error}"])
    outcome.name = name
    if not outcome.not_run:
        outcome.figures = {"took": time.monotonic() - begin} | outcome.figures
    print(outcome.status, *outcome.wrong[:3], sep="\n  ! ", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
