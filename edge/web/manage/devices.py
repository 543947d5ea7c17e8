"""The devices: who is there as far as is known, and what was set aside. Read only."""

from flask import make_response, render_template
from werkzeug.wrappers import Response

from edge.paging import feed
from edge.reports.devices import kiosks, set_aside
from edge.supervision import backups
from edge.supervision import store as supervision
from edge.web.access import signed_in
from edge.web.services import services


def devices() -> Response:
    room = services()
    with room.read() as conn:
        context = {
            "cursor": feed.head(conn, room.store),
            "kiosks": kiosks(conn, room.store, room.clock()),
            "troubles": supervision.open_now(conn, room.store),
            "aside": set_aside(conn, room.store),
            "backup": backups.last_good(conn, room.store),
            "backup_failed": backups.last_failed(conn, room.store),
            "backup_proven": backups.last_proven(conn, room.store),
            "restored": backups.restored(conn, room.store),
            "backed_up": room.config.backup.to is not None,
            "me": signed_in().person,
        }
    return make_response(render_template("manage/devices.html", **context))


def strip() -> Response:
    """The compact line above the log."""
    room = services()
    with room.read() as conn:
        found = kiosks(conn, room.store, room.clock())
    return make_response(render_template("manage/_strip.html", kiosks=found))
