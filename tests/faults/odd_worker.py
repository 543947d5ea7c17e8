"""The real worker with a wall clock that jumps: an hour forward at SIGUSR1, two hours back at SIGUSR2.

A second argument is how many messages it takes from the broker before it has acknowledged one.
"""

import logging
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.config import load_config
from edge.worker import Worker, loop

FORWARD, BACK = timedelta(hours=1), timedelta(hours=2)


class Clock:
    """The machine's clock and an offset."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def jump(self, by: timedelta) -> None:
        self.offset += by


def main(path: Path, receive_maximum: int) -> None:
    loop.RECEIVE_MAXIMUM = receive_maximum
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    clock = Clock()
    worker = Worker(load_config(path), clock)
    signal.signal(signal.SIGUSR1, lambda *_: clock.jump(FORWARD))
    signal.signal(signal.SIGUSR2, lambda *_: clock.jump(-BACK))
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else loop.RECEIVE_MAXIMUM)
