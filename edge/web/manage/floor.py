"""The live floor: for whoever wants to know in two seconds whether somebody is waiting."""

from dataclasses import dataclass

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from edge.paging import feed
from edge.reports import floor as now_there
from edge.reports.devices import Kiosk, kiosks
from edge.reports.floor import Open, Someone
from edge.supervision import store as supervision
from edge.web.access import signed_in
from edge.web.services import services


@dataclass(frozen=True)
class Corner:
    """A zone with who and what is in it; `name` '' is the whole floor."""

    name: str
    title: str
    waiting: int
    people: list[Someone]
    kiosks: list[Kiosk]


def floor() -> Response:
    """The page; for htmx only what changes."""
    room = services()
    now = room.clock()
    with room.read() as conn:
        # Before the rest: what is committed in between comes again by the stream, instead of never.
        cursor = feed.head(conn, room.store)
        open_now = now_there.requests(conn, room.store)
        eyes = now_there.requests(conn, room.store, ("drawer", "watch"))
        people = now_there.people(conn, room.store, open_now, now)
        zones = now_there.zones(conn, room.store)
        devices = kiosks(conn, room.store, now)
        troubles = supervision.open_now(conn, room.store)
    context = {
        "cursor": cursor,
        "waiting": [one for one in open_now if one.state == "raised"],
        "answered": [one for one in open_now if one.state != "raised"],
        "corners": corners(zones, open_now, people, devices),
        "troubles": troubles,
        "eyes": eyes,
        "here": [one for one in people if one.presence != "off"],
        "off": [one for one in people if one.presence == "off"],
        "me": signed_in().person,
    }
    part = request.headers.get("HX-Request")
    return make_response(render_template("manage/_floor.html" if part else "manage/floor.html", **context))


def corners(
    zones: list[tuple[str, str]], open_now: list[Open], people: list[Someone], devices: list[Kiosk]
) -> list[Corner]:
    """Zone by zone, and at the end whoever belongs to none. Someone with two zones stands in both."""
    there = [one for one in people if one.presence != "off"]
    found = [
        Corner(
            name,
            title,
            sum(one.zone == name and one.state == "raised" for one in open_now),
            [one for one in there if name in one.zones],
            [kiosk for kiosk in devices if kiosk.zone == name],
        )
        for name, title in zones
    ]
    anywhere = [one for one in there if not one.zones]
    return [*found, Corner("", "Whole floor", 0, anywhere, [])] if anywhere else found
