"""What is wrong with the store's own things, and what a second pair of eyes is asked for."""

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from deploy.demo import shop
from edge.handling import supervising
from edge.handling.telling import Telling
from edge.supervision import store as troubles
from edge.supervision.facts import Found, Key, Look, What

TILLS, ENTRANCE = "kiosk-tills", "kiosk-entrance"


def trouble(conn: sa.Connection, ids: Mapping[str, str], now: dt.datetime) -> None:
    """One thing came back, one seems well, one is over, one is a colleague's phone."""
    begun = now - dt.timedelta(minutes=30)
    clock = Found(Key(TILLS, What.CLOCK), begun, f"The clock of {TILLS} and the store's differ by 9 s.")
    hot = Found(Key(TILLS, What.HOT), begun, f"{TILLS} says that it has 83 °C; from 80 on it slows down.")
    stuck = Found(Key(ENTRANCE, What.STUCK, "help"), begun, f"{ENTRANCE} says that its button help is stuck.")
    full = Found(Key("", What.DISK, "evidence"), begun, "The server's disk for evidence has 900 MB left.")
    phone = Found(Key("", What.PHONE, ids["Luka"]), begun, "Luka is here, and is signed in on no phone.")
    for minutes, found in (
        (0, [clock, hot, stuck, full, phone]),
        (2, [clock, hot, stuck, full, phone]),
        (5, [hot, full, phone]),
        (29.5, [stuck, full, phone]),
    ):
        _judge(conn, found, begun + dt.timedelta(minutes=minutes))


def _judge(conn: sa.Connection, found: list[Found], at: dt.datetime) -> None:
    telling = Telling(shop.STORE)
    known = troubles.going_on(conn, shop.STORE)
    supervising.take(conn, telling, known, Look(found, frozenset(), frozenset()), set(What), at)
    telling.flush(conn, at)
