"""Makes the bundles that were asked for at the desk, and removes them again after a week.

In a thread of its own: the working copy of a long clip takes minutes, and heads are signed meanwhile.
"""

import logging
import shutil
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from broker.signing import Signer
from edge.db.writer import Writer
from edge.errors import EdgeError, StorageError
from edge.evidence import clips, copies, export, exports, heads
from edge.evidence.clips import Clip
from edge.evidence.copies import Copy, Stopped
from edge.evidence.exports import Export
from edge.evidence.files import VaultFiles
from edge.evidence.reporting import reported
from edge.handling.telling import Telling

log = logging.getLogger(__name__)
OWN_FAULT = "It failed by a fault of the program; the log has it."
Read = Callable[[], AbstractContextManager[sa.Connection]]


class Bundles:
    """See the module. One thread makes and removes; any may stop it."""

    def __init__(
        self,
        store: str,
        title: str,
        signer: Signer,
        writer: Writer,
        read: Read,
        files: VaultFiles,
        clock: Callable[[], datetime],
        told: Callable[[], None],
    ) -> None:
        self._store, self._title, self._signer = store, title, signer
        self._writer, self._read = writer, read
        self._files, self._clock, self._told = files, clock, told
        self._stop = threading.Event()

    def stop(self) -> None:
        """What is being made is left, and made anew after the next start."""
        self._stop.set()

    def make(self) -> None:
        """Every one that waits, the oldest first. One that cannot be made says why and is not tried again;
        StorageError leaves it for the next time."""
        with self._read() as conn:
            waiting = exports.waiting(conn, self._store)
        for one in waiting:
            try:
                self._make(one)
            except StorageError:
                raise
            except Stopped:
                return
            except (EdgeError, OSError) as error:
                log.error("The export %s could not be made: %s", one.id, error)
                self._change(one, partial(self._fail, one, str(error)))
            except sa.exc.SQLAlchemyError:
                raise
            except Exception:
                log.exception("The export %s could not be made.", one.id)
                self._change(one, partial(self._fail, one, OWN_FAULT))
            self._told()

    def remove_old(self) -> None:
        """The register first, then the files: also what a kill has left."""
        now = self._clock()
        self._writer.run(lambda conn: exports.remove_old(conn, self._store, now))
        with self._read() as conn:
            wanted = exports.fetchable(conn, self._store)
        for path in self._files.all_exported():
            if path.name.partition(".")[0] not in wanted:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _make(self, one: Export) -> None:
        with self._files.workplace(UUID(one.id)) as folder:
            self._pack(one, self._copies(one, folder))

    def _copies(self, one: Export, folder: Path) -> dict[str, Copy]:
        """Before anything else: no transaction stays open for as long as they take."""
        made = {}
        with self._read() as conn:
            chosen = self._chosen(conn, one)
        for clip in chosen:
            place = folder / clip.id
            place.mkdir()
            made[clip.id] = copies.copy(clip, self._files, place, self._clock, self._stop)
        return made

    def _chosen(self, conn: sa.Connection, one: Export) -> list[Clip]:
        found = [clips.find(conn, self._store, clip) for clip in one.clips]
        return [clip for clip in found if clip is not None]

    def _pack(self, one: Export, copied: dict[str, Copy]) -> None:
        now, path = self._clock(), self._files.exported(UUID(one.id))
        # The export's own entries must be under the head that the bundle carries.
        self._writer.run(lambda conn: heads.sign_newest(conn, self._store, self._signer, now))
        with self._read() as conn:
            identity, files, chosen = UUID(one.id), self._files, self._chosen(conn, one)
            case = exports.incident_file(conn, self._store, one.id)
            paper = partial(
                reported, conn, self._store, self._title, files, chosen, copied, identity, now, case
            )
            anchors = export.write(path, conn, self._store, files, chosen, identity, now, paper, copied, case)
        head, size = (anchors.head.size, anchors.head.root), path.stat().st_size
        keys = export.keys_of(anchors, chosen)
        ready = partial(exports.set_ready, size=size, head=head, keys=keys, now=now)
        self._change(one, lambda conn: ready(conn, self._store, one.id))
        log.info("The export %s is ready: %d bytes.", one.id, size)

    def _fail(self, one: Export, trouble: str, conn: sa.Connection) -> None:
        exports.set_failed(conn, self._store, one.id, trouble)

    def _change(self, one: Export, work: Callable[[sa.Connection], None]) -> None:
        def change(conn: sa.Connection) -> None:
            work(conn)
            telling = Telling(self._store)
            telling.evidence(one.clips[0] if one.clips else one.id, silent=one.silent)
            telling.flush(conn, self._clock())

        self._writer.run(change)
