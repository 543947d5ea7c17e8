"""The story in the store's own tables, a week in one transaction; and its words in the search."""

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa

from deploy.demo import shop as the_shop
from deploy.demo.history import incidents, story
from deploy.demo.history.records import Day, Person, Shop
from deploy.provision import writing
from edge.config import EdgeConfig
from edge.db.feedback_tables import feedback
from edge.db.tables import interaction, page, timeline
from edge.interactions import index
from edge.people import store as people

_DAYS_AT_ONCE = 7
_BATCH = 256


def fill(config: EdgeConfig, days: int, seed: int, now: dt.datetime) -> int:
    """Put `days` whole days before today, and today until now, into the log; how many interactions that is.

    0 if the log holds something of these days already: a story is told once.
    """
    today = now.astimezone().date()
    first = today - dt.timedelta(days=days)
    with writing(config) as conn:
        shop = demo_shop(conn, config.store)
        begins = dt.datetime.combine(first, dt.time(), shop.tz)
        told = sa.select(interaction.c.id).where(
            interaction.c.store == config.store, interaction.c.raised_at >= begins
        )
        if conn.execute(told.limit(1)).first() is not None:
            return 0
    whole = (story.until(day, now) for day in story.tell(shop, first, days + 1, seed))
    return write(config, whole, now=now)


def demo_shop(conn: sa.Connection, store: str) -> Shop:
    """The demo's shop with its people as they are in the database, in the order of the demo's list."""
    known = {p.name: p for p in people.all_people(conn, store)}
    staff = [
        Person(p.id, p.name, p.role, frozenset(p.zones), frozenset(p.languages))
        for member in the_shop.PEOPLE
        if (p := known.get(member.name)) is not None
    ]
    kiosks = the_shop.KIOSKS
    topics = {k.name: tuple(key.topic for key in k.keys if key.topic) for k in kiosks}
    here = dt.datetime.now().astimezone().tzinfo or dt.UTC
    return Shop(store, staff, {k.name: k.zone for k in kiosks}, topics, the_shop.ZONES, here)


def write(
    config: EdgeConfig, days: Iterable[Day], *, searchable: bool = True, now: dt.datetime | None = None
) -> int:
    """Insert these days; how many interactions. With `now` also the incidents of their security requests, as
    they stand then. `searchable` also writes the words of the search at once,
    which the worker would otherwise do in its own time."""
    count, waiting = 0, Day()
    for number, day in enumerate(days, 1):
        waiting.interaction += day.interaction
        waiting.timeline += day.timeline
        waiting.page += day.page
        waiting.feedback += day.feedback
        count += len(day.interaction)
        if number % _DAYS_AT_ONCE == 0:
            _put(config, waiting, searchable, now)
            waiting = Day()
    _put(config, waiting, searchable, now)
    return count


def _put(config: EdgeConfig, day: Day, searchable: bool, now: dt.datetime | None) -> None:
    with writing(config) as conn:
        for table, rows in (
            (interaction, day.interaction),
            (timeline, day.timeline),
            (page, day.page),
            (feedback, day.feedback),
        ):
            if rows:
                conn.execute(sa.insert(table), rows)
        if now is not None:
            staff = people.all_people(conn, config.store)
            incidents.tell(conn, config.store, day.interaction, staff, now)
        if searchable:
            while index.settle(conn, config.store, _BATCH):
                continue
