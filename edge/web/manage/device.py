"""One device: what it said of itself last, what is missing from it, and what can be asked of it."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.db.store_tables import device
from edge.db.tables import quarantine
from edge.devices import store as devices
from edge.errors import EdgeError, NotFound
from edge.handling import basis, commanding, revoking
from edge.hearing import SILENT_AFTER
from edge.paging import feed, pagers
from edge.people import rights
from edge.people import store as people
from edge.reports import devices as heard
from edge.reports.devices import kiosks
from edge.supervision import store as supervision
from edge.web.access import actor_here, signed_in
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services
from edge.web.words import span

LAST_CALLS = 10


def device_one(name: str) -> Response:
    return _page(name)


def device_act(name: str, act: str) -> Response:
    """move, pager, identify, replay, maintain, resume or revoke."""
    room, actor, now, form = services(), actor_here(), services().clock(), request.form
    zone, given = form.get("zone", "")[:64], form.get("based_on", "")[:64]
    # 'none' is no pager, 'nobody' one without a holder.
    hand = form.get("holder", "none")[:36]
    held = (hand != "none", None if hand in ("none", "nobody") else hand)
    works = {
        "move": lambda conn: commanding.move(conn, room.store, actor, name, zone, now, given),
        "pager": lambda conn: commanding.hand_out(conn, room.store, actor, name, *held, now, given),
        "identify": lambda conn: commanding.identify(conn, room.store, actor, name, now),
        "replay": lambda conn: commanding.replay(conn, room.store, actor, name, now),
        "maintain": lambda conn: commanding.maintain(conn, room.store, actor, name, True, now),
        "resume": lambda conn: commanding.maintain(conn, room.store, actor, name, False, now),
        "revoke": lambda conn: revoking.revoke(conn, room.store, actor, name, form.get("reason", ""), now),
    }
    if act not in works:
        abort(404)
    done = save(works[act])
    if isinstance(done, EdgeError):
        return _page(name, done)
    sentences = {
        "move": f"{name} is moved.",
        "pager": "Who holds it is saved." if held[0] else f"{name} is no pager any more.",
        "identify": f"{name} is asked to blink for {commanding.IDENTIFY_S} s.",
        "replay": f"{name} is asked to send its events again from number {done}.",
        "maintain": f"{name} is in maintenance.",
        "resume": f"{name} is not in maintenance any more.",
        "revoke": f"{name} is revoked. Nothing of it is taken any more.",
    }
    return saved(url_for("manage.device_one", name=name), sentences[act])


def device_aside(number: str) -> Response:
    """A message that was set aside, as text that does nothing."""
    room, q = services(), quarantine.c
    columns = sa.select(q.device, q.topic, q.reason, q.count, q.first_at, q.last_at, q.sha256, q.payload)
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise NotFound("There is no such message.")
    with room.read() as conn:
        row = conn.execute(columns.where(q.store == room.store, q.id == int(number))).first()
        cursor = feed.head(conn, room.store)
    if row is None:
        raise NotFound("There is no such message.")
    page = render_template(
        "manage/device_aside.html",
        aside=row,
        size=len(row.payload),
        text=as_text(row.payload),
        cursor=cursor,
        me=signed_in().person,
    )
    return make_response(page)


def as_text(payload: bytes) -> str:
    """Any bytes as lines that can be read: what is no letter stands as its code."""
    said = payload.decode("utf-8", "backslashreplace")
    return "".join(
        sign if sign.isprintable() or sign == "\n" else sign.encode("unicode_escape").decode()
        for sign in said
    )


def _page(name: str, error: EdgeError | None = None) -> Response:
    room, me, now = services(), signed_in().person, services().clock()
    with room.read() as conn:
        row = (
            conn.execute(sa.select(device).where(device.c.store == room.store, device.c.name == name))
            .mappings()
            .first()
        )
        if row is None:
            raise NotFound("There is no such device.")
        kiosk = next(one for one in kiosks(conn, room.store, now) if one.name == name)
        context: dict[str, Any] = {
            "kiosk": kiosk,
            "people": people.all_people(conn, room.store),
            "calls": pagers.last(conn, room.store, name, LAST_CALLS) if kiosk.pager else [],
            "zones": devices.zones(conn, room.store),
            "gaps": heard.gaps(conn, room.store, name),
            "aside": heard.aside(conn, room.store, name),
            "events": heard.events(conn, room.store, name),
            "troubles": supervision.history(conn, room.store, name),
            "cursor": feed.head(conn, room.store),
        }
    page = render_template(
        "manage/device.html",
        row=row,
        facts=facts(dict(row), now),
        fresh=row["heartbeat_at"] is not None and now - row["heartbeat_at"] <= SILENT_AFTER,
        based_on=basis.of(commanding.version(kiosk)),
        may_change=rights.may_change(me.role),
        error=error,
        me=me,
        **context,
    )
    return make_response(page, status_of(error) if error else 200)


def facts(row: dict[str, Any], now: datetime) -> list[tuple[str, str]]:
    """What the device said of itself in its last heartbeat; 'unknown' for what it did not say."""
    beat = row["heartbeat"] or {}

    def said(key: str, words: str = "{}") -> str:
        return "unknown" if beat.get(key) is None else words.format(beat[key])

    free, synced = beat.get("free_disk_bytes"), beat.get("clock_synced")
    up = beat.get("uptime_s") if row["heartbeat"] else None
    return [
        ("Version", row["version"] or "unknown"),
        ("Running for", "unknown" if up is None else span(timedelta(seconds=up))),
        ("Boot", (row["boot"] or "unknown")[:13]),
        ("Waiting in its outbox", str(beat.get("depth", 0)) if row["heartbeat"] else "unknown"),
        ("Oldest not receipted", _oldest(beat) if row["heartbeat"] else "unknown"),
        ("Clock", "unknown" if synced is None else "in step" if synced else "not in step"),
        ("Temperature", said("temperature_c", "{:.0f} °C")),
        ("Free disk", "unknown" if free is None else f"{free / 1e9:.1f} GB"),
        ("Camera", said("camera")),
        ("Certificate until", f"{row['valid_until']:%Y-%m-%d}" if row["valid_until"] else "unknown"),
    ]


def _oldest(beat: dict[str, Any]) -> str:
    # A heartbeat leaves out what is nothing.
    if not beat.get("depth"):
        return "none"
    return f"number {beat['oldest_open_seq']}" if beat.get("oldest_open_seq") else "unknown"
