"""Calling people by their hardware pagers, beside their phones: from the same news as the phones are told.

Written in the transaction of the page itself. A bug in here costs the pager its message, never the phone's.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from msgspec.structs import replace

from broker import codec, topics
from broker.events import reference_of
from broker.pages import Page
from edge.devices import store as devices
from edge.handling import pager_words, placing
from edge.hearing import SILENT_AFTER
from edge.interactions import store as requests
from edge.interactions.request import Request
from edge.interactions.store import Entry
from edge.paging import pagers
from edge.paging import store as pages
from edge.paging.feed import News
from edge.paging.outgoing import Message
from edge.paging.pagers import Attempt, Held

log = logging.getLogger(__name__)
# No call of the policies that ship waits longer; one of security comes again long before.
VALID_S = 600


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody is called about a request by this page."""

    request: str
    person: str
    page: str
    reason: str
    round: int


@dataclass(frozen=True, slots=True)
class Over:
    """Their page about a request needs no answer any more."""

    request: str
    person: str


def callers(conn: sa.Connection, request: Request) -> frozenset[str]:
    """Who is not called, since they call: from a phone, or silently from the pager that they held then, or
    hold now if it was handed on since. Whoever threatens them would hear their phone ring."""
    who = {request.raised_by}
    if request.raised_by is None and request.silent:
        who = {request.held_by, pagers.holder(conn, request.store, request.device)[1]}
    return frozenset(one for one in who if one is not None)


def by_pagers(conn: sa.Connection, store: str, news: Sequence[News], now: datetime) -> list[Message]:
    """What the pagers of everybody are to hear whose phone hears this news."""
    latest = {(one.request, one.person): one for one in map(_read, news) if one is not None}
    called = [one for one in latest.values() if isinstance(one, Called)]
    over = [one for one in latest.values() if isinstance(one, Over)]
    if not latest:
        return []
    try:
        with conn.begin_nested():
            held = pagers.held_by(conn, store, {one.person for one in called}) if called else []
            tries = {one: pagers.called(conn, one) for one in sorted({o.request for o in over})}
            if not held and not any(tries.values()):
                return []
            told = {
                one.id: one
                for one in requests.among(conn, store, sorted({o.request for o in latest.values()}))
            }
            titles = devices.zones(conn, store)
            found = _calls(conn, store, told, titles, called, held, now)
            return found + _ends(store, told, titles, over, tries, now)
    except (sa.exc.OperationalError, sa.exc.InterfaceError):
        raise
    except Exception:
        log.exception("The pagers could not be called; the phones are.")
        return []


def again(conn: sa.Connection, store: str, pager: str, now: datetime) -> list[Message]:
    """What a pager that comes online is told: the calls that wait for its holder, and what ended lately."""
    latest = pagers.lately(conn, store, pager, now - timedelta(seconds=VALID_S))
    told = {one.id: one for one in requests.among(conn, store, [last.request for last in latest])}
    titles, found = devices.zones(conn, store), []
    _, holder = pagers.holder(conn, store, pager)
    for last in latest:
        request = told[last.request]
        waiting = pages.waiting_page(conn, request.id, last.person) if last.person == holder else None
        if waiting is None:
            found.append(_end(store, request, titles, last, now))
        else:
            one = Called(request.id, last.person, waiting.id, waiting.reason, waiting.round)
            found.append(_call(store, request, titles, one, last, now))
    return found


def _read(news: News) -> Called | Over | None:
    kind, _, person = news.audience.partition(":")
    if kind != "person" or news.what not in ("page", "page_over"):
        return None
    if news.what == "page_over":
        return Over(news.subject, person)
    body = news.body
    return Called(news.subject, person, body["page"], body["reason"], body["round"])


def _calls(
    conn: sa.Connection,
    store: str,
    told: Mapping[str, Request],
    titles: Mapping[str, str],
    called: Sequence[Called],
    held: Sequence[Held],
    now: datetime,
) -> list[Message]:
    wanted = [
        (one, by)
        for one in called
        for by in held
        # Whoever pressed it must not be given away by it.
        if by.person == one.person and by.pager != told[one.request].device
    ]
    about = sorted({one.request for one, _ in wanted})
    before = {(last.request, last.pager) for one in about for last in pagers.called(conn, one)}
    tries = pagers.add(conn, store, [(by.pager, o.page, o.request, o.person) for o, by in wanted], now)
    new = [(one, by) for one, by in wanted if (one.request, by.pager) not in before]
    requests.append(
        conn, [Entry(o.request, now, "paged", "policy", _called_words(by, now), o.person) for o, by in new]
    )
    return [
        _call(store, told[one.request], titles, one, made, now)
        for (one, _), made in zip(wanted, tries, strict=True)
    ]


def _called_words(by: Held, now: datetime) -> str:
    words = f"{by.name} is called on {by.pager}"
    if by.heard_at is None or now - by.heard_at > SILENT_AFTER:
        return f"{words}, which is not heard at this moment."
    return f"{words}."


def _ends(
    store: str,
    told: Mapping[str, Request],
    titles: Mapping[str, str],
    over: Sequence[Over],
    tries: Mapping[str, Sequence[Attempt]],
    now: datetime,
) -> list[Message]:
    ended = {(one.request, one.person) for one in over}
    last = {
        (one.request, one.pager): one
        for found in tries.values()
        for one in found
        if (one.request, one.person) in ended
    }
    return [_end(store, told[one.request], titles, one, now) for one in last.values()]


def _call(
    store: str, request: Request, titles: Mapping[str, str], one: Called, by: Attempt, now: datetime
) -> Message:
    text = pager_words.call_text(request, _place(request, titles), one.reason)
    of_help = request.kind == "help"
    page = replace(
        _page(request, titles, one.page, text, now),
        state="call",
        round=one.round,
        topic=request.topic if of_help else None,
        language=request.language if of_help else None,
    )
    return Message(topics.pager_page(store, by.pager), codec.encode(page), VALID_S, by.id)


def _end(store: str, request: Request, titles: Mapping[str, str], last: Attempt, now: datetime) -> Message:
    text = pager_words.end_text(request, _place(request, titles), last.person)
    ended = _page(request, titles, last.page, text, now)
    page = replace(ended, why=pager_words.why_of(request.state), name=request.owner_name)
    return Message(topics.pager_page(store, last.pager), codec.encode(page), VALID_S)


def _page(request: Request, titles: Mapping[str, str], page: str, text: str, now: datetime) -> Page:
    return Page(
        page=UUID(page),
        request=UUID(request.id),
        revision=request.revision,
        state="ended",
        kind=request.kind,
        zone=request.zone,
        zone_title=titles.get(request.zone, request.zone),
        text=text,
        reference=reference_of(UUID(request.id)),
        valid_s=VALID_S,
        age_ms=max(0, round((now - request.raised_at) / timedelta(milliseconds=1))),
        age_known=request.age_known,
        silent=request.silent,
        drill=request.drill,
    )


def _place(request: Request, titles: Mapping[str, str]) -> str:
    return pager_words.NOWHERE if request.zone == placing.UNKNOWN else titles.get(request.zone, request.zone)
