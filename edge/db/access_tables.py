"""The tables of access requests: who asks for footage of themselves, and the clips that show them."""

import sqlalchemy as sa

from edge.db.columns import Instant, counter_kind, id_kind, metadata, name_kind

access_request = sa.Table(
    "access_request",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    # 2026-0003: the store's own, one after the other without a gap
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    # desk, letter or email
    sa.Column("came", sa.String(16), nullable=False),
    # the clock begins with this day
    sa.Column("received_on", sa.Date, nullable=False),
    # how to reach the asker, how it was made sure who they are, and what they look like; NULL once erased
    sa.Column("contact", sa.String(300)),
    sa.Column("identity", sa.String(300)),
    sa.Column("description", sa.String(300)),
    # where and when they were
    sa.Column("zone", name_kind(), nullable=False),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("ended_at", Instant, nullable=False),
    # open, extended, answered or closed
    sa.Column("state", sa.String(16), nullable=False),
    # one more with each thing that somebody does to it
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    # when the asker was told that it takes longer
    sa.Column("extended_on", sa.Date),
    # footage, nothing, refused or withdrawn
    sa.Column("answer", sa.String(16)),
    sa.Column("answered_at", Instant),
    # what goes out with the footage
    sa.Column("letter", sa.Text),
    # the file that goes out: asked, ready or failed, its size, and why it could not be made
    sa.Column("package", sa.String(16)),
    sa.Column("package_bytes", sa.BigInteger),
    sa.Column("trouble", sa.String(300)),
    sa.Column("closed_at", Instant),
    sa.Column("erased_at", Instant),
    sa.UniqueConstraint("store", "year", "number"),
    sa.Index("ix_access_request_received", "store", "received_on", "id"),
)
_waiting = access_request.c.state.in_([sa.literal_column("'open'"), sa.literal_column("'extended'")])
sa.Index(
    "ix_access_request_waiting",
    access_request.c.store,
    access_request.c.zone,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)

# The last number that was given. Its row's lock makes the numbers gapless.
access_count = sa.Table(
    "access_count",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", sa.Integer, nullable=False),
)

# The timeline: who did what, when and through what.
access_step = sa.Table(
    "access_step",
    metadata,
    sa.Column("id", counter_kind, primary_key=True, autoincrement=True),
    sa.Column("request", id_kind(), nullable=False),
    sa.Column("at", Instant, nullable=False),
    # opened, held, extended, marked, unmarked, covered, watched, answered, fetched, closed, reopened, erased
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("person", id_kind()),
    sa.Column("name", sa.String(80), nullable=False),
    # desk, api or policy
    sa.Column("through", sa.String(16), nullable=False),
    sa.Column("words", sa.String(1000), nullable=False),
    sa.Index("ix_access_step", "request", "id"),
)

# A clip of the place and time, held for the request; whether the asker is in it, and its covered copy.
access_clip = sa.Table(
    "access_clip",
    metadata,
    sa.Column("request", id_kind(), primary_key=True),
    sa.Column("clip", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("hold", id_kind(), nullable=False),
    sa.Column("chosen", sa.Boolean, nullable=False),
    # edge/evidence/masks.py; one more `revision` each time they are saved
    sa.Column("masks", sa.JSON, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    # the file of the covered copy, and whether it is none, asked, made or failed
    sa.Column("copy", id_kind()),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("trouble", sa.String(300)),
    # who has watched it to the end, by the name of then
    sa.Column("watched_name", sa.String(80)),
    sa.Column("watched_at", Instant),
    sa.Index("ix_access_clip_clip", "store", "clip"),
)
