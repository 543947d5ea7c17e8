"""What a hardware pager, or whoever holds it, answers to a page. In the transaction of its event."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from broker.events import PageAnswered
from edge.errors import Refused
from edge.handling import acting
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.store import Entry
from edge.lengths import in_words
from edge.paging import pagers

THROUGH = "pager"
# Who pressed 'coming' longer ago than this is not known to be on the way now.
COUNTS = timedelta(seconds=600)
# A shorter delay is the way itself, and is not written down.
NOTED_FROM = timedelta(seconds=5)


def answer(
    conn: sa.Connection,
    telling: Telling,
    pager: str,
    said: PageAnswered,
    now: datetime,
    age: timedelta = timedelta(0),
) -> None:
    """`age`: how long ago it was pressed, at least.

    Refused or NotFound, with one sentence, where the pager was not called for its holder about this request;
    Refused with the name of whoever was faster.
    """
    store, request = telling.store, str(said.request)
    person = _holder(conn, store, pager)
    called = pagers.called_by(conn, request, pager)
    if not called:
        raise Refused(f"{pager} was not called about this request.")
    if called[0].person != person:
        raise Refused(f"{pager} was called for somebody else, who held it then.")
    mine = [one.page for one in called if one.person == person]
    acts = said.answer in ("coming", "there")
    if acts and age > COUNTS:
        raise Refused(f"It was pressed {in_words(age)} earlier, too long ago to count.")
    match said.answer:
        case "delivered":
            acting.mark_delivered(conn, store, person, mine, now)
        case "seen":
            acting.mark_seen(conn, store, person, mine, now, THROUGH, telling)
        case "coming":
            acting.acknowledge(conn, store, request, person, now, THROUGH, telling)
        case "there":
            acting.attend(conn, store, request, person, now, THROUGH, telling)
    if acts and age >= NOTED_FROM:
        words = f"{acting.who_is(conn, store, person).name} pressed this {in_words(age)} earlier on {pager}."
        requests.append(conn, [Entry(request, now, "kept", THROUGH, words, person)])


def _holder(conn: sa.Connection, store: str, pager: str) -> str:
    is_pager, person = pagers.holder(conn, store, pager)
    if not is_pager:
        raise Refused(f"{pager} is not a pager at the desk; only pagers answer pages.")
    if person is None:
        raise Refused(f"{pager} has no holder at the desk, so nobody answers with it.")
    return person
