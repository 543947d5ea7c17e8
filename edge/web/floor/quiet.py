"""Calling security from a phone without a sound: the bar of every page, its call, the page that explains it.

What the phone shows of it meanwhile, and what not: decisions/006.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import Response, abort, g, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug.wrappers import Response as AnyResponse

from broker.events import new_id
from edge.audit.store import Actor
from edge.errors import NotFound, Refused, StorageError
from edge.handling import raising, staffing
from edge.handling.raising import Call
from edge.interactions.request import State
from edge.people.passwords import WeakSecret, hash_pin, too_alike
from edge.web import origin, signing
from edge.web.access import sign_in_of, signed_in
from edge.web.languages import gettext
from edge.web.services import services
from edge.web.signing import Proof

# A phone keeps what it could not send; how old it is counts up to a day.
LONGEST_KEPT_S = 24 * 3600
ALIKE = "The second PIN is too like your own; choose one that no slip of the thumb makes of it."
UNEQUAL = "The second PIN was typed in two ways; type the same twice."
PIN_WRONG = "That PIN is not right."
PIN_RULE = "A PIN has 4 to 8 digits, and is neither one or two repeated nor a row like 1234."
SENTENCES = (ALIKE, UNEQUAL, PIN_WRONG, PIN_RULE)


@dataclass(frozen=True)
class Bar:
    """Whose calls the bar makes, and what its line says to who knows it: '', 'sent' or 'coming'."""

    person: str
    state: str


def bar() -> Bar | None:
    """For a page of the floor, whoever is signed in on this phone; whatever else fails, it stands there."""
    if not request.path.startswith("/floor"):
        return None
    here, room = g.get("sign_in"), services()
    try:
        here = here or sign_in_of("floor")
        if here is None:
            return None
        with room.read() as conn:
            return Bar(here.person.id, shown(raising.told(conn, room.store, here.person.id)))
    except StorageError:
        return Bar(here.person.id, "") if here is not None else None


def shown(told: raising.OwnCall | None) -> str:
    """What the bar's line says."""
    if told is None:
        return ""
    return "sent" if told.state is State.RAISED else "coming"


def call() -> AnyResponse:
    """`id`, the phone's own for one hold, `person`, who held, and `kept_s`. 204 once it is committed.

    Nothing limits it, and it needs no token of a form: the session's cookie is Strict, and a script of this
    origin says so by a header. Without scripts the form of the page `sure` comes here, with its token.
    """
    room, here = services(), signed_in().person
    if not _from_here():
        abort(403)
    try:
        id_ = UUID(request.form.get("id", "")[:64])
    except ValueError:
        abort(400, "The call has no id; the page makes one for each.")
    kept, caller = request.form.get("kept_s", ""), request.form.get("person", here.id)[:64]
    seconds = int(kept) if kept.isascii() and kept.isdigit() and len(kept) < 9 else 0
    made = Call(id_, min(seconds, LONGEST_KEPT_S), sender=here.id)
    room.change(lambda conn: raising.call(conn, room.store, room.config.policy, caller, made, room.clock()))
    if not request.headers.get(origin.OWN):
        return redirect(url_for("floor.pages"), 303)
    with room.read() as conn:
        told = raising.told(conn, room.store, here.id)
    return Response(status=204, headers={"Floorbell-State": shown(told)})


def sure() -> Response:
    """The second of two taps, where no script can tell how long a thumb is held."""
    return make_response(render_template("floor/sure.html", id=uuid4()))


def quiet() -> Response:
    """How it is done, and what nobody else notices; taking it back; the second PIN."""
    return _page(done=request.args.get("done", "")[:16])


def take_back() -> AnyResponse:
    """With the caller's own PIN. What is said afterwards is the same with their second one."""
    room, me = services(), signed_in().person
    proof = _proof(request.form.get("pin", ""))
    if not proof:
        return _page("take_back", gettext(PIN_WRONG), 403)
    if proof is Proof.WATCHED:
        policy, watched = room.config.policy, _watched()
        refused = room.change(
            lambda conn: raising.pretend_to_take_back(conn, room.store, policy, me.id, watched, room.clock())
        )
        if refused is not None:
            return _page("take_back", refused, 409)
    else:
        try:
            room.change(lambda conn: raising.take_back(conn, room.store, me.id, room.clock()))
        except Refused as error:
            return _page("take_back", error.sentence, 409)
    return redirect(url_for("floor.quiet", done="take_back"), 303)


def second_pin() -> AnyResponse:
    """`pin` is their own, `second` and `again` the new one. Nothing shows later whether there is one."""
    room, me, form = services(), signed_in().person, request.form
    pin, second = form.get("pin", ""), form.get("second", "")
    proof = _proof(pin)
    if not proof:
        return _page("second_pin", gettext(PIN_WRONG), 403)
    if second != form.get("again", ""):
        return _page("second_pin", gettext(UNEQUAL), 400)
    if too_alike(pin, second):
        return _page("second_pin", gettext(ALIKE), 400)
    try:
        with room.verifier.place():
            hashed = hash_pin(second)
    except WeakSecret:
        return _page("second_pin", gettext(PIN_RULE), 400)
    if proof is Proof.WATCHED:
        # Whoever watches wants it changed: it looks as if it were.
        policy, watched = room.config.policy, _watched()
        room.change(lambda conn: raising.call(conn, room.store, policy, me.id, watched, room.clock()))
    else:
        actor = Actor(me.name, "phone", me.id)
        room.change(
            lambda conn: staffing.set_own_second_pin(conn, room.store, actor, me.id, hashed, room.clock())
        )
    return redirect(url_for("floor.quiet", done="second_pin"), 303)


def _from_here() -> bool:
    """Whether a page of this origin asks. A browser that says otherwise is believed; one that says nothing,
    as all do without TLS, shows it by the header or by the token of the form."""
    said = origin.says_so()
    if said is not None:
        return said
    return bool(request.headers.get(origin.OWN)) or _has_token()


def _has_token() -> bool:
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValueError:
        return False
    return True


def _proof(pin: str) -> Proof:
    me = signed_in().person
    if request.form.get("person") != me.id:
        # What slows down guessing counts by this field: without it there would be a second budget.
        raise NotFound("There is no such person in this store.")
    return signing.proves(services(), me, pin, "floor")


def _watched() -> Call:
    return Call(new_id(int(services().clock().timestamp() * 1000)), trigger="duress")


def _page(about: str = "", wrong: str = "", status: int = 200, done: str = "") -> Response:
    page = render_template("floor/quiet.html", me=signed_in().person, about=about, wrong=wrong, done=done)
    return make_response(page, status)
