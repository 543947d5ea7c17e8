"""Notes beside the backups: who was shut out, and whose name was erased by law, since the last backup.

A restored store must not let them in again, nor name them. A note is a few lines, sealed and signed like a
backup; the newest says who is shut out, all say what was erased. Each key has its own, so that another key
that comes later takes nothing away from who has the one before.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import msgspec
from msgspec import Struct

from broker.events import AwareTime
from broker.signing import is_signed
from edge.backup import age, making, recovery, settings
from edge.backup.errors import NotWhole, OtherKey
from edge.backup.recovery import RecoveryKey, Sealer
from edge.backup.targets import Target
from edge.handling.restored import ShutOut

_SIGNED = b"floorbell backup note 1\n"
_ERASED = "-erased"
# The longest that a backup may be on its way to the target before it shows there.
_ON_ITS_WAY = timedelta(days=2)


class Note(Struct, frozen=True):
    store: str
    at: AwareTime
    out: ShutOut


class _Written(Struct, frozen=True):
    note: str
    signature: str


def write(target: Target, sealer: Sealer, store: str, out: ShutOut, now: datetime) -> None:
    """Leave a note at the target; one that has no erased name takes the place of those before it."""
    text = msgspec.json.encode(Note(store, now, out)).decode()
    written = msgspec.json.encode(_Written(text, sealer.signer.sign(_SIGNED + text.encode())))
    kind = _ERASED if out.erased else ""
    own = f"notes/{recovery.fingerprint(sealer.recipient)}/"
    older = [one.name for one in target.list(own)]
    target.put(f"{own}{settings.name_of(now)}{kind}.age", age.sealed([written], sealer.recipient))
    oldest = min([now, *(one.at for one in making.standing(target))])
    for name in older:
        if _over(name, oldest - _ON_ITS_WAY):
            target.delete(name)


def read(target: Target, key: RecoveryKey, store: str) -> tuple[list[Note], int]:
    """Those that this key opens, the oldest first, and how many are sealed for another. NotWhole for one that
    is not as it was written."""
    found, others = [], 0
    for stored in sorted(target.list("notes/"), key=lambda one: one.name):
        what = f"The note {stored.name.removeprefix('notes/')}"
        try:
            with target.open(stored.name) as file:
                raw = b"".join(age.opened(file, key.private, what))
        except OtherKey:
            others += 1
            continue
        try:
            written = msgspec.json.decode(raw, type=_Written)
            note = msgspec.json.decode(written.note, type=Note)
        except (msgspec.MsgspecError, UnicodeError):
            raise NotWhole(f"{what} cannot be read: it is damaged or of a later program.") from None
        if not is_signed(key.signing.key, _SIGNED + written.note.encode(), written.signature):
            raise NotWhole(f"{what} was not made by this store's server: it was put there.")
        if note.store == store:
            found.append(note)
    return found, others


def together(notes: Collection[Note]) -> ShutOut:
    """What the newest says, and every erased name."""
    if not notes:
        return ShutOut()
    newest = max(notes, key=lambda one: one.at).out
    erased = dict.fromkeys(name for one in notes for name in one.out.erased)
    return msgspec.structs.replace(newest, erased=list(erased))


def _over(name: str, oldest: datetime) -> bool:
    """Whether nobody needs this note once there is a newer one; a name that was erased before the `oldest`
    backup was begun is in none."""
    bare = PurePosixPath(name).name.removesuffix(".age")
    if not bare.endswith(_ERASED):
        return True
    try:
        return settings.time_of(bare.removesuffix(_ERASED)) < oldest
    except ValueError:
        return False
