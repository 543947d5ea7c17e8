"""Renewing the kiosks' program: a release is added, rolled out, stopped or called back, and what the kiosks
say of it is written down. What comes next in a roll-out is decided in edge/updates/rules.py."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from broker.events import ReleaseMoved
from broker.messages import Revert, Update
from broker.release import Manifest
from edge.audit.store import Actor, record
from edge.errors import EdgeError, NotFound, Refused
from edge.handling import basis
from edge.handling.revoking import SERVER
from edge.handling.telling import Telling
from edge.updates import rules
from edge.updates import store as updates
from edge.updates.store import Found, Rolled

EXPIRY_S = 3600
SOAK_MINUTES, BATCH = 30, 5
MOST_SOAK_MINUTES, MOST_BATCH = 7 * 24 * 60, 100


class UpdateError(EdgeError):
    """Something that cannot be done with a release. The sentence says what to mend."""


def add(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    manifest: Manifest,
    digest: str,
    size: int,
    key: str,
    now: datetime,
) -> None:
    """A release whose file was verified and lies in its place. Of two with one version the first counts."""
    basis.allow_change(conn, store, actor)
    known = updates.find_release(conn, store, manifest.version)
    if known is not None and known.sha256 != digest:
        raise Refused(f"Another release {manifest.version} is here already; a version is given once.")
    if known is not None:
        return
    updates.add_release(conn, store, manifest, digest, size, key, actor.name, now)
    words = f"The release {manifest.version} was added, signed by {key[:16]}…."
    _written(conn, store, actor, "release.added", manifest.version, words, now)


def roll_out(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    version: str,
    first: str,
    now: datetime,
    soak_minutes: int = SOAK_MINUTES,
    batch: int = BATCH,
    *,
    vault_url: str | None,
) -> str:
    """Begin with the kiosk `first`; the roll-out's id. Kiosks fetch it at `vault_url`."""
    basis.allow_change(conn, store, actor)
    if vault_url is None:
        raise UpdateError("edge.toml has no address under [vault]; kiosks would not know where to fetch it.")
    if updates.find_release(conn, store, version) is None:
        raise NotFound(f"There is no release {version[:20]!r} here.")
    if not 0 <= soak_minutes <= MOST_SOAK_MINUTES or not 1 <= batch <= MOST_BATCH:
        raise UpdateError(
            f"Allowed are 0 to {MOST_SOAK_MINUTES} minutes until the others follow, "
            f"and 1 to {MOST_BATCH} of them at once."
        )
    running = updates.open_one(conn, store)
    if running is not None and running.state == rules.RUNNING:
        raise Refused(f"The release {running.version} is being rolled out; stop that first.")
    names = [row.name for row in updates.renewable(conn, store) if row.version != version]
    if not names:
        raise Refused(f"There is no kiosk that takes releases and does not run {version} already.")
    if first not in names:
        raise UpdateError(f"The first kiosk is {first[:32]!r}; allowed are {', '.join(names)}.")
    ordered = [first, *(name for name in names if name != first)]
    if running is not None:
        # What was called back and has not answered is told nothing more.
        updates.end(conn, running.id, rules.STOPPED, now)
    made = updates.begin(conn, store, version, ordered, soak_minutes * 60, batch, actor.name, now)
    words = f"The roll-out of {version} begins with {first}; {len(ordered) - 1} more follow if it is well."
    _written(conn, store, actor, "release.rolled_out", version, words, now)
    return made


def stop(conn: sa.Connection, store: str, actor: Actor, rollout_id: str, now: datetime) -> None:
    """No further kiosk is told. Of one that failed: somebody has taken note."""
    found = _changeable(conn, store, actor, rollout_id)
    if found.state not in (rules.RUNNING, rules.FAILED):
        raise Refused(f"This roll-out of {found.version} does not run any more.")
    updates.end(conn, found.id, rules.STOPPED, now, found.words)
    words = f"The roll-out of {found.version} was stopped."
    _written(conn, store, actor, "release.stopped", found.version, words, now)


