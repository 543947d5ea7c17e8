"""What is written into an incident: statements, accounts, people involved, losses and actions.

Nothing is edited or deleted. A correction is a further entry that names the one which it corrects.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa

from edge.devices import store as devices
from edge.errors import Faulty, NotFound, Refused
from edge.handling import basis
from edge.handling.incidents import act, open_by_hand, reader
from edge.incidents import entries, rules, store
from edge.incidents.classes import CLASSES, ROLES
from edge.incidents.entries import Entry, Identity
from edge.incidents.rules import Correct, Kind, Note, Write
from edge.incidents.store import New
from edge.people import rights
from edge.people.store import Person

MAX_NAME, MAX_IDENTITY, MAX_CENTS = 80, 300, 10**11


@dataclass(frozen=True)
class Said:
    """What is to be written. `id` is the form's own: the same again changes nothing."""

    kind: Kind
    words: str
    said_by: str = ""
    role: str | None = None
    amount_cents: int | None = None
    happened_at: datetime | None = None
    corrects: int | None = None
    id: str = ""


def write(
    conn: sa.Connection,
    name: str,
    incident_id: str,
    person: str,
    said: Said,
    now: datetime,
    through: str,
    *,
    called: bool = False,
) -> str:
    """Add it; the id of the entry. Faulty, Refused or NotFound. `called`: as reader() has it.

    An associate adds statements, and accounts where they were asked; they correct what they wrote themselves.
    """
    who, found = reader(conn, name, incident_id, person, called=called)
    if said.id and (known := entries.find(conn, name, said.id)) is not None:
        if known[0] != incident_id or known[1].person != who.id:
            raise Refused("This entry is written already; load the page again.")
        return said.id
    _check(said, now)
    if said.kind is Kind.ACCOUNT and who.id not in store.asked(conn, incident_id):
        raise Refused("Nobody has asked you for an account of your own here; write a statement.")
    if said.kind not in rules.TAKEN_ALWAYS and not rights.reads_incidents(who.role):
        raise basis.NotAllowed("Write it as a statement; the rest is written at the desk.")
    written = entries.of_incident(conn, incident_id)
    number = len(written) + 1
    entry = Entry(
        said.id or str(uuid4()),
        number,
        said.kind,
        said.words.strip(),
        said.said_by.strip() or (who.name if said.kind in rules.TAKEN_ALWAYS else ""),
        said.role,
        said.amount_cents,
        said.happened_at,
        said.corrects,
        who.id,
        who.name,
        through,
        now,
    )
    act(conn, found, _asked(who, said, written, number), who, now, through)
    entries.add(conn, name, incident_id, entry)
    return entry.id


def report(
    conn: sa.Connection,
    name: str,
    person: str,
    new: New,
    said: Said,
    now: datetime,
    through: str,
    about: str | None = None,
) -> str:
    """Open an incident, or find that of a security request, and say what happened; the incident's id.

    Whoever writes into it first says what it is; later that is decided at the desk.
    """
    opened = open_by_hand(conn, name, person, new, now, through, about)
    who, found = reader(conn, name, opened, person, called=bool(about))
    untouched = found.revision == 1 and found.classed_as != new.classed_as
    if untouched and new.classed_as in CLASSES:
        title = devices.zones(conn, name).get(found.zone, found.zone)
        act(
            conn,
            found,
            Correct(who.name, new.classed_as, found.zone, title, found.happened_at, now),
            who,
            now,
            through,
        )
    write(conn, name, opened, person, said, now, through, called=bool(about))
    return opened


def identify(
    conn: sa.Connection,
    name: str,
    incident_id: str,
    person: str,
    number: int,
    identity: str,
    reason: str,
    now: datetime,
    through: str,
) -> None:
    """Say who a person involved is, and why that is needed; for those who decide about incidents."""
    who, found = reader(conn, name, incident_id, person)
    basis.allow(rights.why_not_decide_incident(who.role))
    about = _numbered(entries.of_incident(conn, incident_id), number)
    if about.kind is not Kind.PERSON:
        raise Faulty(f"Entry {number} is nobody involved.", "number")
    identity, reason = identity.strip(), reason.strip()
    if not 1 <= len(identity) <= MAX_IDENTITY:
        raise Faulty(f"Who it is has {len(identity)} signs; 1 to {MAX_IDENTITY} are allowed.", "identity")
    if not 1 <= len(reason) <= rules.MAX_REASON:
        raise Faulty(f"The reason has {len(reason)} signs; 1 to {rules.MAX_REASON} are allowed.", "reason")
    words = f"{who.name} wrote down who the person of entry {number} is: “{reason}”"
    act(conn, found, Note("identified", words), who, now, through)
    entries.identify(conn, name, Identity(about.id, identity, reason, who.name, now), who.id)


def shown_to(who: Person, written: list[Entry]) -> list[Entry]:
    """What of it this person reads: all, or their own part."""
    if rights.reads_incidents(who.role):
        return written
    return [entry for entry in written if entry.person == who.id]


def _asked(who: Person, said: Said, written: list[Entry], number: int) -> Write:
    if said.corrects is None:
        return Write(who.name, said.kind, number)
    about = _numbered(written, said.corrects)
    if about.person != who.id and not rights.reads_incidents(who.role):
        raise NotFound(f"There is no entry {said.corrects} here.")
    if about.person != who.id and about.kind is Kind.ACCOUNT:
        raise Refused("An account is its associate's own; only they correct it.")
    by = entries.corrected_by(written).get(about.number)
    return Write(who.name, said.kind, number, about.number, about.kind, by)


def _numbered(written: list[Entry], number: int) -> Entry:
    if not 1 <= number <= len(written):
        raise NotFound(f"There is no entry {number} here.")
    return written[number - 1]


def _check(said: Said, now: datetime) -> None:
    words = said.words.strip()
    if not 1 <= len(words) <= rules.MAX_WORDS:
        raise Faulty(f"What is written has {len(words)} signs; 1 to {rules.MAX_WORDS} are allowed.", "words")
    if len(said.said_by.strip()) > MAX_NAME:
        raise Faulty(f"Whose words these are has more than {MAX_NAME} signs.", "said_by")
    if (said.role or said.kind is Kind.PERSON) and said.role not in ROLES:
        raise Faulty(f"The role is {str(said.role)[:40]!r}; allowed are {', '.join(ROLES)}.", "role")
    if said.amount_cents is not None and not 0 <= said.amount_cents <= MAX_CENTS:
        raise Faulty("The amount is from 0 to a thousand million.", "amount")
    if said.happened_at is not None and (wrong := rules.why_not_then(said.happened_at, now)):
        raise Faulty(wrong, "at")
