"""The demo's history: the same story for the same seed, whole in itself, and in the log of a real store."""

import datetime as dt
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from deploy.demo.history import story, write
from deploy.demo.history.records import Day, Person, Shop
from deploy.demo.stage import prepare
from edge.db.engine import connect
from edge.db.tables import interaction, log_due
from edge.incidents import listing
from edge.interactions import log
from edge.interactions.filters import Filters
from edge.interactions.request import OUTCOMES

MONDAY = dt.date(2026, 3, 2)
SHOP = Shop(
    "demo",
    [
        Person("1", "Marta", "associate", frozenset({"fitting-rooms"}), frozenset({"en", "ca"})),
        Person("2", "Luka", "associate", frozenset({"entrance"}), frozenset({"en", "sr"})),
        Person("3", "Bia", "associate", frozenset({"tills"}), frozenset({"en", "pt"})),
        Person("4", "Nadia", "supervisor", frozenset(), frozenset({"en"})),
        Person("5", "Omar", "security", frozenset(), frozenset({"en"})),
    ],
    {"kiosk-fitting-rooms": "fitting-rooms", "kiosk-entrance": "entrance", "kiosk-tills": "tills"},
    {
        "kiosk-fitting-rooms": ("fitting-room", "find-item"),
        "kiosk-entrance": ("find-item", "collect"),
        "kiosk-tills": ("till", "return"),
    },
    {"fitting-rooms": "Fitting rooms", "entrance": "Entrance", "tills": "Tills"},
)


@pytest.fixture(scope="module")
def month() -> Day:
    whole = Day()
    for day in story.tell(SHOP, MONDAY, 30):
        for table in ("interaction", "timeline", "page", "feedback"):
            getattr(whole, table).extend(getattr(day, table))
    return whole


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    once, twice = (list(story.tell(SHOP, MONDAY, 3, seed=5)) for _ in range(2))
    assert once == twice
    assert once != list(story.tell(SHOP, MONDAY, 3, seed=6))
    # A day does not depend on how many days are told.
    assert list(story.tell(SHOP, MONDAY, 1, seed=5)) == once[:1]


def test_every_request_is_a_whole_story_in_order(month: Day) -> None:
    lines = defaultdict(list)
    for entry in month.timeline:
        lines[entry["interaction"]].append(entry)
    requests = [row for row in month.interaction if row["kind"] in ("help", "security")]
    assert {row["state"] for row in requests} == {"resolved", "cancelled", "missed"}
    for row in requests:
        told = lines[row["id"]]
        assert told[-1]["what"] == row["state"]
        assert all(a["at"] <= b["at"] for a, b in pairwise(told)), told
        assert row["raised_at"] <= row["received_at"] <= told[0]["at"]
        assert told[-1]["at"] == row["closed_at"]
        assert row["count"] == 1 + sum(entry["what"] == "pressed_again" for entry in told)
        if row["state"] == "resolved":
            assert row["owner"] and row["outcome"] in OUTCOMES
            assert row["received_at"] < row["acknowledged_at"] < row["attended_at"] < row["closed_at"]
        else:
            assert row["owner"] is None and row["acknowledged_at"] is None and row["outcome"] is None


def test_every_page_and_score_belongs_to_something_that_happened_before(month: Day) -> None:
    rows = {row["id"]: row for row in month.interaction}
    assert len(rows) == len(month.interaction)
    for page in month.page:
        stages = [page[f"{at}_at"] for at in ("created", "sent", "delivered", "seen", "closed")]
        known = [at for at in stages if at is not None]
        assert known == sorted(known) and page["created_at"] >= rows[page["request"]]["received_at"]
    answered = [page["request"] for page in month.page if page["state"] == "answered"]
    assert len(answered) == len(set(answered)), "One request is answered once."
    assert len({(p["request"], p["person"]) for p in month.page}) == len(month.page)
    for score in month.feedback:
        assert rows[score["interaction"]]["score"] == score["score"]
        assert score["about"] is None or rows[score["about"]]["closed_at"] < score["at"]


def test_a_month_has_everything_that_a_shop_has(month: Day) -> None:
    assert 8_000 < len(month.interaction) < 12_000
    assert {row["judged"] for row in month.feedback} == {"counted", "burst", "staff"}
    assert any(row["drill"] for row in month.interaction)
    assert any(row["kind"] == "security" for row in month.interaction)
    assert any(row["received_at"] - row["raised_at"] > dt.timedelta(minutes=2) for row in month.interaction)
    assert any(entry["what"] == "handed_over" for entry in month.timeline)
    rated = {score["about"]: score["score"] for score in month.feedback if score["about"]}
    waits: dict[int, list[float]] = defaultdict(list)
    for row in month.interaction:
        if row["id"] in rated and row["attended_at"]:
            waits[rated[row["id"]]].append((row["attended_at"] - row["raised_at"]).total_seconds())
    mean = {score: sum(found) / len(found) for score, found in waits.items()}
    assert mean[4] < mean[3] < mean[2], "Who waits longer is less content."


def test_the_demo_has_the_history_in_its_log_once_and_can_search_it(short_path: Path) -> None:
    now = dt.datetime(2026, 3, 10, 15, 0, tzinfo=dt.UTC)
    stage = prepare(short_path / "demo", 8080, now)
    try:
        count = write.fill(stage.config, 3, story.SEED, now)
        assert count > 300
        assert write.fill(stage.config, 3, story.SEED, now) == 0
        engine = connect(stage.config.database_url, write=False)
        with engine.connect() as conn:
            assert conn.execute(sa.select(sa.func.count()).select_from(interaction)).scalar() == count
            assert conn.execute(sa.select(sa.func.count()).select_from(log_due)).scalar() == 0
            latest = conn.execute(sa.select(sa.func.max(interaction.c.closed_at))).scalar()
            assert latest is not None and latest < now, "Nothing is told that has yet to happen."
            yesterday = Filters(text="Marta", from_at=now - dt.timedelta(days=1.5), to_at=now)
            assert log.search(conn, stage.config.store, yesterday, None, 10)[0]
        engine.dispose()
    finally:
        stage.close()


def test_each_security_request_of_the_history_has_its_incident_written_down_and_closed_in_time(
    short_path: Path,
) -> None:
    now = dt.datetime(2026, 3, 10, 15, 0, tzinfo=dt.UTC)
    stage = prepare(short_path / "demo", 8080, now)
    try:
        write.fill(stage.config, 40, story.SEED, now)
        engine = connect(stage.config.database_url, write=False)
        with engine.connect() as conn:
            found = listing.search(conn, stage.config.store, listing.Filters(with_silent=True), None, 200)
            i = interaction.c
            real = sa.select(i.id).where(i.kind == "security", sa.not_(i.drill), i.closed_at.is_not(None))
            assert {row.request for row in found} == set(conn.execute(real).scalars())
        engine.dispose()
        assert len(found) > 2 and {row.classed_as for row in found} <= {"threat", "theft"}
        assert sorted(row.count for row in found) == list(range(1, len(found) + 1))
        assert all(row.state == "closed" for row in found if row.happened_at < now - dt.timedelta(days=3))
        assert all((row.closed_at or now) <= now for row in found)
    finally:
        stage.close()
