"""Which phones may be called by push: each subscription belongs to one session, and ends with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa

from edge.db.inserts import INSERT
from edge.db.push_tables import push, push_sender, push_subscription
from edge.db.store_tables import person, session

# A messenger says every ten seconds that it is there.
QUIET = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Keys:
    """What a browser gave: its address at a push service, its public key and its secret in base64url."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """As its phone and the desk see it. `shown_at`: when a push last arrived, by the phone's own word."""

    endpoint: str
    made_at: datetime
    shown_at: datetime | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A call that the phone's person asked for, to see whether it arrives. `state` is a push's."""

    asked_at: datetime
    shown_at: datetime | None
    state: str


def subscribe(
    conn: sa.Connection, store: str, person_id: str, session_key: str, keys: Keys, now: datetime
) -> None:
    """Call this session's phone from now on. Of one browser only the latest session is called."""
    s = push_subscription.c
    conn.execute(
        sa.delete(push_subscription).where(
            s.store == store, s.endpoint == keys.endpoint, s.session != session_key
        )
    )
    row = {
        "id": str(uuid4()),
        "store": store,
        "person": person_id,
        "session": session_key,
        "endpoint": keys.endpoint,
        "p256dh": keys.p256dh,
        "auth": keys.auth,
        "made_at": now,
    }
    insert = INSERT[conn.dialect.name](push_subscription).values(row)
    same = s.endpoint == keys.endpoint
    # What arrived at another address shows nothing of this one.
    values = {
        "endpoint": keys.endpoint,
        "p256dh": keys.p256dh,
        "auth": keys.auth,
        "made_at": sa.case((same, s.made_at), else_=insert.excluded.made_at),
        "shown_at": sa.case((same, s.shown_at), else_=sa.null()),
    }
    conn.execute(insert.on_conflict_do_update(index_elements=[s.session], set_=values))


def unsubscribe(conn: sa.Connection, store: str, session_key: str) -> None:
    """This session's phone is called no more; nothing happens if it was not."""
    s = push_subscription.c
    conn.execute(sa.delete(push_subscription).where(s.store == store, s.session == session_key))


def drop(conn: sa.Connection, session_key: str, endpoint: str) -> None:
    """The push service knows this address no longer. One that was renewed meanwhile stays."""
    s = push_subscription.c
    conn.execute(sa.delete(push_subscription).where(s.session == session_key, s.endpoint == endpoint))


def of_session(conn: sa.Connection, store: str, session_key: str) -> Subscription | None:
    s = push_subscription.c
    query = sa.select(s.endpoint, s.made_at, s.shown_at).where(s.store == store, s.session == session_key)
    row = conn.execute(query).first()
    return None if row is None else Subscription(*row)


def report(
    conn: sa.Connection, store: str, push_id: str, session_key: str, stage: str, now: datetime
) -> str | None:
    """The phone says that this push was 'shown' or 'opened'; the page that it was about, if any.

    Nothing happens to a push that was another session's.
    """
    p, s = push.c, push_subscription.c
    mine = sa.and_(p.store == store, p.id == push_id, p.session == session_key)
    column = p.shown_at if stage == "shown" else p.opened_at
    values = {column: sa.func.coalesce(column, sa.literal(now, column.type))}
    row = conn.execute(sa.update(push).where(mine).values(values).returning(p.page)).first()
    if row is None:
        return None
    arrived = sa.update(push_subscription).where(s.store == store, s.session == session_key)
    conn.execute(arrived.values(shown_at=now))
    return str(row.page) if row.page else None


def trial(conn: sa.Connection, store: str, session_key: str) -> Trial | None:
    """The latest trial on this phone."""
    p = push.c
    query = sa.select(p.created_at, p.shown_at, p.state).where(
        p.store == store, p.session == session_key, p.page.is_(None)
    )
    row = conn.execute(query.order_by(p.created_at.desc()).limit(1)).first()
    return None if row is None else Trial(*row)


def sends(conn: sa.Connection, store: str, now: datetime) -> bool:
    """Whether a messenger is there that sends pushes."""
    query = sa.select(push_sender.c.seen_at).where(push_sender.c.store == store)
    seen_at = conn.execute(query).scalar()
    return seen_at is not None and abs(now - seen_at) < QUIET


def see(conn: sa.Connection, store: str, now: datetime) -> None:
    """A messenger is there. What belongs to sessions that are over is forgotten."""
    insert = INSERT[conn.dialect.name](push_sender).values(store=store, seen_at=now)
    conn.execute(insert.on_conflict_do_update(index_elements=["store"], set_={"seen_at": now}))
    s = push_subscription.c
    alive = sa.select(push_subscription.c.id).select_from(living(now)).where(s.store == store)
    conn.execute(sa.delete(push_subscription).where(s.store == store, s.id.not_in(alive)))


def living(now: datetime) -> sa.Join:
    """Subscriptions with their sessions, as long as those are valid and their people work here; so that
    nothing is sent to somebody who signed out, whatever else was forgotten."""
    s = push_subscription.c
    valid = sa.and_(
        session.c.token_sha256 == s.session,
        session.c.person == s.person,
        session.c.audience == "floor",
        session.c.expires_at > now,
    )
    works = sa.and_(person.c.id == s.person, person.c.store == s.store, person.c.active)
    return push_subscription.join(session, valid).join(person, works)
