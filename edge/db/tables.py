"""Every table of the store server. Each row carries its store; each time is an aware UTC instant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC: exact, sortable and the same in every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def moved(column: sa.Column[datetime], by: timedelta) -> sa.ColumnElement[int]:
    """A column of instants, later by so much, for an UPDATE."""
    return sa.type_coerce(column, sa.BigInteger) + by // _MICROSECOND


def _id() -> sa.String:
    return sa.String(36)


def _name() -> sa.String:
    return sa.String(32)


_counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")

zone = sa.Table(
    "zone",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("name", _name(), primary_key=True),
    sa.Column("title", sa.String(80), nullable=False),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("id", _id(), primary_key=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    # associate, supervisor, security, manager or admin
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("zones", sa.JSON, nullable=False),
    sa.Column("languages", sa.JSON, nullable=False),
    sa.Column("pin_hash", sa.String(200)),
    sa.Column("password_hash", sa.String(200)),
    sa.Column("badge", sa.String(64)),
    # available, busy, on_break, unreachable or off; 'off' whoever is signed in nowhere
    sa.Column("presence", sa.String(16), nullable=False),
    sa.Column("presence_at", Instant, nullable=False),
    # when a break ends, as its person said; None where they did not
    sa.Column("presence_until", Instant),
    # who stands in while this person is unreachable
    sa.Column("cover", _id()),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.UniqueConstraint("store", "name"),
    sa.UniqueConstraint("store", "badge"),
)

# A sign-in. The token itself is only in the browser; here is its SHA-256.
session = sa.Table(
    "session",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("person", _id(), nullable=False, index=True),
    # floor or manage: one browser may hold one of each
    sa.Column("audience", sa.String(16), nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    # when this phone last answered what the server had sent it
    sa.Column("heard_at", Instant),
)

device = sa.Table(
    "device",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("name", _name(), primary_key=True),
    sa.Column("zone", _name(), nullable=False),
    sa.Column("certificate_sha256", sa.String(64)),
    sa.Column("certificate_serial", sa.String(64)),
    sa.Column("signing_key", sa.String(64)),
    sa.Column("valid_from", Instant),
    sa.Column("valid_until", Instant),
    sa.Column("added_at", Instant, nullable=False),
    # unknown, online or offline: the device's own word or its last will
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("status_at", Instant),
    sa.Column("version", sa.String(40)),
    # The pair that the age of an event is measured against, and when it arrived.
    sa.Column("boot", _id()),
    sa.Column("monotonic_ms", sa.BigInteger),
    sa.Column("clock_at", Instant),
    sa.Column("heartbeat", sa.JSON),
    sa.Column("heartbeat_at", Instant),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("device", _name(), primary_key=True),
    sa.Column("id", _id(), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("outbox", _id()),
    sa.Column("seq", sa.BigInteger),
    # the request that a cancel, attend or feedback speaks of
    sa.Column("subject", _id()),
    # the interaction that the event raised or joined
    sa.Column("interaction", _id()),
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
    sa.Column("id", _counter, primary_key=True, autoincrement=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("device", sa.String(64), nullable=False),
    sa.Column("topic", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    # the first 8 KiB
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("event_id", _id()),
    sa.Column("outbox", _id()),
    sa.Column("seq", sa.BigInteger),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    sa.UniqueConstraint("store", "device", "sha256"),
)

# Sequence numbers of an outbox that its device no longer keeps open and that never came.
gap = sa.Table(
    "gap",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("device", _name(), primary_key=True),
    sa.Column("outbox", _id(), primary_key=True),
    sa.Column("first_seq", sa.BigInteger, primary_key=True),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("found_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
)

# How far an outbox has been looked through for gaps.
gap_mark = sa.Table(
    "gap_mark",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("device", _name(), primary_key=True),
    sa.Column("outbox", _id(), primary_key=True),
    sa.Column("checked_below", sa.BigInteger, nullable=False),
)

OPEN_STATES = ("raised", "acknowledged", "attended")

interaction = sa.Table(
    "interaction",
    metadata,
    sa.Column("id", _id(), primary_key=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("device", _name(), nullable=False),
    sa.Column("zone", _name(), nullable=False),
    # greet, help, feedback, security, tamper or drawer
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("topic", _name()),
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
    sa.Column("owner", _id()),
    # whom the owner, who stays responsible until they accept, has asked to take over; and when
    sa.Column("handover_to", _id()),
    sa.Column("handover_at", Instant),
    # who called from a phone, for themselves; None for what a device raised
    sa.Column("raised_by", _id()),
    sa.Column("acknowledged_at", Instant),
    sa.Column("attended_at", Instant),
    sa.Column("closed_at", Instant),
    sa.Column("outcome", sa.String(32)),
    sa.Column("note", sa.String(1000)),
    sa.Column("score", sa.Integer),
    sa.Column("reason", sa.String(500)),
    sa.Column("about", _id()),
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
    sa.Column("id", _counter, primary_key=True, autoincrement=True),
    sa.Column("interaction", _id(), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    # pressed_again, paged, delivered, seen, acknowledged, attended, resolved, cancelled, missed,
    # kept or noted
    sa.Column("what", sa.String(24), nullable=False),
    sa.Column("person", _id()),
    # kiosk, phone, desk, api or policy
    sa.Column("through", sa.String(16), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
)

page = sa.Table(
    "page",
    metadata,
    sa.Column("id", _id(), primary_key=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("request", _id(), nullable=False),
    sa.Column("person", _id(), nullable=False),
    # 0, and one more at each repeat of a request that is paged again and again
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
    # pending, sent, delivered, seen, answered, declined or superseded
    sa.Column("state", sa.String(16), nullable=False),
    # why it was declined
    sa.Column("answer", sa.String(200)),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
    sa.Column("delivered_at", Instant),
    sa.Column("seen_at", Instant),
    sa.Column("closed_at", Instant),
    sa.UniqueConstraint("request", "person", "round"),
    sa.Index("ix_page_person", "person", "request"),
)

# One of each kind per open request, and one per greeting that waits. Whoever deletes it with the `due_at`
# that it read has claimed it.
timer = sa.Table(
    "timer",
    metadata,
    sa.Column("request", _id(), primary_key=True),
    # escalate, progress, handover, arrival or greet
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Index("ix_timer_due", "store", "due_at"),
)

# MQTT messages that leave the server, each written with its cause; only the worker sends them.
outgoing = sa.Table(
    "outgoing",
    metadata,
    sa.Column("id", _counter, primary_key=True, autoincrement=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("topic", sa.String(200), nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("expiry_s", sa.Integer),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("claimed_by", sa.String(64)),
    sa.Column("claimed_until", Instant),
    sa.Column("sent_at", Instant),
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
    sa.Column("store", _name(), primary_key=True),
    sa.Column("cursor", sa.BigInteger, primary_key=True),
    # staff, manage, silent or person:{id}
    sa.Column("audience", sa.String(48), nullable=False),
    # page, page_over, request or device
    sa.Column("what", sa.String(24), nullable=False),
    sa.Column("subject", _id(), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

# One row per store, updated with every append: its lock makes the order of cursors the order of commits.
feed_head = sa.Table(
    "feed_head",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("cursor", sa.BigInteger, nullable=False),
)

# What a score is, beside its interaction of kind feedback: nothing is ever deleted from here.
feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("interaction", _id(), primary_key=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("device", _name(), nullable=False),
    sa.Column("zone", _name(), nullable=False),
    # the request that it speaks of; None for a visit as a whole
    sa.Column("about", _id()),
    # kiosk, code (the shopper's own phone), phone, letter or desk
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("score", sa.Integer, nullable=False),
    # question -> answer, at most two
    sa.Column("answers", sa.JSON, nullable=False),
    # counted, burst or staff; and the rule that judged so, in words
    sa.Column("judged", sa.String(16), nullable=False),
    sa.Column("why", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
    # who typed it in, where somebody did
    sa.Column("entered_by", _id()),
    sa.Index("ix_feedback_at", "store", "at"),
    sa.Index("ix_feedback_device", "store", "device", "at"),
    sa.Index("ix_feedback_about", "store", "about"),
)
# One answer by code for each request.
sa.Index(
    "uq_feedback_code",
    feedback.c.store,
    feedback.c.about,
    unique=True,
    sqlite_where=feedback.c.source == sa.literal_column("'code'"),
    postgresql_where=feedback.c.source == sa.literal_column("'code'"),
)

# Every change that somebody made to the store itself: people, zones, devices, policies, tokens.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", _counter, primary_key=True, autoincrement=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("person", _id()),
    # the name as it was then: a person's, a token's, or 'command line'
    sa.Column("actor", sa.String(80), nullable=False),
    # desk, phone, api or command
    sa.Column("through", sa.String(16), nullable=False),
    # person.added, zone.renamed and so on
    sa.Column("what", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
    sa.Index("ix_audit_at", "store", "at", "id"),
)

# What the desk has set instead of edge.toml: a name ("policy.help") and its value.
setting = sa.Table(
    "setting",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)

# What an integration shows to be let in. The token itself was shown once; here is its SHA-256.
token = sa.Table(
    "token",
    metadata,
    sa.Column("id", _id(), primary_key=True),
    sa.Column("store", _name(), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("token_sha256", sa.String(64), nullable=False),
    # names of edge/tokens/scopes.py
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    # the name of whoever made it, as it was then
    sa.Column("created_by", sa.String(80), nullable=False),
    # to the minute; None before its first use
    sa.Column("last_used_at", Instant),
    sa.Column("revoked_at", Instant),
    sa.UniqueConstraint("token_sha256"),
)
# A name is free again once its token is revoked: so a token is replaced by another of the same name.
_in_use = token.c.revoked_at.is_(None)
sa.Index(
    "uq_token_name",
    token.c.store,
    token.c.name,
    unique=True,
    sqlite_where=_in_use,
    postgresql_where=_in_use,
)

# What phones sent under an id of its own, so that a tap which comes again changes nothing.
tap = sa.Table(
    "tap",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("person", _id(), primary_key=True),
    sa.Column("id", _id(), primary_key=True),
    sa.Column("at", Instant, nullable=False, index=True),
    # the sentence that it was answered with; None: it was done
    sa.Column("refused", sa.String(500)),
    sqlite_with_rowid=False,
)

# The words of each interaction for the search of the log, in its order: edge/interactions/index.py.
log_words = sa.Table(
    "log_words",
    metadata,
    # by the time of the press, so that the newest come first
    sa.Column("place", _counter, primary_key=True, autoincrement=False),
    sa.Column("store", _name(), nullable=False),
    sa.Column("interaction", _id(), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.UniqueConstraint("interaction"),
)

# Whose words are still to be written; triggers mark whatever changes.
log_due = sa.Table(
    "log_due",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("interaction", _id(), primary_key=True),
    sqlite_with_rowid=False,
)

# Running totals that only grow, written with what they count: edge/reports/tallies.py.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("store", _name(), primary_key=True),
    sa.Column("name", _name(), primary_key=True),
    sa.Column("label", _name(), primary_key=True),
    # whether it may be shown only to those who may know of silent requests
    sa.Column("silent", sa.Boolean, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
