"""Clips on their way in: each grows in quarantine until it is whole, is compared, and is sealed."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from edge.db.writer import Writer
from edge.devices import certificates
from edge.errors import EdgeError, NotFound, Refused, StorageError
from edge.evidence import clips
from edge.evidence.clips import Clip
from edge.evidence.comparing import wrong_with
from edge.evidence.files import Growing, VaultFiles
from edge.handling import evidence
from edge.handling.telling import Telling
from edge.retention import Retention

log = logging.getLogger(__name__)
MOST_OPEN = 64
# Of what the vault leaves free, the part that no clip may take.
FOR_PAGES = 0.1


class NotWhatWasTold(EdgeError):
    """What came is not the clip that the device's event told of. It is kept aside."""


class _Place:
    """One clip's lock, how many hold it or wait for it, and its file once it is open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.growing: Growing | None = None


class Arrivals:
    """All that is on its way in. Of two requests for one clip the second waits for the first."""

    def __init__(
        self,
        store: str,
        files: VaultFiles,
        writer: Writer,
        retention: Retention,
        clock: Callable[[], datetime],
        find: Callable[[str], Clip | None],
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`find` looks a clip up in the register; `told` is called after a commit that others should hear
        of."""
        self._store, self._files, self._writer, self._find = store, files, writer, find
        self._retention, self._clock, self._told = retention, clock, told
        self._places: dict[str, _Place] = {}
        self._lock = threading.Lock()

    def offset(self, clip: Clip) -> int:
        """How many bytes of the video are here; all of them only if it is sealed. One whose last byte came
        just before a kill, or that was killed while it was sealed, is sealed now."""
        with self._at(clip) as place:
            if self._is_sealed(clip, place):
                return clip.bytes
            growing = self._open(clip, place)
            if growing.whole():
                self._complete(clip, place, growing)
            return growing.offset

    def keep_manifest(self, clip: Clip, written: bytes) -> None:
        """Take the manifest in. NotWhatWasTold, and the register says so, if it is not the one of the clip's
        event."""
        trouble = wrong_with(clip, written)
        with self._at(clip) as place:
            sealed = self._is_sealed(clip, place)
            if trouble and not sealed:
                log.error("The clip %s of %s: %s", clip.id, clip.device, trouble)
                self._mismatched(clip, trouble)
            if trouble:
                raise NotWhatWasTold(trouble)
            if not sealed:
                self._files.keep_manifest(UUID(clip.id), written)

    def take(self, clip: Clip, offset: int, chunks: Iterator[bytes]) -> int:
        """Append from `offset` on; how much is here then. Whole, it is compared and sealed.

        What came before a connection breaks counts. EdgeError if `offset` is not the end of what is here or
        the manifest is missing; StorageError if the disk takes no more; NotWhatWasTold.
        """
        with self._at(clip) as place:
            if self._is_sealed(clip, place):
                return clip.bytes
            if self._files.manifest(UUID(clip.id)) is None:
                raise EdgeError("The manifest comes first.")
            growing = self._open(clip, place)
            if offset != growing.offset:
                raise EdgeError(f"{growing.offset} bytes are here; go on from there, not from {offset}.")
            self._make_sure_of_room(clip, growing)
            for chunk in chunks:
                growing.append(chunk)
            if growing.whole():
                self._complete(clip, place, growing)
            return growing.offset

    def tidy(self, full: bool) -> int:
        """Empty the places of clips that nobody waits for any more; how many. Where the disk is `full` also
        of routine ones that nobody brings at this moment: their kiosks have them, and bring them again."""
        emptied = 0
        for clip_id in self._files.arriving():
            clip = self._find(str(clip_id))
            waits = clip is not None and clip.state in clips.WAITING
            gives_way = full and clip is not None and clip.kept_as == "routine"
            if waits and (not gives_way or self._files.compared(clip_id)):
                continue
            with self._lock:
                place = self._places.pop(str(clip_id), None)
                if place is not None and place.users:
                    self._places[str(clip_id)] = place
                    continue
                if place is not None and place.growing is not None:
                    place.growing.close()
                # Nobody finds the place before it is empty.
                self._files.leave(clip_id)
            emptied += 1
        return emptied

    def close(self) -> None:
        with self._lock:
            for place in self._places.values():
                if place.growing is not None:
                    place.growing.close()
            self._places.clear()

    @contextmanager
    def _at(self, clip: Clip) -> Iterator[_Place]:
        with self._lock:
            place = self._places.get(clip.id)
            if place is None:
                self._make_way()
                place = self._places[clip.id] = _Place()
            place.users += 1
        try:
            with place.lock:
                yield place
        finally:
            with self._lock:
                place.users -= 1

    def _make_way(self) -> None:
        """Close the files of clips that nobody brings at this moment; their bytes stay."""
        if len(self._places) < MOST_OPEN:
            return
        for clip_id, place in list(self._places.items()):
            if not place.users:
                if place.growing is not None:
                    place.growing.close()
                del self._places[clip_id]

    def _is_sealed(self, clip: Clip, place: _Place) -> bool:
        """Now, not when the request began; one that was killed while it was sealed is sealed here."""
        if self._files.compared(UUID(clip.id)):
            self._seal(clip, place)
            return True
        found = self._find(clip.id)
        return found is not None and found.sealed_at is not None

    def _open(self, clip: Clip, place: _Place) -> Growing:
        if place.growing is None:
            place.growing = self._files.grow(UUID(clip.id), clip.bytes)
        return place.growing

    def _make_sure_of_room(self, clip: Clip, growing: Growing) -> None:
        """Routine clips leave room free. Those of security requests may take it, but for a part: where the
        database is on the same disk, a page must still be written when no clip can be."""
        left = self._files.free_bytes() - (clip.bytes - growing.offset)
        reserve = self._retention.free_gb * 1e9
        if clip.kept_as != "security" and left < reserve:
            raise StorageError("The vault's disk is nearly full; what is left is for security requests.")
        if left < reserve * FOR_PAGES:
            raise StorageError("The vault's disk is full; what is left is for the requests themselves.")

    def _complete(self, clip: Clip, place: _Place, growing: Growing) -> None:
        written = self._files.manifest(UUID(clip.id))
        if written is None:
            raise EdgeError("The manifest comes first.")
        found = growing.finish()
        growing.close()
        place.growing = None
        if trouble := wrong_with(clip, written, found):
            aside = self._files.set_aside(UUID(clip.id))
            log.error("The clip %s of %s: %s It lies in %s.", clip.id, clip.device, trouble, aside)
            self._mismatched(clip, trouble)
            raise NotWhatWasTold(trouble)
        self._seal(clip, place)

    def _mismatched(self, clip: Clip, trouble: str) -> None:
        self._change(
            lambda conn, telling, now: evidence.mismatch(conn, telling, self._store, clip, trouble, now)
        )

    def _seal(self, clip: Clip, place: _Place) -> None:
        clip_id = UUID(clip.id)
        self._files.seal(clip_id, clip.sha256, clip.manifest_sha256)
        self._change(
            lambda conn, telling, now: evidence.seal(conn, telling, self._store, clip, self._retention, now)
        )
        self._files.leave(clip_id)
        place.growing = None

    def _change(self, work: Callable[[sa.Connection, Telling, datetime], object]) -> None:
        def change(conn: sa.Connection) -> None:
            telling, now = Telling(self._store), self._clock()
            work(conn, telling, now)
            telling.flush(conn, now)

        self._writer.run(change)
        self._told()


