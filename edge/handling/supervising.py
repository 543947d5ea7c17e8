"""Telling whoever is on duty that something of the store's own is wrong, once, and once that it is over.

A trouble is no request: nobody is paged for it again, and it stands in the log as recorded. Nothing of it is
done while a security request waits.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.access_requests import store as access_requests
from edge.db.store_tables import device
from edge.db.tables import interaction
from edge.errors import NotFound
from edge.handling.telling import Telling
from edge.hearing import in_maintenance
from edge.incidents import listing
from edge.interactions import store as requests
from edge.interactions.store import Entry
from edge.people.store import by_id
from edge.reports import tallies
from edge.retention import Retention
from edge.supervision import backups, facts, heard, reach, rules
from edge.supervision import store as troubles
from edge.supervision.facts import Key, Look, Owed, Server, What
from edge.supervision.forgotten import OpenIncident, forgotten
from edge.supervision.rules import Begin, Drop, End, Restart, SeemWell, Someone, Tell, Trouble
from edge.updates import store as updates

# The worker's own silence is seen by whoever else looks at the broker.
REMIND_AFTER = Retention().remind_after
BY_WORKER = frozenset(What) - {What.WORKER}


def look(
    conn: sa.Connection,
    telling: Telling,
    server: Server,
    now: datetime,
    remind_after: timedelta = REMIND_AFTER,
) -> None:
    """What devices and the server said of themselves, and incidents to which nobody has added for
    `remind_after`, judged and told."""
    known, seen = _see(conn, telling.store, server, now, remind_after)
    take(conn, telling, known, seen, BY_WORKER, now)


def anything(
    conn: sa.Connection, store: str, server: Server, now: datetime, remind_after: timedelta = REMIND_AFTER
) -> bool:
    """Whether `look` would write anything now. Only reads, so that a press need not wait for its lock."""
    known, seen = _see(conn, store, server, now, remind_after)
    ended = troubles.ended(conn, store, now) if seen.found else {}
    if rules.steps(known, seen, ended, now, BY_WORKER):
        return True
    going_on = [one for one in known if one.told]
    return bool(going_on) and any(some for _, some in _untold(conn, store, going_on, now))


def _see(
    conn: sa.Connection, store: str, server: Server, now: datetime, remind_after: timedelta
) -> tuple[list[Trouble], Look]:
    """What was wrong until now, and what is."""
    known = troubles.going_on(conn, store)
    said = heard.said(conn, store, tallies.LOUD, now)
    tampered = {one.key: one.seen_at for one in known if one.key.what is What.TAMPER}
    wrong = frozenset(one.key for one in known if one.told)
    seen = facts.look(said, server, tampered, wrong, now)
    phones = reach.unreachable(heard.responders(conn, store, now), now)
    waiting = [Owed(row.number, row.due_on) for row in access_requests.waiting(conn, store)]
    left = [OpenIncident(*one) for one in listing.left_alone(conn, store, now - remind_after)]
    failed = updates.failed(conn, store)
    unrolled = facts.unrolled((failed.id, failed.changed_at, failed.words) if failed else None)
    held = updates.held_up(conn, store, now)
    waits = facts.held_up((held[0].id, held[0].version, held[1].device, held[1].changed_at) if held else None)
    found = [*seen.found, *phones, *facts.owed(waiting, now), *forgotten(left, remind_after, now)]
    found += [*unrolled, *waits]
    if server.backup_within is not None:
        last, failed_run = backups.last_good(conn, store), backups.last_failed(conn, store)
        words = failed_run.trouble if failed_run is not None else None
        found += facts.overdue(last.began_at if last else None, words, server.backup_within, now)
    return known, replace(seen, found=found)


def take(
    conn: sa.Connection,
    telling: Telling,
    known: list[Trouble],
    seen: Look,
    judged: Collection[What],
    now: datetime,
) -> None:
    """Do what the rules say about what was seen."""
    ended = troubles.ended(conn, telling.store, now) if seen.found else {}
    told = [one for one in known if one.told]
    for step in rules.steps(known, seen, ended, now, judged):
        match step:
            case Begin(found, returns, at_once):
                begun = troubles.add(conn, telling.store, found, returns, now)
                if begun is not None and at_once:
                    told += _come_out(conn, telling, begun, now)
            case Restart(trouble, found):
                values = {"since": found.since, "seen_at": now, "mark": found.mark, "words": found.words}
                troubles.change(conn, trouble, **values)
            case Tell(trouble):
                told += _come_out(conn, telling, trouble, now)
            case Drop(trouble):
                troubles.drop(conn, trouble)
            case SeemWell(trouble, at):
                more = {"returns": trouble.returns + 1} if at is None else {}
                troubles.change(conn, trouble, well_at=at, **more)
                _show(telling, trouble)
            case End(trouble, at, quiet):
                told.remove(trouble)
                _end(conn, telling, trouble, at, quiet, now)
    if told:
        _tell(conn, telling, told, now)


def tampered(
    conn: sa.Connection, telling: Telling, event: str, name: str, what: str, at: datetime, now: datetime
) -> None:
    """A device says that somebody tampers with it: told at once. The event's own interaction tells of it."""
    key = Key(name, What.TAMPER, what)
    if troubles.touch(conn, telling.store, key, now):
        return
    words = f"{name} says that it was tampered with: {what}."
    begun = troubles.add(conn, telling.store, facts.Found(key, at, words), 0, now, event)
    if begun is not None and not _worked_on(conn, telling.store, name, now):
        _tell(conn, telling, _come_out(conn, telling, begun, now), now)


