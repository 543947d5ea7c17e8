"""What must hold on a floor at every moment, and between any two: read from the tables and judged anew.

Nothing here asks the rules of the product; what is allowed is written down again, from DESIGN 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from broker import codec
from broker.messages import Call
from edge.db import drill_tables, store_tables
from edge.db import tables as t
from edge.policies import Policies, Policy, Step

Row = Mapping[str, Any]
OPEN = {"raised", "acknowledged", "attended"}
WAITING = ("pending", "sent", "delivered", "seen")
# Who has it keeps it: once the product frees a request whose owner has vanished, 'raised' follows twice more.
# From an arrival back to 'is coming' goes only a request that a colleague took over.
NEXT = {
    "raised": {"acknowledged", "attended", "cancelled", "missed"},
    "acknowledged": {"attended", "resolved", "cancelled"},
    "attended": {"acknowledged", "resolved"},
}
# Nobody says that they come to greet: whoever goes has gone.
NEXT_OF_GREETING = {
    "recorded": {"raised", "resolved", "cancelled"},
    "raised": {"resolved", "cancelled", "missed"},
}
GONE = {"off", "unreachable"}
# What a call for a supervisor from a phone is paged by.
FROM_PHONE = Policy([Step(0, ["supervisors"]), Step(20, ["all"])], ceiling_s=600, repeat_s=60)
NEWS_S, ASKED_S = 12, 60
# How the reason of a page ends that calls others in an owner's place, and what the owner was asked before.
ABSENT, ASKS = "and does not answer", "Are you there?"
# What a wait that is over may still learn: it was pressed more often, or earlier.
LATER_TRUTH = {"count", "revision", "raised_at"}


@dataclass
class Seen:
    """All that can be read at one moment. `calls` is the last word to the kiosk about each request, `drills`
    are those that the store itself began, `tampered` what devices said of tampering."""

    requests: dict[str, Row]
    people: dict[str, Row]
    pages: dict[str, Row]
    timers: dict[tuple[str, str], datetime]
    timeline: list[Row]
    calls: dict[str, Call]
    news: list[Row]
    drills: dict[str, Row]
    tampered: list[Row]
    # The last message, by its id and when it was written, and the last news.
    last: tuple[tuple[int, datetime | None], int] = ((0, None), 0)

    def waiting(self, request: str) -> set[str]:
        """Whose page about the request is still to be answered."""
        return {p["person"] for p in self.pages.values() if p["request"] == request and p["state"] in WAITING}

    def watched(self, request: Row) -> bool:
        """Whether the second PIN of its caller was typed: their phone may be in other hands."""
        said = (e["what"] for e in self.timeline if e["interaction"] == request["id"])
        return request["topic"] == "duress" or "watched" in said

    @property
    def drilling(self) -> bool:
        return any(one["state"] in ("asked", "running") for one in self.drills.values())

    def unheard(self, request: Row) -> bool:
        """Whether whoever has it was asked if they are there, and has not answered: others may take it."""
        return request["state"] == "acknowledged" and any(
            p["request"] == request["id"] and p["state"] in WAITING and p["reason"] == ASKS
            for p in self.pages.values()
        )

    def owned(self, person: str) -> list[Row]:
        """The open requests that are theirs or being handed to them."""
        return [
            r
            for r in self.requests.values()
            if r["state"] in OPEN and person in (r["owner"], r["handover_to"])
        ]

    @property
    def state(self) -> tuple[object, ...]:
        return (self.requests, self.people, self.pages, self.timers, self.timeline, self.drills)

    @property
    def everything(self) -> tuple[object, ...]:
        """With what was said to kiosks and browsers."""
        return (*self.state, self.last)


def look(conn: sa.Connection, before: Seen | None = None) -> Seen:
    """Read it all, and what was said since `before`."""
    last_message, last_news = before.last if before else ((0, None), 0)
    calls = dict(before.calls) if before else {}
    with conn.begin():

        def rows(table: sa.Table, *where: sa.ColumnElement[bool], by: str = "id") -> list[Row]:
            return list(conn.execute(sa.select(table).where(*where).order_by(table.c[by])).mappings())

        requests = rows(t.interaction, t.interaction.c.kind.in_(("help", "security", "greet")))
        # SQLite gives the id of a last row that was dropped, as worth nothing any more, to the next one.
        for row in rows(t.outgoing, t.outgoing.c.id >= last_message[0]):
            if (row["id"], row["created_at"]) == last_message:
                continue
            last_message = (row["id"], row["created_at"])
            if row["topic"].endswith("/call"):
                call = codec.decode(row["payload"], Call)
                calls[str(call.joined_to or call.request)] = call
        news = rows(t.feed, t.feed.c.cursor > last_news, by="cursor")
        return Seen(
            {r["id"]: r for r in requests},
            {r["id"]: r for r in rows(store_tables.person)},
            {r["id"]: r for r in rows(t.page)},
            {(r["request"], r["kind"]): r["due_at"] for r in rows(t.timer, by="request")},
            rows(t.timeline),
            calls,
            news,
            {r["id"]: r for r in rows(drill_tables.drill)},
            rows(t.interaction, t.interaction.c.kind == "tamper"),
            (last_message, news[-1]["cursor"] if news else last_news),
        )


@dataclass
class Watcher:
    """Judges what it sees. `policies` are those that the worker has followed last."""

    policies: Policies = field(default_factory=Policies)

    def moment(self, seen: Seen, now: datetime, *, looked: bool) -> None:
        """Whatever the floor has come to; `looked`: the worker has just done all that was due."""
        for request in seen.requests.values():
            timers = {kind: due for (of, kind), due in seen.timers.items() if of == request["id"]}
            if looked:
                assert all(due > now for due in timers.values()), "a due timer has not fired"
            if request["state"] == "recorded":
                assert timers.keys() <= {"greet"} and not seen.waiting(request["id"])
            elif request["state"] not in OPEN:
                self._closed(seen, request, timers)
            elif request["state"] == "raised" and request["id"] in seen.drills:
                assert not timers, "a drill of the store's escalates"
            elif request["state"] == "raised":
                assert request["owner"] is None and request["handover_to"] is None
                self._never_silent(seen, request, timers, now, looked)
            else:
                self._answered(seen, request, timers)
            if request["kind"] == "greet":
                assert request["id"] not in seen.calls, "whoever walks in has asked for nobody"
            elif request["raised_by"] is None:
                self._kiosk(seen, request, timers, now, looked)
        for page in seen.pages.values():
            assert (page["closed_at"] is None) == (page["state"] in WAITING)

    def _closed(self, seen: Seen, request: Row, timers: Mapping[str, datetime]) -> None:
        assert not timers and not seen.waiting(request["id"]), "a request has ended and somebody is called"
        assert request["closed_at"] is not None and request["handover_to"] is None
        resolved = request["state"] == "resolved"
        # A drill ends when it is judged, with no outcome for a shopper.
        assert resolved == (request["outcome"] is not None) or (resolved and request["id"] in seen.drills)

    def _never_silent(
        self, seen: Seen, request: Row, timers: Mapping[str, datetime], now: datetime, looked: bool
    ) -> None:
        policy, begun_at = self.policy(request), request["called_at"] or request["raised_at"]
        due = timers.get("escalate")
        assert due is not None, "nobody answers and nobody will be called"
        if not looked:
            return
        if policy.repeat_s is not None:
            assert due <= now + timedelta(seconds=policy.repeat_s), "the next round is too far"
        if policy.ceiling_s is not None:
            assert due <= begun_at + timedelta(seconds=policy.ceiling_s), "it is never missed"
        declined = any(p["state"] == "declined" for p in seen.pages.values() if p["request"] == request["id"])
        instants = [begun_at + timedelta(seconds=s.after_s) for s in policy.steps]
        ahead = [at for at in instants if at > now]
        # Whoever declines brings the next step forward; the one after that keeps its time.
        if ahead and not declined:
            assert due <= ahead[0], "a step is left out"

    def _answered(self, seen: Seen, request: Row, timers: Mapping[str, datetime]) -> None:
        owner = seen.people.get(request["owner"])
        assert owner is not None and owner["active"], "nobody has it"
        assert request["acknowledged_at"] is not None and "escalate" not in timers
        assert (request["state"] == "attended") <= (request["attended_at"] is not None)
        asked = request["handover_to"]
        assert (asked is None) == ("handover" not in timers), "a colleague is asked for ever"
        if asked is not None:
            assert asked != request["owner"] and asked in seen.waiting(request["id"])
            assert timers["handover"] == request["handover_at"] + timedelta(seconds=ASKED_S)

    def _kiosk(
        self, seen: Seen, request: Row, timers: Mapping[str, datetime], now: datetime, looked: bool
    ) -> None:
        """The kiosk was told how it stands, and will be told something new in time."""
        call = seen.calls[request["id"]]
        # Whoever has it was asked whether they are there and said nothing: nobody is known to be coming.
        unanswered = request["state"] == "acknowledged" and any(
            p["request"] == request["id"] and p["state"] in WAITING and p["reason"].endswith(ABSENT)
            for p in seen.pages.values()
        )
        expected = "raised" if unanswered else request["state"]
        assert call.state.value == expected, "the kiosk was told something else"
        if not unanswered and request["state"] in ("acknowledged", "attended"):
            assert call.name == seen.people[request["owner"]]["name"]
        if request["id"] in seen.drills:
            return
        if request["state"] in ("raised", "acknowledged") and not request["silent"]:
            assert timers.get("progress") is not None, "the kiosk will hear nothing more"
            assert not looked or timers["progress"] <= now + timedelta(seconds=NEWS_S)

    def step(self, before: Seen, after: Seen, now: datetime) -> None:
        """What one act, or one look of the worker, may do to what was there."""
        assert after.timeline[: len(before.timeline)] == before.timeline, "the timeline was rewritten"
        said: dict[str, datetime] = {e["interaction"]: e["at"] for e in before.timeline}
        for entry in after.timeline[len(before.timeline) :]:
            assert said.get(entry["interaction"], entry["at"]) <= entry["at"] <= now
            said[entry["interaction"]] = entry["at"]
        assert before.requests.keys() <= after.requests.keys()
        for id_, request in after.requests.items():
            if id_ in before.requests:
                self._moved(before.requests[id_], request, before)
            else:
                assert request["state"] != "resolved" or request["kind"] == "greet"
        assert before.pages.keys() <= after.pages.keys()
        for id_, page in after.pages.items():
            if id_ not in before.pages:
                self._paged(before, after, page, now)
            elif before.pages[id_]["state"] not in WAITING:
                assert page == before.pages[id_], "an ended page came to life"
        # One that was pressed aloud first, and silently in the same batch, was told aloud.
        again = {e["interaction"] for e in after.timeline if e["what"] == "pressed_again"}
        for news in after.news:
            about = before.requests.get(news["subject"])
            if about is None and news["subject"] not in again:
                about = after.requests.get(news["subject"])
            # That a drill began or ended is no secret.
            if about is not None and about["silent"] and news["what"] != "drill":
                assert news["audience"] not in ("staff", "manage"), "a silent request was told aloud"

    def _moved(self, before: Row, after: Row, seen: Seen) -> None:
        changed = {key for key in after if after[key] != before[key]}
        if not changed:
            return
        assert after["revision"] > before["revision"], "it changed and nobody can tell"
        if before["state"] not in (*OPEN, "recorded"):
            assert changed <= LATER_TRUTH, f"a closed request has another {changed}"
        if after["state"] != before["state"]:
            following = NEXT_OF_GREETING if after["kind"] == "greet" else NEXT
            assert after["state"] in following[before["state"]], f"{before['state']} to {after['state']}"
        assert not changed & {"id", "kind", "device", "drill", "raised_by", "reference", "received_at"}
        assert after["silent"] or not before["silent"]
        for first in ("acknowledged_at", "attended_at"):
            assert before[first] is None or after[first] == before[first], "the first answer counts"
        if before["owner"] is not None:
            takers = seen.waiting(before["id"]) if seen.unheard(before) else set()
            others = {before["owner"], before["handover_to"], *takers}
            assert after["owner"] in others, "it was taken from its owner"
        if before["state"] == "attended" and after["state"] == "acknowledged":
            assert after["owner"] == before["handover_to"]

    def _paged(self, before: Seen, after: Seen, page: Row, now: datetime) -> None:
        request, person = after.requests[page["request"]], after.people[page["person"]]
        assert person["active"], "somebody was paged who does not work here any more"
        assert person["id"] != request["raised_by"]
        if request["kind"] == "greet" and not page["reason"].endswith("calls you to help"):
            rested = person["presence_until"] is not None and person["presence_until"] <= now
            assert person["presence"] == "available" or rested, "who is not free was sent to greet"
            assert not any(r["owner"] == person["id"] for r in after.owned(person["id"]))
        # The built-in responder of drills is on no roster.
        if person["presence"] not in GONE or request["id"] in after.drills:
            return
        # Who said that they are coming is asked for it wherever they are now.
        if page["reason"] == ASKS and person["id"] == request["owner"]:
            return
        assert request["kind"] == "security", "somebody was paged who is not here"
        known = any(
            p["request"] == request["id"] and p["person"] == person["id"] for p in before.pages.values()
        )
        others = [p for p in after.people.values() if p["id"] != request["raised_by"]]
        assert known or all(p["presence"] in GONE for p in others), (
            "somebody was paged who is not here although others are"
        )

    def policy(self, request: Row) -> Policy:
        if request["kind"] == "security":
            return self.policies.security
        if request["raised_by"] is not None:
            return FROM_PHONE
        return self.policies.greeter if request["kind"] == "greet" else self.policies.help
