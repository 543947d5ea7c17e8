"""The tables of what leaves the store: what happened, to which channel it goes, and how each try went."""

import sqlalchemy as sa

from edge.db.columns import Instant, counter_kind, id_kind, metadata, name_kind

# What may concern people outside, written in the same transaction as itself.
outside_happening = sa.Table(
    "outside_happening",
    metadata,
    sa.Column("id", counter_kind, primary_key=True, autoincrement=True),
    sa.Column("store", name_kind(), nullable=False),
    # one of edge/outside/channels.py
    sa.Column("what", sa.String(24), nullable=False),
    # the request, the incident, or, of a test, nothing but an id
    sa.Column("subject", id_kind(), nullable=False),
    # a test's: the one channel that it is for
    sa.Column("channel", name_kind()),
    # whoever did it, where somebody did
    sa.Column("person", id_kind()),
    sa.Column("at", Instant, nullable=False),
    # when its deliveries were written, or it was found to concern no channel
    sa.Column("spread_at", Instant),
)
sa.Index(
    "ix_outside_happening_new",
    outside_happening.c.store,
    outside_happening.c.id,
    sqlite_where=outside_happening.c.spread_at.is_(None),
    postgresql_where=outside_happening.c.spread_at.is_(None),
)

# One for each address of each channel that a happening goes to.
outside_delivery = sa.Table(
    "outside_delivery",
    metadata,
    # what the receiver may know it again by, the same in every try
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("happening", sa.BigInteger, nullable=False),
    sa.Column("channel", name_kind(), nullable=False),
    # the how-manieth address of the channel's file
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("what", sa.String(24), nullable=False),
    # what is said, as JSON (edge/outside/wording.py); no address and no secret
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("silent", sa.Boolean, nullable=False),
    # waiting, accepted, refused or given_up
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("give_up_at", Instant, nullable=False),
    # None once it is over
    sa.Column("next_at", Instant),
    # as long as a try is under way
    sa.Column("claimed_by", sa.String(80)),
    sa.Column("claimed_until", Instant),
    sa.Column("ended_at", Instant),
    sa.UniqueConstraint("happening", "channel", "part"),
    sa.Index("ix_outside_delivery_log", "store", "created_at", "id"),
)
sa.Index(
    "ix_outside_delivery_waiting",
    outside_delivery.c.store,
    outside_delivery.c.next_at,
    sqlite_where=outside_delivery.c.next_at.is_not(None),
    postgresql_where=outside_delivery.c.next_at.is_not(None),
)

# Written before the try; its end afterwards.
outside_try = sa.Table(
    "outside_try",
    metadata,
    sa.Column("delivery", id_kind(), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    # accepted, refused, failed or unknown
    sa.Column("outcome", sa.String(16)),
    sa.Column("words", sa.String(300), nullable=False),
)

# What the messenger knows of its channels: since when there is one, and what is wrong with its file.
outside_channel = sa.Table(
    "outside_channel",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("channel", name_kind(), primary_key=True),
    sa.Column("since", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("fault", sa.String(300)),
)