class Revoked(Refused):
    """Whoever brings something is let in no more."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What the client's certificate says: the device's name, its serial number (hexadecimal), its time; and
    the certificate itself (DER), whose chain was checked when it was shown."""

    name: str
    serial: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    der: bytes | None = None


def clip_for(conn: sa.Connection, store: str, clip_id: UUID, peer: Peer, secret: str, now: datetime) -> Clip:
    """The clip that this device may bring with this ticket. NotFound for everything else, without a hint;
    Revoked for whoever is revoked, whatever it brings."""
    if certificates.is_revoked(conn, store, peer.name, peer.serial):
        raise Revoked(f"{peer.name} is revoked; nothing of it is taken.")
    if peer.valid_until is not None and peer.valid_until < now:
        ended = f"{peer.valid_until:%Y-%m-%d}"
        raise Revoked(f"The certificate of {peer.name} ended on {ended}; it has to be renewed first.")
    if peer.valid_from is not None and now < peer.valid_from:
        raise Revoked(f"The certificate of {peer.name} begins on {peer.valid_from:%Y-%m-%d} only.")
    clip = clips.find(conn, store, str(clip_id))
    if clip is None or clip.device != peer.name or not clips.admits(conn, store, clip.id, secret, now):
        raise NotFound("There is no such clip, or the ticket is not for it.")
    return clip
