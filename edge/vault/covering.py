"""Makes the covered copies of access requests, and the files that go to whoever asked; removes them again.

In the thread that makes bundles, after those: one bounded child process at a time.
"""

import logging
import shutil
import threading
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from edge.access_requests import letters, shown, store
from edge.access_requests.shown import Shown
from edge.access_requests.store import Row
from edge.db.writer import Writer
from edge.evidence import clips, copies
from edge.evidence.copies import Stopped
from edge.evidence.files import VaultFiles
from edge.handling import covering

log = logging.getLogger(__name__)
Read = Callable[[], AbstractContextManager[sa.Connection]]


class Covering:
    """See the module. One thread makes and removes; any may stop it."""

    def __init__(
        self, name: str, writer: Writer, read: Read, files: VaultFiles, clock: Callable[[], datetime]
    ) -> None:
        self._name, self._writer, self._read = name, writer, read
        self._files, self._clock = files, clock
        self._stop = threading.Event()

    def stop(self) -> None:
        """What is being made is left, and made anew after the next start."""
        self._stop.set()

    def make(self) -> None:
        """Every copy and every file that is asked for. A copy that cannot be made says why and is not tried
        again; a file that the disk has no room for is."""
        with self._read() as conn:
            copies_, files = shown.to_cover(conn, self._name), store.to_pack(conn, self._name)
        for one in copies_:
            try:
                self._cover(one)
            except Stopped:
                return
            except OSError as error:
                log.error("The covered copy of the clip %s could not be made: %s", one.clip, error)
                self._say(one, f"It could not be written: {error.strerror}.", whole=False)
        for row in files:
            try:
                self._pack(row)
            except OSError as error:
                log.error("The file of access request %s waits: %s", row.number, error)

    def remove_old(self) -> None:
        """What no access request needs any more: also what a kill has left."""
        with self._read() as conn:
            wanted = shown.copies(conn, self._name) | store.fetchable(conn, self._name)
        for path in self._files.all_covered():
            if path.name.partition(".")[0] not in wanted:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _cover(self, one: Shown) -> None:
        assert one.copy is not None
        with self._read() as conn:
            clip = clips.find(conn, self._name, one.clip)
        if clip is None or clip.state != clips.SEALED:
            self._say(one, "The clip is not in the vault.", whole=False)
            return
        with self._files.covering(UUID(one.copy)) as folder:
            masks = covering.masks_of(one)
            made = copies.copy(clip, self._files, folder, self._clock, self._stop, masks)
            if made.working is not None:
                made.working.replace(self._files.covered(UUID(one.copy)))
        self._say(one, made.trouble, whole=made.working is not None)
        log.info("The covered copy of the clip %s is %s.", one.clip, "made" if made.working else "not made")

    def _say(self, one: Shown, trouble: str | None, *, whole: bool) -> None:
        now = self._clock()
        self._writer.run(lambda conn: covering.made(conn, self._name, one, trouble, whole=whole, now=now))

    def _pack(self, row: Row) -> None:
        """The letter and the covered copies, and nothing else, so that nothing of others goes out."""
        with self._read() as conn:
            chosen = [one for one in shown.of_request(conn, row.id).values() if one.chosen]
            known = [clips.find(conn, self._name, one.clip) for one in chosen]
        begins = {clip.id: clip.started_at for clip in known if clip is not None}
        chosen.sort(key=lambda one: (begins.get(one.clip, row.began_at), one.clip))
        size, trouble = None, None
        with self._files.covering(UUID(row.id)) as folder:
            half = folder / "half.zip"
            try:
                self._write(half, row, chosen)
                size = half.stat().st_size
                half.replace(self._files.packed(UUID(row.id)))
            except FileNotFoundError as error:
                log.error("The file of access request %s could not be made: %s", row.number, error)
                trouble = "A covered copy is not in the vault any more; open it again and have it made anew."
        self._writer.run(partial(self._packed, row, size, trouble, chosen))

    def _write(self, path: Path, row: Row, chosen: list[Shown]) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(letters.LETTER, (row.letter or "") + "\n")
            for number, one in enumerate(chosen, 1):
                copy = self._files.covered(UUID(one.copy or row.id))
                archive.write(copy, letters.video_name(number))

    def _packed(
        self, row: Row, size: int | None, trouble: str | None, chosen: list[Shown], conn: sa.Connection
    ) -> None:
        store.set_packed(conn, row.id, size, trouble, row.revision)
        if chosen:
            covering.tell(conn, self._name, chosen[0].clip, self._clock())
