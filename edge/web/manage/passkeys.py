"""Passkeys at the desk: one made, one removed, and proving once more who you are before either."""

import json

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import Refused
from edge.handling import proving
from edge.people import factors, passkeys
from edge.people import store as people
from edge.people.store import Person
from edge.web import access, ceremonies, signing
from edge.web.access import actor_here, signed_in
from edge.web.asked import asked
from edge.web.ceremonies import Purpose, WrongAnswer
from edge.web.manage import second_factor
from edge.web.manage.saving import saved
from edge.web.services import services

# Where a proof may lead, and to nowhere else.
THEN = {"passkey": "manage.own_passkey", "app": "manage.own_factor"}
NO_NAME = (
    "Passkeys need a server that browsers reach by a name: set origin under [web] in edge.toml, as in "
    "https://floorbell.shop.example, and start the web program again."
)
UNNAMED = f"A passkey's name has 1 to {passkeys.MAX_NAME} letters."
WRONG_PROOF = "That does not prove that it is you: the password is wrong, or the code does not count."


def own_passkey() -> Response:
    """The form for one more. Only whoever has just proved who they are gets here."""
    _offered_here()
    if not signed_in().is_fresh(services().clock()):
        return second_factor.to_proof("passkey")
    return _form()


def own_passkey_do() -> Response:
    """`name`, and what the browser answered; 403 and the form again for what proves nothing."""
    _offered_here()
    room, here, now = services(), signed_in(), services().clock()
    if not here.is_fresh(now):
        return second_factor.to_proof("passkey")
    name = " ".join(request.form.get("name", "")[:200].split())
    if not (1 <= len(name) <= passkeys.MAX_NAME and name.isprintable()):
        return _form(UNNAMED, 400)
    try:
        made, challenge = ceremonies.made(room, here.person, request.form.get("answer", ""), name, now)
    except WrongAnswer as error:
        return _form(str(error), 403)
    shown, hashes = second_factor.codes_if_none(room, here.person)
    actor = actor_here()
    token = room.change(
        lambda conn: proving.add_passkey(
            conn, room.store, actor, here.person, here.key, made, challenge.text, challenge.until, hashes, now
        )
    )
    if token is None:
        return _form(ceremonies.STALE, 403)
    return second_factor.set_up(shown, token, f"The passkey {name} is added.")


def own_passkey_remove(passkey_id: str) -> Response:
    room, here, now = services(), signed_in(), services().clock()
    if not here.is_fresh(now):
        return second_factor.to_proof()
    actor = actor_here()
    gone = room.change(
        lambda conn: proving.remove_passkey(
            conn, room.store, actor, here.person, here.key, passkey_id[:64], now
        )
    )
    return saved(url_for("manage.own"), f"The passkey {gone.name} is removed; it signs you in no more.")


def own_proof() -> Response:
    """Where whoever changes what proves them proves once more who they are."""
    return _proof()


def own_proof_do() -> Response:
    """By a passkey that checked who held it, or by the password and the second factor. The browser goes on
    with another token; 403 and the form again for what proves nothing."""
    room, here = services(), signed_in()
    if answer := request.form.get("answer", ""):
        proven = answers(here.person, answer, "prove")
    else:
        with room.read() as conn:
            held = factors.held(conn, room.store, here.person.id)
        proven = bool(signing.proves(room, here.person, request.form.get("password", ""), "manage")) and (
            not held or second_factor.proves(room, here.person, request.form.get("code", ""))
        )
    if not proven:
        return _proof(WRONG_PROOF if not answer else ceremonies.WRONG, 403)
    strong, actor = here.strong or bool(answer), actor_here()
    token = room.change(
        lambda conn: proving.prove_again(conn, room.store, actor, here.person, here.key, strong, room.clock())
    )
    response = redirect(url_for(THEN.get(request.form.get("then", ""), "manage.own")), 303)
    access.keep_cookie(response, "manage", token)
    return response


def answers(person: Person, answer: str, purpose: Purpose) -> bool:
    """Whether this answer of a browser is one of this person's passkeys. It counts once: it is used up
    here."""
    room, now = services(), services().clock()
    try:
        credential = ceremonies.credential_of(answer)
        with room.read() as conn:
            passkey = passkeys.of_credential(conn, room.store, credential)
        if passkey is None or passkey.person != person.id:
            return False
        # At the door nobody is known yet when the challenge is given.
        whom = None if purpose == "sign-in" else person.id
        found = ceremonies.proven(room, purpose, passkey, answer, now, whom)
    except WrongAnswer:
        return False
    return room.change(
        lambda conn: proving.proves(
            conn, room.store, person, passkey, found.count, found.challenge.text, found.challenge.until, now
        )
    )


def whose(answer: str) -> Person | None:
    """Who has the passkey that this answer says it is of, if they have a seat at the desk. Nothing is
    proven."""
    room = services()
    try:
        credential = ceremonies.credential_of(answer)
    except WrongAnswer:
        return None
    with room.read() as conn:
        passkey = passkeys.of_credential(conn, room.store, credential)
        person = people.by_id(conn, room.store, passkey.person) if passkey is not None else None
    return person if person is not None and person.active and person.role in people.DESK_ROLES else None


def _offered_here() -> None:
    if not ceremonies.are_offered(services()):
        raise Refused(NO_NAME)


def _form(wrong: str = "", status: int = 200) -> Response:
    room, me = services(), signed_in().person
    with room.read() as conn:
        mine = passkeys.of_person(conn, room.store, me.id)
    page = render_template(
        "manage/passkey.html",
        me=me,
        wrong=wrong,
        typed=request.form.get("name", "")[: passkeys.MAX_NAME],
        origin=room.config.web.origin,
        options=json.dumps(ceremonies.to_make(room, me, mine)),
    )
    return make_response(page, status)


def _proof(wrong: str = "", status: int = 200) -> Response:
    room, me = services(), signed_in().person
    with room.read() as conn:
        held = factors.held(conn, room.store, me.id)
    usable = ceremonies.are_offered(room) and held.passkeys
    page = render_template(
        "manage/proof.html",
        me=me,
        held=held,
        wrong=wrong,
        then=asked("then", 16),
        origin=room.config.web.origin,
        options=json.dumps(ceremonies.to_prove(room, "prove", me, held.passkeys)) if usable else "",
    )
    return make_response(page, status)
