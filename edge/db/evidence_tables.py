"""The tables of evidence: clips, their tickets and holds, and the custody log with its heads."""

import sqlalchemy as sa

from edge.db.columns import Instant, metadata

_ID, _NAME, _HASH = sa.String(36), sa.String(32), sa.String(64)

clip = sa.Table(
    "clip",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("id", _ID, primary_key=True),
    sa.Column("device", _NAME, nullable=False),
    # where the device stood when it told of the clip
    sa.Column("zone", _NAME, nullable=False),
    # the event that told of it, and the one that it was recorded for
    sa.Column("event", _ID, nullable=False),
    sa.Column("cause", _ID, nullable=False),
    # announced, sealed, mismatched, gone, damaged or purged: edge/evidence/clips.py
    sa.Column("state", sa.String(16), nullable=False),
    # routine, help or security: how long it is kept
    sa.Column("kept_as", sa.String(16), nullable=False),
    # of a silent request: not everyone may know of it
    sa.Column("silent", sa.Boolean, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", _HASH, nullable=False),
    sa.Column("manifest_sha256", _HASH, nullable=False),
    sa.Column("signature", sa.String(256), nullable=False),
    # the device's public key as it was registered then
    sa.Column("key", _HASH),
    sa.Column("codec", _NAME, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("announced_at", Instant, nullable=False),
    sa.Column("sealed_at", Instant),
    # after which it is deleted unless it is held; None: when it is sealed this is set
    sa.Column("keep_until", Instant),
    sa.Column("purged_at", Instant),
    # when its device found that it no longer has it
    sa.Column("lost_at", Instant),
    # what is wrong with it, in a sentence
    sa.Column("trouble", sa.String(300)),
    # what the device's last heartbeat said of its clock when it told of the clip; None where it said nothing
    sa.Column("clock_synced", sa.Boolean),
    sa.Column("clock_behind_ms", sa.BigInteger),
    sa.Column("clock_heard_at", Instant),
    sa.Index("ix_clip_cause", "store", "cause"),
    sa.Index("ix_clip_started", "store", "started_at", "id"),
)
sa.Index(
    "ix_clip_unsealed",
    clip.c.store,
    clip.c.announced_at,
    sqlite_where=clip.c.sealed_at.is_(None),
    postgresql_where=clip.c.sealed_at.is_(None),
)

# Every event that a clip was recorded for; `clip.cause` is the first of them.
clip_cause = sa.Table(
    "clip_cause",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("cause", _ID, primary_key=True),
    sa.Column("clip", _ID, primary_key=True),
    sa.Index("ix_clip_cause_clip", "store", "clip"),
    sqlite_with_rowid=False,
)

# Which cameras were asked for pictures of a security request, and what became of it.
capture = sa.Table(
    "capture",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    # the request, or the press that joined it
    sa.Column("cause", _ID, primary_key=True),
    sa.Column("device", _NAME, primary_key=True),
    sa.Column("request", _ID, nullable=False),
    # the time that pictures are wanted of
    sa.Column("wanted_at", Instant, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    # asked, filmed or lost
    sa.Column("state", sa.String(16), nullable=False),
    # why there are no pictures
    sa.Column("why", sa.String(16)),
    sa.Column("answered_at", Instant),
    sa.Index("ix_capture_request", "store", "request"),
    sqlite_with_rowid=False,
)
_asked = capture.c.state == sa.literal_column("'asked'")
sa.Index(
    "ix_capture_asked",
    capture.c.store,
    capture.c.device,
    sqlite_where=_asked,
    postgresql_where=_asked,
)

# Good for one clip until it is used up or out of date. The ticket itself is known to its device alone.
ticket = sa.Table(
    "ticket",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("clip", _ID, primary_key=True),
    sa.Column("ticket_sha256", _HASH, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)

# Nothing that is held is deleted. A release needs two people.
hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("store", _NAME, nullable=False),
    sa.Column("clip", _ID, nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("held_by", _ID, nullable=False),
    sa.Column("held_at", Instant, nullable=False),
    sa.Column("asked_by", _ID),
    sa.Column("asked_at", Instant),
    sa.Column("asked_reason", sa.String(500)),
    sa.Column("released_by", _ID),
    sa.Column("released_at", Instant),
    sa.Index("ix_hold_clip", "store", "clip"),
)

# One row per store, updated with every entry: its lock makes the order of entries the order of commits.
custody_log = sa.Table(
    "custody_log",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("log", _ID, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
)

# `entry` is what the tree holds; the words beside it are committed to in it, each under a salt of its own,
# so that a name can be erased by law (both set to NULL) while the log still verifies.
custody = sa.Table(
    "custody",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("action", sa.String(24), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
    sa.Column("entry", sa.LargeBinary, nullable=False),
    sa.Column("leaf", _HASH, nullable=False),
    sa.Column("actor", sa.String(160)),
    sa.Column("actor_salt", _HASH),
    sa.Column("reason", sa.String(500)),
    sa.Column("reason_salt", _HASH),
    sa.Index("ix_custody_subject", "store", "subject", "place"),
)

# The hashes of complete subtrees above the leaves, so that a proof reads a few rows of a long log.
custody_node = sa.Table(
    "custody_node",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", _HASH, nullable=False),
)

tree_head = sa.Table(
    "tree_head",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", _HASH, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("key", _HASH, nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
    # an authority's reply (RFC 3161) that stamps it, where there is one, checked; when and by whom it says
    sa.Column("stamp", sa.LargeBinary),
    sa.Column("stamped_at", Instant),
    sa.Column("stamped_by", sa.String(160)),
)

# How asking the authority for stamps goes; a row from the first try on.
stamping = sa.Table(
    "stamping",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("tried_at", Instant, nullable=False),
    # since the last stamp
    sa.Column("failures", sa.Integer, nullable=False),
    # why the last try brought none
    sa.Column("trouble", sa.String(300)),
)

# What each device says it holds, and whether it refused what it was shown.
witness = sa.Table(
    "witness",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("device", _NAME, primary_key=True),
    sa.Column("shown", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", _HASH),
    sa.Column("at_ms", sa.BigInteger),
    sa.Column("key", _HASH),
    sa.Column("signature", sa.String(128)),
    sa.Column("heard_at", Instant),
    sa.Column("refused", sa.String(200)),
    sa.Column("refused_at", Instant),
    # the heads that it held before the store was restored from a backup that did not know them: each its size
    # and root; its signature is over them too
    sa.Column("before", sa.JSON),
)

# Asked for at the desk, made by the vault: edge/evidence/exports.py.
export = sa.Table(
    "export",
    metadata,
    sa.Column("store", _NAME, primary_key=True),
    sa.Column("id", _ID, primary_key=True),
    # ids of clips
    sa.Column("clips", sa.JSON, nullable=False),
    # whether one of them is of a silent request
    sa.Column("silent", sa.Boolean, nullable=False),
    # who asked, by the name of then, and why; the same stands in the custody log
    sa.Column("actor", sa.String(160), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    # why it could not be made
    sa.Column("trouble", sa.String(300)),
    sa.Column("made_at", Instant),
    sa.Column("bytes", sa.BigInteger),
    # what its bundle is to be verified with
    sa.Column("head_size", sa.BigInteger),
    sa.Column("head_root", _HASH),
    sa.Column("keys", sa.JSON, nullable=False),
    # the incident that it is of, what of that is not in it, in sentences, and incident.json byte for byte
    # until the bundle is made
    sa.Column("incident", _ID),
    sa.Column("left_out", sa.JSON),
    sa.Column("incident_file", sa.LargeBinary),
    sa.Index("ix_export_asked", "store", "asked_at", "id"),
)
