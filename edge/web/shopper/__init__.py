"""The shopper's own phone: one answer about one request. Public, without scripts, in their language."""

import base64
from uuid import UUID

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter, RateLimitExceeded
from werkzeug.wrappers import Response

from broker import questions
from edge.errors import NotFound, Refused
from edge.feedback import store as scores
from edge.handling import feedback
from edge.web.services import services

# A reference code has 30 bits: whoever guesses is slowed down. Only what was not found counts.
WRONG_TRIES = "20 per minute; 60 per hour"


def sign_of(request_id: str) -> str:
    """A request's id as the 22 signs of its address."""
    return base64.urlsafe_b64encode(UUID(request_id).bytes).rstrip(b"=").decode()


def find() -> Response:
    return make_response(render_template("shopper/find.html", missing=False, typed=""))


def look_up() -> Response:
    room, code = services(), request.form.get("code", "")[:40]
    try:
        with room.read() as conn:
            found = feedback.of_code(conn, room.store, code, room.clock())
    except NotFound:
        return make_response(render_template("shopper/find.html", missing=True, typed=code), 404)
    return redirect(_address(sign_of(found)), 303)


def ask(sign: str) -> Response:
    return _page(_id(sign))


def give(sign: str) -> Response:
    """409 and the page again for what cannot be saved."""
    room, id_ = services(), _id(sign)
    answers = {name: request.form[name] for name in questions.OF_A_REQUEST if request.form.get(name)}
    words = request.form.get("words", "").strip()[: feedback.MAX_WORDS]
    score = request.form.get("score", "")
    face = int(score) if score in ("1", "2", "3", "4") else 0
    try:
        room.change(lambda conn: feedback.by_code(conn, room.store, id_, face, answers, words, room.clock()))
    except (Refused, feedback.Faulty):
        return _page(id_, wrong=True)
    return redirect(_address(sign), 303)


def _page(id_: str, wrong: bool = False) -> Response:
    room = services()
    with room.read() as conn:
        of = feedback.of_request(conn, room.store, id_, room.clock())
        given = scores.given_by_code(conn, room.store, id_)
    spoken = (of["language"] or "").split("-")[0]
    # English may be what the kiosk spoke before anyone chose; then the phone knows its owner better.
    g.spoken = None if spoken == "en" else spoken
    page = render_template(
        "shopper/ask.html",
        of=of,
        given=given,
        wrong=wrong,
        asked=questions.to_ask(True, UUID(id_).int % len(questions.OF_A_REQUEST)),
        ours=questions.OF_A_REQUEST,
        typed=request.form,
    )
    return make_response(page, 409 if wrong else 200)


def _id(sign: str) -> str:
    try:
        id_ = str(UUID(bytes=base64.urlsafe_b64decode(f"{sign}=="))) if len(sign) == 22 else ""
    except ValueError:
        id_ = ""
    if not id_ or sign_of(id_) != sign:
        raise NotFound("There is no such request in this store.")
    return id_


def _address(sign: str) -> str:
    """The page of a request, in the language that was chosen by hand, if one was."""
    chosen = request.args.get("language", "")[:5] or None
    return url_for("shopper.ask", sign=sign, language=chosen)


def _not_found(_error: Exception) -> Response:
    return make_response(render_template("shopper/nothing.html", slow=False), 404)


def _too_often(_error: Exception) -> Response:
    return make_response(render_template("shopper/nothing.html", slow=True), 429)


def shopper_blueprint(limiter: Limiter) -> Blueprint:
    shopper = Blueprint("shopper", __name__, url_prefix="/f")
    slowed = limiter.shared_limit(
        WRONG_TRIES,
        scope="shopper",
        key_func=lambda: f"shopper:{request.remote_addr}",
        deduct_when=lambda response: response.status_code == 404,
    )
    add = shopper.add_url_rule
    add("/", "find", find)
    add("/", "look_up", slowed(look_up), methods=["POST"])
    add("/<sign>", "ask", slowed(ask))
    add("/<sign>", "give", slowed(give), methods=["POST"])
    shopper.register_error_handler(NotFound, _not_found)
    shopper.register_error_handler(RateLimitExceeded, _too_often)
    return shopper
