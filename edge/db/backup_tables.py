"""The tables of backups: each that was tried, and each restore that this database has been through."""

import sqlalchemy as sa

from edge.db.columns import Instant, id_kind, metadata, name_kind

backup = sa.Table(
    "backup",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    # as at the target: edge/backup/settings.py
    sa.Column("name", sa.String(24), primary_key=True),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("ended_at", Instant, nullable=False),
    # a folder or a bucket; never a secret
    sa.Column("target", sa.String(300), nullable=False),
    # why it is none; None: it is whole
    sa.Column("trouble", sa.String(500)),
    sa.Column("database_bytes", sa.BigInteger, nullable=False),
    # files of the vault that it has, those that the vault lacked, and how large they are
    sa.Column("clips", sa.Integer, nullable=False),
    sa.Column("missing", sa.Integer, nullable=False),
    sa.Column("clip_bytes", sa.BigInteger, nullable=False),
    # what was written to the target for it
    sa.Column("sent_bytes", sa.BigInteger, nullable=False),
    # when it was last opened with the recovery key and found to be whole
    sa.Column("proven_at", Instant),
    sa.Index("ix_backup_ended", "store", "ended_at"),
)

# The store's signed word that what follows in the custody log follows a backup: edge/evidence/restores.py.
restore = sa.Table(
    "restore",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("restored_at", Instant, primary_key=True),
    sa.Column("backup", sa.String(24), nullable=False),
    sa.Column("backup_at", Instant, nullable=False),
    # the custody log that it had; None: there was none
    sa.Column("log", id_kind()),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", sa.String(64)),
    sa.Column("key", sa.String(64)),
    sa.Column("signature", sa.String(128)),
)
