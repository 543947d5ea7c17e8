"""Pages: one call of one person about one request, and how far it verifiably got."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from broker.events import new_id
from edge.db.store_tables import person, zone
from edge.db.tables import interaction, is_open, page

# How far a page can get before someone answers; a report of an earlier stage never takes it back.
_STAGES = ("pending", "sent", "delivered", "seen")
# What a person is called for, the most urgent kind first.
FIRST = ("security", "help", "watch", "drawer", "greet")


@dataclass(frozen=True, slots=True)
class NewPage:
    id: str
    person: str
    reason: str
    round: int


@dataclass(frozen=True, slots=True)
class OpenPage:
    """An open request as one person's phone shows it. `page` is None where they own it without a page."""

    page: str | None
    request: str
    kind: str
    topic: str | None
    zone: str
    zone_title: str
    language: str | None
    device: str
    reference: str
    count: int
    state: str
    reason: str
    mine: bool
    owner_name: str | None
    raised_at: datetime
    age_known: bool
    silent: bool
    drill: bool
    # Asked to take this over from its owner, or called to the owner's side.
    asked: bool
    called: bool
    # The colleague whom the owner has asked.
    handover_name: str | None
    # Who called from a phone; `own`: this person did.
    caller_name: str | None
    own: bool


_INSERT = sa.insert(page)
_PAGED = (
    sa.select(page.c.person, page.c.reason)
    .where(page.c.request == sa.bindparam("in_request"))
    .order_by(page.c.round.desc())
)
_CLOSE = (
    sa.update(page)
    .where(page.c.request == sa.bindparam("in_request"), page.c.state.in_(_STAGES))
    .values(
        state=sa.case((page.c.person == sa.bindparam("in_person"), "answered"), else_="superseded"),
        closed_at=sa.bindparam("in_now"),
    )
)


def insert(
    conn: sa.Connection,
    store: str,
    request: str,
    chosen: Sequence[tuple[str, str]],
    round_: int,
    now: datetime,
) -> list[NewPage]:
    """Write one pending page for each (person, reason)."""
    unix_ms = int(now.timestamp() * 1000)
    pages = [NewPage(str(new_id(unix_ms)), who, reason, round_) for who, reason in chosen]
    if pages:
        conn.execute(
            _INSERT,
            [
                {
                    "id": p.id,
                    "store": store,
                    "request": request,
                    "person": p.person,
                    "round": round_,
                    "reason": p.reason,
                    "state": "pending",
                    "created_at": now,
                }
                for p in pages
            ],
        )
    return pages


def paged(conn: sa.Connection, request: str) -> dict[str, str]:
    """Everyone who was paged for the request, with the reason of their first page."""
    rows = conn.execute(_PAGED, {"in_request": request})
    return {row.person: row.reason for row in rows}


def was_paged(conn: sa.Connection, request: str, person_id: str) -> bool:
    query = sa.select(page.c.id).where(page.c.person == person_id, page.c.request == request)
    return conn.execute(query.limit(1)).first() is not None


def about(conn: sa.Connection, store: str, pages: Sequence[str], person_id: str) -> list[str]:
    """The requests of these pages of a person, but for those that need no answer any more."""
    query = sa.select(page.c.request).where(
        page.c.store == store,
        page.c.id.in_(list(pages)),
        page.c.person == person_id,
        page.c.state.in_(_STAGES),
    )
    return list(conn.execute(query.distinct()).scalars())


def reach(
    conn: sa.Connection,
    store: str,
    pages: Sequence[str],
    stage: str,
    now: datetime,
    person_id: str | None = None,
) -> list[tuple[str, str]]:
    """Move pages on to sent, delivered or seen and return (request, person) of those that moved.

    Only that person's own pages where `person_id` is given. A later stage implies the earlier ones.
    """
    earlier = _STAGES[: _STAGES.index(stage)]
    column = {"sent": page.c.sent_at, "delivered": page.c.delivered_at, "seen": page.c.seen_at}[stage]
    query = sa.update(page).where(
        page.c.store == store, page.c.id.in_(list(pages)), page.c.state.in_(earlier)
    )
    if person_id is not None:
        query = query.where(page.c.person == person_id)
    rows = conn.execute(
        query.values({page.c.state: stage, column: now}).returning(page.c.request, page.c.person)
    )
    return [(row.request, row.person) for row in rows]


