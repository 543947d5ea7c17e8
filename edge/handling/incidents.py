"""What people do to incidents as a whole: open, tick, correct, link, close and open again.

Each function is one transaction's work. They raise Refused with one sentence, Faulty, or NotFound.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from broker.events import new_id, reference_of
from edge.audit.store import Actor
from edge.db.tables import interaction
from edge.devices import store as devices
from edge.errors import Faulty, NotFound, Refused
from edge.handling import acting, basis
from edge.incidents import links, listing, rules, store
from edge.incidents.classes import CLASSES, class_for
from edge.incidents.rules import Action, Change, Close, Correct, Incident, Note, Refusal, Reopen, Tick
from edge.incidents.store import New, Step
from edge.interactions import store as requests
from edge.interactions.store import Entry
from edge.outside import store as outside
from edge.outside.channels import CLOSED, OPENED, REOPENED
from edge.people import rights
from edge.people.store import Person

# So many at once, each in some milliseconds, where no press waits.
AT_ONCE = 1  # one takes 4 ms here, and a security press may wait behind it
ASKED_OF = "complaint"
OF_DRILL = "That was a drill: nothing has happened, so no incident is made of it."
_TOLD_OUTSIDE = {"closed": CLOSED, "reopened": REOPENED}


def open_due(conn: sa.Connection, name: str, now: datetime) -> bool:
    """Open the incidents of security requests that have none yet; whether more may wait."""
    due = store.take_due(conn, name, AT_ONCE)
    for request in due:
        if requests.find(conn, name, request) is not None:
            of_request(conn, name, request, now)
    return len(due) == AT_ONCE


def of_request(conn: sa.Connection, name: str, request_id: str, now: datetime) -> str:
    """The incident of a security request, opened here if it is not yet; its id."""
    request = requests.load(conn, name, request_id)
    if request.drill:
        raise Refused(OF_DRILL)
    if request.kind != "security":
        raise Refused("Only a security request has an incident by itself; open one by hand.")
    if (known := store.of_request(conn, name, request_id)) is not None:
        return known
    id_ = str(new_id(int(now.timestamp() * 1000)))
    new = New(
        id_, class_for(request.kind, request.topic), request.zone, request.raised_at, request=request_id
    )
    _open(conn, name, new, [request_id], None, "policy", now)
    return id_


def open_by_hand(
    conn: sa.Connection,
    name: str,
    person: str,
    new: New,
    now: datetime,
    through: str,
    about: str | None = None,
) -> str:
    """Open an incident; the same id again is the same incident. `about`: an interaction that it came from.

    A security request's own incident is not opened twice: this gives its id.
    """
    who = acting.who_is(conn, name, person)
    if about and _kind_seen(conn, name, about, who) == "security":
        return of_request(conn, name, about, now)
    if known := store.exists(conn, new.id):
        if known != name or not may_read(conn, name, new.id, who):
            raise NotFound("There is no such incident in this store.")
        return new.id
    _check(conn, name, new.classed_as, new.zone, new.happened_at, now)
    _open(conn, name, new, [about] if about else [], who, through, now)
    return new.id


def may_read(conn: sa.Connection, name: str, incident_id: str, who: Person) -> bool:
    """Whether this person may know of the incident at all; what of it they see is the page's to say."""
    return rights.reads_incidents(who.role) or listing.concerns(conn, name, incident_id, who.id)


def reader(
    conn: sa.Connection, name: str, incident_id: str, person: str, *, called: bool = False
) -> tuple[Person, Incident]:
    """The person and the incident, or NotFound: whoever had nothing to do with it does not learn of it.

    `called`: they know of it from the request that they were called for.
    """
    who = acting.who_is(conn, name, person)
    found = store.load(conn, name, incident_id)
    if not called and not may_read(conn, name, incident_id, who):
        raise NotFound("There is no such incident in this store.")
    return who, found


