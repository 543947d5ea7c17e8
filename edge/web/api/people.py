"""The people of the store: read, added, changed, given new secrets, disabled and enabled."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from edge.errors import NotFound
from edge.handling import basis, leaving, proving, staffing
from edge.people import factors, rights, sessions
from edge.people import store as people
from edge.people.details import MAX_BADGE, MAX_LANGUAGES, Details
from edge.people.passwords import Fresh, fresh_password, fresh_pin
from edge.reports.staff import Member, members
from edge.web import bearer
from edge.web.api.discretion import discreetly
from edge.web.api.shapes import BasedOn, Name, Short, Tag, Text
from edge.web.services import services

Role = Literal["associate", "supervisor", "security", "manager", "admin"]


class Person(Struct):
    """One of the staff. No `zones` means the whole floor; `reachable`: a page would reach them now."""

    id: str
    name: str
    role: str
    zones: list[str]
    languages: list[str]
    badge: str | None
    active: bool
    presence: str
    presence_at: datetime
    presence_until: datetime | None
    has_pin: bool
    has_password: bool
    signed_in_at: datetime | None
    heard_at: datetime | None
    reachable: bool
    based_on: str


class People(Struct):
    people: list[Person]


class AllOrActive(Struct, frozen=True, forbid_unknown_fields=True):
    all: Annotated[bool, Meta(description="Also those who no longer work here.")] = False


class NewPerson(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody new; a PIN, and for the desk a password, are made here."""

    name: Annotated[Short, Meta(min_length=1)]
    role: Role
    zones: Annotated[list[Name], Meta(max_length=100)] = []
    languages: Annotated[list[Tag], Meta(min_length=1, max_length=MAX_LANGUAGES)] = field(
        default_factory=lambda: ["en"]
    )
    badge: Annotated[Text, Meta(max_length=MAX_BADGE)] | None = None

    def details(self) -> Details:
        return Details(self.name, self.role, tuple(self.zones), tuple(self.languages), self.badge)


class ChangedPerson(NewPerson, frozen=True, forbid_unknown_fields=True):
    """All details as they are to be; what is left out is as for somebody new."""

    based_on: BasedOn = None


class PersonAdded(Struct):
    """The secrets are shown this once."""

    person: Person
    pin: str
    password: str | None


class Secret(Struct):
    """Shown this once."""

    secret: str


class Presence(Struct, frozen=True, forbid_unknown_fields=True):
    presence: Literal["available", "busy", "on_break", "off"]


class SecondFactor(Struct):
    """`wanted`: without one they use the desk no further than to set one up."""

    person: str
    name: str
    role: str
    wanted: bool
    authenticator_app: bool
    passkeys: int
    recovery_codes_left: int


class SecondFactors(Struct):
    people: list[SecondFactor]


class Session(Struct):
    """`audience` is floor, a phone, or manage, the desk; a desk's `expires_at` is put off by its use."""

    id: str
    audience: str
    browser: str
    started_at: datetime
    expires_at: datetime
    second_factor: bool


class Sessions(Struct):
    sessions: list[Session]


def people_list(query: AllOrActive) -> People:
    """Everyone who works here."""
    room = services()
    with room.read() as conn:
        found = members(conn, room.store, room.clock())
    return People([_person(one) for one in found if one.active or query.all])


def person_read(id: str) -> Person:
    """One person."""
    return _read(id)


def person_add(body: NewPerson) -> PersonAdded:
    """Add a person; their new PIN and password are in the answer and nowhere else."""
    room, actor, details = services(), bearer.actor_here(), body.details()
    with room.verifier.place():
        pin = fresh_pin()
        password = fresh_password() if details.role in rights.LOOKERS else None
    hashed = password.hashed if password else None
    added = room.change(
        lambda conn: staffing.add(
            conn, room.store, actor, details, room.clock(), pin_hash=pin.hashed, password_hash=hashed
        )
    )
    return PersonAdded(_read(added.id), pin.shown, password.shown if password else None)


def person_change(id: str, body: ChangedPerson) -> Person:
    """Give a person other details."""
    room, actor = services(), bearer.actor_here()
    room.change(
        lambda conn: staffing.change(conn, room.store, actor, id, body.details(), room.clock(), body.based_on)
    )
    return _read(id)


