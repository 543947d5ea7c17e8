"""The barest loop that could ingest: paho receives, msgspec decodes, one raw row per event, batched commits.

Started by ingest.py: `python -m tests.bench.bare_ingest HOST PORT IDENTITY STORE DATABASE`.
"""

import queue
import sqlite3
import sys
from pathlib import Path

import msgspec

from broker import topics
from broker.session import Arrival, Delivery, Session
from broker.tls import Credentials


class Envelope(msgspec.Struct):
    id: str
    kind: str
    seq: int = 0


def main(host: str, port: str, identity: str, store: str, database: str) -> None:
    arrived: queue.SimpleQueue[Arrival] = queue.SimpleQueue()

    def deliver(delivery: Delivery) -> None:
        if isinstance(delivery, Arrival):
            arrived.put(delivery)

    session = Session(
        "edge-bare",
        host,
        int(port),
        Credentials.in_directory(Path(identity)),
        deliver,
        subscriptions=[(topics.event(store, "+", "+"), 1)],
        receive_maximum=500,
        manual_ack=True,
    )
    conn = sqlite3.connect(database, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute(
        "CREATE TABLE IF NOT EXISTS event(id TEXT PRIMARY KEY, kind TEXT, seq INTEGER, payload BLOB)"
    )
    decoder = msgspec.json.Decoder(Envelope)
    session.start()
    while True:
        batch = [arrived.get()]
        while len(batch) < 500 and not arrived.empty():
            batch.append(arrived.get())
        rows = []
        for arrival in batch:
            event = decoder.decode(arrival.payload)
            rows.append((event.id, event.kind, event.seq, arrival.payload))
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany("INSERT INTO event VALUES (?,?,?,?) ON CONFLICT DO NOTHING", rows)
        conn.execute("COMMIT")
        for arrival in batch:
            session.acknowledge(arrival)


if __name__ == "__main__":
    main(*sys.argv[1:])
