"""What people do to access requests: open, extend, answer, close and open again; and what time does to them.

Each function is one transaction's work. They raise Refused with one sentence, Faulty, or NotFound. As long
as an access request waits, the clips of its place and time are held; two people release them, as every
hold."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from edge.access_requests import rules, shown, store
from edge.access_requests.rules import (
    Action,
    Answer,
    Change,
    Close,
    Extend,
    Note,
    Ready,
    Refusal,
    Reopen,
)
from edge.access_requests.store import New, Row, Step
from edge.audit.store import Actor
from edge.devices import store as devices
from edge.errors import Faulty, NotFound, Refused
from edge.evidence import clips, custody, holds
from edge.evidence.holds import Hold
from edge.handling import keeping

# As the desk asks for them.
_TEXTS = {
    "contact": "How to reach the asker",
    "identity": "How it was made sure who they are",
    "description": "What they look like",
}


def reason_of(number: str) -> str:
    """As which the custody log and the holds name it: never who asks."""
    return f"Access request {number}"


def open_(conn: sa.Connection, name: str, new: New, actor: Actor, now: datetime) -> str:
    """Open it and hold what it asks for; its id. The same id again is the same access request."""
    if (known := store.store_of(conn, new.id)) is not None:
        if known != name:
            raise NotFound("There is no such access request in this store.")
        return new.id
    for field, asked in _TEXTS.items():
        text = getattr(new, field)
        least = 0 if field == "description" else 1
        if not least <= len(text.strip()) <= rules.MAX_CONTACT:
            said = f"{least} to {rules.MAX_CONTACT} are allowed"
            raise Faulty(f"‘{asked}’ has {len(text.strip())} signs; {said}.", field)
    titles = devices.zones(conn, name)
    if new.zone not in titles:
        raise Faulty(f"The zone is {new.zone[:32]!r}; allowed are {', '.join(titles) or 'none yet'}.", "zone")
    today = now.astimezone().date()
    if wrong := rules.why_not_open(new.came, new.received_on, new.began_at, new.ended_at, now, today):
        raise Faulty(wrong[1], wrong[0])
    store.add(conn, name, new, now)
    words = f"{actor.name} opened it: {rules.CAME[new.came].lower()}, received on {new.received_on}."
    _append(conn, new.id, "opened", words, actor, now)
    row = store.one(conn, name, new.id)
    found = looked_for(conn, name, row, rules.MOST_CLIPS + 1)
    if len(found) > rules.MOST_CLIPS:
        raise Refused(f"More than {rules.MOST_CLIPS} clips are of that place and time; ask when it was.")
    _say_held(conn, new.id, _hold(conn, name, row, found, actor, now), now)
    return new.id


def extend(
    conn: sa.Connection, name: str, request_id: str, action: Extend, actor: Actor, now: datetime
) -> None:
    """Two months more; the asker was told."""
    act(conn, name, request_id, action, actor, now)


def ready(conn: sa.Connection, request_id: str) -> Ready:
    """How far the clips are in which the asker was found."""
    chosen = [one for one in shown.of_request(conn, request_id).values() if one.chosen]
    return Ready(len(chosen), sum(one.watched_at is None for one in chosen))


def answer(
    conn: sa.Connection,
    name: str,
    request_id: str,
    how: str,
    reason: str,
    letter: str,
    actor: Actor,
    based_on: int | None,
    now: datetime,
) -> None:
    """What the asker is told. With footage the vault packs the covered copies and the letter; each clip's
    entry in the custody log says so."""
    # Locked first: whoever places other boxes meanwhile is done before, or comes after.
    store.load(conn, name, request_id)
    action = Answer(actor.name, how, reason, letter, ready(conn, request_id), based_on)
    change = act(conn, name, request_id, action, actor, now)
    if how != "footage":
        store.set_answer(conn, request_id, None, None)
        return
    store.set_answer(conn, request_id, letter.strip(), "asked")
    said = f"A covered copy, in the answer to access request {change.request.number}"
    for one in shown.of_request(conn, request_id).values():
        clip = clips.find(conn, name, one.clip) if one.chosen else None
        if clip is not None:
            custody.append(conn, name, "exported", clip.id, clip.manifest_sha256, actor.name, said, now)
    custody.append(conn, name, "exported", request_id, "", actor.name, reason_of(change.request.number), now)


def fetch(conn: sa.Connection, name: str, request_id: str, actor: Actor, now: datetime) -> Row:
    """The access request, once it is written down that this actor takes its file away. Refused if there is
    none."""
    row = store.one(conn, name, request_id)
    if row.state != rules.State.ANSWERED or row.package != "ready":
        raise Refused("There is no file to be fetched: this access request was not answered with footage.")
    said = f"{reason_of(row.number)}: the file for the asker ({actor.through})"
    custody.append(conn, name, "downloaded", request_id, "", actor.name, said, now)
    act(conn, name, request_id, Note("fetched", f"{actor.name} fetched the file.", False), actor, now)
    return row


def close(
    conn: sa.Connection, name: str, request_id: str, actor: Actor, based_on: int | None, now: datetime
) -> None:
    """Nothing is left to do. The covered copies are deleted; holds stay until two people release them."""
    act(conn, name, request_id, Close(actor.name, based_on), actor, now)
    shown.forget_copies(conn, request_id)


def reopen(
    conn: sa.Connection,
    name: str,
    request_id: str,
    reason: str,
    actor: Actor,
    based_on: int | None,
    now: datetime,
) -> None:
    """What it asks for is held again, also what two people had released. Refused once the asker was
    forgotten: nobody could be answered."""
    if store.one(conn, name, request_id).erased_at is not None:
        raise Refused("Who asked was erased; open a new access request.")
    act(conn, name, request_id, Reopen(actor.name, reason, based_on), actor, now)
    row = store.one(conn, name, request_id)
    found = [*shown.of_request(conn, request_id), *looked_for(conn, name, row)]
    if held := _hold(conn, name, row, found, actor, now):
        _say_held(conn, request_id, held, now)


def ask_release(
    conn: sa.Connection, name: str, request_id: str, actor: Actor, reason: str, now: datetime, *, silent: bool
) -> int:
    """Ask that all its holds be released; how many. Another person must agree to it."""
    row = store.one(conn, name, request_id)
    if row.waits:
        raise Refused("This access request waits for its answer; what it asks for stays held until then.")
    found = standing(conn, name, request_id, silent=silent)
    if not found:
        raise Refused("Nothing is held for this access request any more.")
    for hold in found:
        keeping.ask_release(conn, name, hold.id, actor, reason, now, silent=silent)
    return len(found)


def release(
    conn: sa.Connection, name: str, request_id: str, actor: Actor, now: datetime, *, silent: bool
) -> int:
    """Agree to the releases that somebody else has asked for; how many."""
    asked = [hold for hold in standing(conn, name, request_id, silent=silent) if hold.asked_by is not None]
    if not asked:
        raise Refused("Nobody has asked to release what is held; ask first, and another person agrees.")
    found = [hold for hold in asked if hold.asked_by != (actor.person or actor.name)]
    if not found:
        raise Refused("You have asked for this release yourself; another person must agree.")
    for hold in found:
        keeping.release(conn, name, hold.id, actor, now, silent=silent)
    return len(found)


def standing(conn: sa.Connection, name: str, request_id: str, *, silent: bool) -> list[Hold]:
    """The holds that were placed for it and stand."""
    found = []
    for one in shown.of_request(conn, request_id).values():
        clip = clips.find(conn, name, one.clip)
        if clip is None or (clip.silent and not silent):
            continue
        held = holds.of_clip(conn, name, one.clip)
        found += [hold for hold in held if hold.id == one.hold and hold.released_at is None]
    return found


def hold_told(conn: sa.Connection, name: str, clip_id: str, now: datetime) -> None:
    """A device told of a clip: hold it for the access requests that ask for its place and time."""
    clip = clips.find(conn, name, clip_id)
    if clip is None:
        return
    zones = [clip.zone, *devices.neighbours(conn, name).get(clip.zone, [])]
    for row in store.wanted_at(conn, name, zones, clip.started_at, clip.ended_at):
        opened = store.steps(conn, row.id)[0]
        _hold(conn, name, row, [clip_id], Actor(opened.name, "policy", opened.person), now)


def forget(conn: sa.Connection, name: str, closed_before: datetime, now: datetime) -> int:
    """Erase who asked, of those that were closed before then; how many."""
    found = store.erase(conn, name, closed_before, now)
    for request_id in found:
        words = "Who asked, how they look and the letter were erased."
        _append(conn, request_id, "erased", words, Actor("Floorbell", "policy"), now)
    return len(found)


def act(
    conn: sa.Connection, name: str, request_id: str, action: Action, actor: Actor, now: datetime
) -> Change:
    """Decide, save and write down. Refused with the rules' sentence."""
    before = store.load(conn, name, request_id)
    change = rules.decide(before, action)
    if isinstance(change, Refusal):
        raise Refused(change.sentence)
    store.save(conn, before, change.request, now)
    _append(conn, request_id, change.what, change.words, actor, now)
    return change


