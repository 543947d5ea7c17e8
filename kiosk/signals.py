"""What a program's signals mean. A module of its own, so that the screen need not load the kiosk for it."""

import signal
import threading


def end_on_signals(stop: threading.Event) -> None:
    """SIGTERM and SIGINT set `stop`. Only for the program itself: signals belong to the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
