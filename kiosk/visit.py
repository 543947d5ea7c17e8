"""What a shopper meets at a kiosk besides the request: language, greeting, 'just looking', smileys. Pure.

It stands around the request and never before it: while a request is open, nothing of this is said but what
became of a smiley that was pressed meanwhile, and that beside the request. Such a score is the visit's: what
it is about is not over yet. Security does not pass through here either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from broker.events import Attended, Cancelled
from broker.messages import Call, CallState
from kiosk.config import Config, Motion
from kiosk.display import Display, State
from kiosk.feedback import Feedback
from kiosk.greeting import Greeting, Sensor
from kiosk.request import Effect, Make, Request
from kiosk.screen.messages import Asking

QUIET_S = 60.0  # after which the shopper is gone, and the kiosk speaks its own language again
NOTED_S = 8.0
OFFER_S = 60.0


@dataclass(frozen=True)
class Beside:
    """What stands beside the Display on a screen."""

    language: str
    is_open: bool
    note: str | None = None
    offer: bool = False
    asking: Asking | None = None


class Visit:
    """See the module. `display` is the request's, or what else is to be said; `beside` the rest."""

    def __init__(
        self, config: Config, new_id: Callable[[], UUID], choose: Callable[[Sequence[str]], str]
    ) -> None:
        self.request = Request(config.spoken, config.give_up_s, config.repeat_window_s, new_id)
        self.feedback = Feedback(new_id, config.feedback_url)
        self.greeting = Greeting(choose, new_id)
        self._config = config
        self._new_id = new_id
        self._asks = config.screen is not None or any(b.action == "smiley" for b in config.button)
        self.language = config.spoken
        self._touched_s = float("-inf")
        self._noted: tuple[str, float] | None = None
        self._attend: UUID | None = None
        self._offer_s: float | None = None
        self._offer_until_s: float | None = None
        self._offered_s = float("-inf")
        self._shown = self.request.display
        self._news = self._said_news = 0

    @property
    def is_open(self) -> bool:
        return self.request.open_id is not None

    @property
    def display(self) -> Display:
        """What is said now: about the request if one is open, else about what was done last."""
        said, asking = self.request.display, self.feedback.asking
        text = said.text
        if not self.is_open:
            if self._noted is not None:
                text = self._noted[0]
            elif asking is not None and (asking.score is not None or said.state is not State.RESOLVED):
                text = self.feedback.text or text
        display = said if text == said.text else replace(said, text=text, args={}, name=None)
        if replace(display, news=0) != replace(self._shown, news=0) or said.news != self._said_news:
            self._news += 1
            self._said_news = said.news
            self._shown = replace(display, news=self._news)
        return self._shown

    @property
    def beside(self) -> Beside:
        if self.is_open:
            return Beside(self.language, True, self.feedback.note)
        # A greeting that promises help would not be true beside bad news.
        greeting = self.greeting.key if self.request.display.state is State.IDLE else None
        note = greeting or self.feedback.note
        offer = self._offer_until_s is not None and self.feedback.asking is None
        return Beside(self.language, False, note, offer, self.feedback.asking)

    # What people do

    def press_help(self, topic: str, now_s: float) -> list[Effect]:
        effects: list[Effect] = []
        self._touched_s = now_s
        if not self.is_open:
            # An open request keeps the language that it was made in.
            self.request.language = self.language
            effects += self.feedback.end()
            self._put_away()
            self.greeting.take(now_s)
        return effects + self.request.press_help(topic, now_s)

    def press_cancel(self, now_s: float) -> list[Effect]:
        self._touched_s = now_s
        return self.request.press_cancel(now_s)

    def press_attend(self, now_s: float) -> list[Effect]:
        """'An associate is here': for the open request, or for who came in a moment ago."""
        if self.is_open:
            return self.request.press_attend(now_s)
        greeted = self.greeting.take(now_s)
        if greeted is None:
            return []
        self._attend = self._new_id()
        self._noted = "attend.pressed", now_s + NOTED_S
        return [Make(self._attend, Attended(greeted))]

    def press_looking(self, now_s: float) -> list[Effect]:
        """'Just looking': nobody comes, and help is offered once more, later and without a sound."""
        self._touched_s = now_s
        if self.is_open:
            return []
        again = self._offer_until_s is None
        effects: list[Effect] = list(self.feedback.end())
        self._put_away()
        self._offer_s = now_s + self._config.offer_after_s if again else None
        self._noted = "looking.noted", now_s + NOTED_S
        greeted = self.greeting.take(now_s)
        return effects if greeted is None else [*effects, Make(self._new_id(), Cancelled(greeted))]

    def press_smiley(self, score: int, now_s: float) -> list[Effect]:
        self._touched_s = now_s
        if not self.is_open:
            self._noted = None
        return [*self.feedback.score(score, now_s, ask=not self.is_open)]

    def answer(self, question: str, answer: str, now_s: float) -> list[Effect]:
        self._touched_s = now_s
        return [*self.feedback.answer(question, answer, now_s)]

    def dismiss(self, now_s: float) -> list[Effect]:
        """The asking or the offer is put away."""
        self._touched_s = now_s
        if self.feedback.asking is not None:
            return [*self.feedback.end()]
        self._offer_until_s = None
        return []

    def speak(self, language: str, now_s: float) -> None:
        """The language of the sentences from now on, and of the next request."""
        if language in self._config.languages:
            self.language, self._touched_s = language, now_s

    def speak_next(self, now_s: float) -> None:
        languages = self._config.languages
        self.speak(languages[(languages.index(self.language) + 1) % len(languages)], now_s)

    def moved(self, sensor: Motion | Sensor, now_s: float) -> list[Effect]:
        """A motion sensor or the camera saw somebody."""
        made = self.greeting.moved(sensor, now_s)
        if made is None:
            return []
        if sensor.way == "out" and self._asks and not self.is_open and self.feedback.asking is None:
            self.feedback.offer(None, now_s)
        return [made]

    def stands(self, since_s: float, now_s: float) -> None:
        """Somebody stands there. Who has touched nothing for so long is offered help once, without a sound;
        who pressed anything has been heard."""
        camera = self._config.camera
        if camera is None or not camera.waiting_s or now_s - since_s < camera.waiting_s:
            return
        heard = self.is_open or max(self._touched_s, self._offered_s) >= since_s or self._offer_s is not None
        cooling = now_s - self._offered_s < camera.cool_down_s
        if not heard and not cooling and self.feedback.asking is None:
            self._offered_s = now_s
            self._offer_until_s = now_s + OFFER_S

    # What the outbox, the courier and time do

    def stored(self, event_id: UUID, now_s: float) -> None:
        self.request.stored(event_id, now_s)
        self.feedback.stored(event_id)
        if event_id == self._attend:
            self._attend = None
            self._noted = "attend.saved", now_s + NOTED_S

    def not_stored(self, event_id: UUID, now_s: float) -> None:
        self.request.not_stored(event_id, now_s)
        self.feedback.not_stored(event_id)

    def receipted(self, event_id: UUID, now_s: float) -> None:
        self.request.receipted(event_id, now_s)
        self.feedback.receipted(event_id)

    def refused(self, event_id: UUID, now_s: float) -> list[Effect]:
        return [*self.request.refused(event_id, now_s), *self.feedback.refused(event_id)]

    def call(self, call: Call, now_s: float) -> list[Effect]:
        before = self.request.open_id
        effects = self.request.call(call, now_s)
        if self.is_open and before is None:
            effects += self.feedback.end()
            self._put_away()
        if before is not None and not self.is_open:
            self._touched_s = now_s
            if call.state is CallState.RESOLVED and self._asks:
                effects += self.feedback.offer(call.joined_to or call.request, now_s)
        return effects

    def tick(self, now_s: float) -> list[Effect]:
        was_open = self.is_open
        effects = [*self.request.tick(now_s), *self.feedback.tick(now_s)]
        if was_open and not self.is_open:
            self._touched_s = now_s
        self.greeting.tick(now_s)
        if self._noted is not None and now_s >= self._noted[1]:
            self._noted = None
        if self._offer_until_s is not None and now_s >= self._offer_until_s:
            self._offer_until_s = None
        if self._offer_s is not None and now_s >= self._offer_s:
            self._offer_s, self._offer_until_s = None, now_s + OFFER_S
        if self._gone_at() is not None and now_s >= self._touched_s + QUIET_S:
            self.language = self._config.spoken
        return effects

    def due_at(self) -> float | None:
        times = [
            self.request.due_at(),
            self.feedback.due_at(),
            self.greeting.due_at(),
            self._offer_s,
            self._offer_until_s,
            self._gone_at(),
        ]
        times += [self._noted[1]] if self._noted is not None else []
        return min((at for at in times if at is not None), default=None)

    def _gone_at(self) -> float | None:
        if self.language == self._config.spoken or self.is_open or self.feedback.asking is not None:
            return None
        return self._touched_s + QUIET_S

    def _put_away(self) -> None:
        self._noted = self._offer_s = self._offer_until_s = None
        self.greeting.hide()
