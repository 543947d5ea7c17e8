"""The CA's offline copy, and another passphrase: files only. Each is read back before it counts."""

import os
from pathlib import Path

from cryptography import x509

from broker.authority import (
    Authority,
    certificate_path,
    encrypted,
    has_passphrase,
    key_path,
    open_authority,
    opened,
)
from broker.errors import IdentityError

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def change_passphrase(directory: Path, old: str | None, new: str) -> None:
    """Encrypt the CA's key anew. The old one stays until the new one was opened."""
    authority = open_authority(directory, old)
    pem = encrypted(authority.key, new)
    opened(pem, certificate_path(directory).read_bytes(), new, "The new key")
    beside = key_path(directory).with_name("ca.key.new")
    beside.unlink(missing_ok=True)
    _write_new(beside, pem)
    beside.replace(key_path(directory))


def check_copy(directory: Path, to: Path) -> None:
    """IdentityError if the key cannot be copied to `to`, whatever its passphrase. A folder is not made there:
    that of a stick which is not mounted would be on this machine's own disk."""
    if not has_passphrase(directory):
        raise IdentityError("The CA's key has no passphrase yet; give it one with 'floorbell ca passphrase'.")
    if to.exists():
        raise IdentityError(f"{to} is there already; choose another name.")
    if not to.parent.is_dir():
        raise IdentityError(f"There is no folder {to.parent}; if it is a stick's, mount that first.")


def on_own_disk(directory: Path, copy: Path) -> bool:
    """Whether the copy is on the disk that the key itself is on, or the system, and is lost with it."""
    return copy.stat().st_dev in {directory.stat().st_dev, Path("/").stat().st_dev}


def back_up(directory: Path, to: Path, passphrase: str | None) -> Authority:
    """Write the encrypted key and the certificate into a new file, and open what was written.

    IdentityError if the key has no passphrase, this is not it, or there is something at `to` already.
    """
    check_copy(directory, to)
    open_authority(directory, passphrase)
    content = key_path(directory).read_bytes() + certificate_path(directory).read_bytes()
    try:
        _write_new(to, content)
    except FileExistsError:
        raise IdentityError(f"{to} is there already; choose another name.") from None
    written = read(to)
    at = written.find(_CERTIFICATE)
    return opened(written[:at], written[at:], passphrase, str(to))


def restore(directory: Path, copy: Path, content: bytes, passphrase: str) -> Authority:
    """Put the CA's key, and where it is gone its certificate, back from the `content` of the copy.

    IdentityError if the store has another CA, or its key still.
    """
    at = content.find(_CERTIFICATE)
    authority = opened(content[:at], content[at:], passphrase, str(copy))
    path = certificate_path(directory)
    if path.exists() and x509.load_pem_x509_certificate(path.read_bytes()) != authority.certificate:
        raise IdentityError(f"{copy} is of another CA than {path}; nothing was changed.")
    if key_path(directory).exists():
        raise IdentityError(f"{key_path(directory)} is there already; nothing was changed.")
    if not path.exists():
        _write_new(path, content[at:], 0o644)
    _write_new(key_path(directory), content[:at])
    return authority


def read(copy: Path) -> bytes:
    """The content of a copy; IdentityError if there is none."""
    try:
        content = copy.read_bytes()
    except OSError as error:
        raise IdentityError(f"{copy} cannot be read: {error.strerror}.") from None
    if content.count(_CERTIFICATE) != 1:
        raise IdentityError(f"{copy} is no copy made by 'floorbell ca backup', or it is damaged.")
    return content


def _write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
