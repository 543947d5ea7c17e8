"""A score that a shopper gives on their own phone, by the code of their request."""

import re
from datetime import datetime, timedelta

import sqlalchemy as sa

from broker import questions
from broker.events import new_id, reference_of
from edge.db.tables import interaction
from edge.errors import NotFound, Refused
from edge.feedback import store as scores
from edge.feedback.store import Given
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.store import Entry

OPEN_FOR = timedelta(days=14)
MAX_WORDS = 500
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


def of_code(conn: sa.Connection, store: str, code: str, now: datetime) -> str:
    """The latest help request with this code, in whatever spelling of O and I. NotFound."""
    signs = re.sub(r"[^0-9A-Z]", "", code[:40].upper()).translate(str.maketrans("OIL", "011"))
    query = _FOUND.where(
        interaction.c.store == store,
        interaction.c.raised_at >= now - OPEN_FOR,
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
    """Save the one answer for this request. Refused for a second one, or for what is not allowed."""
    of = of_request(conn, store, request, now)
    if of["closed_at"] is None:
        raise Refused("This request is not closed yet.")
    if scores.given_by_code(conn, store, request) is not None:
        raise Refused("This request already has its answer.")
    if score not in FACES:
        raise Refused("Choose one of the four faces.")
    wrong = questions.check(answers)
    if wrong:
        raise Refused(wrong)
    if len(answers) > questions.MOST or len(words) > MAX_WORDS:
        raise Refused(f"Allowed are {questions.MOST} answers and {MAX_WORDS} signs of text.")
    id_ = new_id(int(now.timestamp() * 1000))
    conn.execute(
        sa.insert(interaction).values(
            id=str(id_), store=store, device=of["device"], zone=of["zone"], kind="feedback",
            language=of["language"], state="recorded", reference=reference_of(id_), count=1, revision=0,
            step=0, round=0, silent=False, drill=False, raised_at=now, received_at=now, age_known=True,
            score=score, reason=words or None, about=request,
        )
    )  # fmt: skip
    given = Given(str(id_), of["device"], of["zone"], request, "code", score, answers, now)
    scores.insert(conn, store, [given])
    scores.judge_around(conn, store, of["device"], now, now)
    requests.append(conn, [Entry(request, now, "feedback", "code", rated(score, words or None))])
    telling = Telling(store)
    telling.recorded(str(id_), "feedback")
    telling.flush(conn, now)


def rated(score: int, reason: str | None) -> str:
    """A score as the timeline of its request says it."""
    words = f"The shopper's score: {score} of 4, {FACES[score]}"
    return f"{words}: ‘{reason}’" if reason else f"{words}."
