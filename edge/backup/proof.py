"""Whether a copy of the database is whole and its custody log the one that was signed and witnessed.

It reads, and changes nothing: neither the copy nor the store.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy.dialects import sqlite

from broker import tree
from broker.signing import is_signed
from broker.witness import Before, head_to_sign, kept_to_sign
from edge.backup.errors import NotWhole
from edge.backup.manifest import Head
from edge.db.columns import Instant


@dataclass(frozen=True, slots=True)
class Proven:
    """What was found to be so. `signed` is how many entries the newest signed head is over, `witnesses` how
    many devices hold a head of this log in their own signature."""

    rows: int
    entries: int
    signed: int
    witnesses: int


def rows_of(database: Path) -> dict[str, int]:
    """How many rows each of the tables has; those of an index are no rows of ours."""
    with closing(_opened(database)) as db:
        names = [
            str(name)
            for (name,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
                "AND name NOT LIKE 'log_index%' ORDER BY name"
            )
        ]
        return {name: int(db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}


def version_of(database: Path) -> str:
    """Which migration it stands at; NotWhole if it is no store's."""
    with closing(_opened(database)) as db:
        try:
            return str(db.execute("SELECT version_num FROM alembic_version").fetchone()[0])
        except (sqlite3.Error, TypeError):
            raise NotWhole("What was copied is no store's database.") from None


def vault_files(database: Path, store: str) -> dict[str, int]:
    """What belongs into the vault by the register: the SHA-256 of each video, with its size, and of each
    manifest, whose size it does not know (0)."""
    with closing(_opened(database)) as db:
        found: dict[str, int] = {}
        query = "SELECT sha256, bytes, manifest_sha256 FROM clip WHERE store = ? AND state = 'sealed'"
        for video, size, manifest in db.execute(query, (store,)):
            found[str(manifest)] = 0
            found[str(video)] = int(size)
        return found


def deleted_files(database: Path, store: str, before: datetime) -> set[str]:
    """The SHA-256 of what was deleted by retention before this time and that no clip has any more."""
    with closing(_opened(database)) as db:
        gone = (
            "SELECT sha256, manifest_sha256 FROM clip WHERE store = ? AND state = 'purged' AND purged_at < ?"
        )
        micros = Instant().process_bind_param(before, sqlite.dialect())
        names = {str(name) for row in db.execute(gone, (store, micros)) for name in row}
    return names - vault_files(database, store).keys()


def head_of(database: Path, store: str) -> Head | None:
    """The custody log's own head, from its entries alone; None before the first. NotWhole if an entry is not
    under the leaf that stands beside it."""
    with closing(_opened(database)) as db:
        row = db.execute("SELECT log, size FROM custody_log WHERE store = ?", (store,)).fetchone()
        if row is None:
            return None
        leaves = list(_leaves(db, store))
        if len(leaves) != row[1]:
            raise NotWhole(f"The custody log says {row[1]} entries; {len(leaves)} are there.")
        return Head(str(row[0]), len(leaves), tree.root(tree.over(leaves), len(leaves)).hex())


def prove(database: Path, store: str, rows: dict[str, int], head: Head | None) -> Proven:
    """Everything that can be said of a copy by itself. NotWhole names the first thing that is not so."""
    with closing(_opened(database)) as db:
        try:
            said = [str(line) for (line,) in db.execute("PRAGMA integrity_check(3)")]
        except sqlite3.DatabaseError as error:
            raise NotWhole(f"The database in it cannot be read: {error}.") from None
    if said != ["ok"]:
        raise NotWhole(f"The database in it is damaged: {said[0]}.")
    found = rows_of(database)
    for name in sorted(found.keys() | rows.keys()):
        if found.get(name) != rows.get(name):
            raise NotWhole(f"The table {name} has {found.get(name)} rows; {rows.get(name)} were backed up.")
    own = head_of(database, store)
    if own != head:
        raise NotWhole("The custody log in it is not the one whose head stands in its manifest.")
    with closing(_opened(database)) as db:
        signed, witnesses = _signed(db, store, own)
    return Proven(sum(found.values()), own.size if own else 0, signed, witnesses)


def _signed(db: sqlite3.Connection, store: str, own: Head | None) -> tuple[int, int]:
    """The size of the newest signed head and the number of witnesses, each held against the entries."""
    if own is None:
        return 0, 0
    node = tree.over(list(_leaves(db, store)))
    log, newest, kept = UUID(own.log), 0, 0
    for size, root, at_ms, key, signature in db.execute(
        "SELECT size, root, at_ms, key, signature FROM tree_head WHERE store = ? ORDER BY size DESC LIMIT 1",
        (store,),
    ):
        message = head_to_sign(store, log, size, root, at_ms)
        if size > own.size or tree.root(node, size).hex() != root or not is_signed(key, message, signature):
            raise NotWhole(f"The signed head of {size} entries is not that of the custody log in it.")
        newest = size
    columns = {row[1] for row in db.execute("PRAGMA table_info(witness)")}
    # A backup of an earlier version has none.
    before = '"before"' if "before" in columns else "NULL"
    for device, size, root, at_ms, key, signature, given_up in db.execute(
        f"SELECT device, size, root, at_ms, key, signature, {before} FROM witness WHERE store = ? "
        "AND size > 0 AND signature IS NOT NULL ORDER BY device",
        (store,),
    ):
        earlier = msgspec.convert(json.loads(given_up or "null") or [], list[Before])
        message = kept_to_sign(store, device, log, size, root, at_ms, earlier)
        if size > own.size or tree.root(node, size).hex() != root or not is_signed(key, message, signature):
            raise NotWhole(f"The head that {device} countersigned is not one of the custody log in it.")
        kept += 1
    return newest, kept


def _leaves(db: sqlite3.Connection, store: str) -> Iterator[bytes]:
    query = "SELECT place, entry, leaf FROM custody WHERE store = ? ORDER BY place"
    for at, (place, entry, leaf) in enumerate(db.execute(query, (store,))):
        made = tree.leaf_hash(bytes(entry))
        if place != at or made.hex() != leaf:
            raise NotWhole(f"The custody log's entry {place} is not the one that was written.")
        yield made


def _opened(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True)
