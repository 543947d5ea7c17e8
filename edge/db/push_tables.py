"""The tables of pushes: which phones may be called so, what is to be sent to them, and how each try went."""

import sqlalchemy as sa

from edge.db.columns import Instant, id_kind, metadata, name_kind

# A browser that gave its address at a push service. Worth nothing once its session has ended.
push_subscription = sa.Table(
    "push_subscription",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("person", id_kind(), nullable=False, index=True),
    # the SHA-256 of its session's token: a session has one
    sa.Column("session", sa.String(64), nullable=False, unique=True),
    sa.Column("endpoint", sa.String(1000), nullable=False),
    # the browser's public key and secret, in base64url
    sa.Column("p256dh", sa.String(90), nullable=False),
    sa.Column("auth", sa.String(24), nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    # when a push last arrived: that phone's own word
    sa.Column("shown_at", Instant),
)

# One for each subscription of whoever is paged, written with the page.
push = sa.Table(
    "push",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    # None: a trial that the person asked for
    sa.Column("page", id_kind(), index=True),
    sa.Column("request", id_kind(), index=True),
    sa.Column("person", id_kind(), nullable=False),
    sa.Column("session", sa.String(64), nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    # waiting, sent, gone, refused, given_up or over
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("give_up_at", Instant, nullable=False),
    # None once it is over
    sa.Column("next_at", Instant),
    # as long as a try is under way
    sa.Column("claimed_by", sa.String(80)),
    sa.Column("claimed_until", Instant),
    # when the push service had it
    sa.Column("sent_at", Instant),
    # when the phone showed it, and its person opened it: the phone's own word
    sa.Column("shown_at", Instant),
    sa.Column("opened_at", Instant),
    sa.Column("ended_at", Instant),
)
sa.Index(
    "ix_push_waiting",
    push.c.store,
    push.c.next_at,
    sqlite_where=push.c.next_at.is_not(None),
    postgresql_where=push.c.next_at.is_not(None),
)
sa.Index("ix_push_old", push.c.store, push.c.created_at)

# Written before the try; its end afterwards.
push_try = sa.Table(
    "push_try",
    metadata,
    sa.Column("push", id_kind(), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    # sent, gone, refused, failed or unknown
    sa.Column("outcome", sa.String(16)),
    sa.Column("words", sa.String(300), nullable=False),
)

# When a messenger last said that it sends.
push_sender = sa.Table(
    "push_sender",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("seen_at", Instant, nullable=False),
)
