"""A View as the page shows it: every word in the shopper's language, every choice made. Pure.

The rule of kiosk.request holds here too: nothing is shown that the View does not say.
"""

from dataclasses import dataclass, replace
from typing import Literal

from broker.questions import QUESTIONS
from kiosk.display import State
from kiosk.screen.languages import Speaker
from kiosk.screen.messages import Asking, Filming, Key, View
from kiosk.screen.words import LANGUAGES, PLAIN

Mode = Literal["rest", "open", "ask", "question", "thanks", "lost"]

# The design's one shape and one colour per state (templates/shapes.html).
MARKS: dict[str, str] = {
    State.IDLE: "bell",
    State.PRESSED: "raised",
    State.SAVED: "raised",
    State.SENT: "raised",
    State.SEEN: "raised",
    State.NOT_SAVED: "raised",
    State.ON_THE_WAY: "acknowledged",
    State.HERE: "attended",
    State.RESOLVED: "resolved",
    State.CANCELLED: "cancelled",
    State.MISSED: "missed",
    State.UNREACHABLE: "lost",
}
# The way of a request, as steps: what has been reached is filled.
STEPS = (State.SENT, State.SEEN, State.ON_THE_WAY, State.HERE)
_OPEN = frozenset({State.PRESSED, State.SAVED, State.NOT_SAVED, *STEPS})
_SHORT, _MEDIUM = 34, 68
# A longer name stands only in the sentence, which says it as well.
_SHORT_NAME, _MAX_NAME = 12, 20
# Happiest first, as on the terminals that people know.
SCORES = (4, 3, 2, 1)


@dataclass(frozen=True)
class Button:
    """One thing to touch: `icon` is drawn by templates/shapes.html, the rest is what a touch of it says."""

    label: str
    icon: str
    what: str
    key: str = ""
    value: str = ""
    question: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class Step:
    label: str
    reached: bool
    here: bool


@dataclass(frozen=True)
class Tongue:
    """One language to choose, by its own name."""

    tag: str
    code: str
    name: str
    chosen: bool


@dataclass(frozen=True)
class Notice:
    """Of the camera: `full` where there is room for it, else `short`."""

    short: str
    full: str


@dataclass(frozen=True)
class Scene:
    """What the templates need. `age_s` and `left_s` are how long ago, and how long to go, at this moment."""

    speaker: Speaker
    mode: Mode
    state: str
    mark: str
    sentence: str
    news: int = 0
    note: str = ""
    name: str = ""
    state_word: str = ""
    code: str = ""
    age_s: float | None = None
    steps: tuple[Step, ...] = ()
    offer: str = ""
    keys: tuple[Button, ...] = ()
    left_s: float | None = None
    link: str = ""
    link_code: str = ""
    languages: tuple[Tongue, ...] = ()
    lost_words: tuple[tuple[str, str, str], ...] = ()
    notice: Notice | None = None

    @property
    def size(self) -> str:
        """Shorter sentences are written larger."""
        length = len(self.sentence)
        return "short" if length <= _SHORT else "medium" if length <= _MEDIUM else "long"

    @property
    def name_size(self) -> str:
        return "short" if len(self.name) <= _SHORT_NAME else "long"


def of(view: View, now_s: float) -> Scene:
    """The scene of a View at `now_s`, on the same monotonic clock as the panel's."""
    speaker = Speaker(view.language)
    notice = None if view.filming is None else _notice(view.filming, speaker)
    return replace(_of(view, speaker, now_s), notice=notice)


def _of(view: View, speaker: Speaker, now_s: float) -> Scene:
    state = view.state if view.state in MARKS else str(State.IDLE)
    sentence = speaker.say_or(view.text, view.args, PLAIN[state])
    tongues = _tongues(view.languages, view.language)
    note = speaker.say_or(view.note, {}, PLAIN[state]) if view.note else ""
    is_open = state in _OPEN or any(key.action in ("cancel", "attend") for key in view.keys)
    if view.asking is not None and not is_open:
        return _asking(view, view.asking, speaker, state, sentence, note, tongues, now_s)
    keys = [key for key in view.keys if not is_open or key.action in ("cancel", "attend")]
    buttons = [_key(key, speaker) for key in keys]
    name = view.name if view.name and state in _OPEN and len(view.name) <= _MAX_NAME else ""
    offer = speaker.say("looking.offer") if view.offer and not is_open else ""
    if offer:
        buttons.append(Button(speaker.say("offer.dismiss"), "cancel", "dismiss", quiet=True))
    return Scene(
        speaker,
        "open" if is_open else "rest",
        state,
        MARKS[state],
        sentence,
        view.news,
        note=note,
        name=name,
        state_word=speaker.say(f"state.{state}") if state != State.IDLE else "",
        code=view.reference or "",
        age_s=max(0.0, now_s - view.since_s) if is_open else None,
        steps=_steps(state, speaker) if state in _OPEN else (),
        offer=offer,
        keys=tuple(buttons),
        languages=tongues,
    )