def looked_for(conn: sa.Connection, name: str, row: Row, limit: int = rules.MOST_CLIPS) -> list[str]:
    """The clips of its place, and of those beside it, that overlap its time: by id, the oldest first."""
    zones = [row.zone, *devices.neighbours(conn, name).get(row.zone, [])]
    return shown.overlapping(conn, name, zones, row.began_at, row.ended_at, limit)


def _hold(conn: sa.Connection, name: str, row: Row, found: Sequence[str], actor: Actor, now: datetime) -> int:
    """Hold those of these clips that are there and not held for it; how many."""
    known, held = shown.of_request(conn, row.id), 0
    stands = {hold.id for hold in standing(conn, name, row.id, silent=True)}
    for clip_id in dict.fromkeys(found):
        before = known.get(clip_id)
        if before is not None and before.hold in stands:
            continue
        clip = clips.find(conn, name, clip_id)
        if clip is None or clip.state == clips.PURGED or clip.lost_at is not None:
            continue
        hold = keeping.place_hold(conn, name, clip_id, actor, reason_of(row.number), now, silent=True)
        shown.hold(conn, name, row.id, clip_id, hold)
        held += 1
    return held


def _say_held(conn: sa.Connection, request_id: str, held: int, now: datetime) -> None:
    words = f"{held} {'clip is' if held == 1 else 'clips are'} held for it."
    _append(conn, request_id, "held", words, Actor("Floorbell", "policy"), now)


def _append(conn: sa.Connection, request_id: str, what: str, words: str, actor: Actor, now: datetime) -> None:
    store.append(conn, request_id, Step(now, what, actor.person, actor.name, actor.through, words))
