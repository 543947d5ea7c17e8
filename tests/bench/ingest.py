"""Durable ingest: committed and receipted events per second, over the barest loop that could do it.

The same events go through the same broker from mosquitto_pub, first to the barest loop, then to the worker.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

from broker import codec, topics
from broker.events import FeedbackGiven, Greeted, HelpRequested, new_id
from broker.session import Arrival, Delivery
from tests.rig.store import STORE, Rig, wait_for

DEVICE = "kiosk-1"
OUTBOX = UUID("018f0000-0000-7000-8000-0000000000aa")


def payloads(count: int, kind: str, first: int = 1, outbox: UUID = OUTBOX) -> list[bytes]:
    """`count` events of one kind, as a kiosk would have kept them while the store was away."""
    now = int(time.time() * 1000)
    content = {
        "greet": Greeted("in", "pir"),
        "feedback": FeedbackGiven(3),
        "help": HelpRequested("find", "en"),
    }[kind]
    return [
        codec.encode_event(new_id(now), content, kind, outbox=outbox, seq=first + n)  # type: ignore[arg-type]
        for n in range(count)
    ]


def publish(rig: Rig, kind: str, lines: list[bytes], name: str = "loader") -> subprocess.Popen[bytes]:
    """Send lines with mosquitto_pub, which costs less of this machine than Python would."""
    folder = rig.directory / "devices" / DEVICE
    source = rig.directory / f"{name}.jsonl"
    source.write_bytes(b"\n".join(lines) + b"\n")
    program = shutil.which("mosquitto_pub")
    if program is None:
        raise SystemExit("mosquitto_pub is not installed; on Debian: apt-get install mosquitto-clients.")
    with open(source, "rb") as stdin:
        return subprocess.Popen(
            [
                program, "-V", "5", "-i", name, "-h", "127.0.0.1", "-p", str(rig.config.broker.port),
                "--cafile", str(folder / "ca.crt"), "--cert", str(folder / "tls.crt"),
                "--key", str(folder / "tls.key"), "-q", "1", "-l", "-t", topics.event(STORE, DEVICE, kind),
            ],
            stdin=stdin,
        )  # fmt: skip


def bare(rig: Rig, kind: str, count: int) -> float:
    """Events per second of the barest loop."""
    database = rig.directory / "bare.db"
    broker = rig.config.broker
    identity = rig.config.identity_path / "edge-worker"
    rig.start(
        "bare",
        "-m",
        "tests.bench.bare_ingest",
        broker.host,
        str(broker.port),
        str(identity),
        STORE,
        str(database),
    )
    time.sleep(1.5)
    begin = time.perf_counter()
    sender = publish(rig, kind, payloads(count, kind))
    conn = sqlite3.connect(database)
    wait_for(
        lambda: conn.execute("SELECT count(*) FROM event").fetchone()[0] >= count,
        "The barest loop's end",
        120,
    )
    took = time.perf_counter() - begin
    sender.wait(10)
    rig.processes.pop("bare").kill()
    database.unlink()
    return count / took


def ours(rig: Rig, kind: str, count: int, outbox: UUID = OUTBOX) -> float:
    """Events per second of the worker, until the last receipt is here."""
    receipted: set[int] = set()

    def deliver(delivery: Delivery) -> None:
        if isinstance(delivery, Arrival):
            receipted.update(json.loads(delivery.payload).get("seqs", ()))

    receipts = rig.session(
        DEVICE, deliver, subscriptions=[(topics.of_device(STORE, DEVICE, topics.Channel.RECEIPT), 1)]
    )
    receipts.start()
    wait_for(lambda: receipts.connected, "The connection for receipts")
    begin = time.perf_counter()
    sender = publish(rig, kind, payloads(count, kind, outbox=outbox))
    wait_for(lambda: len(receipted) >= count, "The last receipt", 180)
    took = time.perf_counter() - begin
    sender.wait(10)
    receipts.stop()
    return count / took


def run(directory: Path, count: int = 20_000) -> dict[str, float]:
    """The figures by name; prints them."""
    rig = Rig.make(directory)
    try:
        rig.start_broker_program()
        floor = bare(rig, "greet", count)
        rig.start("worker")
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start")
        greet = ours(rig, "greet", count)
        help_ = ours(rig, "help", count // 10, UUID("018f0000-0000-7000-8000-0000000000bb"))
    finally:
        rig.stop()
    print(f"durable ingest  barest loop {floor:8.0f} events/s")
    print(
        f"                greet       {greet:8.0f} events/s  {greet / floor:.2f} of it (aim: at least 0.40)"
    )
    print(
        f"                help        {help_:8.0f} events/s  {help_ / floor:.2f} of it (presses of one kiosk)"
    )
    return {"bare": floor, "greet": greet, "help": help_, "ratio": greet / floor}


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="floorbell-bench-") as folder:
        run(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
