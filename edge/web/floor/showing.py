"""The associate's page: who waits, who is coming, and what to do next."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from edge.devices import store as devices
from edge.handling import arriving, raising
from edge.handling.handing_on import ASKS
from edge.handling.placing import UNKNOWN
from edge.handling.raising import Facts, OwnCall
from edge.incidents import listing
from edge.incidents.listing import Untold
from edge.interactions.request import DECLINE_REASONS, OUTCOMES
from edge.interactions.store import last_words
from edge.paging import feed
from edge.paging import store as paging
from edge.paging.store import FIRST, OpenPage
from edge.people import store as people
from edge.people.store import Person
from edge.presence import AWAY, Presence, at
from edge.reports import floor as now_there
from edge.supervision import store as supervision
from edge.supervision.store import Told
from edge.web.access import signed_in
from edge.web.floor import quiet
from edge.web.floor.incidents import ASKED_FOR
from edge.web.floor.presence import part as presence_here
from edge.web.live import live
from edge.web.services import services


@dataclass(frozen=True)
class Notice:
    """A sentence about one request, shown where that request is, or was."""

    request: str
    sentence: str


@dataclass(frozen=True)
class Colleague:
    """Somebody who could take over."""

    id: str
    name: str
    there: Presence


# What the owner of a request reads on its card as long as it is the latest that happened to it.
NEWS = (
    "handover_declined",
    "handover_lapsed",
    "not_coming",
    "joined",
    "arrival_unanswered",
    "arrival_nobody",
)


@dataclass(frozen=True)
class Board:
    """Everything open that concerns one person. `cursor` is the feed's head before it was read.

    `waiting` is what they are called for, `own` what they called for themselves, `news` is of `mine`, `facts`
    of security requests, `untold` what they have not written about yet, `troubles` what they were told is
    wrong. `told` is all that may be seen of their own call for security, `bar` its sign.
    """

    cursor: int
    waiting: list[OpenPage]
    own: list[OpenPage]
    mine: list[OpenPage]
    others: list[OpenPage]
    news: dict[str, str]
    facts: dict[str, Facts]
    told: OwnCall | None
    bar: str
    colleagues: list[Colleague]
    zones: list[tuple[str, str]]
    untold: list[Untold]
    troubles: list[Told]


def pages() -> AnyResponse:
    return show()


def pages_part() -> AnyResponse:
    """The list alone. A phone without a stream answers the nonce that comes with it."""
    room = services()
    response = make_response(render_template("floor/_board.html", **_context(None)))
    response.headers["Floorbell-Nonce"] = room.round_trips.ask(signed_in().key, room.clock())
    return response


def stream() -> Response:
    return live(services(), signed_in(), pages=True)


def show(notice: Notice | None = None, status: int = 200) -> AnyResponse:
    """The whole page, or for htmx only the list."""
    if request.headers.get("HX-Request"):
        return make_response(render_template("floor/_board.html", **_context(notice)), status)
    page = render_template("floor/pages.html", presence=presence_here(), **_context(notice))
    return make_response(page, status)


def colleagues() -> AnyResponse:
    """Who is here, and who has acknowledged what. Of a silent request nothing is said."""
    room, me = services(), signed_in().person
    with room.read() as conn:
        open_now = now_there.requests(conn, room.store)
        told = [one for one in open_now if not one.silent]
        everyone = now_there.people(conn, room.store, told, room.clock())
    here = [one for one in everyone if one.presence != "off" and one.id != me.id]
    waiting = [one for one in told if one.state == "raised"]
    part = bool(request.headers.get("HX-Request"))
    template = "floor/_colleagues.html" if part else "floor/colleagues.html"
    return make_response(render_template(template, here=here, waiting=waiting))


def board() -> Board:
    room, me = services(), signed_in().person
    with room.read() as conn:
        # Before the list: what is committed in between comes again by the stream, instead of never.
        cursor = feed.head(conn, room.store)
        found = paging.open_pages(conn, room.store, me.id)
        mine = [p for p in found if p.mine]
        told = raising.told(conn, room.store, me.id)
        alarms = [p for p in found if p.kind == "security" and not p.own]
        facts = {p.request: raising.facts(conn, p.request, p.topic) for p in alarms}
        news = {p.request: last_words(conn, p.request, NEWS) for p in mine}
        # Only who has something to hand over needs to know who is there.
        here = people.all_people(conn, room.store) if mine else []
        zones = devices.zones(conn, room.store)
        untold = listing.untold(conn, room.store, me.id, room.clock() - ASKED_FOR)
        troubles = supervision.for_phone(conn, room.store, me.id, room.clock())
    # A call for security shows itself only as `told` says.
    found = [p for p in found if not (p.own and p.kind == "security")]
    own = [p for p in found if p.own and not p.mine]
    rest = [p for p in found if not p.mine and not p.own]
    waiting = [p for p in rest if p.state == "raised" or p.called]
    return Board(
        cursor,
        sorted(waiting, key=_urgency),
        own,
        mine,
        [p for p in rest if p.state != "raised" and not p.called],
        news,
        facts,
        told,
        quiet.shown(told),
        _colleagues(here, me.id, room.clock()),
        [(name, title) for name, title in zones.items() if not me.zones or name in me.zones],
        untold,
        troubles,
    )


def _colleagues(everyone: list[Person], me: str, now: datetime) -> list[Colleague]:
    """Who could take over: whoever is here, those who are free first."""
    there = [(p, at(p.presence, p.presence_until, now)) for p in everyone if p.id != me]
    here = [Colleague(p.id, p.name, now_) for p, now_ in there if now_ not in AWAY]
    return sorted(here, key=lambda c: c.there is not Presence.AVAILABLE)


def _urgency(page: OpenPage) -> tuple[int, float]:
    """Security first, then help, then who has not been greeted."""
    return FIRST.index(page.kind), -page.raised_at.timestamp()


def _context(notice: Notice | None) -> dict[str, object]:
    return {
        "board": board(),
        "notice": notice,
        "me": signed_in().person,
        "outcomes": OUTCOMES,
        "reasons": DECLINE_REASONS,
        "asks": ASKS,
        "nowhere": UNKNOWN,
        "there": arriving.ASKS,
        "absent": arriving.ABSENT,
    }
