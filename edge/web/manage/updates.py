"""The kiosks' program at the desk: what each one runs, the releases here, and how far a roll-out has come."""

from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import EdgeError
from edge.handling import updating
from edge.paging import feed
from edge.people import rights
from edge.reports.devices import kiosks
from edge.updates import rules
from edge.updates import store as updates
from edge.web.access import actor_here, signed_in
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services

# What a kiosk's state in a roll-out says, before the time since when.
PARTS = {
    rules.WAITING: "not told yet",
    rules.TOLD: "told",
    rules.TAKEN: "has it, and waits for a quiet moment",
    rules.TRYING: "tries it",
    rules.HEALTHY: "healthy",
    rules.REFUSED: "refused it",
    rules.LEFT: "told, and had not said that it has it when this ended",
    rules.ROLLED_BACK: "runs what ran before",
    rules.KEPT: "could not go back",
}
STATES = {
    rules.RUNNING: "goes on",
    rules.STOPPED: "stopped by hand",
    rules.FAILED: "stopped by itself",
    rules.DONE: "done",
    rules.RECALLED: "called back",
}


def devices_updates() -> Response:
    """The page; for htmx only what changes."""
    if request.headers.get("HX-Request"):
        return make_response(render_template("manage/_updates.html", **_seen()))
    return _page()


def devices_updates_do(act: str) -> Response:
    """roll-out, stop or call-back."""
    room, actor, now, form = services(), actor_here(), services().clock(), request.form
    version, first, one = (
        form.get("version", "")[:20],
        form.get("first", "")[:32],
        form.get("rollout", "")[:36],
    )
    minutes, batch = (_number(form.get(name, "")) for name in ("minutes", "batch"))
    works = {
        "roll-out": lambda conn: updating.roll_out(
            conn, room.store, actor, version, first, now, minutes, batch, vault_url=room.config.vault.url
        ),
        "stop": lambda conn: updating.stop(conn, room.store, actor, one, now),
        "call-back": lambda conn: updating.call_back(conn, room.store, actor, one, now),
    }
    if act not in works:
        abort(404)
    done = save(works[act])
    if isinstance(done, EdgeError):
        return _page(done)
    sentences = {
        "roll-out": f"The roll-out of {version} begins with {first}.",
        "stop": "No further kiosk is told. Those that have it, or are fetching it just now, go on.",
        "call-back": "It is called back; each kiosk says below what it runs.",
    }
    return saved(url_for("manage.devices_updates"), sentences[act])


def _number(typed: str) -> int:
    """-1, which is never allowed, for what is none."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 8 else -1


def _seen() -> dict[str, object]:
    room, now = services(), services().clock()
    with room.read() as conn:
        rolled = updates.newest(conn, room.store)
        newest = rolled[0] if rolled else None
        parts = updates.parts(conn, newest.id) if newest else []
        context: dict[str, object] = {
            "cursor": feed.head(conn, room.store),
            "kiosks": [one for one in kiosks(conn, room.store, now) if not one.revoked_at],
            "renewable": [row.name for row in updates.renewable(conn, room.store)],
            "newest": newest,
            "earlier": rolled[1:],
            "parts": parts,
        }
    moving = newest is not None and newest.state in (rules.RUNNING, rules.RECALLED)
    may = rights.may_change(signed_in().person.role)
    absent = rules.absent(newest.rule, parts) if newest else None
    window = room.config.update.between
    held = bool(window) and not rules.is_within(window, now)
    return {
        **context, "part_words": PARTS, "state_words": STATES, "moving": moving, "may_change": may,
        "window": window, "held": held, "absent": absent,
    }  # fmt: skip


def _page(error: EdgeError | None = None) -> Response:
    room = services()
    with room.read() as conn:
        carried = updates.releases(conn, room.store)
    page = render_template(
        "manage/updates.html",
        releases=carried,
        soak=updating.SOAK_MINUTES,
        batch=updating.BATCH,
        has_vault=room.config.vault.url is not None,
        error=error,
        me=signed_in().person,
        **_seen(),
    )
    return make_response(page, status_of(error) if error else 200)
