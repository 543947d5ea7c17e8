"""What was pressed, on disk until the server has given its receipt. SQLite, used by one thread at a time.

An event leaves only by a receipt, or is set aside by a refusal; both are kept for 7 days of running time
(the wall clock of a kiosk is not trusted with deleting). Numbers are contiguous from 1 for each outbox.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from broker import codec
from broker.events import CONTENT, Content, HelpRequested
from broker.messages import Receipt
from kiosk.clock import Stamp
from kiosk.errors import KioskError, OutboxDamaged, OutboxFull

KEPT_S = 7 * 24 * 3600
# A change of the tables adds columns or tables and leaves the rest, so that the release before still opens
# what the new one has touched: it may be taken back. This rises then; meta's `oldest_reader` says who may
# still work on it, and two releases must pass before it rises.
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL);
CREATE TABLE event (
    id BLOB PRIMARY KEY, outbox BLOB, seq INTEGER, kind TEXT NOT NULL, payload BLOB NOT NULL,
    boot BLOB NOT NULL, made_ms INTEGER NOT NULL, request BLOB,
    closed_ran_s REAL, refused TEXT, UNIQUE (outbox, seq));
CREATE INDEX event_open ON event (seq) WHERE closed_ran_s IS NULL;
CREATE INDEX event_closed ON event (closed_ran_s) WHERE closed_ran_s IS NOT NULL;
CREATE TABLE repeats (
    request BLOB PRIMARY KEY, topic TEXT NOT NULL, language TEXT NOT NULL, count INTEGER NOT NULL,
    boot BLOB NOT NULL, made_ms INTEGER NOT NULL);
"""
_KIND_OF = {content: kind for kind, content in CONTENT.items()}
_COLUMNS = "id, kind, payload, outbox, seq, boot, made_ms, request"


@dataclass(frozen=True)
class NewEvent:
    """An event that happened. `request` is the request it belongs to, None for a drill's; `ends_repeats` when
    it carries the presses that were counted for it."""

    id: UUID
    content: Content
    stamp: Stamp
    request: UUID | None = None
    ends_repeats: bool = False
    drill: bool = False


@dataclass(frozen=True)
class OpenEvent:
    """An event without a receipt. `outbox` and `seq` are missing when the disk did not take it; `made_s`
    (monotonic seconds) when it is of an earlier boot."""

    id: UUID
    kind: str
    payload: bytes
    outbox: UUID | None
    seq: int | None
    made_s: float | None
    request: UUID | None


@dataclass(frozen=True)
class Counts:
    """What the heartbeat says about an outbox."""

    outbox: UUID
    depth: int
    oldest_open_seq: int
    refused: int
    last_refusal: str | None


def kind_of(content: Content) -> str:
    return _KIND_OF[type(content)]


def unnumbered(new: NewEvent) -> OpenEvent:
    """The event as it is sent when the disk does not take it: receipted by its id alone."""
    return _open_event(new, None, None)


