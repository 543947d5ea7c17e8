"""A backup beside security presses: how long it takes, its CPU and size, and from the press to the receipt
(the commit with its pages is before that) without it and while it runs, in one run. No assertions."""

import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from os import urandom
from pathlib import Path
from uuid import UUID, uuid4

from broker import codec, topics
from broker.events import Clock, SecurityRequested, new_id
from broker.session import Arrival, Delivery
from broker.topics import Channel
from deploy.demo.history import write
from deploy.provision import writing
from edge.backup import recovery
from edge.backup.recovery import RecoveryKey
from tests.bench.log_page import KIOSKS, history
from tests.rig.footage import Shot, seal
from tests.rig.store import ROOT, STORE, Rig, wait_for

PRESSES_S, CLIP_BYTES = 20.0, 5_000_000
OUTBOX = UUID(int=77)


def run(directory: Path, interactions: int = 100_000, clips: int = 200) -> dict[str, float]:
    """The figures; prints them."""
    rig = Rig.make(directory / "shop", devices=tuple(KIOSKS))
    write.write(rig.config, history(rig, interactions))
    recovery.install(rig.config.identity_path, RecoveryKey.new())
    (directory / "backups").mkdir()
    rig.configure(lambda text: f'{text}\n[backup]\nto = "{directory / "backups"}"\n')
    now = datetime.now(UTC)
    for _ in range(clips):
        shot = Shot(STORE, "kiosk-2", "tills", str(uuid4()), now, urandom(CLIP_BYTES))
        with writing(rig.config) as conn:
            seal(conn, rig.config.vault_path, shot, now)
    presses = Presses(rig)
    try:
        rig.start_broker()
        rig.start("worker")
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 120)
        presses.start()
        idle = presses.during(lambda: time.sleep(PRESSES_S))
        took: dict[str, float] = {}
        first = presses.during(lambda: took.update(_backup(rig, "first")))
        second = presses.during(lambda: took.update(_backup(rig, "second")))
    finally:
        presses.stop()
        rig.stop()
    figures = {"interactions": float(interactions), "clips_gb": clips * CLIP_BYTES / 1e9} | took
    for name, values in (("idle", idle), ("first", first), ("second", second)):
        figures |= {f"{name} presses": float(len(values)), f"{name} p50_ms": statistics.median(values)}
        figures |= {f"{name} p99_ms": _p99(values), f"{name} worst_ms": max(values)}
    figures["p99_ratio"] = figures["first p99_ms"] / figures["idle p99_ms"]
    _say(figures)
    return figures


class Presses:
    """A device that presses security twice a second, and how long each receipt took."""

    def __init__(self, rig: Rig) -> None:
        self._numbers, self._sent = count(1), dict[int, float]()
        self._took: list[float] = []
        self._stop = threading.Event()
        self._session = rig.session("kiosk-1", self._hear, subscriptions=[(self._topic(Channel.RECEIPT), 1)])
        self._thread = threading.Thread(target=self._press, daemon=True)

    def start(self) -> None:
        self._session.start()
        wait_for(lambda: self._session.connected, "The connection of the device", 30)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._session.stop()

    def during(self, work: Callable[[], object]) -> list[float]:
        """Milliseconds of each press whose receipt came while `work` ran."""
        begin = len(self._took)
        work()
        return self._took[begin:]

    def _press(self) -> None:
        boot = UUID(int=5)
        while not self._stop.wait(0.4):
            seq = next(self._numbers)
            clock = Clock(True, boot, time.monotonic_ns() // 1_000_000)
            event = new_id(time.time_ns() // 1_000_000)
            content = SecurityRequested("hold")
            payload = codec.encode_event(event, content, "security", outbox=OUTBOX, seq=seq, clock=clock)
            self._sent[seq] = time.perf_counter()
            self._session.publish(topics.event(STORE, "kiosk-1", "security"), payload)

    def _hear(self, delivery: Delivery) -> None:
        if isinstance(delivery, Arrival) and delivery.topic.endswith("/receipt"):
            now = time.perf_counter()
            for seq in json.loads(delivery.payload).get("seqs", ()):
                if (sent := self._sent.pop(seq, None)) is not None:
                    self._took.append((now - sent) * 1000)

    @staticmethod
    def _topic(channel: Channel) -> str:
        return topics.of_device(STORE, "kiosk-1", channel)


def _backup(rig: Rig, name: str) -> dict[str, float]:
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "deploy.cli",
        "backup",
        "run",
        "--config",
        str(rig.directory / "edge.toml"),
    ]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ((size, sent),) = rig.read("SELECT database_bytes, sent_bytes FROM backup ORDER BY began_at DESC LIMIT 1")
    return {
        f"{name} took_s": time.perf_counter() - begin,
        f"{name} cpu_s": cpu,
        f"{name} sent_mb": sent / 1e6,
        "database_mb": size / 1e6,
    }


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def _say(f: dict[str, float]) -> None:
    print(
        f"{f['interactions']:.0f} interactions, database {f['database_mb']:.0f} MB, "
        f"clips {f['clips_gb']:.1f} GB, to a folder on the same disk"
    )
    for name in ("first", "second"):
        print(
            f"{name} backup: {f[f'{name} took_s']:.0f} s, {f[f'{name} cpu_s']:.1f} s of CPU, "
            f"{f[f'{name} sent_mb']:.0f} MB written"
        )
    for name, words in (("idle", "without"), ("first", "beside the first"), ("second", "beside the second")):
        print(
            f"security press to receipt, {words}: p50 {f[f'{name} p50_ms']:.1f}, "
            f"p99 {f[f'{name} p99_ms']:.1f}, worst {f[f'{name} worst_ms']:.1f} ms "
            f"({f[f'{name} presses']:.0f} presses)"
        )
