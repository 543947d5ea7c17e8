"""Gathers what one transaction has to tell: the feed for browsers, pushes for locked phones, calls and
commands for devices, and what it adds to the running totals.

All are written in the same transaction as their cause; nothing is sent from here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from broker import codec
from broker.events import reference_of
from broker.messages import Call, CallState, Command
from broker.topics import Channel, of_device
from edge.handling import calling
from edge.interactions.request import ONE_TAP, OPEN, Request, State
from edge.paging import feed, outgoing, timers
from edge.paging.feed import News
from edge.paging.outgoing import Claimed, Message
from edge.paging.store import NewPage
from edge.paging.timers import Timer
from edge.pushing import queue as pushes
from edge.pushing.queue import Called
from edge.reports import tallies
from edge.reports.tallies import Tally

# A call is good until the next one should have come: progress follows within 12 s, but not once someone
# is there.
VALID_OPEN_S = 30
VALID_HERE_S = 300
VALID_CLOSED_S = 60
# PRODUCT 2: something new and true at least every 15 s; the rest is the way to the kiosk.
PROGRESS = timedelta(seconds=12)


@dataclass
class Telling:
    """One transaction's words. `flush` writes them and empties it."""

    store: str
    news: list[News] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    pushes: list[Called] = field(default_factory=list)
    counted: list[tuple[Tally, int]] = field(default_factory=list)

    def call(
        self,
        request: Request,
        text: str,
        args: Mapping[str, object] | None = None,
        *,
        pressed: str | None = None,
    ) -> None:
        """The status of a request for its device, if it has one. `pressed`: the event that joined it.

        Of a greeting and the like nothing is said: nobody there has asked for anybody.
        """
        if request.raised_by is not None or request.kind in ONE_TAP:
            return
        about = UUID(request.id)
        call = Call(
            request=UUID(pressed) if pressed else about,
            joined_to=about if pressed and pressed != request.id else None,
            revision=request.revision,
            state=CallState(request.state.value),
            text=text,
            args={key: str(value) for key, value in (args or {}).items()},
            name=str(args["name"]) if args and args.get("name") else request.owner_name,
            reference=reference_of(about),
            valid_s=_valid_s(request.state),
            display="discreet" if request.silent else "open",
            drill=request.drill,
        )
        topic = of_device(self.store, request.device, Channel.CALL)
        self.messages.append(Message(topic, codec.encode(call), call.valid_s))

    def command(self, device: str, command: Command, expiry_s: int) -> None:
        topic = of_device(self.store, device, Channel.COMMAND)
        self.messages.append(Message(topic, codec.encode(command), expiry_s))

    def paged(self, request: Request, pages: Sequence[NewPage]) -> None:
        """One entry per person paged, for that person alone, and a push to each phone of theirs."""
        for page in pages:
            body = {
                "page": page.id,
                "request": request.id,
                "kind": request.kind,
                "round": page.round,
                "zone": request.zone,
                "topic": request.topic,
                "reason": page.reason,
            }
            self.news.append(News(feed.person_audience(page.person), "page", request.id, body))
            urgent = request.kind == "security"
            self.pushes.append(Called(page.id, request.id, page.person, urgent, request.raised_by))

    def changed(self, request: Request, paged_people: Iterable[str] = ()) -> None:
        """A request has moved on: for the whole staff, or for those concerned only if it is silent.

        Its caller is one of them, unless they called with the second PIN: somebody may watch that phone.
        """
        body = {
            "request": request.id,
            "kind": request.kind,
            "state": request.state.value,
            "revision": request.revision,
            "zone": request.zone,
            "topic": request.topic,
            "owner": request.owner_name,
        }
        audiences = [feed.STAFF]
        if request.silent:
            caller = {request.raised_by} if request.raised_by and request.topic != "duress" else set()
            concerned = sorted({*paged_people, *caller})
            audiences = [feed.SILENT, *(feed.person_audience(p) for p in concerned)]
        self.news.extend(News(audience, "request", request.id, body) for audience in audiences)

    def over(self, request: Request, people: Iterable[str]) -> None:
        """Their pages need no answer any more."""
        body = {"request": request.id, "state": request.state.value, "owner": request.owner_name}
        self.news.extend(News(feed.person_audience(p), "page_over", request.id, body) for p in people)

    def recorded(self, interaction: str, kind: str, *, silent: bool = False) -> None:
        """Something was logged that needs no person; one entry stands for a whole batch."""
        body = {"request": interaction, "kind": kind, "state": "recorded"}
        self.news.append(News(feed.SILENT if silent else feed.MANAGE, "request", interaction, body))

    def device(self, name: str, status: str, *, silent: bool = False) -> None:
        audience = feed.SILENT if silent else feed.MANAGE
        news = News(audience, "device", name, {"device": name, "status": status})
        # A device that sends nothing but nonsense must not fill the feed with it.
        if not self.news or self.news[-1] != news:
            self.news.append(news)

    def trouble(self, trouble: str, people: Iterable[str], *, over: bool = False, silent: bool) -> None:
        """Something of the store's own is wrong, or well again: for those who are told, and the desk."""
        body = {"trouble": trouble, "over": over}
        audiences = [feed.SILENT if silent else feed.MANAGE, *(feed.person_audience(p) for p in people)]
        self.news.extend(News(audience, "trouble", trouble, body) for audience in audiences)

    def evidence(self, clip: str, *, silent: bool) -> None:
        """A clip has come further: for the desk, or for those who may see silent requests."""
        self.news.append(News(feed.SILENT if silent else feed.MANAGE, "clip", clip, {"clip": clip}))

    def store_changed(self, what: str, subject: str = "") -> None:
        """People, zones or policies are others now: whoever shows them at the desk looks again."""
        self.news.append(News(feed.MANAGE, what, subject, {"subject": subject}))

    def presence(self, people: Iterable[str]) -> None:
        """Who is free, or who stands in for whom, is another now: the phones of these people show it."""
        self.news.extend(News(feed.person_audience(p), "presence", p, {"person": p}) for p in sorted(people))

    def count(self, one: Tally) -> None:
        self.counted.append((one, 1))

    def flush(
        self, conn: sa.Connection, now: datetime, worker: str | None = None
    ) -> tuple[int | None, list[Claimed]]:
        """Write it all. The feed's last cursor, and what this worker may send once it is committed."""
        self.messages += calling.by_pagers(conn, self.store, self.news, now)
        tallies.add(conn, self.store, self.counted)
        cursor = feed.append(conn, self.store, self.news, now)
        claimed = outgoing.put(conn, self.store, self.messages, now, worker)
        pushes.put(conn, self.store, self.pushes, now)
        self.news, self.messages, self.pushes, self.counted = [], [], [], []
        return cursor, claimed


