"""The barest event stream: a Flask view with one queue per stream, under the web program's own settings.

`python -m tests.bench.bare_streams PORT STREAMS FILE`. POST / sends the next number to every open stream and
keeps it in FILE, from which a stream with Last-Event-ID is given what it missed.
"""

import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication

from edge.web.server import SPARE_THREADS


def build(kept: Path) -> Flask:
    app = Flask("bare")
    lock = threading.Lock()
    streams: set[queue.SimpleQueue[int]] = set()
    numbers = [int(line) for line in kept.read_text().split()] if kept.exists() else []

    @app.get("/")
    def stream() -> Response:
        last = request.headers.get("Last-Event-ID")
        own: queue.SimpleQueue[int] = queue.SimpleQueue()
        with lock:
            missed = [n for n in numbers if last and n > int(last)]
            streams.add(own)

        def written() -> Iterator[bytes]:
            yield b"event: beat\ndata: {}\n\n"
            for number in missed:
                yield entry(number)
            while True:
                yield entry(own.get())

        response = Response(written(), mimetype="text/event-stream")
        response.call_on_close(lambda: streams.discard(own))
        return response

    @app.post("/")
    def push() -> str:
        with lock:
            number = (numbers[-1] if numbers else 0) + 1
            numbers.append(number)
            with open(kept, "a") as file:
                file.write(f"{number}\n")
            for own in streams:
                own.put(number)
        return str(number)

    return app


def entry(number: int) -> bytes:
    return b'id: %d\nevent: request\ndata: {"state": "raised"}\n\n' % number


class Web(BaseApplication):  # type: ignore[misc]
    def __init__(self, port: int, streams: int, kept: Path) -> None:
        self._port, self._streams, self._kept = port, streams, kept
        super().__init__()

    def load_config(self) -> None:
        threads = self._streams + SPARE_THREADS
        for name, value in {
            "bind": f"127.0.0.1:{self._port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": threads,
            "worker_connections": 2 * threads,
            "keepalive": 15,
            "graceful_timeout": 1,
            "loglevel": "warning",
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        sys.setswitchinterval(0.0002)
        return build(self._kept)


if __name__ == "__main__":
    Web(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])).run()