def lost(language: str, languages: list[str]) -> Scene:
    """No panel: that, in every language, and nothing to touch."""
    speaker = Speaker(language)
    others = [Speaker(each) for each in languages or LANGUAGES if each != speaker.language]
    return Scene(
        speaker,
        "lost",
        "lost",
        "lost",
        speaker.say("lost.sentence"),
        note=speaker.say("lost.hint"),
        lost_words=tuple((each.tag, each.say("lost.sentence"), each.say("lost.hint")) for each in others),
    )


def _asking(
    view: View,
    asking: Asking,
    speaker: Speaker,
    state: str,
    said: str,
    beside: str,
    tongues: tuple[Tongue, ...],
    now_s: float,
) -> Scene:
    questions = [name for name in asking.questions if name in QUESTIONS]
    left_s = max(0.0, asking.ends_s - now_s) if asking.ends_s else None
    buttons: list[Button]
    mode: Mode
    if asking.score is None:
        mode, sentence = "ask", speaker.say("ask.request" if asking.request else "ask.visit")
        note = said if state == State.RESOLVED and view.text != "feedback.ask" else beside
        buttons = [
            Button(speaker.say(f"score.{score}"), f"face-{score}", "score", value=str(score))
            for score in SCORES
        ]
    elif questions:
        mode, sentence, note = "question", speaker.say(f"question.{questions[0]}"), ""
        note = said if view.text.startswith("feedback.") else ""
        buttons = [
            Button(speaker.say(f"question.{questions[0]}.{answer}"), "", "answer", "", answer, questions[0])
            for answer in QUESTIONS[questions[0]]
        ]
    else:
        mode, note, buttons = "thanks", "", []
        sentence = said if view.text.startswith("feedback.") else speaker.say("ask.thanks")
    buttons.append(Button(speaker.say("ask.help"), "help", "dismiss", quiet=True))
    if mode != "thanks":
        buttons.append(Button(speaker.say("ask.skip"), "cancel", "dismiss", quiet=True))
    return Scene(
        speaker,
        mode,
        state,
        MARKS[state] if mode != "ask" else "",
        sentence,
        view.news,
        note=note,
        keys=tuple(buttons),
        left_s=left_s if mode != "thanks" else None,
        link=asking.link if asking.link and asking.score is None else "",
        link_code=asking.code or "",
        languages=tongues,
    )


def _notice(filming: Filming, speaker: Speaker) -> Notice:
    if not filming.watches:
        # Whether it keeps pictures is not known here, so neither is said.
        there = speaker.say("filming.there")
        return Notice(there, there)
    short = speaker.say("filming.watched")
    kept = "filming.memory" if filming.seconds else "filming.stored"
    more = speaker.say(kept, {"seconds": str(filming.seconds)})
    return Notice(short, filming.notice or f"{short} {more}")


def _key(key: Key, speaker: Speaker) -> Button:
    word = f"topic.{key.topic}" if key.action == "help" else f"action.{key.action}"
    icon = (key.topic or "help") if key.action == "help" else key.action
    label = speaker.say_or(word, {}, "topic.help")
    return Button(label, icon, "key", key.name, quiet=key.action in ("looking", "cancel"))


def _steps(state: str, speaker: Speaker) -> tuple[Step, ...]:
    reached = STEPS.index(State(state)) if state in STEPS else -1
    return tuple(
        Step(speaker.say(f"state.{step}"), index <= reached, index == reached)
        for index, step in enumerate(STEPS)
    )


def _tongues(languages: list[str], chosen: str) -> tuple[Tongue, ...]:
    known = [code for code in languages if code in LANGUAGES]
    return tuple(Tongue(Speaker(code).tag, code, LANGUAGES[code], code == chosen) for code in known)
