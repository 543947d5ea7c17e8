"""Strangers who flood a store: `python -m tests.rig.flood --web P --vault P --broker P --seconds S --rate R`.

Loopback only, from addresses of its own (127.0.0.2 and on), bounded in time and in number. It says 'begun',
and at its end in one line of JSON what it sent and what it was answered.
"""

import argparse
import asyncio
import contextlib
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from edge import create_app
from edge.config import EdgeConfig, Web
from edge.db.engine import migrate

CROWD = 8
LONGEST_S, MOST_A_SECOND, MOST_OPEN = 120.0, 2000, 400
PATIENCE_S = 5.0
NOWHERE = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Aim:
    """What is flooded, and how much of it."""

    web: int
    vault: int
    broker: int
    seconds: float
    rate: int
    open: int

    def __post_init__(self) -> None:
        assert self.seconds <= LONGEST_S and self.rate <= MOST_A_SECOND and self.open <= MOST_OPEN


def requests() -> list[bytes]:
    """One for every address and method that there is, with credentials that are none: a new one is among
    them by itself."""
    with tempfile.TemporaryDirectory() as folder:
        config = EdgeConfig(store="trial", title="T", directory=folder, web=Web(secure_cookies=False))
        migrate(config.database_url)
        app = create_app(config)
        found = []
        for rule in app.url_map.iter_rules():
            path = re.sub(r"<[^>]+>", NOWHERE, rule.rule)
            found += [_request(method, path) for method in sorted(set(rule.methods or ()) - {"OPTIONS"})]
        app.extensions["floorbell"].stop()
    assert len(found) > 200
    return found


def _request(method: str, path: str) -> bytes:
    body = f"person={NOWHERE}&name=Mira&pin=0000&password=wrong&code=000000".encode()
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: text/html",
        "Cookie: floorbell_floor=none; floorbell_manage=none",
        "Authorization: Bearer fb_nothing-of-ours",
    ]
    if method not in ("GET", "HEAD"):
        kind = "application/x-www-form-urlencoded"
        return (
            "\r\n".join([*head, f"Content-Type: {kind}", f"Content-Length: {len(body)}", "", ""]).encode()
            + body
        )
    return "\r\n".join([*head, "", ""]).encode()


class Flood:
    """`said` counts what was answered: statuses of the web, and how else a connection ended."""

    def __init__(self, aim: Aim, seed: int) -> None:
        self._aim = aim
        self._chance = random.Random(seed)
        self._end_s = 0.0
        self.said: Counter[str] = Counter()

    async def run(self) -> None:
        asked = requests()
        self._end_s = time.monotonic() + self._aim.seconds
        aim, many = self._aim, self._aim.open
        half = b"POST /floor/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nCon"
        slow_body = b"POST /floor/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\nperson="
        # The first bytes of a client's greeting, and what is none (RFC 8446, 5.1).
        hello, noise = b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n"
        work: list[Awaitable[None]] = [
            *(self._open("web half-sent", aim.web, half) for _ in range(many // 2)),
            *(self._open("web slow body", aim.web, slow_body) for _ in range(many // 4)),
            *(self._open("web silent", aim.web, b"") for _ in range(many // 4)),
            *(self._open("vault half-open", aim.vault, hello) for _ in range(many // 2)),
            *(self._open("broker half-open", aim.broker, hello) for _ in range(many // 2)),
            *(self._open("broker noise", aim.broker, noise, again_s=0.05) for _ in range(4)),
            *(self._open("vault noise", aim.vault, noise, again_s=0.05) for _ in range(4)),
            *(self._ask(asked, self._aim.rate / 32) for _ in range(32)),
        ]
        print("begun", flush=True)
        await asyncio.gather(*work)

    def _source(self) -> tuple[str, int]:
        return f"127.0.0.{2 + self._chance.randrange(CROWD)}", 0

    async def _open(self, what: str, port: int, first: bytes, again_s: float = 0.5) -> None:
        """One connection that never comes to anything; a new one when it was ended."""
        while time.monotonic() < self._end_s:
            with contextlib.suppress(OSError, TimeoutError):
                reader, writer = await self._connect(port)
                with contextlib.closing(writer):
                    await self._wait(what, reader, writer, first)
            await asyncio.sleep(again_s)

    async def _wait(
        self, what: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes
    ) -> None:
        writer.write(first)
        self.said[f"{what}: opened"] += 1
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), max(0.01, self._end_s - time.monotonic()))
        self.said[f"{what}: ended there"] += 1

    async def _ask(self, asked: list[bytes], rate: float) -> None:
        """Whole requests, one after the other, at most `rate` a second."""
        while time.monotonic() < self._end_s:
            try:
                reader, writer = await self._connect(self._aim.web)
                with contextlib.closing(writer):
                    await self._exchange(reader, writer, asked, rate)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
                self.said["web: no answer"] += 1
                await asyncio.sleep(0.05)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[bytes], rate: float
    ) -> None:
        while time.monotonic() < self._end_s:
            begun_s = time.monotonic()
            one = self._chance.choice(asked)
            writer.write(one)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
            self.said[f"web: {head.split(b' ', 2)[1].decode()}"] += 1
            if found := re.search(rb"content-length: (\d+)", head.lower()):
                length = 0 if one.startswith(b"HEAD") else int(found[1])
                await asyncio.wait_for(reader.readexactly(length), PATIENCE_S)
            if b"connection: close" in head.lower() or not found:
                return
            await asyncio.sleep(max(0.0, 1 / rate - (time.monotonic() - begun_s)))

    async def _connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        made: Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
        made = asyncio.open_connection
        return await asyncio.wait_for(made("127.0.0.1", port, local_addr=self._source()), PATIENCE_S)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("web", "vault", "broker", "rate", "open"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    chosen = vars(parser.parse_args())
    flood = Flood(Aim(**{key: value for key, value in chosen.items() if key != "seed"}), chosen["seed"])
    asyncio.run(flood.run())
    print(json.dumps(flood.said))


if __name__ == "__main__":
    main()
