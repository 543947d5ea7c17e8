"""Calling a supervisor with one tap: to a request that somebody has, or to a place. It counts against nobody.

Each function is one transaction's work; they raise Refused with one sentence, or NotFound.
"""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from broker.events import new_id
from edge.config import Policies
from edge.db.tables import interaction, is_open
from edge.devices import store as devices
from edge.errors import Refused
from edge.handling import acting, escalating
from edge.handling.calling import callers
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.holds import DEVICE
from edge.interactions.request import Cancel, Request, State
from edge.interactions.store import Entry
from edge.paging import store as pages
from edge.routing.choose import seniors

TOPIC = "supervisor"


def call_to_request(
    conn: sa.Connection, store: str, request_id: str, person: str, now: datetime, through: str = "phone"
) -> None:
    """Page the supervisors to a request; whoever has it keeps it. Those who are called already are not again.

    Refused if the request is closed or the store's own drill, or if nobody who could come is signed in.
    """
    who, request = acting.involved(conn, store, request_id, person)
    if not request.open:
        raise Refused("This request is closed already; call a supervisor to the place instead.")
    if escalating.apart(conn, request):
        raise Refused("This is a drill; nobody else is called for it.")
    floor = escalating.floor_of(conn, store, now)()
    apart = {person, request.owner, *callers(conn, request)}
    able = [c for c in seniors(floor.roster) if c.person not in apart]
    if not able:
        raise Refused("No supervisor or manager is signed in on a phone; nobody was called.")
    reason = f"{who.name} calls you to help"
    fresh = [(c.person, reason) for c in able if not pages.waits_for(conn, request.id, c.person)]
    if not fresh:
        return
    after = replace(request, round=request.round + 1, revision=request.revision + 1)
    requests.update(conn, request, after)
    names = {c.person: c.name for c in able}
    words = f"{who.name} calls {' and '.join(names[called] for called, _ in fresh)} to help."
    requests.append(conn, [Entry(request.id, now, "supervisor_called", through, words, person)])
    telling = Telling(store)
    telling.paged(after, pages.insert(conn, store, request.id, fresh, after.round, now))
    telling.changed(after, pages.paged(conn, request.id))
    telling.flush(conn, now)


def call_to_place(
    conn: sa.Connection,
    store: str,
    file: Policies,
    person: str,
    zone: str,
    now: datetime,
    through: str = "phone",
) -> str:
    """Page the supervisors to a zone, then everyone, until somebody answers; the request's id.

    Whoever has called already and waits still gets the same one again. `file` are edge.toml's policies.
    """
    who = acting.who_is(conn, store, person)
    titles = devices.zones(conn, store)
    if zone not in titles:
        raise Refused(f"The zone is {zone[:32]!r}; allowed are {', '.join(titles) or 'none yet'}.")
    i = interaction.c
    waiting = sa.select(i.id).where(i.store == store, is_open, i.raised_by == person, i.kind == "help")
    if (before := conn.execute(waiting.limit(1)).scalar()) is not None:
        return str(before)
    request = Request(
        id=str(new_id(int(now.timestamp() * 1000))), store=store, device=DEVICE, zone=zone, kind="help",
        topic=TOPIC, language=None,
        state=State.RAISED, count=1, revision=0, step=0, round=0, silent=False, drill=False, raised_at=now,
        age_known=True, raised_by=person,
    )  # fmt: skip

    def insert(raised: Request) -> None:
        requests.insert(
            conn, store, raised.id, now, device=DEVICE, zone=zone, kind="help", topic=TOPIC,
            state=raised.state.value, revision=raised.revision, step=raised.step, raised_at=now,
            raised_by=person,
        )  # fmt: skip
        words = f"{who.name} calls a supervisor to {titles[zone]}."
        requests.append(conn, [Entry(raised.id, now, "supervisor_called", through, words, person)])

    telling = Telling(store)
    escalating.start(conn, telling, file, request, insert, escalating.floor_of(conn, store, now), now)
    telling.flush(conn, now)
    return request.id


def take_back(
    conn: sa.Connection, store: str, request_id: str, person: str, now: datetime, through: str = "phone"
) -> None:
    """Whoever called a supervisor needs none any more."""
    who, request = acting.involved(conn, store, request_id, person)
    acting.act(conn, store, request, Cancel(person, who.name), now, through)