def _valid_s(state: State) -> int:
    if state is State.ATTENDED:
        return VALID_HERE_S
    return VALID_OPEN_S if state in OPEN else VALID_CLOSED_S


def paging_text(groups: Sequence[str]) -> str:
    """The text key for the people called last."""
    for group, text in (
        ("all", "paging.all"),
        ("supervisors", "paging.supervisors"),
        ("zone", "paging.zone"),
    ):
        if group in groups:
            return text
    return "paging.best"


def state_text(request: Request) -> tuple[str, dict[str, object]]:
    """The text key and arguments that say just the state of a request that is not merely raised."""
    match request.state:
        case State.ACKNOWLEDGED:
            return "coming", {"name": request.owner_name or ""}
        case State.ATTENDED if request.owner_name:
            return "here", {"name": request.owner_name}
        case State.ATTENDED:
            return "here.someone", {}
        case State.RESOLVED | State.CANCELLED | State.MISSED:
            return request.state.value, {}
        case _:
            return "paging.nobody", {}


def say(
    conn: sa.Connection, telling: Telling, request: Request, text: str, args: dict[str, object], now: datetime
) -> None:
    """Tell the device, and come back with something new if people are still waiting."""
    telling.call(request, text, args)
    if (
        request.raised_by is None
        and request.kind not in ONE_TAP
        and request.state in (State.RAISED, State.ACKNOWLEDGED)
        and not request.silent
    ):
        timers.set_due(conn, telling.store, request.id, Timer.PROGRESS, now + PROGRESS)
