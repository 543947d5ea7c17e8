"""Which release of the kiosks' program a kiosk may fetch."""

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from edge.config import EdgeConfig
from edge.devices import certificates
from edge.errors import NotFound
from edge.updates import store as updates
from edge.vault.arrivals import Peer, Revoked

NO_RELEASE = "There is no such release, or the ticket is not for it."


def release_for(
    conn: sa.Connection, config: EdgeConfig, digest: str, peer: Peer, secret: str, now: datetime
) -> Path:
    """The file. NotFound for everything else, without a hint; Revoked for whoever is revoked."""
    if certificates.is_revoked(conn, config.store, peer.name, peer.serial):
        raise Revoked(f"{peer.name} is revoked; it gets no release.")
    # A name in the folder only where the register has it.
    if not updates.admits(conn, config.store, peer.name, digest, secret, now):
        raise NotFound(NO_RELEASE)
    path = (config.releases_path / digest).absolute()
    if not path.is_file():
        raise NotFound(NO_RELEASE)
    return path
