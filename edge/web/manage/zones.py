"""The zones of the store: their titles and neighbours, and who and what is in each."""

from collections.abc import Mapping

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.devices import store as devices
from edge.errors import EdgeError
from edge.handling import basis, zoning
from edge.paging import feed
from edge.people import rights
from edge.watching import WATCHED, Watching
from edge.web.access import actor_here, signed_in
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services


def zones() -> Response:
    return _page()


def zones_add() -> Response:
    room, actor = services(), actor_here()
    name, title = (request.form.get(field, "").strip()[:200] for field in ("name", "title"))
    beside = _beside()
    done = save(lambda conn: zoning.add(conn, room.store, actor, name, title, room.clock(), beside))
    if isinstance(done, EdgeError):
        return _page(done, {"": title, "name": name}, {"": beside})
    return saved(url_for("manage.zones"), f"{title} is added.")


def zones_change(name: str) -> Response:
    room, actor = services(), actor_here()
    title, given = request.form.get("title", "")[:200], request.form.get("based_on", "")[:64]
    beside, eyes = _beside(), _watching()
    done = save(
        lambda conn: zoning.change(conn, room.store, actor, name, title, room.clock(), given, beside, eyes)
    )
    if isinstance(done, EdgeError):
        return _page(done, {name: title}, {name: beside}, {name: eyes} if eyes else {})
    return saved(url_for("manage.zones"), f"{title} is saved.")


def zones_remove(name: str) -> Response:
    room, actor = services(), actor_here()
    done = save(lambda conn: zoning.remove(conn, room.store, actor, name, room.clock()))
    if isinstance(done, EdgeError):
        return _page(done)
    return saved(url_for("manage.zones"), f"The zone {name} is removed.")


def _beside() -> list[str]:
    return [name[:32] for name in request.form.getlist("neighbours")[:200]]


def _watching() -> Watching | None:
    """As typed; what is no number stands for one that is refused in words."""
    form = request.form
    if "drawer_s" not in form:
        return None
    seconds = form["drawer_s"].strip()
    opens, closes = (form.get(key, "").strip()[:16] or None for key in ("opens", "closes"))
    number = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 9 else -1
    return Watching(number, form.get("watched", "")[:32], opens, closes)


def _page(
    error: EdgeError | None = None,
    typed: Mapping[str, str] | None = None,
    ticked: Mapping[str, list[str]] | None = None,
    eyes: Mapping[str, Watching] | None = None,
) -> Response:
    """`typed` is zone name -> the title that was typed for it, `ticked` its neighbours, `eyes` what it was to
    be watched for; '' for the new one."""
    room, me = services(), signed_in().person
    with room.read() as conn:
        titles, beside = devices.zones(conn, room.store), devices.neighbours(conn, room.store)
        watching = devices.watching(conn, room.store)
        found = [
            (
                name,
                title,
                basis.of(zoning.values_of(conn, room.store, name)),
                zoning.users_of(conn, room.store, name),
                beside.get(name, []),
                (eyes or {}).get(name, watching[name]),
            )
            for name, title in titles.items()
        ]
        cursor = feed.head(conn, room.store)
    page = render_template(
        "manage/zones.html",
        zones=found,
        titles=titles,
        ticked=ticked or {},
        when_watched=WATCHED,
        error=error,
        typed=typed or {},
        may_change=rights.may_change(me.role),
        cursor=cursor,
        me=me,
    )
    return make_response(page, status_of(error) if error else 200)
