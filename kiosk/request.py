"""The kiosk's view of its open request: what happened becomes what the shopper is told. Pure.

The rule of every line here: nothing is said that is not known. 'Saved' comes from the outbox, 'sent' from
the server's receipt, a person's name from a call, and a call that has run out is no longer believed.
Security never passes through here, so that it cannot leave a trace on a display.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from broker.events import MAX_COUNT, Attended, Cancelled, Content, HelpRequested, reference_of
from broker.messages import OPEN_CALL_STATES, Call, CallState
from kiosk.calls import shown
from kiosk.display import Display, State

NEWS_S = 10.0  # the contract allows 15 s of silence; the difference is for a busy machine
CLOSED_S = 10.0
AGAIN_S = 1.0
_REMEMBERED = 32


@dataclass(frozen=True)
class Make:
    """An event to be stored and sent. `request` is the request it belongs to; `at_s` when it happened, if
    that is not now."""

    id: UUID
    content: Content
    request: UUID | None = None
    ends_repeats: bool = False  # it carries the repeats that were counted until now
    at_s: float | None = None


@dataclass(frozen=True)
class CountRepeats:
    """Keep on disk that `count` presses of an open request wait to be sent."""

    request: UUID
    content: HelpRequested


Effect = Make | CountRepeats


@dataclass
class _Open:
    id: UUID
    reference: str
    pressed_s: float
    window_s: float  # when the last help event left
    news_s: float
    saved: bool = False
    sent: bool = False
    unreceipted: set[UUID] = field(default_factory=set)
    repeats: int = 0
    repeats_since_s: float = 0.0
    repeat_topic: str = "help"
    again_s: float = 0.0
    call: Call | None = None
    heard_s: float = 0.0
    silent: bool = False
    seen: bool = False  # by a person, which stays true while others are called
    attended: bool = False  # somebody pressed 'associate is here' on this kiosk


class Request:
    """See the module. Methods take what happened and when (monotonic seconds), and return what to store."""

    def __init__(
        self, language: str, give_up_s: float, repeat_window_s: float, new_id: Callable[[], UUID]
    ) -> None:
        self.language = language
        self._give_up_s = give_up_s
        self._repeat_window_s = repeat_window_s
        self._new_id = new_id
        self._open: _Open | None = None
        self._closed_s: float | None = None
        self._cancel: UUID | None = None
        self._attend: UUID | None = None
        self._withdrawn: OrderedDict[UUID, UUID] = OrderedDict()  # request -> its cancel event
        self._revisions: OrderedDict[UUID, int] = OrderedDict()
        self._reachable = True
        self.display = Display(State.IDLE, "idle")

    @property
    def open_id(self) -> UUID | None:
        return None if self._open is None else self._open.id

    # What people do

    def press_help(self, topic: str, now_s: float) -> list[Effect]:
        """A help button. While a request is open it is one more press of the same."""
        if self._open is not None:
            return self._press_again(self._open, topic, now_s)
        event_id = self._new_id()
        self._open = _Open(event_id, reference_of(event_id), now_s, now_s, now_s, unreceipted={event_id})
        self._closed_s = self._cancel = self._attend = None
        self._say(State.PRESSED, "pressed", now_s)
        return [Make(event_id, HelpRequested(topic, self.language), event_id)]

    def press_cancel(self, now_s: float) -> list[Effect]:
        """The cancel button. Presses that the server may not have seen yet are withdrawn as well, because
        events may overtake each other and a late one would call somebody again."""
        request = self._open
        if request is None:
            return []
        effects: list[Effect] = self._flush(request, now_s)
        cancel_id = self._new_id()
        effects.append(Make(cancel_id, Cancelled(request.id), request.id))
        if request.call is not None and request.call.state is CallState.ATTENDED:
            # Somebody is there already: the store notes the press, and that person closes the request.
            return effects
        self._withdraw(request.id, cancel_id)
        for event_id in sorted(request.unreceipted - {request.id}):
            other_id = self._new_id()
            effects.append(Make(other_id, Cancelled(event_id), request.id))
            self._withdraw(event_id, other_id)
        self._say(State.PRESSED, "cancel.pressed", now_s)
        self._close(now_s)
        self._cancel = cancel_id
        return effects

    def press_attend(self, now_s: float) -> list[Effect]:
        """The button 'an associate is here'. Nobody knows who, so no name is shown for it."""
        request = self._open
        if request is None or request.attended:
            return []
        request.attended = True
        self._attend = self._new_id()
        self._say(self.display.state, "attend.pressed", now_s, name=self.display.name)
        return [Make(self._attend, Attended(request.id), request.id)]

    # What the outbox and the courier report

    def resume(self, request_id: UUID, pressed_s: float, unreceipted: set[UUID], now_s: float) -> None:
        """Take up the request that was open when the program ended; `unreceipted` are its presses that the
        outbox still has to send."""
        sent = request_id not in unreceipted
        self._open = _Open(
            request_id,
            reference_of(request_id),
            pressed_s,
            now_s,
            now_s,
            saved=True,
            sent=sent,
            unreceipted=set(unreceipted),
        )
        self._say(State.SENT if sent else State.SAVED, "sent" if sent else "saved", now_s)

    def stored(self, event_id: UUID, now_s: float) -> None:
        """The event is on disk, after the commit."""
        request = self._open
        if request is not None and event_id == request.id and not request.saved:
            request.saved = True
            if self.display.state in (State.PRESSED, State.NOT_SAVED):
                self._say(State.SAVED, "saved", now_s)
        elif event_id == self._cancel and self._closed_s is not None:
            if self.display.text in ("cancel.pressed", "cancel.not_saved"):
                self._say(State.CANCELLED, "cancel.saved", now_s)
                self._closed_s = now_s
        elif request is not None and event_id == self._attend:
            self._say(self.display.state, "attend.saved", now_s, name=self.display.name)

    def not_stored(self, event_id: UUID, now_s: float) -> None:
        """The disk did not take the event; it is held in memory and sent all the same."""
        if self._open is not None and event_id == self._open.id and self.display.state is State.PRESSED:
            self._say(State.NOT_SAVED, "not_saved", now_s)
        elif event_id == self._cancel and self.display.text == "cancel.pressed":
            self._say(State.CANCELLED, "cancel.not_saved", now_s)

    def receipted(self, event_id: UUID, now_s: float) -> None:
        """The server has committed the event."""
        request = self._open
        if request is not None:
            request.unreceipted.discard(event_id)
            if event_id == request.id and not request.sent:
                request.sent = True
                if request.call is None:
                    self._say(State.SENT, "sent", now_s)
        if event_id == self._cancel and self._closed_s is not None and self.display.text != "cancelled":
            self._say(State.CANCELLED, "cancelled", now_s)
            self._closed_s = now_s

    def refused(self, event_id: UUID, now_s: float) -> list[Effect]:
        """The server has set the event aside for good."""
        effects: list[Effect] = []
        request = self._open
        if request is not None:
            request.unreceipted.discard(event_id)
            if event_id == request.id and request.call is None:
                effects = self._flush(request, now_s)
                self._say(State.MISSED, "refused", now_s)
                self._close(now_s)
        for withdrawn, cancel_id in list(self._withdrawn.items()):
            if cancel_id == event_id:
                del self._withdrawn[withdrawn]
        return effects

    def link(self, reachable: bool, now_s: float) -> None:
        """Whether the store answers at all."""
        self._reachable = reachable
        self._rest(now_s)

    def call(self, call: Call, now_s: float) -> list[Effect]:
        """The server's word about a request of this kiosk. Discreet ones and old ones change nothing."""
        effects: list[Effect] = []
        if call.display == "discreet":
            return effects
        request_id = call.joined_to or call.request
        if request_id in self._withdrawn and call.state in OPEN_CALL_STATES:
            return effects
        request = self._open
        if request is not None and request_id != request.id:
            if call.request != request.id:
                return effects
            effects += self._flush(request, now_s)
            request.unreceipted.discard(request.id)
            request.id, request.call = request_id, None
        if call.revision < self._revisions.get(request_id, -1):
            return effects
        if request is None:
            if call.state not in OPEN_CALL_STATES or call.revision == self._revisions.get(request_id):
                return effects
            request = self._open = _Open(request_id, call.reference, now_s, now_s, now_s)
            self._closed_s = self._cancel = self._attend = None
        self._remember(request_id, call.revision)
        again = request.call is not None and request.call.revision == call.revision and not request.silent
        request.call, request.heard_s, request.silent = call, now_s, False
        request.saved = request.sent = True
        request.reference = call.reference
        request.seen = request.seen or call.text == "seen"
        if not again:
            self._say(*shown(call, request.seen), now_s, name=call.name, args=call.args)
        if call.state not in OPEN_CALL_STATES:
            # Presses that were counted before it closed belong to it; their time says so to the server.
            effects += self._flush(request, now_s)
            self._close(now_s)
        return effects

    # What time does

    def tick(self, now_s: float) -> list[Effect]:
        """Whatever has become due."""
        request = self._open
        if request is None:
            if self._closed_s is not None and now_s - self._closed_s >= CLOSED_S:
                self._closed_s = self._cancel = None
                self._rest(now_s)
            return []
        effects: list[Effect] = []
        if request.repeats and now_s - request.window_s >= self._repeat_window_s:
            effects += self._flush(request, now_s)
        call = request.call
        heard_s = request.pressed_s if call is None else request.heard_s
        ran_out = call is not None and now_s - heard_s > call.valid_s
        if now_s - heard_s >= self._give_up_s and (call is None or ran_out):
            effects += self._flush(request, now_s)
            if request.attended or (call is not None and call.state is CallState.ATTENDED):
                self._close(now_s - CLOSED_S)
            else:
                self._say(State.MISSED, "gave_up", now_s)
                self._close(now_s)
        elif ran_out and not request.silent:
            request.silent = True
            self._progress(request, now_s)
        elif now_s - request.news_s >= NEWS_S and self.display.state is not State.HERE:
            self._progress(request, now_s)
        return effects

    def due_at(self) -> float | None:
        """When tick() has something to do at the latest."""
        request = self._open
        if request is None:
            return None if self._closed_s is None else self._closed_s + CLOSED_S
        times = [request.news_s + NEWS_S]
        if request.repeats:
            times.append(request.window_s + self._repeat_window_s)
        if request.call is not None and not request.silent:
            times.append(request.heard_s + request.call.valid_s)
        return min(times)

    def end(self, now_s: float) -> list[Effect]:
        """The program ends: counted repeats leave now."""
        return [] if self._open is None else self._flush(self._open, now_s)

    def _press_again(self, request: _Open, topic: str, now_s: float) -> list[Effect]:
        effects: list[Effect] = []
        if request.repeats >= MAX_COUNT:
            effects += self._flush(request, now_s)
        if not request.repeats:
            request.repeats_since_s = now_s
        request.repeats += 1
        request.repeat_topic = topic
        effects.append(CountRepeats(request.id, HelpRequested(topic, self.language, request.repeats)))
        if now_s - request.again_s >= AGAIN_S:
            request.again_s = now_s
            if self.display.name is None and not request.silent:
                self._say(self.display.state, "pressed.again", now_s)
            else:  # who is coming matters more than that the press was counted
                self._say(self.display.state, self.display.text, now_s, self.display.name, self.display.args)
        return effects

    def _flush(self, request: _Open, now_s: float) -> list[Effect]:
        if not request.repeats:
            return []
        event_id = self._new_id()
        content = HelpRequested(request.repeat_topic, self.language, request.repeats)
        request.repeats, request.window_s = 0, now_s
        request.unreceipted.add(event_id)
        # The time of the first of them: they may leave only when the request is already closed.
        return [Make(event_id, content, request.id, ends_repeats=True, at_s=request.repeats_since_s)]

    def _progress(self, request: _Open, now_s: float) -> None:
        """Something new and true, although nobody has said anything."""
        display, call = self.display, request.call
        seconds = {"seconds": str(int(now_s - request.pressed_s))}
        if call is not None and request.silent:
            unheard = {"seconds": str(int(now_s - request.heard_s))}
            self._say(State.UNREACHABLE, "silent", now_s, args=unheard)
        elif call is not None:
            state, _ = shown(call, request.seen)
            text = "waiting.still"
            if state is State.ON_THE_WAY:
                text = "coming.still" if call.name else "coming.someone.still"
                seconds = {"seconds": str(int(now_s - display.since_s))}
            self._say(state, text, now_s, name=call.name, args=seconds)
        elif request.sent:
            self._say(State.SENT, "sent.still", now_s, args=seconds)
        elif request.saved:
            text = "saved.still" if self._reachable else "saved.unreachable"
            self._say(State.SAVED, text, now_s, args=seconds)
        else:
            text = "not_saved.still" if display.state is State.NOT_SAVED else "pressed.still"
            self._say(display.state, text, now_s, args=seconds)

    def _say(
        self,
        state: State,
        text: str,
        now_s: float,
        name: str | None = None,
        args: Mapping[str, str] | None = None,
    ) -> None:
        before = self.display
        reference = before.reference
        if self._open is not None:
            self._open.news_s = now_s
            reference = self._open.reference
        elif state in (State.IDLE, State.UNREACHABLE):
            reference = None
        values = dict(args or {})
        if name is not None:
            values["name"] = name
        since_s = before.since_s if before.state is state else now_s
        self.display = Display(state, text, values, name, reference, since_s, before.news + 1)

    def _rest(self, now_s: float) -> None:
        """Nothing is open and nothing is left to say."""
        if self._open is None and self._closed_s is None:
            state = State.IDLE if self._reachable else State.UNREACHABLE
            if self.display.state is not state:
                self._say(state, state.value, now_s)
                if state is State.IDLE:
                    self.display = replace(self.display, reference=None)

    def _close(self, now_s: float) -> None:
        self._open, self._closed_s, self._attend = None, now_s, None

    def _withdraw(self, request_id: UUID, cancel_id: UUID) -> None:
        self._withdrawn[request_id] = cancel_id
        while len(self._withdrawn) > _REMEMBERED:
            self._withdrawn.popitem(last=False)

    def _remember(self, request_id: UUID, revision: int) -> None:
        self._revisions[request_id] = revision
        self._revisions.move_to_end(request_id)
        while len(self._revisions) > _REMEMBERED:
            self._revisions.popitem(last=False)