def person_disable(id: str) -> Person:
    """Signed out everywhere at once and paged no more. 409 while a request is theirs."""
    room, actor = services(), bearer.actor_here()
    with discreetly(id):
        room.change(lambda conn: staffing.disable(conn, room.store, actor, id, room.clock()))
    return _read(id)


def person_enable(id: str) -> Person:
    """They work here again."""
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: staffing.enable(conn, room.store, actor, id, room.clock()))
    return _read(id)


def person_presence(id: str, body: Presence) -> Person:
    """Set somebody's presence. 409 if they are signed in on no phone, or off is asked with a request open."""
    room, actor = services(), bearer.actor_here()
    with discreetly(id):
        room.change(
            lambda conn: staffing.set_presence(conn, room.store, actor, id, body.presence, room.clock())
        )
    return _read(id)


def person_pin(id: str) -> Secret:
    """A new PIN; whoever is signed in on the floor with the old one is out at once."""
    pin = _fresh(id, second=False)
    _set(id, staffing.set_pin, pin.hashed)
    return Secret(pin.shown)


def person_second_pin(id: str) -> Secret:
    """A new second PIN: signing in with it looks as always, and calls security. It signs nobody out."""
    pin = _fresh(id, second=True)
    _set(id, staffing.set_second_pin, pin.hashed)
    return Secret(pin.shown)


def person_password(id: str) -> Secret:
    """A new password for the desk; whoever is signed in there with the old one is out at once."""
    with services().verifier.place():
        password = fresh_password()
    _set(id, staffing.set_password, password.hashed)
    return Secret(password.shown)


def person_second_factor(id: str) -> Person:
    """Reset the second factor, passkeys too, of a supervisor who has lost it; they are out at the desk at
    once."""
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: proving.reset(conn, room.store, actor, id, room.clock()))
    return _read(id)


def second_factors_list() -> SecondFactors:
    """What everyone who may sit at the desk proves themselves with beside the password."""
    room, found = services(), []
    with room.read() as conn:
        for one in people.all_people(conn, room.store):
            if one.role in people.DESK_ROLES:
                held = factors.held(conn, room.store, one.id)
                wanted = rights.wants_second_factor(one.role, room.config.web.second_factor)
                app = held.app is not None
                found.append(
                    SecondFactor(one.id, one.name, one.role, wanted, app, len(held.passkeys), held.codes_left)
                )
    return SecondFactors(found)


def sessions_list(id: str) -> Sessions:
    """Where a person is signed in, the newest first."""
    room = services()
    with room.read() as conn:
        staffing.find(conn, room.store, id)
        places = sessions.of_person(conn, room.store, id, room.clock())
    return Sessions(
        [Session(p.id, p.audience, p.browser, p.started_at, p.expires_at, p.strong) for p in places]
    )


def session_end(id: str, session: str) -> None:
    """Sign a person out in one browser, at once. 409 for their last phone while a request is theirs."""
    room, actor = services(), bearer.actor_here()
    with discreetly(id):
        room.change(lambda conn: leaving.end_anothers(conn, room.store, actor, id, session, room.clock()))


def _fresh(id: str, *, second: bool) -> Fresh:
    """Never the person's other PIN."""
    room = services()
    with room.read() as conn:
        known = people.secrets(conn, staffing.find(conn, room.store, id).id)
    with room.verifier.place():
        return fresh_pin(known.pin_hash if second else known.duress_hash)


def _set(id: str, work: Callable[..., None], hashed: str) -> None:
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: work(conn, room.store, actor, id, hashed, room.clock()))


def _read(id: str) -> Person:
    room = services()
    with room.read() as conn:
        found = members(conn, room.store, room.clock(), [id])
    if not found:
        raise NotFound("There is no such person in this store.")
    return _person(found[0])


def _person(one: Member) -> Person:
    details = Details(one.name, one.role, one.zones, one.languages, one.badge)
    return Person(
        one.id,
        one.name,
        one.role,
        list(one.zones),
        list(one.languages),
        one.badge,
        one.active,
        one.presence,
        one.presence_at,
        one.presence_until,
        one.has_pin,
        one.has_password,
        one.since,
        one.heard_at,
        one.reachable,
        basis.of(details.values()),
    )