def stream(conn: sa.Connection, store: str, pages: Sequence[str], now: datetime) -> None:
    """These were written to an open page of their person, the first time each."""
    p = page.c
    query = sa.update(page).where(p.store == store, p.id.in_(list(pages)), p.streamed_at.is_(None))
    conn.execute(query.values(streamed_at=now))


def seen_before(conn: sa.Connection, request: str, person_id: str, now: datetime) -> bool:
    """Whether anyone else has seen a page of this request, or this person an earlier one."""
    query = sa.select(page.c.id).where(
        page.c.request == request,
        page.c.seen_at.is_not(None),
        sa.or_(page.c.person != person_id, page.c.seen_at < now),
    )
    return conn.execute(query.limit(1)).first() is not None


def close(conn: sa.Connection, request: str, answered_by: str | None, now: datetime) -> None:
    """End a request's pages: that of whoever answered is answered, all others are superseded."""
    conn.execute(_CLOSE, {"in_request": request, "in_person": answered_by or "", "in_now": now})


def waits_for(conn: sa.Connection, request: str, person_id: str) -> bool:
    """Whether a page of this person about the request is still to be answered."""
    query = sa.select(page.c.id).where(
        page.c.request == request, page.c.person == person_id, page.c.state.in_(_STAGES)
    )
    return conn.execute(query.limit(1)).first() is not None


def waiting_page(conn: sa.Connection, request: str, person_id: str) -> NewPage | None:
    """This person's latest page about the request that is still to be answered, if there is one."""
    query = sa.select(page.c.id, page.c.person, page.c.reason, page.c.round).where(
        page.c.request == request, page.c.person == person_id, page.c.state.in_(_STAGES)
    )
    row = conn.execute(query.order_by(page.c.round.desc()).limit(1)).first()
    return None if row is None else NewPage(*row)


def waits_for_anyone(conn: sa.Connection, request: str) -> bool:
    """Whether anyone's page about the request is still to be answered."""
    query = sa.select(page.c.id).where(page.c.request == request, page.c.state.in_(_STAGES))
    return conn.execute(query.limit(1)).first() is not None


def waits_because(conn: sa.Connection, request: str, ending: str) -> int:
    """How many people's pages about the request, whose reason ends so, are still to be answered."""
    query = sa.select(sa.func.count(sa.distinct(page.c.person))).where(
        page.c.request == request,
        page.c.state.in_(_STAGES),
        page.c.reason.endswith(ending, autoescape=True),
    )
    return conn.execute(query).scalar_one()


def end_because(
    conn: sa.Connection, request: str, endings: Sequence[str], answered_by: str | None, now: datetime
) -> set[str]:
    """End the open pages whose reason ends in one of these ways, and this person's own; whose they were."""
    so = [page.c.reason.endswith(ending, autoescape=True) for ending in endings]
    ended = conn.execute(
        sa.update(page)
        .where(
            page.c.request == request,
            page.c.state.in_(_STAGES),
            sa.or_(page.c.person == (answered_by or ""), *so),
        )
        .values(
            state=sa.case((page.c.person == (answered_by or ""), "answered"), else_="superseded"),
            closed_at=now,
        )
        .returning(page.c.person)
    )
    return {row.person for row in ended}


def has_declined(conn: sa.Connection, request: str, person_id: str) -> bool:
    """Whether this is what the person said to their latest page about the request."""
    query = sa.select(page.c.state).where(page.c.request == request, page.c.person == person_id)
    return conn.execute(query.order_by(page.c.round.desc()).limit(1)).scalar() == "declined"


