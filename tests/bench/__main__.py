"""`python -m tests.bench [--only NAME] [--presses N] [--backlog N] [--events N] [--interactions N]
[--json FILE]`"""

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path

from tests.bench import (
    backup,
    clip,
    fan_out,
    ingest,
    kiosk_memory,
    log_page,
    press_to_page,
    resting,
    sealing,
    upload,
    verify,
    watching,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--only",
        choices=(
            "press",
            "ingest",
            "resting",
            "kiosk",
            "fan-out",
            "log",
            "clip",
            "sealing",
            "upload",
            "verify",
            "watching",
            "backup",
        ),
    )
    parser.add_argument("--presses", type=int, default=300, help="of each kind, while nothing else happens")
    parser.add_argument(
        "--backlog", type=int, default=100_000, help="events behind which security is pressed"
    )
    parser.add_argument("--events", type=int, default=20_000, help="for durable ingest")
    parser.add_argument("--interactions", type=int, default=1_000_000, help="in the larger of two logs")
    parser.add_argument("--json", type=Path, default=Path("bench-result.json"))
    chosen = parser.parse_args()
    parts = {
        "press": lambda folder: press_to_page.run(folder, chosen.presses, chosen.backlog),
        "ingest": lambda folder: ingest.run(folder, chosen.events),
        "resting": resting.run,
        "kiosk": kiosk_memory.run,
        "fan-out": fan_out.run,
        "log": lambda folder: log_page.run(folder, chosen.interactions),
        "clip": clip.run,
        "sealing": sealing.run,
        "upload": upload.run,
        "verify": verify.run,
        "watching": watching.run,
        "backup": backup.run,
    }
    result: dict[str, object] = {"machine": platform.machine(), "python": platform.python_version()}
    result["at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for name, part in parts.items():
        if chosen.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="floorbell-bench-") as folder:
                result[name] = part(Path(folder) / "trial")
            print()
    chosen.json.write_text(json.dumps(result, indent=2) + "\n")
    print(f"Written to {chosen.json}.")


if __name__ == "__main__":
    main()
