"""The associate's page: who waits, who is coming, and what to do next."""

from dataclasses import dataclass

from flask import Response, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from edge.interactions.lifecycle import OUTCOMES
from edge.paging import feed
from edge.paging import store as paging
from edge.paging.store import OpenPage
from edge.people.store import CHOICES
from edge.web.access import signed_in
from edge.web.live import live
from edge.web.services import services


@dataclass(frozen=True)
class Notice:
    """A sentence about one request, shown where that request is, or was."""

    request: str
    sentence: str


@dataclass(frozen=True)
class Board:
    """Everything open that concerns one person. `cursor` is the feed's head before it was read."""

    cursor: int
    waiting: list[OpenPage]
    mine: list[OpenPage]
    others: list[OpenPage]


def pages() -> AnyResponse:
    return show()


def pages_part() -> AnyResponse:
    return make_response(render_template("floor/_board.html", **_context(None)))


def stream() -> Response:
    return live(services(), signed_in(), pages=True)


def show(notice: Notice | None = None, status: int = 200) -> AnyResponse:
    """The whole page, or for htmx only the list."""
    template = "floor/_board.html" if request.headers.get("HX-Request") else "floor/pages.html"
    return make_response(render_template(template, **_context(notice)), status)


def board() -> Board:
    room = services()
    with room.read() as conn:
        # Before the list: what is committed in between comes again by the stream, instead of never.
        cursor = feed.head(conn, room.store)
        found = paging.open_pages(conn, room.store, signed_in().person.id)
    return Board(
        cursor,
        sorted((p for p in found if p.state == "raised" and not p.mine), key=_urgency),
        [p for p in found if p.mine],
        [p for p in found if p.state != "raised" and not p.mine],
    )


def _urgency(page: OpenPage) -> tuple[bool, float]:
    return page.kind != "security", -page.raised_at.timestamp()


def _context(notice: Notice | None) -> dict[str, object]:
    return {
        "board": board(),
        "notice": notice,
        "me": signed_in().person,
        "choices": CHOICES,
        "outcomes": OUTCOMES,
    }
