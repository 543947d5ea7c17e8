"""[backup] in edge.toml, and which backups are kept. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]{0,200})?")
_ID = re.compile(r"\d{8}T\d{6}\.\d{3}Z")


class Backup(Struct, frozen=True, forbid_unknown_fields=True):
    """[backup]. `to` is a folder, beside edge.toml unless it begins with /, or s3://bucket/prefix; without it
    there are no backups. `endpoint` is for another object store than Amazon's, `region` as it wants it;
    `credentials` a file beside edge.toml, mode 0600: the key's id on its first line, the secret on the next.

    Of each of the last `keep_days` days and `keep_months` months that have a whole backup its newest is kept,
    and the two newest of all in any case. A clip leaves the backups `clip_days` after it was deleted here.
    Managers are told once the newest whole one is older than `alarm_hours`.
    """

    to: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    endpoint: Annotated[str, Meta(max_length=300)] | None = None
    region: Annotated[str, Meta(min_length=1, max_length=40)] = "us-east-1"
    credentials: Annotated[str, Meta(min_length=1, max_length=200)] = "backup-s3.txt"
    keep_days: Annotated[int, Meta(ge=1, le=3660)] = 14
    keep_months: Annotated[int, Meta(ge=0, le=600)] = 12
    clip_days: Annotated[int, Meta(ge=0, le=366)] = 1
    alarm_hours: Annotated[float, Meta(ge=1, le=24 * 366)] = 26
    # How fast the disk is read and written at most: a press must not wait for a backup.
    mb_s: Annotated[float, Meta(gt=0, le=10_000)] = 20

    def fault(self) -> str | None:
        """What is wrong, and what is allowed."""
        if self.to is not None and "://" in self.to and not _BUCKET.fullmatch(self.to):
            return (
                f"backup.to is {self.to[:80]!r}; allowed are a folder, and a bucket as in s3://name/shop-1."
            )
        if self.endpoint is not None:
            try:
                parts = urlsplit(self.endpoint)
                well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            except ValueError:
                well = False
            if not well:
                return (
                    f"backup.endpoint is {self.endpoint[:80]!r}; an address begins with https:// or http://."
                )
        return None


def name_of(at: datetime) -> str:
    """The name of the backup of this moment, to the millisecond; names stand in the order of their times."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S}.{at.microsecond // 1000:03}Z"


def time_of(name: str) -> datetime:
    """ValueError for what is no name of a backup."""
    if not _ID.fullmatch(name):
        raise ValueError(f"{name[:40]!r} is no backup")
    return datetime.strptime(name, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Standing:
    """A backup that lies at the target; `whole` once its last file, the manifest, is there."""

    name: str
    whole: bool

    @property
    def at(self) -> datetime:
        return time_of(self.name)


def superfluous(found: Sequence[Standing], days: int, months: int, making: str) -> list[str]:
    """Which to delete, once `making` is whole: those beyond the newest of each of the last days and months
    that have one, and what was begun and never ended. The two newest whole ones stay in any case."""
    whole = sorted((one.name for one in found if one.whole), reverse=True)
    kept = {*whole[:2], making}
    for length, most in ((8, days), (6, months)):
        newest: dict[str, str] = {}
        for name in whole:
            newest.setdefault(name[:length], name)
        kept |= set(list(newest.values())[:most])
    return sorted(one.name for one in found if one.name not in kept)