def tick(
    conn: sa.Connection,
    name: str,
    incident_id: str,
    person: str,
    check: str,
    done: bool,
    now: datetime,
    through: str,
) -> None:
    """A point of the checklist is done, or was not after all."""
    who, found = reader(conn, name, incident_id, person)
    basis.allow(why_not_tick(who, found.classed_as))
    act(conn, found, Tick(who.name, check, done), who, now, through, subject=check)


def why_not_tick(who: Person, classed_as: str) -> str | None:
    """Of a complaint about staff, staff whom it may be about do not say what was done."""
    if classed_as == ASKED_OF and not rights.reads_incidents(who.role):
        return "What is done about a complaint is ticked by those who look into it."
    return None


def correct(
    conn: sa.Connection,
    name: str,
    incident_id: str,
    person: str,
    classed_as: str,
    zone: str,
    happened_at: datetime,
    based_on: int | None,
    now: datetime,
    through: str,
) -> None:
    """Another class, place or time; the clips are those of the new place and time."""
    who, found = _decider(conn, name, incident_id, person)
    titles = devices.zones(conn, name)
    if zone not in titles and zone != found.zone:
        raise Refused(f"The zone is {zone[:32]!r}; allowed are {', '.join(titles) or 'none yet'}.")
    if happened_at == found.happened_at.replace(microsecond=0):
        # A form knows no smaller part of a second.
        happened_at = found.happened_at
    action = Correct(who.name, classed_as, zone, titles.get(zone, zone), happened_at, now, based_on)
    change = act(conn, found, action, who, now, through)
    if change is not None and (found.zone, found.happened_at) != (zone, happened_at):
        links.forget_clips(conn, incident_id)
        links.pull(conn, name, incident_id, now)


def close(
    conn: sa.Connection,
    name: str,
    incident_id: str,
    person: str,
    outcome: str,
    note: str,
    based_on: int | None,
    now: datetime,
    through: str,
) -> None:
    """Close it with an outcome of classes.OUTCOMES."""
    who, found = _decider(conn, name, incident_id, person)
    act(conn, found, Close(who.name, outcome, note.strip(), based_on), who, now, through)


def reopen(
    conn: sa.Connection,
    name: str,
    incident_id: str,
    person: str,
    reason: str,
    based_on: int | None,
    now: datetime,
    through: str,
) -> None:
    who, found = _decider(conn, name, incident_id, person)
    act(conn, found, Reopen(who.name, reason, based_on), who, now, through)


def link(
    conn: sa.Connection,
    name: str,
    incident_id: str,
    person: str,
    code: str,
    now: datetime,
    through: str,
    *,
    silent: bool = True,
) -> None:
    """An interaction, by its code or id, belongs to it too. Without `silent` there are no silent ones."""
    who, found = _decider(conn, name, incident_id, person)
    i, code = interaction.c, code.strip()
    query = sa.select(i.id, i.silent, i.drill).where(
        i.store == name, sa.or_(i.reference == code.upper()[:16], i.id == code[:36])
    )
    row = conn.execute(query.order_by(i.raised_at.desc()).limit(1)).first()
    if row is None or (row.silent and not silent):
        raise Faulty(f"Nothing in the log has the code {code[:40]!r}; check it.", "code")
    if row.drill:
        raise Refused(OF_DRILL)
    if links.link_request(conn, name, incident_id, row.id, now):
        words = f"{who.name} linked {reference_of(UUID(row.id))}."
        act(conn, found, Note("linked", words), who, now, through)
        said = Entry(row.id, now, "incident", through, f"{who.name} linked it to an incident.", who.id)
        requests.append(conn, [said])
        links.pull(conn, name, incident_id, now)


def ask_account(
    conn: sa.Connection, name: str, incident_id: str, person: str, associate: str, now: datetime, through: str
) -> None:
    """Ask the associate whom a complaint is about for their own account; their phone shows it."""
    who, found = _decider(conn, name, incident_id, person)
    if found.classed_as != ASKED_OF:
        raise Refused(f"Own accounts are asked for where the class is {CLASSES[ASKED_OF]!r}.")
    asked = acting.who_is(conn, name, associate)
    if store.ask_account(conn, name, incident_id, asked.id, who.id, now):
        words = f"{who.name} asked {asked.name} for their own account."
        act(conn, found, Note("asked", words, work=False), who, now, through)


