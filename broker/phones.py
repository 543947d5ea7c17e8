"""The CA that phones and desks install, so that they trust the store's pages (decisions/005).

It vouches for the names of this store and for nothing else, whoever holds its keys. Its own key is thrown
away once it has signed the one below it, which says so too: for what a phone may overlook in a CA that
somebody installed, no phone overlooks in one that a CA signed. Devices have nothing to do with it.
"""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from broker import authority, files, issuing, secrecy
from broker.errors import IdentityError

FOLDER, WEB = "phones", "web"
# Phones take no certificate of a server for more than 825 days (Apple, HT210176).
LASTING = dt.timedelta(days=180)
_ALL_ADDRESSES = ("0.0.0.0/0", "::/0")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def ca_path(directory: Path) -> Path:
    """What phones install (PEM)."""
    return directory / FOLDER / "ca.crt"


def make(directory: Path, store: str, hosts: list[str], now: dt.datetime) -> list[str]:
    """A new CA for these names of the store's server, in the place of one that is there; the names.

    IdentityError where none is a name that a phone can open.
    """
    names = [name for name in dict.fromkeys(host.lower() for host in hosts) if name not in _LOOPBACK]
    if not names:
        raise IdentityError("A CA for phones needs a name or an address that they open the server by.")
    extensions = [
        (_only(names), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    ]
    made = issuing.restricted(f"Floorbell {store} {now:%Y-%m-%d %H:%M}", now, extensions, path_length=1)
    below = issuing.restricted(f"Floorbell {store} pages", now, extensions, by=made)
    folder = directory / FOLDER
    # The key of `made` is written nowhere.
    files.write(folder / "pages.key", issuing.private_pem(below.key), secret=True)
    files.write(folder / "pages.crt", issuing.pem(below.certificate))
    files.write(ca_path(directory), issuing.pem(made.certificate))
    _issue(directory, now)
    return names


def names(directory: Path) -> list[str]:
    """The names and addresses that the CA vouches for; none where there is no CA."""
    path = ca_path(directory)
    if not path.exists():
        return []
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        limits = found.extensions.get_extension_for_class(x509.NameConstraints).value
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise IdentityError(f"{path} is no CA for phones: {error}.") from None
    # An address stands there as a network of one: 192.0.2.7/32.
    return [str(one.value).partition("/")[0] for one in limits.permitted_subtrees or ()]


def keep(directory: Path, now: dt.datetime) -> bool:
    """A new certificate for the pages where two thirds of the old one's time are over; whether there is one.

    IdentityError without a CA.
    """
    path = directory / WEB / "tls.crt"
    try:
        held = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        held = None
    if held is not None and held.not_valid_before_utc <= now:
        left = held.not_valid_after_utc - now
        if left > LASTING / 3:
            return False
    _issue(directory, now)
    return True


def _issue(directory: Path, now: dt.datetime) -> None:
    folder = directory / FOLDER
    try:
        signer, below = folder / "pages.key", folder / "pages.crt"
        secrecy.check(signer)
        by = authority.opened(signer.read_bytes(), below.read_bytes(), None, str(signer))
    except OSError as error:
        raise IdentityError(
            f"There is no CA for phones in {folder}: {error.strerror}; make one with 'floorbell ca phones'."
        ) from None
    key = ec.generate_private_key(ec.SECP256R1())
    made = issuing.certificate(by, "Floorbell pages", key.public_key(), names(directory), now, now + LASTING)
    files.write(directory / WEB / "tls.key", issuing.private_pem(key), secret=True)
    files.write(directory / WEB / "tls.crt", issuing.pem(made) + issuing.pem(by.certificate))


def _only(names: list[str]) -> x509.NameConstraints:
    """These names and those below them. A kind of name of which nothing is allowed has to be shut out by
    itself: what is not named is not limited (RFC 5280, 4.2.1.10)."""
    allowed: list[x509.GeneralName] = []
    addresses = []
    for name in names:
        try:
            addresses.append(x509.IPAddress(ipaddress.ip_network(name)))
        except ValueError:
            allowed.append(x509.DNSName(name))
    shut_out: list[x509.GeneralName] = []
    if not allowed:
        shut_out.append(x509.DNSName(""))
    kinds = {address.value.version for address in addresses}
    for every in map(ipaddress.ip_network, _ALL_ADDRESSES):
        if every.version not in kinds:
            shut_out.append(x509.IPAddress(every))
    return x509.NameConstraints([*allowed, *addresses], shut_out or None)
