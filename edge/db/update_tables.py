"""The tables of releases and of their roll-outs."""

import sqlalchemy as sa

from edge.db.columns import Instant, id_kind, metadata, name_kind

# A release that this server carries; its file lies in the vault's folder under its hash.
release = sa.Table(
    "release",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("version", sa.String(20), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    # the release key that it is signed by
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("needs", sa.String(20), nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("added_by", sa.String(80), nullable=False),
)

rollout = sa.Table(
    "rollout",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("version", sa.String(20), nullable=False),
    # running, stopped, failed, done or recalled: edge/updates/rules.py
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("soak_s", sa.Integer, nullable=False),
    sa.Column("batch", sa.Integer, nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("begun_by", sa.String(80), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    # why it failed, in a sentence
    sa.Column("words", sa.String(400), nullable=False, server_default=""),
    sa.Index("ix_rollout_begun", "store", "begun_at"),
)

rollout_part = sa.Table(
    "rollout_part",
    metadata,
    sa.Column("rollout", id_kind(), primary_key=True),
    sa.Column("device", name_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    # 0 for the one that goes first
    sa.Column("place", sa.Integer, nullable=False),
    # the commands that it is given, and by whose ids it answers
    sa.Column("order_id", id_kind(), nullable=False, unique=True),
    sa.Column("revert_id", id_kind(), nullable=False, unique=True),
    # waiting, told, taken, trying, healthy, left, refused, rolled_back or kept: edge/updates/rules.py
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("reason", sa.String(300), nullable=False, server_default=""),
    sa.Column("ticket_sha256", sa.String(64)),
    sa.Column("ticket_until", Instant),
    sa.Column("reverted_at", Instant),
)