def call_back(conn: sa.Connection, store: str, actor: Actor, rollout_id: str, now: datetime) -> None:
    """Every kiosk that has the release of this roll-out, or is at it, goes back to what ran before."""
    found = _changeable(conn, store, actor, rollout_id)
    if found.state == rules.RECALLED:
        raise Refused(f"{found.version} is called back already.")
    newest = updates.newest(conn, store, 1)
    if newest[0].id != found.id:
        raise Refused("Only the newest roll-out can be called back: what ran before it is still there.")
    updates.end(conn, found.id, rules.RECALLED, now, found.words)
    words = f"The release {found.version} was called back."
    _written(conn, store, actor, "release.called_back", found.version, words, now)


def look(conn: sa.Connection, telling: Telling, vault_url: str, window: str, now: datetime) -> None:
    """What the open roll-out does now."""
    store = telling.store
    found = updates.open_one(conn, store)
    if found is None:
        return
    seen = updates.parts(conn, found.id)
    for step in rules.steps(found.rule, seen, rules.is_within(window, now), now):
        match step:
            case rules.Tell(device):
                was = next(part.state for part in seen if part.device == device)
                _tell(conn, telling, found, device, was, vault_url, now)
            case rules.Revert(device):
                _, order = updates.orders(conn, found.id, device)
                updates.set_part(conn, found.id, device, reverted_at=now)
                telling.command(device, Revert(UUID(order), found.version), EXPIRY_S)
            case rules.Fail(device, reason):
                words = f"The roll-out of {found.version} stopped at {device}. {reason}"
                updates.end(conn, found.id, rules.FAILED, now, words)
                _written(conn, store, SERVER, "release.failed", found.version, words, now, telling)
            case rules.Finish():
                updates.end(conn, found.id, rules.DONE, now)
                words = f"Every kiosk of the roll-out of {found.version} that is let in is healthy."
                _written(conn, store, SERVER, "release.done", found.version, words, now, telling)


def _tell(
    conn: sa.Connection,
    telling: Telling,
    found: Rolled,
    device: str,
    was: str,
    vault_url: str,
    now: datetime,
) -> None:
    carried = updates.find_release(conn, telling.store, found.version)
    assert carried is not None
    order, _ = updates.orders(conn, found.id, device)
    if was != rules.TOLD:
        # Said again it is still told since the first time.
        updates.set_part(conn, found.id, device, state=rules.TOLD, changed_at=now)
    secret = updates.issue_ticket(conn, found.id, device, now)
    url = f"{vault_url}/release/{carried.sha256}"
    command = Update(UUID(order), carried.version, url, secret, carried.sha256, carried.bytes)
    telling.command(device, command, EXPIRY_S)
    telling.device(device, "release")


def heard(
    conn: sa.Connection, telling: Telling, name: str, said: ReleaseMoved, at: datetime, now: datetime
) -> None:
    """A kiosk says how far it has come. What nobody ordered of it changes nothing."""
    found = updates.by_order(conn, telling.store, name, str(said.order))
    if found is None or found.version != said.release:
        return
    state = _state_after(found, said)
    if state is None:
        return
    updates.set_part(
        conn, found.rollout, name, state=state, changed_at=min(at, now), reason=said.reason,
        ticket_sha256=None, ticket_until=None,
    )  # fmt: skip
    reason = f" {said.reason}" if said.reason else ""
    words = f"{name} says of the release {said.release}: {said.stage.replace('_', ' ')}.{reason}"
    record(conn, telling.store, Actor(name, "device"), f"release.{said.stage}", name, words, now)
    telling.device(name, "release")


def _state_after(found: Found, said: ReleaseMoved) -> str | None:
    if found.reverts:
        # One that could not go back says why, and runs what it ran.
        return {"refused": rules.KEPT, "rolled_back": rules.ROLLED_BACK}.get(said.stage)
    return said.stage if rules.moves(found.state, said.stage) else None


def _changeable(conn: sa.Connection, store: str, actor: Actor, rollout_id: str) -> Rolled:
    basis.allow_change(conn, store, actor)
    found = updates.find(conn, store, rollout_id)
    if found is None:
        raise NotFound("There is no such roll-out.")
    return found


def _written(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    what: str,
    version: str,
    words: str,
    now: datetime,
    telling: Telling | None = None,
) -> None:
    record(conn, store, actor, what, version, words, now)
    told = telling or Telling(store)
    told.store_changed("release", version)
    if telling is None:
        told.flush(conn, now)
