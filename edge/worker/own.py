"""The server's own side, as supervision judges it: its way to the broker, its disks, its certificates."""

import logging
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from edge.config import EdgeConfig
from edge.supervision.facts import Server
from edge.tls import files

log = logging.getLogger(__name__)
DISKS_EVERY_S, CERTIFICATES_EVERY_S = 10.0, 3600.0


class Own:
    """For the loop's thread alone. `places` are folders whose disk must not fill, by what they are for."""

    def __init__(
        self,
        now: datetime,
        places: dict[str, Path] | None = None,
        identity: Path | None = None,
        free: Callable[[Path], int] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        pages: Path | None = None,
        backup_within: timedelta | None = None,
    ) -> None:
        """`pages` is the certificate that the pages are served with, where they speak TLS themselves."""
        self._pages = pages
        self._places, self._identity = places or {}, identity
        self._free_of, self._monotonic = free or free_bytes, monotonic
        self._backup_within = backup_within
        self._listening_since: datetime | None = None
        self._lost_at: datetime | None = now
        self._free: dict[str, int] = {}
        self._certificates: dict[str, datetime] = {}
        self._disks_s = self._certificates_s = float("-inf")

    @classmethod
    def of(cls, config: EdgeConfig, now: datetime) -> "Own":
        """What this store's configuration names."""
        places = {"the database": Path(config.directory)}
        if config.vault.url is not None:
            places["clips"] = config.vault_path
        found, keep = files(config), config.backup
        pages = None if found is None else found[0]
        within = timedelta(hours=keep.alarm_hours) if keep.to is not None else None
        return cls(now, places, config.identity_path, pages=pages, backup_within=within)

    def linked(self, up: bool, now: datetime) -> None:
        """The connection to the broker began or ended."""
        if up:
            self._listening_since, self._lost_at = now, None
        elif self._listening_since is not None:
            self._listening_since, self._lost_at = None, now

    def follow(self, jump: timedelta) -> None:
        """The server's clock jumped."""
        if self._listening_since is not None:
            self._listening_since += jump
        if self._lost_at is not None:
            self._lost_at += jump

    def look(self) -> Server:
        """As it is now; disks and certificates as they were a moment ago."""
        now_s = self._monotonic()
        if now_s - self._disks_s >= DISKS_EVERY_S:
            self._disks_s = now_s
            self._free = self._disks()
        if now_s - self._certificates_s >= CERTIFICATES_EVERY_S:
            self._certificates_s = now_s
            self._certificates = {} if self._identity is None else certificates(self._identity, self._pages)
        return Server(
            self._listening_since, self._lost_at, self._free, self._certificates, self._backup_within
        )

    def _disks(self) -> dict[str, int]:
        found = {}
        for name, place in self._places.items():
            try:
                found[name] = self._free_of(place)
            except OSError:
                # Not made yet, or on another machine.
                continue
        return found


def free_bytes(place: Path) -> int:
    """What a program that is not root may still write there. OSError where there is no such place."""
    room = os.statvfs(place)
    return room.f_bavail * room.f_frsize


def certificates(identity: Path, pages: Path | None = None) -> dict[str, datetime]:
    """When the certificates of the store's own programs end, its CA's, and that of the pages."""
    # Only here: the library costs 7 MB.
    from cryptography import x509

    found = {}
    wanted = [("the store's CA", identity / "ca" / "ca.crt")]
    wanted += [("renewals", place) for place in identity.glob("renewals/ca.crt")]
    own = sorted(place for place in identity.glob("*/tls.crt") if place.parent.name != "web")
    wanted += [(place.parent.name, place) for place in own]
    wanted += [("the pages", pages)] if pages is not None else []
    for name, place in wanted:
        try:
            found[name] = x509.load_pem_x509_certificate(place.read_bytes()).not_valid_after_utc
        except (OSError, ValueError) as error:
            log.warning("The certificate %s cannot be read: %s", place, error)
    return found
