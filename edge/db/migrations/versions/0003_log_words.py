"""The index of the log's words, with a mark for every interaction that waits for it.

A trigger on a press's path does as little as it can: one row with a name (measured: index.py).
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_CHANGED = "OLD.note IS DISTINCT FROM NEW.note OR OLD.reason IS DISTINCT FROM NEW.reason OR OLD.zone <> NEW.zone OR OLD.raised_at <> NEW.raised_at OR OLD.outcome IS DISTINCT FROM NEW.outcome"

_SQLITE = (
    "CREATE VIRTUAL TABLE log_index USING fts5(words, content='log_words', content_rowid='place', detail=none, tokenize='unicode61 remove_diacritics 2')",
    "CREATE TRIGGER log_index_added AFTER INSERT ON log_words BEGIN INSERT INTO log_index (rowid, words) VALUES (NEW.place, NEW.words); END",
    "CREATE TRIGGER log_index_removed AFTER DELETE ON log_words BEGIN INSERT INTO log_index (log_index, rowid, words) VALUES ('delete', OLD.place, OLD.words); END",
    "CREATE TRIGGER log_due_raised AFTER INSERT ON interaction BEGIN INSERT INTO log_due (store, interaction) VALUES (NEW.store, NEW.id) ON CONFLICT DO NOTHING; END",
    f"CREATE TRIGGER log_due_changed AFTER UPDATE ON interaction WHEN {_CHANGED.replace('IS DISTINCT FROM', 'IS NOT')} BEGIN INSERT INTO log_due (store, interaction) VALUES (NEW.store, NEW.id) ON CONFLICT DO NOTHING; END",
    "CREATE TRIGGER log_due_told AFTER INSERT ON timeline BEGIN INSERT INTO log_due (store, interaction) SELECT store, id FROM interaction WHERE id = NEW.interaction ON CONFLICT DO NOTHING; END",
    "CREATE TRIGGER log_due_rated AFTER INSERT ON feedback BEGIN INSERT INTO log_due (store, interaction) VALUES (NEW.store, NEW.interaction) ON CONFLICT DO NOTHING; END",
    "CREATE TRIGGER log_due_rated_again AFTER UPDATE ON feedback BEGIN INSERT INTO log_due (store, interaction) VALUES (NEW.store, NEW.interaction) ON CONFLICT DO NOTHING; END",
    "CREATE TRIGGER log_due_gone AFTER DELETE ON interaction BEGIN DELETE FROM log_words WHERE interaction = OLD.id; DELETE FROM log_due WHERE store = OLD.store AND interaction = OLD.id; END",
)
# DO UPDATE takes the row's lock: a worker that is just reading the interaction waits for this change.
_MARK = "INSERT INTO log_due (store, interaction) VALUES (NEW.store, NEW.{id}) ON CONFLICT (store, interaction) DO UPDATE SET store = excluded.store; RETURN NULL;"
_POSTGRESQL = (
    "CREATE INDEX ix_log_words_vector ON log_words USING gin (array_to_tsvector(string_to_array(words, ' ')))",
    f"CREATE FUNCTION log_due_mark() RETURNS trigger AS $$ BEGIN {_MARK.format(id='id')} END $$ LANGUAGE plpgsql",
    f"CREATE FUNCTION log_due_mark_rated() RETURNS trigger AS $$ BEGIN {_MARK.format(id='interaction')} END $$ LANGUAGE plpgsql",
    "CREATE FUNCTION log_due_mark_told() RETURNS trigger AS $$ BEGIN INSERT INTO log_due (store, interaction) SELECT store, id FROM interaction WHERE id = NEW.interaction ON CONFLICT (store, interaction) DO UPDATE SET store = excluded.store; RETURN NULL; END $$ LANGUAGE plpgsql",
    "CREATE FUNCTION log_due_forget() RETURNS trigger AS $$ BEGIN DELETE FROM log_words WHERE interaction = OLD.id; DELETE FROM log_due WHERE store = OLD.store AND interaction = OLD.id; RETURN NULL; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER log_due_raised AFTER INSERT ON interaction FOR EACH ROW EXECUTE FUNCTION log_due_mark()",
    f"CREATE TRIGGER log_due_changed AFTER UPDATE ON interaction FOR EACH ROW WHEN ({_CHANGED}) EXECUTE FUNCTION log_due_mark()",
    "CREATE TRIGGER log_due_told AFTER INSERT ON timeline FOR EACH ROW EXECUTE FUNCTION log_due_mark_told()",
    "CREATE TRIGGER log_due_rated AFTER INSERT OR UPDATE ON feedback FOR EACH ROW EXECUTE FUNCTION log_due_mark_rated()",
    "CREATE TRIGGER log_due_gone AFTER DELETE ON interaction FOR EACH ROW EXECUTE FUNCTION log_due_forget()",
)


def upgrade() -> None:
    op.create_table(
        "log_words",
        sa.Column(
            "place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("interaction", sa.String(length=36), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_log_words")),
        sa.UniqueConstraint("interaction", name=op.f("uq_log_words_interaction")),
    )
    op.create_table(
        "log_due",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("interaction", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("store", "interaction", name=op.f("pk_log_due")),
        sqlite_with_rowid=False,
    )
    for few, where in (
        ("rated", "score IS NOT NULL"),
        ("missed", "state = 'missed'"),
        ("security", "kind = 'security'"),
    ):
        op.create_index(
            f"ix_interaction_{few}",
            "interaction",
            ["store", "raised_at", "id"],
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)
    # What was logged before is worked off by the worker, the newest first.
    op.execute("INSERT INTO log_due (store, interaction) SELECT store, id FROM interaction")
