"""The hops from a press to a phone with nothing in them: the floor under press to page.

Three processes, as in the product: a kiosk that commits one row and publishes it, a worker that commits one
row and publishes that there is one, and a web server that writes a chunk on an open HTTP stream.
`python -m tests.bench.bare_hops kiosk|worker|web PORT IDENTITY STORE DATABASE EXTRA`
"""

import queue
import socket
import sqlite3
import sys
import time
from pathlib import Path

from broker import topics
from broker.session import Arrival, Delivery, Session
from broker.tls import Credentials

KIOSK = "kiosk-1"
PAGE = b"event: page\ndata: {}\n\n"


def database(path: str) -> sqlite3.Connection:
    """As durable as the product's: WAL and an fsync with each commit."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("CREATE TABLE IF NOT EXISTS event(id INTEGER PRIMARY KEY, payload BLOB)")
    return conn


def commit(conn: sqlite3.Connection, payload: bytes) -> None:
    conn.execute("BEGIN IMMEDIATE")
    conn.execute("INSERT INTO event(payload) VALUES (?)", (payload,))
    conn.execute("COMMIT")


def connected(
    name: str, port: int, identity: str, arrivals: "queue.SimpleQueue[Arrival]", topic: str | None
) -> Session:
    def deliver(delivery: Delivery) -> None:
        if isinstance(delivery, Arrival):
            arrivals.put(delivery)

    subscriptions = [(topic, 1)] if topic else []
    credentials = Credentials.in_directory(Path(identity))
    session = Session(name, "127.0.0.1", port, credentials, deliver, subscriptions=subscriptions)
    session.start()
    while not session.connected:
        time.sleep(0.01)
    return session


def kiosk(port: int, identity: str, store: str, path: str, control: str) -> None:
    """Each connection to the control socket is a press; it is answered with the moment of the press."""
    conn = database(path)
    session = connected("bare-kiosk", port, identity, queue.SimpleQueue(), None)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(control)
    listener.listen()
    payload = b"x" * 300
    while True:
        peer, _ = listener.accept()
        pressed_s = time.monotonic()
        commit(conn, payload)
        session.publish(topics.event(store, KIOSK, "help"), payload)
        peer.sendall(repr(pressed_s).encode())
        peer.close()


def worker(port: int, identity: str, store: str, path: str, _extra: str) -> None:
    arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
    conn = database(path)
    session = connected("bare-worker", port, identity, arrivals, topics.event(store, "+", "help"))
    while True:
        arrival = arrivals.get()
        commit(conn, arrival.payload)
        session.publish(topics.feed(store), b"{}")


def web(port: int, identity: str, store: str, _path: str, http_port: str) -> None:
    arrivals: queue.SimpleQueue[Arrival] = queue.SimpleQueue()
    connected("bare-web", port, identity, arrivals, topics.feed(store))
    listener = socket.create_server(("127.0.0.1", int(http_port)))
    print("listens", flush=True)
    peer, _ = listener.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.recv(65536)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    while True:
        arrivals.get()
        peer.sendall(PAGE)


if __name__ == "__main__":
    role, port, *rest = sys.argv[1:]
    {"kiosk": kiosk, "worker": worker, "web": web}[role](int(port), *rest)
