"""What keeps a revoked device out: the CA's list of certificates, and the names that the broker turns away.

Two, because the list needs the CA's key and the names do not (decisions/003). Files only.
"""

import datetime as dt
from collections.abc import Collection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from broker.authority import Authority
from broker.errors import IdentityError
from broker.files import write
from broker.topics import check_device_name

_SECOND, _DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)


def list_path(directory: Path, of: str = "ca") -> Path:
    """A CA's list (PEM) in a store's identity directory; `of` is the CA's folder there."""
    return directory / of / "ca.crl"


def names_path(directory: Path) -> Path:
    """The names that the broker turns away, one a line."""
    return directory / "broker" / "revoked"


def revoked_serials(directory: Path, of: str = "ca") -> set[str]:
    """The serial numbers (hex) on the CA's list; none where there is no list yet."""
    return {f"{one.serial_number:x}" for one in _read(list_path(directory, of)) or ()}


def revoke(
    directory: Path, authority: Authority, serials: Collection[str], now: dt.datetime, of: str = "ca"
) -> None:
    """Put certificates on the CA's list and sign it anew. What is on it stays."""
    old = _read(list_path(directory, of))
    # OpenSSL keeps the newest of the lists that it was given, in whole seconds; a list of the future would
    # shut everyone out, and a server's clock may go back.
    at = now.replace(microsecond=0) - _DAY
    if old is not None:
        at = max(at, old.last_update_utc + _SECOND)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(at)
        # A list that has run out shuts everyone out too.
        .next_update(authority.certificate.not_valid_after_utc)
    )
    known = {one.serial_number: one for one in old or ()}
    for serial in sorted(int(serial, 16) for serial in serials):
        known.setdefault(
            serial, x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        )
    for one in known.values():
        builder = builder.add_revoked_certificate(one)
    signed = builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    write(list_path(directory, of), signed)


def continues(longer: Path, list_: Path, directory: Path) -> bool:
    """Whether the list in the file `longer` is of the CA in `directory` and has all that is on `list_`."""
    other = _read(longer)
    authority = x509.load_pem_x509_certificate((directory / "ca" / "ca.crt").read_bytes())
    if other is None or not other.is_signature_valid(authority.public_key()):  # type: ignore[arg-type]
        return False
    known = {one.serial_number for one in _read(list_) or ()}
    return known <= {one.serial_number for one in other}


def turn_away(directory: Path, names: Collection[str]) -> None:
    """These names, and no others, are turned away by the broker that runs from `directory`."""
    for name in names:
        check_device_name(name)
    write(names_path(directory), "".join(f"{name}\n" for name in sorted(names)).encode())


def turned_away(directory: Path) -> frozenset[str]:
    """The names of turn_away()."""
    try:
        return frozenset(names_path(directory).read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return frozenset()


def let_in_anew(directory: Path, name: str, serial: str) -> None:
    """This name has another certificate (its serial number, hex), and those before are on the lists already:
    the broker ends the connections that it has."""
    check_device_name(name)
    lines = "".join(f"{one} {other}\n" for one, other in sorted({**newest(directory), name: serial}.items()))
    write(_newest_path(directory), lines.encode())


def newest(directory: Path) -> dict[str, str]:
    """The serial number by which each name was let in last, of let_in_anew()."""
    try:
        lines = _newest_path(directory).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {name: serial for name, _, serial in (line.partition(" ") for line in lines)}


def _newest_path(directory: Path) -> Path:
    return directory / "broker" / "let-in"


def _read(path: Path) -> x509.CertificateRevocationList | None:
    try:
        return x509.load_pem_x509_crl(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise IdentityError(f"{path} is no list of revoked certificates, or it is damaged.") from None
