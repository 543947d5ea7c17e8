"""The tables of drills, and of who can be reached."""

import sqlalchemy as sa

from edge.db.columns import Instant, id_kind, metadata, name_kind

# Its id is also that of the request that the kiosk raises for it.
drill = sa.Table(
    "drill",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("device", name_kind(), nullable=False),
    # help or security
    sa.Column("kind", sa.String(16), nullable=False),
    # plan, desk or api
    sa.Column("cause", sa.String(16), nullable=False),
    sa.Column("asked_by", sa.String(80)),
    # when it was asked for; for one by plan, when it was due
    sa.Column("asked_at", Instant, nullable=False),
    # whether the plan or whoever asked wants a person to answer, not the built-in responder
    sa.Column("people", sa.Boolean, nullable=False),
    # asked, running, passed or failed
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("responder", id_kind()),
    sa.Column("responder_name", sa.String(80)),
    sa.Column("built_in", sa.Boolean, nullable=False),
    sa.Column("begun_at", Instant),
    sa.Column("until", Instant),
    # the last message that left before its command
    sa.Column("after_message", sa.BigInteger),
    # when the kiosk said that it heard of the acknowledgement
    sa.Column("told_at", Instant),
    sa.Column("ended_at", Instant),
    sa.Column("hop", sa.String(16)),
    sa.Column("words", sa.String(400)),
    # the result as it is signed, and by which key
    sa.Column("result", sa.Text),
    sa.Column("key", sa.String(64)),
    sa.Column("signature", sa.String(128)),
    sa.Index("ix_drill_asked", "store", "asked_at"),
)
_going_on = drill.c.state.in_([sa.literal_column("'asked'"), sa.literal_column("'running'")])
sa.Index(
    "ix_drill_going_on",
    drill.c.store,
    drill.c.asked_at,
    sqlite_where=_going_on,
    postgresql_where=_going_on,
)
_unsigned = sa.and_(drill.c.result.is_not(None), drill.c.signature.is_(None))
sa.Index(
    "ix_drill_unsigned",
    drill.c.store,
    drill.c.asked_at,
    sqlite_where=_unsigned,
    postgresql_where=_unsigned,
)

# Who agreed to answer drills.
drill_person = sa.Table(
    "drill_person",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("person", id_kind(), primary_key=True),
    sa.Column("agreed_at", Instant, nullable=False),
)
