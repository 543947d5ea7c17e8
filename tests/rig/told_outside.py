"""Channels to people outside the store, and messages that went well, badly and not at all."""

import datetime as dt
from pathlib import Path

import sqlalchemy as sa

from edge.config import EdgeConfig
from edge.outside import log, store, wording
from edge.outside.channels import OPENED, SECURITY, TEST
from edge.outside.log import Filters
from edge.outside.rules import Outcome
from edge.outside.store import Ended, New, Room
from edge.outside.wording import Facts

CHANNELS = """
[[outside.channel]]
name = "patrol"
kind = "webhook"
file = "patrol.toml"
opened = ["threat", "assault"]
closed = ["all"]

[[outside.channel]]
name = "head-office-on-call-telephone"
kind = "apprise"
file = "head-office.txt"
missed = true
drills = true
"""
SILENT = "The receiver did not answer within 10 seconds; whether it took the message is not known."


def configure(config: EdgeConfig) -> None:
    """Add the channels to edge.toml, before anything runs."""
    path = Path(config.directory) / "edge.toml"
    path.write_text(path.read_text() + CHANNELS)


def tell(conn: sa.Connection, name: str, now: dt.datetime) -> dict[str, str]:
    """Ids of deliveries: 'outside' was accepted at the third try, 'outside_waits' waits for another one."""
    ago = lambda minutes: now - dt.timedelta(minutes=minutes)  # noqa: E731
    head = "head-office-on-call-telephone"
    faults = {
        "patrol": None,
        head: "head-office.txt may be read by others (mode 0644); run chmod 600 on it.",
    }
    store.see(conn, name, faults, ago(400))
    took = Ended(Outcome.ACCEPTED, "The receiver took it (200 OK).")
    away = Ended(Outcome.FAILED, "The receiver cannot be reached: Connection refused.")
    place = {"zone": "entrance", "zone_title": "Entrance"}
    for at, channel, what, facts, course in (
        (ago(300), "patrol", TEST, Facts(name, "Demo", ago(300)), [took]),
        (ago(90), head, OPENED, Facts(name, "Demo", ago(90), **place, classed_as="theft", number="2026-0012"),
         [Ended(Outcome.REFUSED, "The receiver refuses this message for good (410 Gone).")]),
        (ago(60), head, SECURITY, Facts(name, "Demo", ago(60), **place, reference="K7QX", drill=True), []),
        (ago(9), "patrol", SECURITY, Facts(name, "Demo", ago(9), **place, reference="M2PA", silent=True),
         [away, Ended(Outcome.UNKNOWN, SILENT), took]),
        (ago(1), "patrol", SECURITY, Facts(name, "Demo", ago(1), **place, reference="Q8TT"), [away, away]),
    ):  # fmt: skip
        store.mark(conn, name, what, "x", at)
        happened = store.unspread(conn, name, 10_000)[-1]
        until = at + dt.timedelta(hours=6 if course else 0)
        new = New(channel, 1, what, wording.encode(facts), facts.silent, until)
        store.spread(conn, name, happened, [new], at)
        for number, ended in enumerate(course):
            began = at + dt.timedelta(seconds=10 * number)
            rooms, leases = {channel: Room(1, 1)}, {channel: dt.timedelta(seconds=20)}
            (claimed,), _ = store.claim(conn, name, "me", rooms, leases, began)
            store.end(conn, claimed, "me", ended, began + dt.timedelta(seconds=0.4))
        if not course:
            store.claim(conn, name, "me", {channel: Room(1, 1)}, {}, at)
    store.see(conn, name, faults, now + dt.timedelta(seconds=20))
    found = log.search(conn, name, Filters(with_silent=True), None, 5)
    return {"outside_waits": found[0].id, "outside": found[1].id}
