"""What presses do to requests: help, security, cancel and 'associate is here', whatever order they come in.

A cancel may come before its help, an old press after a newer one, and a press long after its wait is over.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from broker import codec, topics
from broker.errors import ContractError
from broker.events import (
    Attended,
    Cancelled,
    Event,
    FeedbackGiven,
    HelpRequested,
    PageAnswered,
    SecurityRequested,
)
from edge.config import Policies
from edge.db.tables import interaction
from edge.drills import store as drills
from edge.handling import capturing, drilling, escalating, finishing
from edge.handling.telling import Telling, state_text
from edge.ingest import gaps
from edge.ingest import store as events
from edge.ingest.age import in_words
from edge.ingest.greetings import Greetings
from edge.ingest.record import Pressed, Records
from edge.ingest.waits import Waits
from edge.interactions import store as requests
from edge.interactions.lifecycle import decide
from edge.interactions.request import Action, Attend, Cancel, Change, Join, Noted, Request, State
from edge.interactions.store import Entry
from edge.outside import store as outside
from edge.outside.channels import MISSED
from edge.paging import pagers
from edge.people.store import by_badge
from edge.reports import tallies

_INSERT = sa.insert(interaction)
_AGAIN = "It came again after the store was restored from a backup."


class Presses:
    """One transaction's presses. `look_around` first, `settle` last."""

    def __init__(
        self,
        conn: sa.Connection,
        store: str,
        policies: Policies,
        records: Records,
        greetings: Greetings,
        telling: Telling,
        now: datetime,
    ) -> None:
        self._greetings = greetings
        self._conn, self._store, self._policies = conn, store, policies
        self._records, self._telling, self._now = records, telling, now
        self._floor = escalating.floor_of(conn, store, now)
        ceiling_s = policies.help.ceiling_s
        self._ceiling = None if ceiling_s is None else timedelta(seconds=ceiling_s)
        self._waits = Waits(conn, store, self._ceiling, now)
        # By device, kind and whether it is a drill: a real press never joins a drill.
        self._open: dict[tuple[str, str, bool], Request] = {}
        # Help that was cancelled before it came, and when.
        self._cancelled: dict[str, datetime] = {}
        self._early: list[Event] = []
        # Scores that speak of requests that come only now.
        self.rated: list[Event] = []

    def look_around(self, fresh: Sequence[Event]) -> None:
        """Read what the decisions about these events need, once."""
        touching = {e.device for e in fresh if e.kind in ("help", "security", "cancel", "attend", "greet")}
        answered = {str(e.content.request) for e in fresh if isinstance(e.content, PageAnswered)}
        if not touching and not answered:
            return
        found = {r.id for r in requests.open_of_devices(self._conn, self._store, touching)}
        # Somebody may be answering one of them at this very moment. All are locked in one order.
        locked = requests.locked(self._conn, self._store, found | answered)
        open_now = [r for r in locked if r.open and r.id in found]
        self._greetings.look_around(touching, open_now)
        for request in open_now:
            self._keep(request)
        raising: dict[str, dict[str, str]] = {}
        for event in fresh:
            if event.kind in ("help", "security") or self._greetings.opens_wait(event):
                raising.setdefault(event.device, {})[str(event.id)] = event.kind
        here = {(e.device, str(e.id)) for e in fresh}
        for device, kinds in raising.items():
            for kind, payload in events.about(self._conn, self._store, device, list(kinds)):
                event = codec.decode_event(self._store, topics.event(self._store, device, kind), payload)
                if isinstance(event.content, FeedbackGiven):
                    self.rated.append(event)
                    continue
                assert isinstance(event.content, Cancelled | Attended)
                about = str(event.content.request)
                if isinstance(event.content, Cancelled) and kinds[about] == "help":
                    self._cancelled[about] = self._records.pressed(event).at
                elif (device, str(event.id)) not in here:
                    self._early.append(event)

    def settle(self) -> None:
        """What came before the request that it speaks of; and the last word on presses that came too late."""
        for event in self._early:
            assert isinstance(event.content, Cancelled | Attended)
            request = self.request_of(event, event.content.request)
            if request is not None and request.device == event.device:
                self._apply(event, event.content, request)
        self._waits.tell(self._telling)

    def help(self, event: Event, content: HelpRequested) -> None:
        if self._drilled(event, content.topic, content.language, silent=False):
            return
        pressed = self._records.pressed(event)
        too_late = self._ceiling is not None and pressed.age.at_least >= self._ceiling
        cancelled_at = self._cancelled.get(str(event.id))
        current = self._open.get((event.device, "help", event.drill))
        if current is not None and self._waits.holds(current, pressed, too_late, cancelled_at is not None):
            joined = self._join(event, current, content.count, content.topic)
            if cancelled_at is not None:
                self._carry_out(event, joined, Cancel())
            return
        over = self._waits.of(event, pressed) if pressed.age.known and not too_late else None
        if over is not None and cancelled_at is None:
            # Pressed while somebody was called for it or was there, and come after they had closed it.
            self._waits.late(event, self._joined(event, over, Join(content.count, content.topic), pressed))
        elif too_late and self._came_again(event):
            # The lost store had it, and somebody may well have come: that it was missed would be made up.
            self._only_recorded(event, content, pressed)
        elif too_late:
            words = f"It came {in_words(pressed.age)} after the press; nobody was paged."
            self._after_the_fact(event, content, pressed, State.MISSED, words, self._now)
        elif cancelled_at is not None:
            words = "Cancelled at the kiosk before it reached the store."
            self._after_the_fact(event, content, pressed, State.CANCELLED, words, cancelled_at)
        else:
            self._raise(event, pressed, content.topic, content.language, content.count, silent=False)

    def security(self, event: Event, content: SecurityRequested) -> None:
        """It always pages, however old it is, and pages everyone again when it is pressed again."""
        if self._drilled(event, content.trigger, None, silent=content.silent):
            return
        current = self._open.get((event.device, "security", event.drill))
        if current is not None:
            joined = self._join(event, current, 1, None, silent=content.silent)
            self._keep(
                escalating.page_again(
                    self._conn, self._telling, self._policies, joined, self._floor, self._now
                )
            )
            at = self._records.pressed(event).at
            capturing.ask(self._conn, self._telling, joined, str(event.id), at, self._now)
            return
        pressed = self._records.pressed(event)
        again = self._came_again(event)
        if again and event.drill:
            self._only_recorded(event, content, pressed)
            return
        request = self._raise(event, pressed, content.trigger, None, 1, silent=content.silent)
        if again:
            self._note(request.id, "noted", f"{_AGAIN} Whether somebody answered it then is not known.")
        if not pressed.age.known:
            self._note(request.id, "noted", "Its age is unknown; it is treated as new.")
        elif pressed.age.at_least.total_seconds() >= 5:
            self._note(request.id, "noted", f"It came {in_words(pressed.age)} after the press.")

    def about(self, event: Event, content: Cancelled | Attended) -> None:
        """A cancel or an arrival. ContractError if another device raised the request."""
        request = self.request_of(event, content.request)
        if request is None:
            self._early.append(event)
            return
        if request.device != event.device:
            raise ContractError(
                f"Only the device that raised request {content.request} may {event.kind} it.",
                str(event.id),
                event.seq,
                str(event.outbox) if event.outbox else None,
            )
        if event.drill and isinstance(content, Attended) and drilling.heard(self._conn, request, self._now):
            return
        self._apply(event, content, request)

    def request_of(self, event: Event, named: UUID) -> Request | None:
        """The request that an event speaks of, by its own id or that of a press that joined it."""
        about = str(named)
        # A greeting that joined another has a row of its own besides.
        joined = events.interaction_of(self._conn, self._store, event.device, about)
        return requests.find(self._conn, self._store, joined or about)

    def helped(self, device: str, drill: bool) -> bool:
        """Whether help is called for at the device, or there."""
        return (device, "help", drill) in self._open

    def _drilled(self, event: Event, topic: str, language: str | None, *, silent: bool) -> bool:
        """Whether it is the press of a drill that the store itself began, which goes its own way."""
        drill = drills.find(self._conn, self._store, str(event.id)) if event.drill else None
        if drill is None:
            return False
        pressed = self._records.pressed(event)
        request = self._records.request(
            event, pressed, State.RAISED, topic=topic, language=language, count=1, silent=silent
        )
        insert = partial(self._insert, event, pressed)
        self._keep(drilling.take(self._conn, self._telling, drill, request, insert, self._now))
        return True

    def _apply(self, event: Event, content: Cancelled | Attended, request: Request) -> None:
        if request.kind == "greet":
            self._greetings.answer(event, content, request)
            return
        action: Action = Cancel()
        if isinstance(content, Attended):
            who = by_badge(self._conn, self._store, content.badge) if content.badge else None
            action = Attend(who.id, who.name) if who else Attend(None, None)
        self._carry_out(event, request, action)

    def _carry_out(self, event: Event, request: Request, action: Action) -> None:
        more: dict[str, object] = {}
        later: list[tuple[Event, HelpRequested]] = []
        if isinstance(action, Cancel) and request.kind == "help":
            more["closed_at"] = max(request.raised_at, self._records.pressed(event).at)
            later = self._pressed_after(event, request)
        count = request.count - sum(content.count for _, content in later)
        decision = decide(replace(request, count=count), action)
        if isinstance(decision, Change):
            finishing.finish(self._conn, self._telling, request, decision, "kiosk", self._now, **more)
            self._keep(decision.request)
            for press, content in later:
                events.joined(self._conn, self._store, press.device, str(press.id), None)
                self.help(press, content)
        elif not isinstance(decision, Noted):
            self._note(request.id, "noted", f"At the kiosk: {event.kind}. {decision.sentence}")
        elif decision.words:
            self._note(request.id, "noted", decision.words)

    def _pressed_after(self, cancel: Event, request: Request) -> list[tuple[Event, HelpRequested]]:
        """Presses that joined the request although they were made after its cancel, which came later: they
        belong to the next shopper. Only the device's own clock says so."""
        topic = topics.event(self._store, cancel.device, "help")
        found = []
        for payload in events.joined_to(self._conn, self._store, cancel.device, request.id):
            press = codec.decode_event(self._store, topic, payload)
            if (
                isinstance(press.content, HelpRequested)
                and press.clock is not None
                and cancel.clock is not None
                and press.clock.boot == cancel.clock.boot
                and press.clock.monotonic_ms > cancel.clock.monotonic_ms
            ):
                found.append((press.clock.monotonic_ms, press, press.content))
        return [(press, content) for _, press, content in sorted(found, key=lambda f: f[0])]

    def _after_the_fact(
        self,
        event: Event,
        content: HelpRequested,
        pressed: Pressed,
        state: State,
        words: str,
        closed_at: datetime,
    ) -> None:
        """A press that pages nobody any more: one of a wait that is over, or the first known of its own."""
        wait = self._waits.of(event, pressed)
        if wait is not None:
            after = self._joined(event, wait, Join(content.count, content.topic), pressed)
        else:
            after = self._records.request(
                event,
                pressed,
                state,
                topic=content.topic,
                language=content.language,
                count=content.count,
            )
            self._insert(event, pressed, after, closed_at=closed_at)
            self._note(after.id, state.value, words)
            if state is State.MISSED:
                outside.mark(self._conn, self._store, MISSED, after.id, self._now)
            if state is State.MISSED and not event.drill:
                self._telling.count(tallies.missed(after.kind, silent=False))
            if not pressed.age.known:
                self._waits.begin(event, after)
        self._waits.late(event, after)

    def _came_again(self, event: Event) -> bool:
        """Whether the store had this press before it was restored from a backup."""
        if event.outbox is None or event.seq is None:
            return False
        return gaps.lost_by_restore(self._conn, self._store, event.device, str(event.outbox), event.seq)

    def _only_recorded(
        self, event: Event, content: HelpRequested | SecurityRequested, pressed: Pressed
    ) -> None:
        """A press of which nothing is known but that it was made: nobody is called for it."""
        if isinstance(content, HelpRequested):
            request = self._records.request(
                event,
                pressed,
                State.RECORDED,
                topic=content.topic,
                language=content.language,
                count=content.count,
            )
        else:
            request = self._records.request(
                event,
                pressed,
                State.RECORDED,
                topic=content.trigger,
                language=None,
                count=1,
                silent=content.silent,
            )
        self._insert(event, pressed, request, closed_at=pressed.at)
        self._note(request.id, "noted", f"{_AGAIN} What was done about it is not known; nobody was called.")
        self._telling.recorded(request.id, request.kind, silent=request.silent)

    def _raise(
        self,
        event: Event,
        pressed: Pressed,
        topic: str | None,
        language: str | None,
        count: int,
        *,
        silent: bool,
    ) -> Request:
        request = self._records.request(
            event, pressed, State.RAISED, topic=topic, language=language, count=count, silent=silent
        )
        if event.kind == "security":
            request = replace(request, held_by=pagers.holder(self._conn, request.store, event.device)[1])
        request = escalating.start(
            self._conn,
            self._telling,
            self._policies,
            request,
            lambda raised: self._insert(event, pressed, raised),
            self._floor,
            self._now,
        )
        self._keep(request)
        return request

    def _insert(
        self, event: Event, pressed: Pressed, request: Request, closed_at: datetime | None = None
    ) -> None:
        row = self._records.row(
            event,
            pressed,
            state=request.state.value,
            topic=request.topic,
            language=request.language,
            count=request.count,
            revision=request.revision,
            step=request.step,
            silent=request.silent,
            held_by=request.held_by,
            closed_at=closed_at,
        )
        self._conn.execute(_INSERT, row)

    def _join(
        self, event: Event, current: Request, count: int, topic: str | None, *, silent: bool = False
    ) -> Request:
        """One more press of an open request."""
        after = self._joined(event, current, Join(count, topic, silent))
        self._keep(after)
        if event.kind == "help":
            text, args = state_text(after)
            if after.state is State.RAISED:
                text, args = "pressed_again", {"count": after.count}
            self._telling.call(after, text, args, pressed=str(event.id))
            self._telling.changed(after)
        return after

    def _joined(self, event: Event, request: Request, join: Join, pressed: Pressed | None = None) -> Request:
        """Write one more press of a request; one that is missed began with its earliest press."""
        change = decide(request, join)
        assert isinstance(change, Change)
        after = change.request
        if pressed is not None and pressed.age.known and after.state is State.MISSED:
            after = replace(after, raised_at=min(after.raised_at, pressed.at))
        requests.update(self._conn, request, after)
        self._note(request.id, change.what, change.words)
        events.joined(self._conn, self._store, event.device, str(event.id), request.id)
        return after

    def _keep(self, request: Request) -> None:
        key = (request.device, request.kind, request.drill)
        if request.open:
            self._open[key] = request
        elif key in self._open and self._open[key].id == request.id:
            del self._open[key]

    def _note(self, request: str, what: str, words: str) -> None:
        requests.append(self._conn, [Entry(request, self._now, what, "kiosk", words)])