class Outbox:
    """See the module. Methods raise OutboxFull or OutboxDamaged; a failed transaction changes nothing."""

    def __init__(self, directory: Path, boot: UUID, now_s: float, *, damaged: bool = False) -> None:
        """Open or begin the outbox of `directory`. A damaged one is set aside, and what can still be read
        of its open events is taken over; `set_aside` then names its new file. `damaged`: known to be so."""
        self.directory = directory
        self.set_aside: str | None = None
        self._boot = boot
        self._path = directory / "outbox.db"
        salvaged: list[tuple[object, ...]] = []
        try:
            if damaged:
                raise OutboxDamaged(f"The outbox {self._path} is damaged.")
            self._open()
        except OutboxDamaged:
            self.set_aside, salvaged = self._set_aside()
            self._open()
        self._opened_s = now_s
        with self.transaction():
            for row in salvaged:
                self._db.execute(f"INSERT OR IGNORE INTO event ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)", row)

    def close(self) -> None:
        """May be called twice."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is on disk when it ends, or nothing of it."""
        try:
            with _wrapped():
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            raise

    def save(self, new: NewEvent) -> OpenEvent:
        """Give the event its number. Inside a transaction. One that is there already, such as a clip that was
        announced again after a kill, is left as it is."""
        known = self._db.execute(f"SELECT {_COLUMNS} FROM event WHERE id = ?", (new.id.bytes,)).fetchone()
        if known is not None:
            return self._read(known)
        seq = int(self._meta("next_seq"))
        event = _open_event(new, self.id, seq)
        self._insert(event, new)
        self._db.execute("UPDATE meta SET value = ? WHERE key = 'next_seq'", (seq + 1,))
        if new.ends_repeats and new.request is not None:
            self._db.execute("DELETE FROM repeats WHERE request = ?", (new.request.bytes,))
        return event

    def save_unnumbered(self, new: NewEvent) -> None:
        """An event that was already sent without a number, now that the disk takes it."""
        self._insert(unnumbered(new), new)

    def count_repeats(self, request: UUID, content: HelpRequested, stamp: Stamp) -> None:
        """`content.count` presses of an open request wait to be sent. Inside a transaction."""
        self._db.execute(
            # The stamp stays that of the first press.
            "INSERT INTO repeats (request, topic, language, count, boot, made_ms) VALUES (?,?,?,?,?,?)"
            " ON CONFLICT (request) DO UPDATE"
            " SET topic = excluded.topic, language = excluded.language, count = excluded.count",
            (
                request.bytes,
                content.topic,
                content.language,
                content.count,
                stamp.clock.boot.bytes,
                stamp.clock.monotonic_ms,
            ),
        )

    def waiting_repeats(self) -> list[tuple[UUID, HelpRequested, UUID, int]]:
        """(request, presses, boot, monotonic_ms) of what was counted and not yet turned into an event when
        the program ended."""
        with _wrapped():
            rows = self._db.execute(
                "SELECT request, topic, language, count, boot, made_ms FROM repeats"
            ).fetchall()
        return [
            (UUID(bytes=request), HelpRequested(topic, lang, n), UUID(bytes=boot), made_ms)
            for request, topic, lang, n, boot, made_ms in rows
        ]

    def receive(self, receipt: Receipt, now_s: float) -> None:
        """Let go of what is committed, set aside what is refused. Inside a transaction."""
        ran_s = self.ran_s(now_s)
        by_seq = "closed_ran_s IS NULL AND outbox = ? AND seq = ?"
        by_id = "closed_ran_s IS NULL AND id = ?"
        outbox = receipt.outbox.bytes if receipt.outbox else None
        close = "UPDATE event SET closed_ran_s = ? WHERE "
        self._db.executemany(close + by_seq, [(ran_s, outbox, seq) for seq in receipt.seqs])
        self._db.executemany(close + by_id, [(ran_s, event_id.bytes) for event_id in receipt.ids])
        refuse = "UPDATE event SET closed_ran_s = ?, refused = ? WHERE "
        for refusal in receipt.refused:
            event_id = id_of(refusal.id)
            if event_id is not None:
                self._db.execute(refuse + by_id, (ran_s, refusal.reason, event_id.bytes))
            elif refusal.seq is not None:
                self._db.execute(refuse + by_seq, (ran_s, refusal.reason, outbox, refusal.seq))

    def replay(self, outbox: UUID, from_seq: int) -> int:
        """Open every receipted event from `from_seq` on again; how many. Inside a transaction."""
        return self._db.execute(
            "UPDATE event SET closed_ran_s = NULL WHERE closed_ran_s IS NOT NULL AND refused IS NULL "
            "AND outbox = ? AND seq >= ?",
            (outbox.bytes, from_seq),
        ).rowcount

    def open_events(
        self, security: int = 64, newest: int = 64, oldest: int = 256
    ) -> tuple[list[OpenEvent], bool]:
        """What is to be sent, in three cuts; and whether there is more."""
        chosen: dict[UUID, OpenEvent] = {}
        with _wrapped():
            for where, order, limit in (
                ("AND kind = 'security'", "rowid", security),
                ("", "rowid DESC", newest),
                ("", "rowid", oldest),
            ):
                for row in self._db.execute(
                    f"SELECT {_COLUMNS} FROM event "
                    f"WHERE closed_ran_s IS NULL {where} ORDER BY {order} LIMIT ?",
                    (limit,),
                ):
                    event = self._read(row)
                    chosen[event.id] = event
            total = self._db.execute("SELECT count(*) FROM event WHERE closed_ran_s IS NULL").fetchone()[0]
        return list(chosen.values()), total > len(chosen)

    def counts(self) -> Counts:
        with _wrapped():
            depth = self._db.execute("SELECT count(*) FROM event WHERE closed_ran_s IS NULL").fetchone()[0]
            oldest = self._db.execute(
                "SELECT min(seq) FROM event WHERE closed_ran_s IS NULL AND outbox = ?", (self.id.bytes,)
            ).fetchone()[0]
            refused = self._db.execute("SELECT count(*) FROM event WHERE refused IS NOT NULL").fetchone()[0]
            last = self._db.execute(
                "SELECT refused FROM event WHERE refused IS NOT NULL ORDER BY closed_ran_s DESC LIMIT 1"
            ).fetchone()
            oldest = int(self._meta("next_seq")) if oldest is None else oldest
        return Counts(self.id, depth, oldest, refused, last[0] if last else None)

    @property
    def next_seq(self) -> int:
        """The number of the next event: it only rises, also over restarts."""
        return int(self._meta("next_seq"))

    def interrupted(self, since_s: float) -> tuple[UUID, float, set[UUID]] | None:
        """The help request that was open when the program ended: (request, pressed_s, its unreceipted
        presses); None unless one of this boot, younger than `since_s`, neither withdrawn nor receipted."""
        with _wrapped():
            withdrawn = {
                row[0]
                for row in self._db.execute(
                    "SELECT request FROM event WHERE kind = 'cancel' AND boot = ?", (self._boot.bytes,)
                )
            }
            helps = self._db.execute(
                "SELECT id, request, made_ms, closed_ran_s FROM event "
                "WHERE kind = 'help' AND request IS NOT NULL AND boot = ? AND made_ms >= ? "
                "ORDER BY rowid DESC",
                (self._boot.bytes, int(since_s * 1000)),
            ).fetchall()
        newest = next((r for _, r, _, closed in helps if closed is None and r not in withdrawn), None)
        if newest is None:
            return None
        own = [row for row in helps if row[1] == newest]
        unreceipted = {UUID(bytes=row[0]) for row in own if row[3] is None}
        return UUID(bytes=newest), min(row[2] for row in own) / 1000, unreceipted

    def prune(self, now_s: float) -> None:
        """Forget what was closed more than 7 days of running time ago. Inside a transaction."""
        ran_s = self.ran_s(now_s)
        self._db.execute("UPDATE meta SET value = ? WHERE key = 'ran_s'", (ran_s,))
        self._db.execute("DELETE FROM event WHERE closed_ran_s < ?", (ran_s - KEPT_S,))

    def ran_s(self, now_s: float) -> float:
        """How long kiosks have run on this outbox, all their runs together."""
        return self._ran_before_s + max(0.0, now_s - self._opened_s)

    def _insert(self, event: OpenEvent, new: NewEvent) -> None:
        self._db.execute(
            f"INSERT INTO event ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)",
            (
                event.id.bytes,
                event.kind,
                event.payload,
                event.outbox.bytes if event.outbox else None,
                event.seq,
                new.stamp.clock.boot.bytes,
                new.stamp.clock.monotonic_ms,
                new.request.bytes if new.request else None,
            ),
        )

    def _read(self, row: tuple) -> OpenEvent:
        event_id, kind, payload, outbox, seq, boot, made_ms, request = row
        return OpenEvent(
            UUID(bytes=event_id),
            kind,
            payload,
            UUID(bytes=outbox) if outbox else None,
            seq,
            made_ms / 1000 if boot == self._boot.bytes else None,
            UUID(bytes=request) if request else None,
        )

    def _meta(self, key: str) -> bytes:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise OutboxDamaged(f"The outbox {self._path} lacks its {key}.")
        return row[0]

    def _open(self) -> None:
        self._db = self._connect()
        try:
            with _wrapped():
                self.id = UUID(bytes=self._meta("outbox"))
                self._ran_before_s = float(self._meta("ran_s"))
        except BaseException:
            self._db.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        with _wrapped():
            # One thread at a time, but not always the same: the program opens it, the storing thread works.
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.execute("PRAGMA wal_autocheckpoint = 250")
                db.execute("PRAGMA journal_size_limit = 1048576")
                db.execute("PRAGMA cache_size = -512")
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version > _SCHEMA_VERSION and _oldest_reader(db, version) > _SCHEMA_VERSION:
                    raise KioskError(
                        f"The outbox {self._path} was written by a newer kiosk; install that one."
                    )
                if version == 0:
                    begin = (
                        f"INSERT INTO meta (key, value) VALUES ('outbox', x'{uuid4().hex}'), ('next_seq', 1),"
                        " ('ran_s', 0), ('oldest_reader', 1)"
                    )
                    db.executescript(
                        f"BEGIN IMMEDIATE; {_SCHEMA} {begin}; "
                        f"PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;"
                    )
                elif (answer := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                    raise OutboxDamaged(f"The outbox {self._path} is damaged: {answer}.")
            except BaseException:
                db.close()
                raise
            return db

    def _set_aside(self) -> tuple[str, list[tuple[object, ...]]]:
        number = 1
        while (target := self.directory / f"damaged-{number}.db").exists():
            number += 1
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self._path}{suffix}").rename(f"{target}{suffix}")
        Path(f"{self._path}-shm").unlink(missing_ok=True)
        rows: list[tuple[object, ...]] = []
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(target)) as db:
            for row in db.execute(f"SELECT {_COLUMNS} FROM event WHERE closed_ran_s IS NULL"):
                with contextlib.suppress(ValueError, TypeError, AttributeError):
                    self._read(row)
                    rows.append(row)
        return target.name, rows


def _oldest_reader(db: sqlite3.Connection, version: int) -> int:
    """The oldest schema whose programs may work on an outbox of a newer one."""
    row = db.execute("SELECT value FROM meta WHERE key = 'oldest_reader'").fetchone()
    return version if row is None else int(row[0])


def id_of(text: str | None) -> UUID | None:
    """A refusal's id, if it is one."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _open_event(new: NewEvent, outbox: UUID | None, seq: int | None) -> OpenEvent:
    kind, stamp = kind_of(new.content), new.stamp
    payload = codec.encode_event(
        new.id, new.content, kind, outbox=outbox, seq=seq, at=stamp.at, clock=stamp.clock, drill=new.drill
    )
    return OpenEvent(new.id, kind, payload, outbox, seq, stamp.monotonic_s, new.request)


@contextlib.contextmanager
def _wrapped() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        primary = None if code is None else code & 0xFF
        # SQLITE_ERROR is a missing table or column: not this outbox any more.
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            raise OutboxDamaged(f"The outbox is damaged: {error}.") from error
        raise OutboxFull(f"The outbox could not be written: {error}.") from error
