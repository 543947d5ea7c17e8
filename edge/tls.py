"""The TLS that the web program itself speaks ([web] tls), when no proxy does. Its files may change while it
runs: the store's own certificate is renewed here, and whoever brings another replaces theirs."""

import logging
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from broker import secrecy
from broker.errors import BrokerError
from edge.config import EdgeConfig
from edge.errors import EdgeError

log = logging.getLogger(__name__)
LOOK_S = 3600.0


def files(config: EdgeConfig) -> tuple[Path, Path] | None:
    """The certificate with its chain, and the key; None where a proxy has them."""
    web = config.web
    if web.tls == "proxy":
        return None
    if web.tls == "store":
        return config.identity_path / "web" / "tls.crt", config.identity_path / "web" / "tls.key"
    folder = Path(config.directory)
    return folder / str(web.certificate), folder / str(web.key)


class Listening:
    """Gives gunicorn the context for each connection. EdgeError if there can be none at the start."""

    def __init__(
        self,
        config: EdgeConfig,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        found = files(config)
        assert found is not None
        self._config, self._clock, self._monotonic = config, clock, monotonic
        self.certificate, self.key = found
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._looked_s = float("-inf")
        try:
            self._renew()
            self._context = self._load()
        except (BrokerError, OSError, ssl.SSLError) as error:
            said = str(error) if isinstance(error, BrokerError) else f"{self.certificate}: {error}."
            raise EdgeError(f"The pages have no certificate that can be used: {said}") from None

    def context(self, _settings: Any, _default: Any) -> ssl.SSLContext:
        """As gunicorn's `ssl_context`. What cannot be read now leaves the one before."""
        with self._lock:
            try:
                self._renew()
                if self._stamp != self._stamp_now():
                    self._context = self._load()
            except (BrokerError, OSError, ssl.SSLError) as error:
                log.warning("The pages go on with the certificate that they have: %s", error)
            return self._context

    def _renew(self) -> None:
        now_s = self._monotonic()
        if self._config.web.tls != "store" or now_s - self._looked_s < LOOK_S:
            return
        # Only here: with a proxy, or files of one's own, nobody needs the library.
        from broker import phones

        self._looked_s = now_s
        phones.keep(self._config.identity_path, self._clock())

    def _stamp_now(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in (self.certificate, self.key))

    def _load(self) -> ssl.SSLContext:
        secrecy.check(self.key)
        stamp = self._stamp_now()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # An empty password: for a key that has one, OpenSSL would ask whoever sits at the terminal.
        context.load_cert_chain(self.certificate, self.key, password="")
        # A client may offer more; gunicorn's threads speak HTTP/1.1.
        context.set_alpn_protocols(["http/1.1"])
        self._stamp = stamp
        return context


def of_own_pages(config: EdgeConfig) -> ssl.SSLContext | None:
    """For a program beside it that opens these pages: trusts this very certificate, whatever name it is for;
    None where the pages speak plain HTTP here. OSError if it cannot be read."""
    found = files(config)
    if found is None:
        return None
    context = ssl.create_default_context(cafile=str(found[0]))
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context
