"""What scores become: a row of their own beside the log, tied to the request that they speak of.

Order is not promised: an answer may come before the score that it follows, and a score before its request.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from broker import codec, questions, topics
from broker.errors import ContractError
from broker.events import Event, FeedbackGiven
from edge.feedback import store as scores
from edge.feedback.store import Given
from edge.handling.feedback import rated
from edge.ingest import store as events
from edge.ingest.record import Records
from edge.interactions import store as requests
from edge.interactions.request import Request
from edge.interactions.store import Entry

RequestOf = Callable[[Event, UUID], Request | None]


class Ratings:
    """One transaction's scores: `take` each, `tie` them once all presses are done, `write` after the log."""

    def __init__(self, conn: sa.Connection, store: str, records: Records, now: datetime) -> None:
        self._conn, self._store, self._records, self._now = conn, store, records, now
        self._taken: list[tuple[Event, FeedbackGiven]] = []
        self._given: list[Given] = []
        self._followed: set[tuple[str, str]] = set()
        self._span: dict[str, tuple[datetime, datetime]] = {}

    def take(self, event: Event, content: FeedbackGiven) -> None:
        """A score, or the answers to an earlier one's questions. ContractError for a wrong answer."""
        wrong = questions.check(content.answers)
        if wrong:
            raise _refused(event, wrong)
        if content.follows is None:
            self._taken.append((event, content))
            return
        followed = events.kind_of(self._conn, self._store, event.device, str(content.follows))
        if followed not in (None, "feedback"):
            raise _refused(event, f"It follows {content.follows}, which is a {followed} and no score.")
        self._followed.add((event.device, str(content.follows)))

    def tie(self, request_of: RequestOf, early: Sequence[Event]) -> list[dict[str, object]]:
        """The rows for the log; `early` are scores of former batches whose request has come only now."""
        rows = []
        for event, content in self._taken:
            pressed = self._records.pressed(event)
            about = self._tied(event, content, request_of)
            rows.append(
                self._records.row(event, pressed, score=content.score, reason=content.reason, about=about)
            )
            # A drill is exercised for real and counted apart: it is logged, and in no total.
            if not event.drill:
                zone = self._records.zone(event.device)
                answers = dict(content.answers)
                self._given.append(
                    Given(
                        str(event.id), event.device, zone, about, "kiosk", content.score, answers, pressed.at
                    )
                )
                self._touch(event, pressed.at)
        here = {(event.device, event.id) for event, _ in self._taken}
        for event in early:
            assert isinstance(event.content, FeedbackGiven)
            if (event.device, event.id) in here or event.content.follows is not None:
                continue
            about = self._tied(event, event.content, request_of)
            if about:
                scores.tie(self._conn, self._store, str(event.id), about)
                self._touch(event, self._records.pressed(event).at)
        return rows

    def write(self) -> None:
        """Write the scores, after their rows in the log; complete them and leave them to be judged."""
        scores.insert(self._conn, self._store, self._given)
        for device, score in {(g.device, g.interaction) for g in self._given} | self._followed:
            self._complete(device, score)
        for device, (first, last) in self._span.items():
            scores.doubt(self._conn, self._store, device, first, last)

    def _tied(self, event: Event, content: FeedbackGiven, request_of: RequestOf) -> str | None:
        """The help of the same device that the score speaks of, told on its timeline; None for a visit.

        Scores are read by many who may not know of a silent request: none of security is ever tied to one.
        """
        request = request_of(event, content.request) if content.request else None
        if request is None or request.kind != "help" or request.device != event.device:
            return None
        words = rated(content.score, content.reason)
        requests.append(self._conn, [Entry(request.id, self._now, "feedback", "kiosk", words)])
        return request.id

    def _complete(self, device: str, score: str) -> None:
        """Put the answers that came for a score beside it, if it is there. The earliest event has the word,
        whichever came first."""
        found = events.follow_ups(self._conn, self._store, device, score)
        first = events.payload_if_known(self._conn, self._store, device, score) if found else None
        if first is None:
            return
        topic = topics.event(self._store, device, "feedback")
        answers: dict[str, str] = {}
        reason = None
        for payload in (first, *found):
            content = codec.decode_event(self._store, topic, payload).content
            assert isinstance(content, FeedbackGiven)
            for question, answer in content.answers.items():
                if len(answers) < questions.MOST:
                    answers.setdefault(question, answer)
            reason = reason or content.reason
        scores.complete(self._conn, score, answers, reason)

    def _touch(self, event: Event, at: datetime) -> None:
        first, last = self._span.get(event.device, (at, at))
        self._span[event.device] = (min(first, at), max(last, at))


def _refused(event: Event, sentence: str) -> ContractError:
    return ContractError(sentence, str(event.id), event.seq, str(event.outbox) if event.outbox else None)
