"""Four smileys: a score, at most two questions, and what may be said about them. Pure.

A score is an event of its own at once, so that nothing which follows can lose it; the answers go in one more.
"""

import base64
from collections.abc import Callable
from uuid import UUID

from broker import questions
from broker.events import FeedbackGiven, reference_of
from kiosk.request import Make
from kiosk.screen.messages import Asking

ASK_S = 60.0
ANSWER_S = 30.0
THANKS_S = 8.0


class Feedback:
    """See the module. `turn` is where the questions go on; it must not fall over a restart.

    `asking` is what the screen shows; `text` the sentence to say, None if there is none. `noted` is a score
    that was given in passing, while there was something else to say.
    """

    def __init__(self, new_id: Callable[[], UUID], url: str | None = None, turn: int = 0) -> None:
        self._new_id = new_id
        self._url = url
        self.turn = turn
        self.asking: Asking | None = None
        self.text: str | None = None
        self.noted: int | None = None
        self._noted_until_s = 0.0
        self._request: UUID | None = None
        self._scored: UUID | None = None
        self._told: UUID | None = None  # the event that `text` is about
        self._answers: dict[str, str] = {}

    @property
    def smileys(self) -> frozenset[int]:
        """The scores whose lamps are lit."""
        if self.asking is None:
            return frozenset() if self.noted is None else frozenset({self.noted})
        return frozenset({1, 2, 3, 4} if self.asking.score is None else {self.asking.score})

    @property
    def note(self) -> str | None:
        """What may be said of the noted score: nothing before it is known what became of it."""
        return self.text if self.noted is not None and self.text != "pressed" else None

    def offer(self, request: UUID | None, now_s: float) -> list[Make]:
        """A score may be given now, about `request` or the visit."""
        made = self.end()
        self._request = request
        self.asking, self.text = self._ask(None, [], now_s + ASK_S), "feedback.ask"
        return made

    def score(self, score: int, now_s: float, ask: bool = True) -> list[Make]:
        """A smiley was pressed. Each press counts; `ask` is false where nobody is to be asked more now."""
        if not ask:
            made = self.end()
            self._told, self.text = self._new_id(), "pressed"
            self.noted, self._noted_until_s = score, now_s + THANKS_S
            return [*made, Make(self._told, FeedbackGiven(score))]
        self.noted = None
        made = self._flush()
        left = self.asking.questions if self.asking is not None else []
        if self.asking is None or self.asking.score is None:
            left = questions.to_ask(self._request is not None, self.turn)
            self.turn += 1
        self._scored = self._told = self._new_id()
        made.append(Make(self._scored, FeedbackGiven(score, request=self._request)))
        self.asking, self.text = self._ask(score, left, now_s + (ANSWER_S if left else THANKS_S)), "pressed"
        return made

    def answer(self, question: str, answer: str, now_s: float) -> list[Make]:
        """An answer to a question that is asked now; any other changes nothing."""
        asking = self.asking
        if asking is None or asking.score is None or question not in asking.questions:
            return []
        if answer not in questions.QUESTIONS[question]:
            return []
        self._answers[question] = answer
        left = [name for name in asking.questions if name != question]
        self.asking = self._ask(asking.score, left, now_s + (ANSWER_S if left else THANKS_S))
        if left:
            return []
        made = self._flush()
        self._told, self.text = made[-1].id, "pressed"
        return made

    def stored(self, event_id: UUID) -> None:
        if event_id == self._told and self.text in ("pressed", "feedback.not_saved"):
            self.text = "feedback.saved"

    def not_stored(self, event_id: UUID) -> None:
        if event_id == self._told and self.text == "pressed":
            self.text = "feedback.not_saved"

    def receipted(self, event_id: UUID) -> None:
        if event_id == self._told:
            self.text = "feedback.thanks"

    def refused(self, event_id: UUID) -> list[Make]:
        """The store has set it aside: nothing more may be promised about it."""
        return self.end() if event_id == self._told else []

    def end(self) -> list[Make]:
        """Asked no more; the answers that were given are sent."""
        made = self._flush()
        self.asking = self.text = self.noted = self._request = self._scored = self._told = None
        return made

    def tick(self, now_s: float) -> list[Make]:
        due_s = self.due_at()
        return self.end() if due_s is not None and now_s >= due_s else []

    def due_at(self) -> float | None:
        if self.asking is None:
            return None if self.noted is None else self._noted_until_s
        return self.asking.ends_s

    def _flush(self) -> list[Make]:
        answers, self._answers = self._answers, {}
        if not answers or self._scored is None or self.asking is None or self.asking.score is None:
            return []
        given = FeedbackGiven(self.asking.score, request=self._request, answers=answers, follows=self._scored)
        return [Make(self._new_id(), given)]

    def _ask(self, score: int | None, left: list[str], ends_s: float) -> Asking:
        request = self._request
        if request is None:
            return Asking(None, score, left, ends_s=ends_s)
        link = None if self._url is None else self._url + signs_of(request)
        return Asking(str(request), score, left, reference_of(request), link, ends_s)


def signs_of(request: UUID) -> str:
    """The request's id as it stands in an address: base64url, 22 signs."""
    return base64.urlsafe_b64encode(request.bytes).rstrip(b"=").decode()
