"""Calls to a phone that is locked: switched on and off by its person, tried, and what the phone reports.

A service worker (static/worker.js) shows them; browsers and what they can do: decisions/007.
"""

import json
from pathlib import Path

import sqlalchemy as sa
from flask import Response, abort, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from edge.errors import Refused
from edge.handling import acting, locking
from edge.handling.locking import NOT_ON
from edge.pushing import keys, queue, rules, store
from edge.pushing.keys import NoKey
from edge.pushing.store import Keys
from edge.web import origin
from edge.web.access import signed_in
from edge.web.languages import gettext
from edge.web.services import services

NO_ADDRESS = "The browser gave no address that calls can be sent to; nothing was switched on."
SENTENCES = (NO_ADDRESS, NOT_ON)
_STAGES = ("shown", "opened")


def locked() -> Response:
    """The switch, what it needs, and what a locked phone shows."""
    return make_response(render_template("floor/locked.html", me=signed_in().person))


def locked_state() -> Response:
    """How it stands with this phone: `state` is off, on, or how its latest trial went: waiting, sent, shown
    or failed; `at`, in milliseconds, when a call last arrived; `sender`, whether the store sends any."""
    room, key = services(), signed_in().key
    with room.read() as conn:
        found = store.of_session(conn, room.store, key)
        latest = store.trial(conn, room.store, key)
        sender = store.sends(conn, room.store, room.clock())
    state, at = "off", None
    if found is not None:
        state, at = "on", found.shown_at
        if found.shown_at is not None:
            state = "shown"
        if latest is not None and latest.asked_at >= found.made_at and latest.shown_at is None:
            state = {"waiting": "waiting", "sent": "sent"}.get(latest.state, "failed")
    at_ms = int(at.timestamp() * 1000) if at else None
    said = {"state": state, "at": at_ms, "sender": sender, "key": public_key()}
    return Response(json.dumps(said), mimetype="application/json")


def locked_on() -> Response:
    """What the browser gave: `endpoint`, `p256dh`, `auth`. With `trial`, it is called once, for nothing."""
    room, here, given = services(), signed_in(), _keys()
    trial = request.form.get("trial") == "1"

    def begin(conn: sa.Connection) -> None:
        locking.switch_on(conn, room.store, here, given, room.clock())
        if trial:
            queue.put_trial(conn, room.store, here.person.id, here.key, room.clock())

    room.change(begin)
    return Response(status=204)


def locked_trial() -> Response:
    """Call this phone once, for nothing."""
    room, here = services(), signed_in()

    def ask(conn: sa.Connection) -> bool:
        on = store.of_session(conn, room.store, here.key) is not None
        if on:
            queue.put_trial(conn, room.store, here.person.id, here.key, room.clock())
        return on

    if not room.change(ask):
        abort(409, gettext(NOT_ON))
    return Response(status=204)


def locked_off() -> Response:
    room, here = services(), signed_in()
    room.change(lambda conn: locking.switch_off(conn, room.store, here, room.clock()))
    return Response(status=204)


def locked_renewed() -> Response:
    """The browser itself has changed its address. Only where this session has switched it on."""
    origin.only_from_here()
    room, here, given = services(), signed_in(), _keys()
    try:
        room.change(lambda conn: locking.renew(conn, room.store, here, given, room.clock()))
    except Refused as error:
        abort(409, gettext(error.sentence))
    return Response(status=204)


def locked_told() -> Response:
    """The service worker says that this phone has `stage` ('shown' or 'opened') the call `push`."""
    origin.only_from_here()
    room, here, now = services(), signed_in(), services().clock()
    push_id, stage = request.form.get("push", "")[:36], request.form.get("stage", "")
    if stage not in _STAGES:
        abort(400, f"The stage is {stage[:16]!r}; allowed are {', '.join(_STAGES)}.")
    page = room.change(lambda conn: store.report(conn, room.store, push_id, here.key, stage, now))
    if page is not None:
        mark = acting.mark_delivered if stage == "shown" else acting.mark_seen
        room.change(lambda conn: mark(conn, room.store, here.person.id, [page], now))
    return Response(status=204)


def worker() -> AnyResponse:
    """The service worker's script, with its words in this phone's language. It says nothing of the store."""
    said = {
        "open": {"title": "Floorbell", "body": gettext("Open now")},
        "help": {"title": gettext("Help wanted")},
        "greet": {"title": gettext("Somebody has not been greeted")},
        "trial": {"title": "Floorbell", "body": gettext("This phone can be called while it is locked.")},
        "drill": gettext("Drill"),
    }
    head = f"const WORDS = {json.dumps(said)};\nconst KEY = {json.dumps(public_key())};\n"
    source = (Path(__file__).parents[1] / "static" / "worker.js").read_text(encoding="utf-8")
    return Response(head + source, mimetype="text/javascript")


def public_key() -> str:
    """Whose calls a browser is to take: the store's public key, in base64url."""
    return keys.text(keys.public_bytes(keys.private_key(Path(services().config.directory))))


def _keys() -> Keys:
    form = request.form
    given = Keys(form.get("endpoint", ""), form.get("p256dh", "")[:90], form.get("auth", "")[:24])
    try:
        keys.check(given.p256dh, given.auth)
    except NoKey:
        abort(400, gettext(NO_ADDRESS))
    if rules.parts(given.endpoint) is None:
        abort(400, gettext(NO_ADDRESS))
    return given
