"""However long the log is, a page of it reads no more than it shows, or only what is rare."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from edge.db.keyset import Cursor
from edge.interactions import index, log
from edge.interactions.log import Filters
from tests.unit.edge.conftest import START
from tests.unit.edge.test_log import add

# What EXPLAIN says here is SQLite's.
pytestmark = pytest.mark.usefixtures("sqlite_only")
DAY = {"from_at": START, "to_at": START + timedelta(days=1)}


def plan_of(conn: sa.Connection, filters: Filters, before: Cursor | None = None) -> str:
    """How SQLite goes about the query, as it is really asked."""
    asked: list[tuple[str, object]] = []
    sa.event.listen(conn, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    log.search(conn, "shop", filters, before)
    statement, values = asked[-1]
    plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
    return " | ".join(str(row[-1]) for row in plan)


@pytest.mark.parametrize(
    ("filters", "by"),
    [
        ({}, "ix_interaction_log"),
        (DAY, "ix_interaction_log"),
        ({"zone": "shoes"}, "ix_interaction_log"),
        ({"kind": "help", "state": "resolved"}, "ix_interaction_log"),
        ({"topic": "till", "language": "pt", "drill": "without", **DAY}, "ix_interaction_log"),
        ({"state": "missed"}, "ix_interaction_missed"),
        ({"state": "missed", **DAY}, "ix_interaction_missed"),
        ({"kind": "security"}, "ix_interaction_security"),
        ({"scores": (1, 2)}, "ix_interaction_rated"),
        ({"scores": (1, 2), "zone": "shoes", **DAY}, "ix_interaction_rated"),
    ],
)
@pytest.mark.parametrize("before", [None, Cursor(START, "x")])
def test_filters_read_the_log_in_its_order_and_sort_nothing(
    conn: sa.Connection, filters: dict[str, object], by: str, before: Cursor | None
) -> None:
    plan = plan_of(conn, Filters(**filters), before)  # type: ignore[arg-type]
    assert f"USING INDEX {by} " in plan and "TEMP B-TREE" not in plan, plan


@pytest.mark.parametrize("more", [{}, DAY, {"kind": "security", "zone": "shoes"}, {"state": "missed", **DAY}])
@pytest.mark.parametrize("before", [None, Cursor(START, "x")])
def test_words_are_found_newest_first_without_sorting_the_finds(
    conn: sa.Connection, more: dict[str, object], before: Cursor | None
) -> None:
    plan = plan_of(conn, Filters(text="fitting", **more), before)  # type: ignore[arg-type]
    assert plan.startswith("SCAN log_index VIRTUAL TABLE") and "TEMP B-TREE" not in plan, plan
    assert "SEARCH log_words USING INTEGER PRIMARY KEY" in plan, plan


def test_writing_the_words_of_what_is_new_reads_nothing_else_of_the_log(
    engine: sa.Engine, conn: sa.Connection
) -> None:
    # With a few SQLite still looks for each; with a whole batch it would read the log.
    id_, *_ = [add(conn, second) for second in range(index.BATCH)]
    plans: list[str] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def explain(_conn: object, cursor: Any, statement: str, values: object, *_: object) -> None:
        if not statement.startswith("INSERT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.extend(str(row[-1]) for row in cursor.fetchall())

    assert index.settle(conn, "shop") == index.BATCH and index.place_of(conn, id_) is not None
    reading = [plan for plan in plans if " interaction " in f"{plan} "]
    assert reading and all("sqlite_autoindex_interaction_1 (id=?)" in plan for plan in reading), plans
    assert not any(plan.startswith("SCAN") and "VIRTUAL" not in plan for plan in plans), plans
