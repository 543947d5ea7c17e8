"""Whether an associate is free: what they say of themselves, who stands in for them and for whom they do."""

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge import presence as rule
from edge.errors import Refused
from edge.handling import being
from edge.people import store as people
from edge.people.store import PersonError
from edge.presence import AWAY, BREAK_MINUTES, Presence
from edge.web.access import signed_in
from edge.web.services import services


@dataclass(frozen=True)
class Cover:
    """A colleague who is here and could stand in."""

    id: str
    name: str
    there: str


def presence_part() -> Response:
    """Drawn anew when a break ends, or somebody else has changed it."""
    return Response(part(), mimetype="text/html")


def say() -> Response:
    """`presence`, with `minutes` for a break and `cover`, a colleague's id, for being unreachable."""
    room, person, form = services(), signed_in().person.id, request.form
    wanted, typed = form.get("presence", ""), form.get("minutes", "")
    minutes = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 else None
    cover = form.get("cover", "")[:36] or None
    try:
        room.change(
            lambda conn: being.say(
                conn, room.store, person, wanted, room.clock(), minutes=minutes, cover=cover
            )
        )
    except (Refused, PersonError) as error:
        if not request.headers.get("HX-Request"):
            raise
        return Response(part(str(error)), 409, mimetype="text/html")
    if request.headers.get("HX-Request"):
        return presence_part()
    return redirect(url_for("floor.pages"), 303)


def part(wrong: str = "") -> str:
    """The part of the page about this person's presence, as it is now."""
    room, now = services(), services().clock()
    with room.read() as conn:
        everyone = people.all_people(conn, room.store)
    me = next((p for p in everyone if p.id == signed_in().person.id), signed_in().person)
    here = [(p, rule.at(p.presence, p.presence_until, now)) for p in everyone if p.id != me.id]
    covers = [Cover(p.id, p.name, there) for p, there in here if there not in AWAY]
    covers.sort(key=lambda c: c.there != Presence.AVAILABLE)
    there = rule.at(me.presence, me.presence_until, now)
    return render_template(
        "floor/_presence.html",
        there=there,
        until=me.presence_until if there is Presence.ON_BREAK else None,
        cover_name=next((p.name for p in everyone if p.id == me.cover), None),
        covers=covers,
        stands_in_for=[p.name for p, now_ in here if now_ is Presence.UNREACHABLE and p.cover == me.id],
        break_minutes=BREAK_MINUTES,
        wrong=wrong,
    )
