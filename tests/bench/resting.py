"""What each program takes of the machine while nothing happens: memory, and the share of one core."""

import os
import time
from pathlib import Path

from tests.bench.press_to_page import DEVICE, PAGER, Shop
from tests.rig.store import Rig

AIMS_MB = {DEVICE: 40, "worker": 80, "web": 120}
_TICKS_S = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and its children: the web's pages are served by gunicorn's one worker process."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def resident_mb(pid: int) -> float:
    """Resident memory of the largest of a program's processes, in MB."""
    sizes = []
    for each in family(pid):
        line = next(x for x in Path(f"/proc/{each}/status").read_text().splitlines() if x.startswith("VmRSS"))
        sizes.append(int(line.split()[1]) / 1024)
    return max(sizes)


def cpu_s(pid: int) -> float:
    """Processor seconds that a program's processes have used."""
    used = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        used += int(fields[11]) + int(fields[12])
    return used / _TICKS_S


def run(directory: Path, seconds: float = 20.0) -> dict[str, dict[str, float]]:
    """The figures by program; prints them. Two phones hold their streams open; a few requests went before."""
    rig = Rig.make(directory, devices=(DEVICE, PAGER))
    figures: dict[str, dict[str, float]] = {}
    try:
        rig.start_broker_program()
        shop = Shop(rig)
        for _ in range(5):
            shop.press()
        pids = {name: rig.processes[name].pid for name in AIMS_MB}
        before = {name: cpu_s(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        for name, pid in pids.items():
            percent = 100 * (cpu_s(pid) - before[name]) / seconds
            figures[name] = {"resident_mb": resident_mb(pid), "idle_cpu_percent": percent}
    finally:
        rig.stop()
    for name, f in figures.items():
        print(
            f"{name:9} {f['resident_mb']:6.1f} MB resident (aim: under {AIMS_MB[name]})"
            f"   {f['idle_cpu_percent']:5.2f} % of a core idle"
        )
    return figures
