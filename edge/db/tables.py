"""The tables of events and requests, and of what leaves the server. Each row carries its store."""

import sqlalchemy as sa

from edge.db.columns import Instant, counter_kind, id_kind, metadata, name_kind

event = sa.Table(
    "event",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("device", name_kind(), primary_key=True),
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("outbox", id_kind()),
    sa.Column("seq", sa.BigInteger),
    # the request that a cancel, attend or feedback speaks of
    sa.Column("subject", id_kind()),
    # the interaction that the event raised or joined
    sa.Column("interaction", id_kind()),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("ix_event_seq", "store", "device", "outbox", "seq"),
)
sa.Index(
    "ix_event_subject",
    event.c.store,
    event.c.device,
    event.c.subject,
    sqlite_where=event.c.subject.is_not(None),
    postgresql_where=event.c.subject.is_not(None),
)
sa.Index(
    "ix_event_interaction",
    event.c.store,
    event.c.device,
    event.c.interaction,
    sqlite_where=event.c.interaction.is_not(None),
    postgresql_where=event.c.interaction.is_not(None),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", counter_kind, primary_key=True, autoincrement=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("device", sa.String(64), nullable=False),
    sa.Column("topic", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    # the first 8 KiB
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("event_id", id_kind()),
    sa.Column("outbox", id_kind()),
    sa.Column("seq", sa.BigInteger),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    sa.UniqueConstraint("store", "device", "sha256"),
    sa.Index("ix_quarantine_last", "store", "last_at"),
)

# Sequence numbers of an outbox that its device no longer keeps open and that never came.
gap = sa.Table(
    "gap",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("device", name_kind(), primary_key=True),
    sa.Column("outbox", id_kind(), primary_key=True),
    sa.Column("first_seq", sa.BigInteger, primary_key=True),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("found_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
)

# How far an outbox has been looked through for gaps.
gap_mark = sa.Table(
    "gap_mark",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("device", name_kind(), primary_key=True),
    sa.Column("outbox", id_kind(), primary_key=True),
    sa.Column("checked_below", sa.BigInteger, nullable=False),
)

OPEN_STATES = ("raised", "acknowledged", "attended")

interaction = sa.Table(
    "interaction",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("device", name_kind(), nullable=False),
    sa.Column("zone", name_kind(), nullable=False),
    # greet, help, feedback, security, tamper, drawer or trouble
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("topic", name_kind()),
    sa.Column("language", sa.String(16)),
    # recorded for what needs no person (yet: a greeting may be raised later), else the request's state
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reference", sa.String(16), nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    # how many steps of its escalation policy are done, and how often it was paged again
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("silent", sa.Boolean, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    # pressed at, by the server's clock less the measured age; equal to received_at where the age is unknown
    sa.Column("raised_at", Instant, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("age_known", sa.Boolean, nullable=False),
    # when people were first called, where that was not at once: for a greeting that nobody had answered
    sa.Column("called_at", Instant),
    sa.Column("owner", id_kind()),
    # whom the owner, who stays responsible until they accept, has asked to take over; and when
    sa.Column("handover_to", id_kind()),
    sa.Column("handover_at", Instant),
    # who called from a phone, a supervisor or security; None for what a device raised
    sa.Column("raised_by", id_kind()),
    # who held the pager that raised it, when its press came in
    sa.Column("held_by", id_kind()),
    sa.Column("acknowledged_at", Instant),
    sa.Column("attended_at", Instant),
    sa.Column("closed_at", Instant),
    sa.Column("outcome", sa.String(32)),
    sa.Column("note", sa.String(1000)),
    sa.Column("score", sa.Integer),
    sa.Column("reason", sa.String(500)),
    sa.Column("about", id_kind()),
    sa.Index("ix_interaction_log", "store", "raised_at", "id"),
)

# Literal, not bound: only so does SQLite see that the index of the open ones holds all that is asked for.
is_open = interaction.c.state.in_([sa.literal_column(f"'{state}'") for state in OPEN_STATES])
sa.Index(
    "ix_interaction_open",
    interaction.c.store,
    interaction.c.device,
    sqlite_where=is_open,
    postgresql_where=is_open,
)
sa.Index("ix_interaction_device", interaction.c.store, interaction.c.device, interaction.c.raised_at)

# What the log is often asked for and few rows are: found without reading all the others.
for _few, _condition in {
    "rated": interaction.c.score.is_not(None),
    "missed": interaction.c.state == sa.literal_column("'missed'"),
    "security": interaction.c.kind == sa.literal_column("'security'"),
    "tamper": interaction.c.kind == sa.literal_column("'tamper'"),
}.items():
    sa.Index(
        f"ix_interaction_{_few}",
        interaction.c.store,
        interaction.c.raised_at,
        interaction.c.id,
        sqlite_where=_condition,
        postgresql_where=_condition,
    )

# What happened to a request after it was raised, in order. 'raised' itself is the interaction's own row.
timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("id", counter_kind, primary_key=True, autoincrement=True),
    sa.Column("interaction", id_kind(), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    # called, placed, pressed_again, paged, seen, acknowledged, attended, resolved, cancelled, missed,
    # tampering, safe_asked, safe_yes, safe_no, watched, kept, noted and others
    sa.Column("what", sa.String(24), nullable=False),
    sa.Column("person", id_kind()),
    # kiosk, phone, desk, api or policy
    sa.Column("through", sa.String(16), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
)

page = sa.Table(
    "page",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("request", id_kind(), nullable=False),
    sa.Column("person", id_kind(), nullable=False),
    # 0, and one more at each repeat of a request that is paged again and again
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
    # pending, sent, delivered, seen, answered, declined or superseded
    sa.Column("state", sa.String(16), nullable=False),
    # why it was declined
    sa.Column("answer", sa.String(200)),
    sa.Column("created_at", Instant, nullable=False),
    # by whichever way was first
    sa.Column("sent_at", Instant),
    # when it was written to an open page of its person
    sa.Column("streamed_at", Instant),
    sa.Column("delivered_at", Instant),
    sa.Column("seen_at", Instant),
    sa.Column("closed_at", Instant),
    sa.UniqueConstraint("request", "person", "round"),
    sa.Index("ix_page_person", "person", "request"),
)

# One try to bring a page to a hardware pager of its person, beside their phone.
attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("pager", name_kind(), nullable=False),
    sa.Column("page", id_kind(), nullable=False),
    sa.Column("request", id_kind(), nullable=False),
    # who held the pager then
    sa.Column("person", id_kind(), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    # when the broker had it, and somebody there listened for that pager
    sa.Column("sent_at", Instant),
    sa.Index("ix_attempt_request", "request", "pager"),
    sa.Index("ix_attempt_pager", "store", "pager", "created_at"),
)

# One of each kind per open request, and one per greeting that waits. Whoever deletes it with the `due_at`
# that it read has claimed it.
timer = sa.Table(
    "timer",
    metadata,
    sa.Column("request", id_kind(), primary_key=True),
    # escalate, progress, handover, arrival or greet
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Index("ix_timer_due", "store", "due_at"),
)

# MQTT messages that leave the server, each written with its cause; only the worker sends them.
outgoing = sa.Table(
    "outgoing",
    metadata,
    sa.Column("id", counter_kind, primary_key=True, autoincrement=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("topic", sa.String(200), nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("expiry_s", sa.Integer),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("claimed_by", sa.String(64)),
    sa.Column("claimed_until", Instant),
    sa.Column("sent_at", Instant),
    # the attempt that it is, of what calls a pager
    sa.Column("attempt", id_kind()),
)
sa.Index(
    "ix_outgoing_waiting",
    outgoing.c.store,
    outgoing.c.id,
    sqlite_where=outgoing.c.sent_at.is_(None),
    postgresql_where=outgoing.c.sent_at.is_(None),
)

# What browsers are told, in the order of commit. `audience` is who may see it, live and in replay.
feed = sa.Table(
    "feed",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("cursor", sa.BigInteger, primary_key=True),
    # staff, manage, silent or person:{id}
    sa.Column("audience", sa.String(48), nullable=False),
    # page, page_over, request, device, trouble and others
    sa.Column("what", sa.String(24), nullable=False),
    sa.Column("subject", id_kind(), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

# One row per store, updated with every append: its lock makes the order of cursors the order of commits.
feed_head = sa.Table(
    "feed_head",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("cursor", sa.BigInteger, nullable=False),
)

# The words of each interaction for the search of the log, in its order: edge/interactions/index.py.
log_words = sa.Table(
    "log_words",
    metadata,
    # by the time of the press, so that the newest come first
    sa.Column("place", counter_kind, primary_key=True, autoincrement=False),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("interaction", id_kind(), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.UniqueConstraint("interaction"),
)

# Whose words are still to be written; triggers mark whatever changes.
log_due = sa.Table(
    "log_due",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("interaction", id_kind(), primary_key=True),
    sqlite_with_rowid=False,
)

# Running totals that only grow, written with what they count: edge/reports/tallies.py.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("name", name_kind(), primary_key=True),
    sa.Column("label", name_kind(), primary_key=True),
    # whether it may be shown only to those who may know of silent requests
    sa.Column("silent", sa.Boolean, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
