"""Drills in the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from broker.events import new_id
from edge.db.columns import moved
from edge.db.drill_tables import drill, drill_person
from edge.db.inserts import if_new
from edge.db.store_tables import device, person, setting
from edge.db.tables import interaction, outgoing, page
from edge.drills.result import to_sign
from edge.drills.rules import Known
from edge.schedule import Plan

if TYPE_CHECKING:
    from broker.signing import Signer

ROLE = "drill"
NAME = "Test responder"
SETTING = "drill"


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill as it stands. `id` is also that of its request; `until` is None before it has begun."""

    id: str
    device: str
    kind: str
    cause: str
    asked_by: str | None
    asked_at: datetime
    people: bool
    state: str
    responder: str | None
    responder_name: str | None
    built_in: bool
    begun_at: datetime | None
    until: datetime | None
    after_message: int | None
    told_at: datetime | None
    ended_at: datetime | None
    hop: str | None
    words: str | None
    result: str | None
    key: str | None
    signature: str | None

    @property
    def over(self) -> bool:
        return self.state in ("passed", "failed")


_d = drill.c
_SELECT = sa.select(*(_d[name] for name in Drill.__dataclass_fields__))
_BY_ID = _SELECT.where(_d.store == sa.bindparam("in_store"), _d.id == sa.bindparam("in_id"))
_GOING_ON = _SELECT.where(
    _d.store == sa.bindparam("in_store"),
    _d.state.in_([sa.literal_column("'asked'"), sa.literal_column("'running'")]),
).order_by(_d.asked_at)
_PLAN = sa.select(setting.c.value, setting.c.changed_at).where(
    setting.c.store == sa.bindparam("in_store"), setting.c.name == SETTING
)
_AGREE = if_new(drill_person)


def find(conn: sa.Connection, store: str, id_: str) -> Drill | None:
    row = conn.execute(_BY_ID, {"in_store": store, "in_id": id_}).first()
    return Drill(*row) if row else None


def going_on(conn: sa.Connection, store: str) -> list[Drill]:
    """Those that are asked for or running, oldest first."""
    return [Drill(*row) for row in conn.execute(_GOING_ON, {"in_store": store})]


def newest(conn: sa.Connection, store: str, limit: int, before: datetime | None = None) -> list[Drill]:
    """The last ones, newest first."""
    query = _SELECT.where(_d.store == store, *([] if before is None else [_d.asked_at < before]))
    return [Drill(*row) for row in conn.execute(query.order_by(_d.asked_at.desc(), _d.id).limit(limit))]


def last_by_plan(conn: sa.Connection, store: str) -> Drill | None:
    query = _SELECT.where(_d.store == store, _d.cause == "plan").order_by(_d.asked_at.desc()).limit(1)
    row = conn.execute(query).first()
    return Drill(*row) if row else None


