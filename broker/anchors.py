"""Whose certificates count at this store's broker and vault, and which CAs its devices are to trust. Files
only.

Beside `ca` stand, during a roll-over (decisions/006), `ca-next` before the server changes to it and `ca-old`
until every device has let go of it. Devices trust these. Broker and vault also trust what the renewals' key
signed, and the one before it.
"""

from pathlib import Path

from broker import revocation
from broker.renewals import BEFORE, FOLDER

CA, NEXT, OLD = "ca", "ca-next", "ca-old"
Stamp = tuple[tuple[str, int, int], ...]


def roots(directory: Path) -> list[str]:
    """The folders of the CAs that devices are to trust, the one that vouches for the server first."""
    return [name for name in (CA, NEXT, OLD) if (directory / name / "ca.crt").exists()]


def for_devices(directory: Path) -> str:
    """What belongs into a device's ca.crt (PEM)."""
    return "".join((directory / name / "ca.crt").read_text() for name in roots(directory))


def of_clients(directory: Path) -> list[str]:
    """The folders of the CAs that sign for devices and programs."""
    return roots(directory) + [n for n in (FOLDER, BEFORE) if (directory / n / "ca.crt").exists()]


def certificates(directory: Path) -> str:
    """Those of of_clients() (PEM)."""
    return "".join((directory / name / "ca.crt").read_text() for name in of_clients(directory))


def write_for_broker(directory: Path) -> tuple[Path, Path | None]:
    """The files with these CAs and with their lists; no lists where one of them has none: Mosquitto would
    shut out everyone whom it signed for."""
    trusted, together = directory / "broker" / "clients.crt", directory / "broker" / "clients.crl"
    trusted.parent.mkdir(parents=True, exist_ok=True)
    trusted.write_text(certificates(directory))
    lists = [revocation.list_path(directory, name) for name in of_clients(directory)]
    if not all(path.exists() for path in lists):
        return trusted, None
    together.write_text("".join(path.read_text() for path in lists))
    return trusted, together


def lists(directory: Path) -> Stamp:
    """Changes whenever one of the lists does."""
    return _stamp([revocation.list_path(directory, name) for name in of_clients(directory)])


def trust(directory: Path) -> Stamp:
    """Changes whenever another CA counts, or the broker has another certificate."""
    own = directory / "broker" / "tls.crt"
    return _stamp([*(directory / name / "ca.crt" for name in of_clients(directory)), own])


def _stamp(paths: list[Path]) -> Stamp:
    found = []
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_ino))
    return tuple(found)
