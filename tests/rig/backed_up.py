"""A provisioned store with clips, a custody log that devices witness, and a place for its backups."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from broker.signing import Signer, load_signer
from broker.witness import HeadKept, kept_to_sign
from deploy.provision import NewStore, add_device, make_store, writing
from edge.backup import opening, recovery, targets
from edge.backup.opening import Opened
from edge.backup.recovery import RecoveryKey
from edge.backup.targets import Folder
from edge.config import EdgeConfig, load_config
from edge.db.tables import interaction
from edge.evidence import heads
from tests.rig.footage import Shot, seal

STORE = "shop"


@dataclass
class BackedUp:
    """`key` opens what is made of it; `folder` is where backups go."""

    config: EdgeConfig
    path: Path
    key: RecoveryKey
    folder: Path

    @property
    def target(self) -> Folder:
        return Folder(self.folder)

    def signer(self, device: str = "kiosk-1") -> Signer:
        return load_signer(Path(self.config.directory) / "devices" / device / "sign.key")

    def film(self, video: bytes, now: datetime | None = None) -> str:
        """A clip of an open security request, sealed; its id."""
        now = now or datetime.now(UTC)
        cause = str(uuid4())
        with writing(self.config) as conn:
            conn.execute(
                sa.insert(interaction).values(
                    id=cause, store=STORE, device="kiosk-1", zone="tills", kind="security", state="raised",
                    reference="ABC-DEF", count=1, revision=1, step=0, round=0, silent=True, drill=False,
                    raised_at=now, received_at=now, age_known=True,
                )
            )  # fmt: skip
            shot = Shot(STORE, "kiosk-1", "tills", cause, now - timedelta(seconds=20), video)
            return seal(conn, self.config.vault_path, shot, now, self.signer())

    def witnessed(self, device: str = "kiosk-1") -> HeadKept:
        """The store signs a head over all there is, and the device keeps it."""
        now = datetime.now(UTC)
        signer = load_signer(self.config.identity_path / "vault" / "sign.key")
        with writing(self.config) as conn:
            heads.sign_newest(conn, STORE, signer, now)
            head = heads.newest(conn, STORE)
            assert head is not None
            at_ms = int(now.timestamp() * 1000)
            said = kept_to_sign(STORE, device, head.log, head.size, head.root, at_ms)
            kept = HeadKept(head.log, head.size, head.root, at_ms, self.signer(device).sign(said))
            heads.keep(conn, STORE, device, kept, self.signer(device).key, now)
        return kept

    def configure(self, more: str) -> None:
        """Add settings to edge.toml, whose last table is [backup]."""
        self.path.write_text(self.path.read_text() + more)
        self.config = load_config(self.path)

    def opened(self, name: str | None = None, key: RecoveryKey | None = None) -> Opened:
        return opening.open_backup(self.target, opening.choose(self.target, name), key or self.key)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with writing(self.config) as conn:
            return [tuple(row) for row in conn.execute(sa.text(query))]


def store(folder: Path, database: str | None = None) -> BackedUp:
    """A new store in `folder`, with one kiosk and one till; `database` is a URL instead of its own file."""
    now = datetime.now(UTC)
    wanted = NewStore(STORE, "Shop", ("localhost",), {"tills": "Tills", "shoes": "Shoes"})
    path = make_store(folder / "shop", wanted, now)
    place = folder / "elsewhere"
    place.mkdir()
    path.write_text(f'{path.read_text()}\n[backup]\nto = "{place}"\nmb_s = 5000\n')
    config = load_config(path)
    for name in ("kiosk-1", "kiosk-2"):
        add_device(config, name, "tills", None, now)
    key = RecoveryKey.new()
    recovery.install(config.identity_path, key)
    made = BackedUp(config, path, key, place)
    return made if database is None else replace(made, config=config)


__all__ = ["STORE", "BackedUp", "store", "targets"]