def see(conn: sa.Connection, store: str, trouble: str, who: str, through: str, now: datetime) -> None:
    """Whoever was told of it says that they have seen it. NotFound for everybody else."""
    if who not in troubles.told(conn, [trouble])[trouble]:
        raise NotFound("There is nothing like that to be seen.")
    if not troubles.see(conn, store, trouble, who, now):
        return
    someone = by_id(conn, store, who)
    words = f"{someone.name if someone else 'Somebody'} has seen it."
    requests.append(conn, [Entry(trouble, now, "seen", through, words, who)])
    telling = Telling(store)
    telling.trouble(trouble, [who], silent=True)
    telling.flush(conn, now)


def _worked_on(conn: sa.Connection, store: str, name: str, now: datetime) -> bool:
    query = sa.select(device.c.maintained_at).where(device.c.store == store, device.c.name == name)
    return in_maintenance(conn.execute(query).scalar(), now)


def _come_out(conn: sa.Connection, telling: Telling, one: Trouble, now: datetime) -> list[Trouble]:
    """From now on people hear of it, and it stands in the log; [] where another process was faster."""
    if not troubles.change(conn, one, told_at=now):
        return []
    telling.count(tallies.trouble(one.key.what.value, silent=one.silent))
    _show(telling, one)
    if one.key.what is What.TAMPER:
        return [one]
    place = (device.c.store == telling.store, device.c.name == one.key.device)
    zone = conn.execute(sa.select(device.c.zone).where(*place)).scalar()
    requests.insert(
        conn, telling.store, one.id, now, device=one.key.device, zone=zone or "", kind="trouble",
        topic=one.key.what.value, silent=one.silent, raised_at=one.since, reason=one.words[:500],
    )  # fmt: skip
    telling.recorded(one.id, "trouble", silent=one.silent)
    return [one]


def _tell(conn: sa.Connection, telling: Telling, going_on: list[Trouble], now: datetime) -> None:
    """Everybody on duty who has not been told."""
    for one, some in _untold(conn, telling.store, going_on, now):
        names = {who.id: who.name for who in some}
        if new := troubles.tell(conn, telling.store, one.id, [who.id for who in some], now):
            words = f"Told: {', '.join(names[who] for who in new)}."
            requests.append(conn, [Entry(one.id, now, "told", "policy", words)])
            telling.trouble(one.id, new, silent=one.silent)


def _untold(
    conn: sa.Connection, store: str, going_on: list[Trouble], now: datetime
) -> list[tuple[Trouble, list[Someone]]]:
    """Who is to be told of each now."""
    people = heard.on_duty(conn, store, now)
    told = troubles.told(conn, [one.id for one in going_on])
    return [(one, rules.whom(people, told[one.id], silent=one.silent, what=one.key.what)) for one in going_on]


def _end(
    conn: sa.Connection, telling: Telling, one: Trouble, at: datetime, quiet: bool, now: datetime
) -> None:
    ending = "Somebody works on it now." if quiet else rules.ended_in_words(one, at)
    if not troubles.change(conn, one, over_at=at, ending=ending):
        return
    requests.append(conn, [Entry(one.id, now, "over", "policy", ending)])
    conn.execute(sa.update(interaction).where(interaction.c.id == one.id).values(closed_at=at))
    people = list(troubles.told(conn, [one.id])[one.id])
    if quiet:
        for who in people:
            troubles.see(conn, telling.store, one.id, who, now)
    telling.trouble(one.id, people, over=True, silent=one.silent)
    _show(telling, one)


def _show(telling: Telling, one: Trouble) -> None:
    """The desk looks again."""
    telling.device(one.key.device, one.key.what.value, silent=one.silent)
