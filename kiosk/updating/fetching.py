"""Brings one release from the vault, from where the last attempt broke off. Whether it is a good one is not
judged here: only that it is the file that was ordered.

Only TLS 1.3, only from a vault with a certificate of the store's CA, with the device's own certificate.
"""

import hashlib
import os
import ssl
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from broker.messages import Update

CONNECT_S, ANSWER_S = 10.0, 60.0
CHUNK_BYTES = 16 * 1024
SPARE_BYTES = 50_000_000


class End(StrEnum):
    """How an attempt ended."""

    HERE = "here"  # it lies at path_of(directory, update)
    WRONG = "wrong"  # all of it came, and it is not what was ordered
    FULL = "full"  # no room on the card
    OVER = "over"  # the ticket is worth nothing; wait for another
    BROKE = "broke"  # later


def path_of(directory: Path, update: Update) -> Path:
    return directory / f"{update.sha256}.release"


def fetch(
    update: Update, directory: Path, identity: Path, pace: Callable[[int], None], free_bytes: int | None
) -> tuple[End, str]:
    """One attempt, and a sentence about it. `pace` waits after so many bytes, and may raise to end it."""
    path = path_of(directory, update)
    if path.exists():
        if _digest(path) == update.sha256:
            return End.HERE, ""
        # A card forgets. What stands there would be refused for ever.
        path.unlink()
    part = path.with_suffix(".part")
    here = part.stat().st_size if part.exists() else 0
    if free_bytes is not None and free_bytes < update.bytes - here + SPARE_BYTES:
        return End.FULL, f"The card has {free_bytes // 1_000_000} MB free; the release needs more."
    if here < update.bytes:
        end, said = _bring(update, part, here, identity, pace)
        if end is not End.HERE:
            return end, said
    if part.stat().st_size != update.bytes or _digest(part) != update.sha256:
        part.unlink()
        return End.WRONG, "What came is not the release that was ordered."
    part.rename(path)
    return End.HERE, ""


def _digest(path: Path) -> str:
    """The SHA-256 of the file, which is on the disk then."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return digest


def tidy(directory: Path, wanted: Update | None) -> None:
    """Delete what is left of other releases."""
    for path in (*directory.glob("*.release"), *directory.glob("*.part")):
        if wanted is None or path.stem != wanted.sha256:
            path.unlink(missing_ok=True)


def _bring(
    update: Update, part: Path, here: int, identity: Path, pace: Callable[[int], None]
) -> tuple[End, str]:
    # Only when there is something to bring: a kiosk at rest has no use for them.
    import http.client

    from kiosk.camera.delivery import context_of

    address = urlsplit(update.url)
    if address.scheme != "https" or not address.hostname:
        return End.OVER, "The ticket's address does not begin with https://."
    try:
        line = http.client.HTTPSConnection(
            address.hostname, address.port or 443, timeout=CONNECT_S, context=context_of(identity)
        )
        try:
            line.connect()
            line.sock.settimeout(ANSWER_S)
            wanted = {"Authorization": f"Bearer {update.ticket}", "Range": f"bytes={here}-"}
            line.request("GET", address.path, headers=wanted)
            answer = line.getresponse()
            if answer.status not in (200, 206):
                said = answer.read(400).decode(errors="replace").strip()
                return (End.OVER if answer.status in (403, 404) else End.BROKE), said
            # The whole of it: begin anew.
            begin = here if answer.status == 206 else 0
            _append(answer, part, begin, update.bytes, pace)
        finally:
            line.close()
    except ssl.SSLCertVerificationError as error:
        return End.BROKE, f"What answers there is not this store's vault: {error.verify_message}."
    except (OSError, http.client.HTTPException, ValueError) as error:
        return End.BROKE, f"The line broke: {error or type(error).__name__}."
    if part.stat().st_size < update.bytes:
        return End.BROKE, "The line broke before the end."
    return End.HERE, ""


def _append(answer: object, part: Path, begin: int, most: int, pace: Callable[[int], None]) -> None:
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o640)
    with os.fdopen(number, "r+b", buffering=0) as file:
        file.truncate(begin)
        file.seek(begin)
        while begin < most and (chunk := answer.read(min(CHUNK_BYTES, most - begin))):  # type: ignore[attr-defined]
            file.write(chunk)
            begin += len(chunk)
            pace(len(chunk))
