"""However much a device has told before, what it tells now is taken in without reading all of that again."""

import re

import pytest
import sqlalchemy as sa

from broker.events import (
    Attended,
    Cancelled,
    ClipLost,
    Content,
    DrawerMoved,
    FeedbackGiven,
    Greeted,
    HelpRequested,
    SecurityRequested,
    Tampered,
)
from tests.unit.edge.ingest.server import Kiosk, Server, id_of

# These grow with the years; of an index the store and the device alone are no help either.
GROWING = ("event", "interaction", "timeline", "feedback", "page", "feed", "outgoing")
ALL_OF_A_DEVICE = re.compile(r"\(store=\?( AND device=\?)?\)$")


@pytest.mark.usefixtures("sqlite_only")
def test_no_statement_of_the_intake_reads_all_that_a_device_has_told(
    engine: sa.Engine, server: Server, kiosk: Kiosk
) -> None:
    asked: dict[str, object] = {}
    sa.event.listen(engine, "before_cursor_execute", lambda *args: asked.setdefault(args[2], args[3]))
    help_, hold, score = (
        kiosk.event(HelpRequested()),
        kiosk.event(SecurityRequested("hold")),
        kiosk.event(FeedbackGiven(3)),
    )
    later: list[Content] = [
        Attended(id_of(help_)), FeedbackGiven(3, answers={"found": "yes"}, follows=id_of(score)),
        FeedbackGiven(4, request=id_of(help_)), Greeted("in", "pir"), Greeted("out", "pir"),
        Tampered("camera"), DrawerMoved(True), DrawerMoved(False), ClipLost("late", cause=id_of(hold)),
        Cancelled(id_of(help_)),
    ]  # fmt: skip
    server.take(help_, hold, score)
    for content in later:
        kiosk.wait(1)
        server.take(kiosk.event(content))
    assert server.refusals() == []
    with server.conn.begin():
        plans = {
            (str(row[3]), statement)
            for statement, values in list(asked.items())
            if statement.startswith(("SELECT", "UPDATE", "DELETE"))
            for row in server.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
        }
    assert len(plans) > 30
    wide = [
        (plan, statement)
        for plan, statement in plans
        if re.match(rf"(SCAN|SEARCH) ({'|'.join(GROWING)})\b", plan)
        and (plan.startswith("SCAN") or ALL_OF_A_DEVICE.search(plan))
        and "ix_interaction_open" not in plan
    ]
    assert wide == []
