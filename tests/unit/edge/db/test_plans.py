"""The statements on the way from a press to a page read only what is open, however long the log is."""

import pytest
import sqlalchemy as sa

from edge.interactions import store as requests
from edge.paging import store as pages
from edge.routing import roster
from tests.unit.edge.conftest import START


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("read", ["open requests", "roster", "open pages"])
def test_what_every_press_reads_goes_by_the_index_of_open_requests(
    engine: sa.Engine, conn: sa.Connection, read: str
) -> None:
    asked: list[tuple[str, object]] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    with conn.begin():
        match read:
            case "open requests":
                requests.open_of_devices(conn, "shop", ["kiosk-1"])
            case "roster":
                roster.read(conn, "shop", START)
            case _:
                pages.open_pages(conn, "shop", "somebody")
        plans = [
            str(row[3])
            for statement, values in list(asked)
            if "interaction" in statement
            for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
        ]
    touching = [plan for plan in plans if " interaction " in f"{plan} "]
    assert touching and all("ix_interaction_open" in plan for plan in touching), plans
    assert not any(plan.startswith("SCAN page") for plan in plans)