def withdraw(conn: sa.Connection, request: str, person_id: str, now: datetime) -> None:
    """This person's page needs no answer any more."""
    conn.execute(
        sa.update(page)
        .where(page.c.request == request, page.c.person == person_id, page.c.state.in_(_STAGES))
        .values(state="superseded", closed_at=now)
    )


def decline(conn: sa.Connection, request: str, person_id: str, answer: str, now: datetime) -> None:
    """End a person's own open pages as declined."""
    conn.execute(
        sa.update(page)
        .where(page.c.request == request, page.c.person == person_id, page.c.state.in_(_STAGES))
        .values(state="declined", answer=answer, closed_at=now)
    )


def take(conn: sa.Connection, request: str, person_id: str, now: datetime) -> bool:
    """The person answers their own open page; whether there was one."""
    answered = conn.execute(
        sa.update(page)
        .where(page.c.request == request, page.c.person == person_id, page.c.state.in_(_STAGES))
        .values(state="answered", closed_at=now)
    )
    return answered.rowcount > 0


def _open_pages() -> sa.Select[tuple[object, ...]]:
    who: sa.BindParameter[str] = sa.bindparam("in_person")
    mine = page.alias("mine")
    latest = (
        sa.select(page.c.id)
        .where(page.c.request == interaction.c.id, page.c.person == who)
        .order_by(page.c.round.desc())
        .limit(1)
        .correlate(interaction)
        .scalar_subquery()
    )
    owner, other, caller = person.alias("owner"), person.alias("other"), person.alias("caller")
    i = interaction.c
    return (
        sa.select(
            mine.c.id.label("page"), i.id.label("request"), i.kind, i.topic, i.zone,
            sa.func.coalesce(zone.c.title, i.zone).label("zone_title"), i.language, i.device, i.reference,
            i.count, i.state, sa.func.coalesce(mine.c.reason, "").label("reason"),
            sa.func.coalesce(i.owner == who, sa.false()).label("mine"),
            owner.c.name.label("owner_name"),
            i.raised_at, i.age_known, i.silent, i.drill,
            sa.func.coalesce(i.handover_to == who, sa.false()).label("asked"),
            sa.func.coalesce(mine.c.state.in_(_STAGES), sa.false()).label("called"),
            other.c.name.label("handover_name"), caller.c.name.label("caller_name"),
            sa.func.coalesce(i.raised_by == who, sa.false()).label("own"),
        )
        .select_from(
            interaction.outerjoin(mine, mine.c.id == latest)
            .outerjoin(zone, sa.and_(zone.c.store == i.store, zone.c.name == i.zone))
            .outerjoin(owner, owner.c.id == i.owner)
            .outerjoin(other, other.c.id == i.handover_to)
            .outerjoin(caller, caller.c.id == i.raised_by)
        )
        .where(
            i.store == sa.bindparam("in_store"),
            i.kind.in_(FIRST),
            is_open,
            # Whoever has declined hears of it again only once somebody is coming.
            sa.or_(
                i.owner == who,
                i.raised_by == who,
                sa.and_(mine.c.id.is_not(None), sa.or_(mine.c.state != "declined", i.state != "raised")),
            ),
        )
    )  # fmt: skip


_OPEN_PAGES = _open_pages()


def open_pages(conn: sa.Connection, store: str, person_id: str) -> list[OpenPage]:
    """The open requests that this person was paged for or answers; theirs first, then by kind (FIRST)."""
    rows = conn.execute(_OPEN_PAGES, {"in_store": store, "in_person": person_id})
    found = [
        OpenPage(**{**row._mapping, **{k: bool(row._mapping[k]) for k in ("mine", "asked", "called", "own")}})
        for row in rows
    ]
    found.sort(key=lambda p: p.raised_at, reverse=True)
    return sorted(found, key=lambda p: (not p.mine, p.owner_name is not None, FIRST.index(p.kind)))
