"""What of an identity goes into TLS: its files, and a context that trusts the store's CA alone."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from broker import secrecy
from broker.errors import IdentityError

NO_CHECK_TIME = 0x200000  # OpenSSL X509_V_FLAG_NO_CHECK_TIME


@dataclass(frozen=True)
class Credentials:
    """The files of one identity (PEM): the store's CA, the own certificate and its private key."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def in_directory(cls, directory: Path) -> "Credentials":
        """The layout that `floorbell provision` and `floorbell device` write."""
        return cls(directory / "ca.crt", directory / "tls.crt", directory / "tls.key")


def tls_context(credentials: Credentials, check_time: bool) -> ssl.SSLContext:
    """Trusts the store's CA alone and shows the own certificate. IdentityError names a file that is bad."""
    try:
        for path in (credentials.ca, credentials.certificate, credentials.key):
            if not path.is_file():
                raise IdentityError(f"The identity file {path} is missing; enrol this program first.")
        secrecy.check(credentials.key)
        context = ssl.create_default_context(cafile=str(credentials.ca))
        # An empty password: for a key that has one, OpenSSL would ask whoever sits at the terminal.
        context.load_cert_chain(str(credentials.certificate), str(credentials.key), password="")
    except (ssl.SSLError, OSError) as error:
        raise IdentityError(
            f"The identity beside {credentials.certificate} cannot be used: {error}."
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not check_time:
        # A kiosk has no battery clock: decisions/002 says why it does not judge dates.
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    return context
