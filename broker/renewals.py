"""The key that signs the next certificates of devices, on a server that runs all day (decisions/004).

Its certificate is for clients only, and shuts out subjects that begin with the name of one of the server's
programs. Broker and vault, which check by OpenSSL, go by both; a subject that somebody who has the key makes
by hand, with another part before the name, is not shut out. They trust it beside the CA; no device does.
"""

import datetime as dt
import fcntl
import os
from collections.abc import Collection
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from broker import authority, files, issuing, revocation, secrecy
from broker.authority import Authority
from broker.errors import IdentityError

FOLDER, BEFORE = "renewals", "renewals-old"
# A certificate that this key signs; the device has a month to fetch the next.
LASTING = dt.timedelta(days=90)
RENEWED_AFTER = 2 / 3
_SHUT_OUT = ("edge-worker", "edge-web", "edge", "broker", "vault")


def make(directory: Path, store: str, now: dt.datetime) -> None:
    """A new key, where there is none. It has no passphrase: nobody is there when it is used."""
    folder = directory / FOLDER
    if (folder / "ca.crt").exists():
        return
    shut_out = [x509.DirectoryName(issuing.named(name)) for name in _SHUT_OUT]
    made = issuing.restricted(
        f"Floorbell renewals {store} {now:%Y-%m-%d %H:%M:%S}",
        now,
        [
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True),
            (x509.NameConstraints(None, shut_out), True),
        ],
    )
    files.write(folder / "ca.key", issuing.private_pem(made.key), secret=True)
    revocation.revoke(directory, made, (), now, of=FOLDER)
    # Last, because it is what says that there is one.
    files.write(folder / "ca.crt", issuing.pem(made.certificate))


def opened(directory: Path, folder: str = FOLDER) -> Authority | None:
    """The key; None in a store that has none yet. IdentityError says what is wrong with it."""
    path = directory / folder / "ca.crt"
    if not path.exists():
        return None
    key = directory / folder / "ca.key"
    secrecy.check(key)
    try:
        return authority.opened(key.read_bytes(), path.read_bytes(), None, str(key))
    except OSError as error:
        raise IdentityError(f"The renewals' key {key} cannot be read: {error.strerror}.") from None


def keep_lists(directory: Path, serials: Collection[str], now: dt.datetime) -> None:
    """Put these certificates on the lists of the renewals' keys: the broker refuses them from then on. Any
    process of the server."""
    for folder in (FOLDER, BEFORE):
        if (key := opened(directory, folder)) is None:
            continue
        turn = os.open(directory / folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if missing := set(serials) - revocation.revoked_serials(directory, folder):
                revocation.revoke(directory, key, missing, now, of=folder)
        finally:
            os.close(turn)


def due_at(valid_from: dt.datetime, valid_until: dt.datetime) -> dt.datetime:
    """When a device asks for its next certificate: after two thirds, and at once for the long one that it
    was let in with."""
    if valid_until - valid_from > LASTING + dt.timedelta(days=2):
        return valid_from
    return valid_from + (valid_until - valid_from) * RENEWED_AFTER
