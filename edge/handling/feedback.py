"""Scores that do not come from a kiosk: a shopper's own phone, and what staff type in for a shopper."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from broker import questions
from broker.events import new_id
from edge.db.tables import interaction
from edge.devices import store as devices
from edge.errors import Faulty, NotFound, Refused
from edge.feedback import store as scores
from edge.feedback.store import Given
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.store import Entry
from edge.people.store import by_id

OPEN_FOR = timedelta(days=14)
# What was said by telephone, in a letter or at the desk may be typed in so long afterwards.
TYPED_WITHIN = timedelta(days=92)
MAX_WORDS = 500
# How it reached the staff who type it in, as a sentence says it.
TOLD = {"phone": "by telephone", "letter": "by letter", "desk": "at the desk"}
FACES = {1: "very unhappy", 2: "unhappy", 3: "happy", 4: "very happy"}


_FOUND = sa.select(
    interaction.c.id,
    interaction.c.device,
    interaction.c.zone,
    interaction.c.language,
    interaction.c.reference,
    interaction.c.state,
    interaction.c.closed_at,
).where(
    # A silent request must not be discoverable; a drill has no shopper.
    interaction.c.kind == "help",
    interaction.c.silent.is_(False),
    interaction.c.drill.is_(False),
)


def of_request(conn: sa.Connection, store: str, request: str, now: datetime) -> sa.RowMapping:
    """The help request that a shopper may speak of; `closed_at` None while it is open. NotFound."""
    query = _FOUND.where(interaction.c.store == store, interaction.c.id == request)
    row = conn.execute(query).mappings().first()
    if row is None or (row["closed_at"] is not None and row["closed_at"] < now - OPEN_FOR):
        raise NotFound("There is no such request in this store.")
    return row


def of_code(conn: sa.Connection, store: str, code: str, now: datetime, within: timedelta = OPEN_FOR) -> str:
    """The latest help request with this code, in whatever spelling of O and I. NotFound."""
    signs = re.sub(r"[^0-9A-Z]", "", code[:40].upper()).translate(str.maketrans("OIL", "011"))
    query = _FOUND.where(
        interaction.c.store == store,
        interaction.c.raised_at >= now - within,
        interaction.c.reference == f"{signs[:3]}-{signs[3:]}",
    ).order_by(interaction.c.raised_at.desc())
    row = conn.execute(query.limit(1)).first()
    if row is None:
        raise NotFound("There is no such request in this store.")
    return str(row.id)


def by_code(
    conn: sa.Connection,
    store: str,
    request: str,
    score: int,
    answers: dict[str, str],
    words: str,
    now: datetime,
) -> None:
    """Save the one answer for this request. Refused if it has one or is open; Faulty."""
    of = of_request(conn, store, request, now)
    if of["closed_at"] is None:
        raise Refused("This request is not closed yet.")
    if scores.given_by_code(conn, store, request) is not None:
        raise Refused("This request already has its answer.")
    _check(score, answers, words)
    given = Given("", of["device"], of["zone"], request, "code", score, answers, now)
    _save(conn, store, given, words, of["language"], "code", now)


@dataclass(frozen=True)
class Typed:
    """What staff type in for a shopper. `about` is the request that it speaks of, None for the visit as a
    whole, `zone` then '' for the whole store; `at` is when the shopper said it, in `words`, exactly."""

    source: str
    score: int
    about: str | None
    zone: str
    answers: dict[str, str]
    words: str
    at: datetime


def told_of(conn: sa.Connection, store: str, code: str, now: datetime) -> str:
    """The help request that staff were told the code of. Faulty, with a sentence, if there is none."""
    try:
        return of_code(conn, store, code, now, TYPED_WITHIN)
    except NotFound:
        raise Faulty(
            f"No request of the last {TYPED_WITHIN.days} days has the code {code[:40]}; "
            "check it, or leave it empty.",
            "code",
        ) from None


def typed(conn: sa.Connection, store: str, what: Typed, person: str, through: str, now: datetime) -> str:
    """Save what a shopper said by telephone, in a letter or at the desk; its id in the log. Faulty.

    `person` types it in, `through` their 'phone' or the 'desk'.
    """
    who = by_id(conn, store, person)
    if who is None or not who.active:
        raise NotFound("There is no such person in this store.")
    if what.source not in TOLD:
        raise Faulty(f"Say how it was told: allowed are {', '.join(TOLD.values())}.", "source")
    _check(what.score, what.answers, what.words)
    if not now - TYPED_WITHIN <= what.at <= now + timedelta(minutes=1):
        raise Faulty(
            f"When it was said lies in the last {TYPED_WITHIN.days} days and not in the future.", "at"
        )
    device, zone_, language = "", what.zone, None
    if what.about:
        of = conn.execute(_FOUND.where(interaction.c.store == store, interaction.c.id == what.about))
        row = of.mappings().first()
        if row is None:
            raise NotFound("There is no such request in this store.")
        device, zone_, language = row["device"], row["zone"], row["language"]
    elif zone_ and zone_ not in devices.zones(conn, store):
        raise Faulty(f"There is no zone {zone_!r} in this store.", "zone")
    given = Given("", device, zone_, what.about, what.source, what.score, what.answers, what.at, who.id)
    id_ = _save(conn, store, given, what.words, language, through, now)
    words = f"Told {TOLD[what.source]}; typed in by {who.name}."
    requests.append(conn, [Entry(id_, now, "noted", through, words, who.id)])
    return id_


def _check(score: int, answers: dict[str, str], words: str) -> None:
    if score not in FACES:
        raise Faulty("Choose one of the four faces.", "score")
    wrong = questions.check(answers)
    if wrong:
        raise Faulty(wrong, "answers")
    if len(answers) > questions.MOST:
        raise Faulty(f"{len(answers)} questions are answered; allowed are {questions.MOST}.", "answers")
    if len(words) > MAX_WORDS:
        raise Faulty(f"The words have {len(words)} signs; allowed are {MAX_WORDS}.", "words")


def _save(
    conn: sa.Connection,
    store: str,
    given: Given,
    words: str,
    language: str | None,
    through: str,
    now: datetime,
) -> str:
    """Write a score with its row in the log, judge it, and tell its request and the desk."""
    id_ = str(new_id(int(now.timestamp() * 1000)))
    requests.insert(
        conn, store, id_, now, device=given.device, zone=given.zone, kind="feedback", language=language,
        raised_at=given.at, score=given.score, reason=words or None, about=given.about,
    )  # fmt: skip
    scores.insert(conn, store, [replace(given, interaction=id_)])
    scores.judge_around(conn, store, given.device, given.at, given.at)
    if given.about:
        said = rated(given.score, words or None)
        requests.append(conn, [Entry(given.about, now, "feedback", through, said, given.entered_by)])
    telling = Telling(store)
    telling.recorded(id_, "feedback")
    telling.flush(conn, now)
    return id_


def rated(score: int, reason: str | None) -> str:
    """A score as the timeline of its request says it."""
    words = f"The shopper's score: {score} of 4, {FACES[score]}"
    return f"{words}: ‘{reason}’" if reason else f"{words}."
