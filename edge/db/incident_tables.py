"""The tables of incidents: the case file, what is written into it, and what belongs to it."""

import sqlalchemy as sa

from edge.db.columns import Instant, counter_kind, id_kind, metadata, name_kind

incident = sa.Table(
    "incident",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    # 2026-0012: the store's own, one after the other without a gap
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    # one of edge/incidents/classes.py
    sa.Column("classed_as", name_kind(), nullable=False),
    sa.Column("zone", name_kind(), nullable=False),
    sa.Column("happened_at", Instant, nullable=False),
    # open or closed
    sa.Column("state", sa.String(16), nullable=False),
    # one more with each line of its timeline
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    # None: by a security request, which is then `request`
    sa.Column("opened_by", id_kind()),
    sa.Column("request", id_kind()),
    sa.Column("outcome", name_kind()),
    sa.Column("closed_at", Instant),
    sa.UniqueConstraint("store", "year", "number"),
    sa.Index("ix_incident_happened", "store", "happened_at", "id"),
)
# A security request opens one.
sa.Index(
    "uq_incident_request",
    incident.c.store,
    incident.c.request,
    unique=True,
    sqlite_where=incident.c.request.is_not(None),
    postgresql_where=incident.c.request.is_not(None),
)
sa.Index(
    "ix_incident_open",
    incident.c.store,
    incident.c.zone,
    sqlite_where=incident.c.state == sa.literal_column("'open'"),
    postgresql_where=incident.c.state == sa.literal_column("'open'"),
)

# The last number that was given. Its row's lock makes the numbers gapless.
incident_count = sa.Table(
    "incident_count",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", sa.Integer, nullable=False),
)

# Security requests whose incident is to be opened once no press waits for its page.
incident_due = sa.Table(
    "incident_due",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("request", id_kind(), primary_key=True),
)

# Statements, accounts, people involved, losses and actions. A trigger refuses every change of a row.
incident_entry = sa.Table(
    "incident_entry",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("incident", id_kind(), nullable=False),
    # 1, 2, 3 within the incident
    sa.Column("number", sa.Integer, nullable=False),
    # statement, account, person, loss or action
    sa.Column("kind", sa.String(16), nullable=False),
    # exactly as it was said; what is known of a person without saying who; what was lost or done
    sa.Column("words", sa.Text, nullable=False),
    # a statement's: whose words these are
    sa.Column("said_by", sa.String(80), nullable=False),
    # a person's: shopper, witness, associate or unknown
    sa.Column("role", sa.String(16)),
    # a loss's, in hundredths of the store's money, where it is known
    sa.Column("amount_cents", sa.BigInteger),
    sa.Column("happened_at", Instant),
    # the number of the entry that this one corrects
    sa.Column("corrects", sa.Integer),
    # who wrote it, by the name of then
    sa.Column("person", id_kind(), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    # phone, desk or api
    sa.Column("through", sa.String(16), nullable=False),
    sa.Column("written_at", Instant, nullable=False),
    sa.UniqueConstraint("incident", "number"),
    sa.UniqueConstraint("incident", "corrects"),
    sa.Index("ix_incident_entry_person", "store", "person"),
)

# Who a person involved is. Apart from the entry, so that few read it and it can be deleted by law.
incident_identity = sa.Table(
    "incident_identity",
    metadata,
    sa.Column("entry", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("identity", sa.String(300), nullable=False),
    # why it is needed
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("person", id_kind(), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("written_at", Instant, nullable=False),
)

# The timeline: who did what, when and through what.
incident_step = sa.Table(
    "incident_step",
    metadata,
    sa.Column("id", counter_kind, primary_key=True, autoincrement=True),
    sa.Column("incident", id_kind(), nullable=False),
    sa.Column("at", Instant, nullable=False),
    # opened, written, ticked, unticked, corrected, linked, asked, identified, exported, closed or reopened
    sa.Column("what", sa.String(16), nullable=False),
    # which check was ticked
    sa.Column("subject", sa.String(36)),
    sa.Column("person", id_kind()),
    sa.Column("name", sa.String(80), nullable=False),
    # phone, desk, api or policy
    sa.Column("through", sa.String(16), nullable=False),
    sa.Column("words", sa.String(1000), nullable=False),
    sa.Index("ix_incident_step", "incident", "id"),
)

incident_request = sa.Table(
    "incident_request",
    metadata,
    sa.Column("incident", id_kind(), primary_key=True),
    sa.Column("interaction", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("linked_at", Instant, nullable=False),
    sa.Index("ix_incident_request_interaction", "interaction"),
)

incident_clip = sa.Table(
    "incident_clip",
    metadata,
    sa.Column("incident", id_kind(), primary_key=True),
    sa.Column("clip", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("linked_at", Instant, nullable=False),
    sa.Index("ix_incident_clip_clip", "store", "clip"),
)

# Associates whose own account is asked for, because the complaint is about them.
incident_asked = sa.Table(
    "incident_asked",
    metadata,
    sa.Column("incident", id_kind(), primary_key=True),
    sa.Column("person", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("asked_by", id_kind(), nullable=False),
    sa.Index("ix_incident_asked_person", "store", "person"),
)