def last_of_devices(conn: sa.Connection, store: str) -> dict[str, datetime | None]:
    """Each kiosk of the store with when it was last drilled."""
    last = sa.select(sa.func.max(_d.asked_at)).where(_d.store == device.c.store, _d.device == device.c.name)
    query = (
        sa.select(device.c.name, last.correlate(device).scalar_subquery())
        .where(device.c.store == store, device.c.revoked_at.is_(None))
        .order_by(device.c.name)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def plan(conn: sa.Connection, store: str, file: Plan) -> tuple[Plan, datetime | None]:
    """The plan in force and since when; None: it is edge.toml's."""
    row = conn.execute(_PLAN, {"in_store": store}).first()
    if row is None:
        return file, None
    try:
        found = msgspec.convert(row.value, Plan)
    except msgspec.ValidationError:
        return file, None
    return (file, None) if found.fault() else (found, row.changed_at)


def set_plan(conn: sa.Connection, store: str, new: Plan | None, now: datetime) -> None:
    """None: that of edge.toml counts again."""
    conn.execute(sa.delete(setting).where(setting.c.store == store, setting.c.name == SETTING))
    if new is not None:
        value = msgspec.to_builtins(new)
        conn.execute(sa.insert(setting).values(store=store, name=SETTING, value=value, changed_at=now))


def add(
    conn: sa.Connection,
    store: str,
    device_name: str,
    kind: str,
    cause: str,
    asked_by: str | None,
    people: bool,
    asked_at: datetime,
    now: datetime,
) -> str:
    """A drill that the worker begins at its next look; its id."""
    id_ = str(new_id(int(now.timestamp() * 1000)))
    conn.execute(
        sa.insert(drill).values(
            id=id_,
            store=store,
            device=device_name,
            kind=kind,
            cause=cause,
            asked_by=asked_by,
            asked_at=asked_at,
            people=people,
            state="asked",
            built_in=not people,
        )
    )
    return id_


def move(conn: sa.Connection, id_: str, before: str, after: str, **values: Any) -> bool:
    """Move a drill from one state to another; False where it no longer is in that one."""
    query = sa.update(drill).where(_d.id == id_, _d.state == before).values(state=after, **values)
    return conn.execute(query).rowcount == 1


def hear(conn: sa.Connection, store: str, id_: str, now: datetime) -> None:
    """Its kiosk says that it heard of the acknowledgement; the first time counts."""
    mine = (_d.store == store, _d.id == id_, _d.told_at.is_(None))
    conn.execute(sa.update(drill).where(*mine).values(told_at=now))


def passage(conn: sa.Connection, store: str, one: Drill, command: bytes) -> dict[str, datetime]:
    """When each hop was done, of those that are; `command` is what was sent to the kiosk."""
    i, p = interaction.c, page.c
    sent = conn.execute(
        sa.select(outgoing.c.sent_at).where(
            outgoing.c.id > (one.after_message or 0),
            outgoing.c.store == store,
            outgoing.c.payload == command,
        )
    ).scalar()
    raised = conn.execute(
        sa.select(i.raised_at, i.received_at, i.age_known, i.acknowledged_at).where(
            i.store == store, i.id == one.id, i.device == one.device
        )
    ).first()
    found = {"asked": one.begun_at, "sent": sent, "told": one.told_at}
    if raised is not None:
        found["received"], found["acknowledged"] = raised.received_at, raised.acknowledged_at
        if raised.age_known:
            found["pressed"] = raised.raised_at
        paged = conn.execute(
            sa.select(p.created_at, p.sent_at, p.delivered_at)
            .where(p.request == one.id, p.person == one.responder)
            .order_by(p.created_at)
            .limit(1)
        ).first()
        if paged is not None:
            found["paged"], found["written"], found["delivered"] = paged
    known = {hop: at for hop, at in found.items() if at is not None}
    if "sent" in known:
        # That the broker has it is noted a moment later; it had it when the press came of it.
        known["sent"] = min(known[hop] for hop in ("sent", "pressed", "received") if hop in known)
    return known


def declined_at(conn: sa.Connection, one: Drill) -> datetime | None:
    """When the responder said that they cannot come."""
    p = page.c
    query = sa.select(p.closed_at).where(
        p.request == one.id, p.person == one.responder, p.state == "declined"
    )
    return conn.execute(query.limit(1)).scalar()


def known(conn: sa.Connection, store: str, name: str) -> Known:
    d = device.c
    query = sa.select(d.status, d.status_at, d.heartbeat_at).where(d.store == store, d.name == name)
    row = conn.execute(query).first()
    return Known(*row) if row else Known()


def last_message(conn: sa.Connection) -> int:
    return conn.execute(sa.select(sa.func.max(outgoing.c.id))).scalar() or 0


def test_responder(conn: sa.Connection, store: str, now: datetime) -> tuple[str, str]:
    """(id, name) of the built-in responder. A person of the database who is on no roster and has no PIN."""
    mine = (person.c.store == store, person.c.role == ROLE)
    row = conn.execute(sa.select(person.c.id, person.c.name).where(*mine)).first()
    if row is not None:
        return row.id, row.name
    id_, name, number = str(new_id(int(now.timestamp() * 1000))), NAME, 1
    while conn.execute(sa.select(person.c.id).where(person.c.store == store, person.c.name == name)).first():
        number += 1
        name = f"{NAME} {number}"
    conn.execute(
        sa.insert(person).values(
            id=id_, store=store, name=name, role=ROLE, zones=[], languages=["en"], presence="off",
            presence_at=now, active=True, added_at=now,
        )
    )  # fmt: skip
    return id_, name


def agreed(conn: sa.Connection, store: str) -> set[str]:
    query = sa.select(drill_person.c.person).where(drill_person.c.store == store)
    return set(conn.execute(query).scalars())


def agree(conn: sa.Connection, store: str, who: str, yes: bool, now: datetime) -> None:
    a = drill_person.c
    if yes:
        row = {"store": store, "person": who, "agreed_at": now}
        conn.execute(_AGREE[conn.dialect.name], row)
    else:
        conn.execute(sa.delete(drill_person).where(a.store == store, a.person == who))


def last_answered(conn: sa.Connection, store: str) -> dict[str, datetime]:
    """When each person was last a drill's responder."""
    query = sa.select(_d.responder, sa.func.max(_d.asked_at)).where(
        _d.store == store, _d.responder.is_not(None)
    )
    return {row[0]: row[1] for row in conn.execute(query.group_by(_d.responder))}


def sign_due(conn: sa.Connection, store: str, signer: "Signer") -> int:
    """Sign every result that is not yet signed; how many."""
    query = sa.select(_d.id, _d.result).where(
        _d.store == store, _d.result.is_not(None), _d.signature.is_(None)
    )
    rows = conn.execute(query.limit(50)).all()
    for row in rows:
        values = {"key": signer.key, "signature": signer.sign(to_sign(row.result))}
        conn.execute(sa.update(drill).where(_d.id == row.id).values(**values))
    return len(rows)


def shift(conn: sa.Connection, store: str, by: timedelta) -> None:
    """Move those that run by a jump of the server's clock."""
    columns = (_d.begun_at, _d.until)
    conn.execute(
        sa.update(drill)
        .where(_d.store == store, _d.state == "running")
        .values({column: moved(column, by) for column in columns})
    )
