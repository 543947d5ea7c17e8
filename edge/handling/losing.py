"""What a device no longer has, or never had: clips that are gone or damaged on its card, and pictures that it
was asked for and cannot give. The register, the custody log and the request's timeline say so."""

from datetime import datetime

import sqlalchemy as sa

from broker.errors import ContractError
from broker.events import ClipLost, Event
from edge.evidence import captures, clips, custody
from edge.handling.causes import cause_of, of_clip
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.store import Entry

CLIP_LOST = {
    "full": "It went from the card before it was brought here: the card was full.",
    "missing": "It is no longer on the card.",
    "damaged": "The card no longer holds what was signed.",
    "unwritten": "The card did not take it.",
    "late": "It is no longer on the card.",
    "blind": "It is no longer on the card.",
}


def lose(
    conn: sa.Connection, telling: Telling, incoming: Event, content: ClipLost, at: datetime, now: datetime
) -> None:
    """A device says that it has not, or no longer, what was to be recorded. `at` is when it found so.

    A clip that is not told of yet is dealt with once it is; what is sealed stays so. ContractError for
    another device's clip.
    """
    if content.clip is not None:
        _lose_clip(conn, telling, incoming, str(content.clip), content.why, at, now)
    elif content.cause is not None:
        _no_pictures(conn, telling, incoming.device, str(content.cause), content.why, at, now)


def _lose_clip(
    conn: sa.Connection,
    telling: Telling,
    incoming: Event,
    clip_id: str,
    why: str,
    at: datetime,
    now: datetime,
) -> None:
    store = telling.store
    found = clips.find(conn, store, clip_id)
    if found is None:
        return
    if found.device != incoming.device:
        outbox = str(incoming.outbox) if incoming.outbox else None
        reason = f"The clip {clip_id} is another device's."
        raise ContractError(reason, str(incoming.id), incoming.seq, outbox)
    state = clips.DAMAGED if why == "damaged" else clips.GONE
    if not clips.set_lost(conn, store, clip_id, state, CLIP_LOST[why], at):
        return
    digest, said = found.manifest_sha256, CLIP_LOST[why]
    custody.append(conn, store, "lost", clip_id, digest, f"device {found.device}", said, now)
    begun = f"{found.started_at:%H:%M:%S} UTC"
    words = f"The clip of {found.device} from {begun} will not come. {said}"
    about = of_clip(conn, store, found).interactions
    requests.append(conn, [Entry(one, at, "noted", "kiosk", words) for one in about])
    telling.evidence(clip_id, silent=found.silent)


def _no_pictures(
    conn: sa.Connection, telling: Telling, device: str, cause: str, why: str, at: datetime, now: datetime
) -> None:
    """Said once for each cause: a camera that starts anew says it again."""
    store = telling.store
    asked = captures.request_of(conn, store, device, cause) is not None
    if asked and not captures.answer(conn, store, device, [cause], captures.LOST, why, now):
        return
    about = cause_of(conn, store, device, cause)
    if about.interaction is None:
        return
    words = f"There are no pictures of {device}: {captures.NO_PICTURES[why]}."
    requests.append(conn, [Entry(about.interaction, at, "noted", "kiosk", words)])
    telling.recorded(about.interaction, about.kind or "security", silent=about.silent)
