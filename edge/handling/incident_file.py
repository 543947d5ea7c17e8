"""An incident as it leaves the store: all that its page tells, and of each clip whether it goes along."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from edge.evidence import captures, clips
from edge.evidence.clips import Clip
from edge.evidence.export import MOST_CLIPS
from edge.evidence.incident_file import (
    FORMAT,
    Asked,
    Camera,
    Check,
    Clock,
    Entry,
    IncidentFile,
    Page,
    Request,
    Step,
)
from edge.evidence.incident_file import Clip as Told
from edge.evidence.register import Listed
from edge.handling.casefile import Casefile
from edge.incidents.classes import CHECKS, CLASSES, OUTCOMES, ROLES
from edge.incidents.store import Step as Done
from edge.interactions import log

_UNSEEN = (
    "Whoever took this out may not know of silent requests; clips of such, if there are any, are neither "
    "here nor named."
)
_NOT_HERE = {
    clips.ANNOUNCED: "The kiosk has told of it; it has not come to the store server yet.",
    clips.NOT_ARRIVED: "The kiosk has told of it; it has not come to the store server, and is late.",
}


def told(
    conn: sa.Connection,
    store: str,
    title: str,
    case: Casefile,
    identity: str,
    by: str,
    purpose: str,
    now: datetime,
    has_file: Callable[[str], bool],
    *,
    silent: bool,
    currency: str,
) -> IncidentFile:
    """The file of the export `identity`. `has_file`: whether the vault has what has this hash. `silent`:
    whether `case` has clips of silent requests too."""
    row = case.row
    held = [_clip(one, why) for one, why in along(case.clips, has_file)]
    requests = [_request(log.timeline_of(conn, store, one.id)) for one in case.requests]
    asked = [one for each in case.requests for one in captures.without_pictures(conn, store, each.id)]
    return IncidentFile(
        format=FORMAT,
        export=UUID(identity),
        store=store,
        store_title=title,
        made_at=now,
        by=by,
        purpose=purpose,
        incident=UUID(row.id),
        number=row.number,
        classed_as=row.classed_as,
        class_words=CLASSES[row.classed_as],
        zone=row.zone,
        zone_title=row.zone_title,
        happened_at=row.happened_at,
        silent=row.silent,
        state=row.state,
        opened_at=row.opened_at,
        opened_by=row.opened_name,
        outcome=row.outcome,
        outcome_words=OUTCOMES[row.outcome] if row.outcome else None,
        closed_at=row.closed_at,
        lost_cents=case.lost_cents,
        currency=currency,
        entries=_entries(case),
        timeline=[Step(one.at, one.what, one.name, one.through, one.words) for one in case.steps],
        checks=[_check(one.key, one.done) for one in case.checks],
        accounts_asked=[Asked(one.name, one.at, one.written) for one in case.asked],
        requests=requests,
        clips=held,
        cameras=[_camera(one, now) for one in asked],
        left_out=_left_out(case, requests, silent=silent),
    )


def along(found: Sequence[Listed], has_file: Callable[[str], bool]) -> list[tuple[Listed, str | None]]:
    """Each clip of an incident, and why it does not go along; None for one that does."""
    return [(one, _why_not(one, number, has_file)) for number, one in enumerate(found)]


def _why_not(one: Listed, number: int, has_file: Callable[[str], bool]) -> str | None:
    """`number` counts the incident's clips from 0."""
    clip = one.clip
    if one.state == clips.PURGED:
        return "It was deleted; the custody log says when and why."
    if one.state != clips.SEALED:
        return _NOT_HERE.get(one.state) or clip.trouble or "What came was not what the kiosk had told of."
    if clip.key is None:
        return "The kiosk had no registered key that it could be checked with."
    if not (has_file(clip.sha256) and has_file(clip.manifest_sha256)):
        return "It was sealed, and its file is no longer in the vault."
    if number >= MOST_CLIPS:
        return f"A bundle has {MOST_CLIPS} clips at most; this one is to be exported by itself."
    return None


def _clip(one: Listed, why_not: str | None) -> Told:
    clip = one.clip
    return Told(
        UUID(clip.id),
        clip.device,
        clip.zone,
        one.zone_title,
        clip.started_at,
        clip.ended_at,
        clip.bytes,
        clip.sha256,
        clip.manifest_sha256,
        one.state,
        why_not is None,
        why_not,
        clock_of(clip),
    )


def clock_of(clip: Clip) -> Clock:
    return Clock(clip.clock_synced, clip.clock_behind_ms, clip.clock_heard_at)


def _camera(one: captures.Capture, now: datetime) -> Camera:
    return Camera(one.device, UUID(one.request), one.asked_at, f"It {captures.in_words(one, now)}")


def _entries(case: Casefile) -> list[Entry]:
    return [
        Entry(
            one.number,
            one.kind.value,
            one.words,
            one.said_by,
            ROLES[one.role] if one.role else None,
            one.amount_cents,
            one.happened_at,
            one.corrects,
            case.corrected.get(one.number),
            one.id in case.identities,
            one.name,
            one.through,
            one.written_at,
        )
        for one in case.entries
    ]


def _check(key: str, done: Done | None) -> Check:
    return Check(key, CHECKS[key], done.name if done else None, done.at if done else None)


def _request(story: log.Story) -> Request:
    row = story.row
    return Request(
        id=UUID(row.id),
        reference=row.reference,
        kind=row.kind,
        topic=row.topic,
        zone=row.zone,
        zone_title=row.zone_title,
        device=row.device,
        language=row.language,
        silent=row.silent,
        state=row.state,
        count=row.count,
        raised_at=row.raised_at,
        age_known=row.age_known,
        received_at=row.received_at,
        owner=row.owner_name,
        acknowledged_at=row.acknowledged_at,
        attended_at=row.attended_at,
        closed_at=row.closed_at,
        outcome=row.outcome,
        note=row.note,
        score=row.score,
        reason=row.reason,
        timeline=[
            Step(one.at, one.what, one.person_name, one.through, one.words) for one in story.happenings
        ],
        pages=[
            Page(
                one.person_name,
                one.round,
                one.reason,
                one.state,
                one.answer,
                one.created_at,
                one.sent_at,
                one.delivered_at,
                one.seen_at,
                one.closed_at,
            )
            for one in story.pages
        ],
        earlier_pages=story.earlier_pages,
    )


def _left_out(case: Casefile, requests: Sequence[Request], *, silent: bool) -> list[str]:
    said = []
    known = [str(one.number) for one in case.entries if one.id in case.identities]
    if known:
        entries = f"entry {known[0]}" if len(known) == 1 else f"entries {', '.join(known)}"
        said.append(f"Who the people of {entries} are: the store knows it, and this file does not say it.")
    said += [
        f"{one.earlier_pages} earlier calls of people for the request {one.reference}."
        for one in requests
        if one.earlier_pages
    ]
    return said if silent else [*said, _UNSEEN]