def note(
    conn: sa.Connection, name: str, incident_id: str, actor: Actor, what: str, words: str, now: datetime
) -> None:
    """A line of its timeline, also of a closed one, by whoever need not work here: an integration, the
    command line."""
    found = store.load(conn, name, incident_id)
    decision = rules.decide(found, Note(what, words, work=False))
    assert isinstance(decision, Change)
    store.save(conn, found, decision.incident, now)
    line = Step(now, decision.what, None, actor.person, actor.name[:80], actor.through, decision.words)
    store.append(conn, found.id, line)


def act(
    conn: sa.Connection,
    found: Incident,
    action: Action,
    who: Person,
    now: datetime,
    through: str,
    *,
    subject: str | None = None,
) -> Change | None:
    """Carry out what the rules decide, or raise Refused; None where nothing changes."""
    decision = rules.decide(found, action)
    if isinstance(decision, Refusal):
        raise Refused(decision.sentence, decision.holder)
    if not isinstance(decision, Change):
        return None
    store.save(conn, found, decision.incident, now)
    step = Step(now, decision.what, subject, who.id, who.name, through, decision.words)
    store.append(conn, found.id, step)
    if decision.what in _TOLD_OUTSIDE:
        outside.mark(conn, found.store, _TOLD_OUTSIDE[decision.what], found.id, now, person=who.id)
    return decision


def _open(
    conn: sa.Connection,
    name: str,
    new: New,
    about: list[str],
    who: Person | None,
    through: str,
    now: datetime,
) -> None:
    store.add(conn, name, new, now)
    words = f"{who.name} opened it." if who else "Opened by the security request."
    by = who.name if who else "Security request"
    store.append(conn, new.id, Step(now, "opened", None, who.id if who else None, by, through, words))
    outside.mark(conn, name, OPENED, new.id, now, person=who.id if who else None)
    for request in about:
        links.link_request(conn, name, new.id, request, now)
        _tell_request(conn, request, who, now, through)
    links.pull(conn, name, new.id, now)


def _tell_request(conn: sa.Connection, request: str, who: Person | None, now: datetime, through: str) -> None:
    # Without its number: who counts the numbers that they see would know how many they do not.
    words = f"{who.name} opened an incident." if who else "An incident was opened."
    requests.append(conn, [Entry(request, now, "incident", through, words, who.id if who else None)])


def _decider(conn: sa.Connection, name: str, incident_id: str, person: str) -> tuple[Person, Incident]:
    who, found = reader(conn, name, incident_id, person)
    basis.allow(rights.why_not_decide_incident(who.role))
    return who, found


def _kind_seen(conn: sa.Connection, name: str, about: str, who: Person) -> str:
    """The kind of the interaction that an incident is opened from, if this person may know of it."""
    i = interaction.c
    row = conn.execute(sa.select(i.kind, i.drill).where(i.store == name, i.id == about[:36])).first()
    if row is not None and row.kind in requests.REQUEST_KINDS:
        acting.involved(conn, name, about, who.id)
    elif row is None or not rights.reads_incidents(who.role):
        raise NotFound("There is no such entry in this store's log.")
    if row.drill:
        raise Refused(OF_DRILL)
    return str(row.kind)


def _check(
    conn: sa.Connection, name: str, classed_as: str, zone: str, happened_at: datetime, now: datetime
) -> None:
    if classed_as not in CLASSES:
        raise Faulty(f"The class is {classed_as[:40]!r}; allowed are {', '.join(CLASSES)}.", "class")
    titles = devices.zones(conn, name)
    if zone not in titles:
        raise Faulty(f"The zone is {zone[:32]!r}; allowed are {', '.join(titles) or 'none yet'}.", "zone")
    if wrong := rules.why_not_then(happened_at, now):
        raise Faulty(wrong, "at")
