"""What the audit says of the pages themselves: who was refused what, from where; who signed in;
who took the log out of the store; who was shown who people of an incident are. Bounded, so that a flood of
tries fills no disk.

Written aside from the request (errands.py): a refusal waits for no disk. What concerns silent calls stands
under their own kind, which other programs see only with the scope 'security'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Flask, g, request
from werkzeug.wrappers import Response

from edge.audit.bounds import Bounds
from edge.audit.store import Actor
from edge.errors import StorageError
from edge.handling.behalf import SILENT
from edge.incidents.classes import CLASSES
from edge.people import store as people
from edge.serving import head
from edge.web.admission import Admission
from edge.web.services import Services, services

NOBODY = Actor("nobody known", "desk")
# Endpoint -> what was typed wrong there.
_TYPED = {
    "floor.sign_in": "PIN",
    "floor.quiet_take_back": "PIN",
    "floor.second_pin": "PIN",
    "manage.sign_in": "password",
    "manage.sign_in_code": "second factor",
    "manage.sign_in_passkey": "passkey",
    "manage.own_proof_do": "proof",
    "manage.own_passkey_do": "passkey",
    "manage.own_act": "second factor",
    "manage.first_admin_do": "one-time code",
}
# Endpoint -> how somebody signed in by it.
_SIGN_INS = {
    "floor.sign_in": "on a phone",
    "manage.sign_in": "at the desk",
    "manage.sign_in_code": "at the desk, with the second factor",
    "manage.sign_in_passkey": "at the desk, with a passkey",
    "manage.first_admin_do": "at the desk, as the first admin",
}
# Endpoint -> what leaves the store by it.
_EXPORTS = {
    "manage.export_csv": "the log as CSV",
    "manage.export_xlsx": "the log as XLSX",
    "manage.incidents_csv": "the list of incidents as CSV",
    "api.log_csv": "the log as CSV",
    "api.log_xlsx": "the log as XLSX",
}
_SILENT = frozenset({"floor.call", "floor.quiet_take_back", "floor.second_pin"})


@dataclass(frozen=True, slots=True)
class Noted:
    """For the audit: `what` as 'denied.role', `subject` whom or what it was about, `words` a sentence."""

    actor: Actor
    what: str
    subject: str
    words: str
    at: datetime


def install(app: Flask, table: Mapping[str, Admission]) -> None:
    """Hand every refusal, sign-in, export and look at identities of this application to the errands."""
    refusals, deeds = Bounds(), Bounds()

    @app.after_request
    def note(response: Response) -> Response:
        endpoint, status = request.endpoint or "", response.status_code
        admission = table.get(endpoint)
        refused = status in (401, 403, 429)
        told = endpoint in _SIGN_INS or endpoint in _EXPORTS or "identities" in g
        if admission is not None and (refused or told):
            now = services().clock()
            found = _told(status, admission, now) if refused else _done(status, now)
            if found is not None:
                key = (found.what, found.actor.name, found.subject, endpoint, request.remote_addr or "")
                more = (refusals if refused else deeds).take(key, now)
                if more is not None:
                    services().errands.note(replace(found, words=found.words + more))
        return response


def turned_away(room: Services, refused: Mapping[str, int]) -> None:
    """What was turned away at the door within a minute, before anybody heard what it was about."""
    words = head.turned_away(refused)
    room.errands.note(Noted(NOBODY, "denied.door", "the web server", words, room.clock()))


def _told(status: int, admission: Admission, now: datetime) -> Noted | None:
    """None for what refuses nobody in particular: a page of somebody whose shift is over, a token's rate."""
    endpoint, where = request.endpoint or "", f"asked from {request.remote_addr}"
    actor, kind = _asking(), "role"
    if typed := _TYPED.get(endpoint):
        name = _tried()
        subject, whose = name or NOBODY.name, f" for {name}" if name else ""
        kind = typed.lower().replace(" ", "_").replace("-", "_")
        words = f"A wrong {typed}{whose}, {where}."
        if status == 429:
            kind, words = "held_up", f"Too many wrong tries{whose}: held up, {where}."
    elif status == 429:
        return None
    elif "sign_in" in g:
        subject, words = _place(), f"{actor.name} was refused {_place()}, {where}."
    elif admission.audience == "token":
        kind, subject = "token", _place()
        words = f"The token {actor.name} was refused {_place()}, {where}."
        if "token" not in g:
            if "Authorization" not in request.headers:
                return None
            subject, words = "unknown token", f"A token that is not one of this store's was refused, {where}."
    else:
        return None
    return Noted(actor, f"{SILENT}.denied" if endpoint in _SILENT else f"denied.{kind}", subject, words, now)


def _done(status: int, now: datetime) -> Noted | None:
    """A sign-in, an export, or a look at identities, if it came to it."""
    endpoint, where = request.endpoint or "", f"asked from {request.remote_addr}"
    if endpoint in _EXPORTS and status == 200:
        actor, out = _asking(), _EXPORTS[endpoint]
        return Noted(actor, "export.taken", out, f"{actor.name} took out {out}, {where}.", now)
    if "identities" in g:
        actor, row = _asking(), g.identities
        kind = SILENT if row.silent else "incident"
        which = f"an incident ({CLASSES[row.classed_as]}, {row.zone_title})"
        words = f"{actor.name} was shown who people of {which} are, {where}."
        return Noted(actor, f"{kind}.identities_shown", row.id, words, now)
    if "came_in" not in g:
        return None
    name, through = g.came_in.name, "phone" if endpoint == "floor.sign_in" else "desk"
    words = f"{name} signed in {_SIGN_INS[endpoint]}, {where}."
    return Noted(Actor(name, through, g.came_in.id), "session.began", name, words, now)


def _tried() -> str | None:
    """The name of whom somebody tried to be; None where nobody has it. What was typed is not kept: people
    type their password where their name belongs."""
    if "sign_in" in g:
        return str(g.sign_in.person.name)
    room, form = services(), request.form
    try:
        with room.read() as conn:
            if request.blueprint == "floor":
                person = people.by_id(conn, room.store, form.get("person", "")[:80])
            else:
                person = people.by_name(conn, room.store, form.get("name", "")[:80])
    except StorageError:
        return None
    return person.name if person is not None else None


def _asking() -> Actor:
    if "token" in g:
        return Actor(g.token.name, "api")
    through = {"floor": "phone", "manage": "desk"}.get(request.blueprint or "", "api")
    if "sign_in" in g:
        return Actor(g.sign_in.person.name, through, g.sign_in.person.id)
    return Actor(NOBODY.name, through)


def _place() -> str:
    """The address without what names a person, a request or a clip."""
    return f"{request.method} {request.url_rule.rule}" if request.url_rule is not None else request.method
