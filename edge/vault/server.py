"""The vault program under gunicorn, with mutual TLS: only devices with a certificate of the store's CA."""

import os
import signal
import ssl
from collections.abc import Hashable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from broker import anchors
from broker.tls import NO_CHECK_TIME
from edge.config import EdgeConfig
from edge.errors import EdgeError
from edge.vault.arrivals import Peer

# One clip at a time from each kiosk; a slow line holds its thread for as long as it takes.
THREADS = 32
# Of them, for one device: a stolen one that drips must not keep out the others.
OF_ONE = 4
# Of the processor, and so of the disk (ioprio_set(2)): clips that come make way for presses and pages.
NICE = 10


def run_vault(config: EdgeConfig) -> int:
    """Serve until SIGTERM. EdgeError with one sentence if it cannot start."""
    from broker import secrecy
    from broker.signing import load_signer
    from edge.db.engine import check_version, connect

    identity = config.identity_path / "vault"
    if config.vault.address is None:
        raise EdgeError("edge.toml has no address under [vault]; kiosks would not know where to bring clips.")
    if not (identity / "tls.key").exists():
        raise EdgeError(f"{identity} holds no certificate; 'floorbell provision' makes one with the store.")
    secrecy.check(identity / "tls.key")
    load_signer(identity / "sign.key")
    check_version(connect(config.database_url, write=False))
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    return _serve(config, identity)


def _serve(config: EdgeConfig, identity: Path) -> int:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

    from edge.living import take_notify_socket
    from edge.serving.head import Head, Limits
    from edge.serving.worker import PatientWorker
    from edge.serving_log import ServingLog

    class ReceivingWorker(PatientWorker):
        """A clip is too large to be waited for: it holds its thread, and a device has only some of them."""

        limits = Limits(head_bytes=8 * 1024, body_bytes=None)
        strangers = THREADS
        of_one = OF_ONE

        def one_of(self, conn: Any, head: Head) -> Hashable:
            peer = _named(conn.sock)
            return peer.name if peer is not None else super().one_of(conn, head)

        def tell(self, refused: dict[str, int]) -> None:
            from edge.vault.refusals import at_the_door

            super().tell(refused)
            self.wsgi.extensions["vault"].refusals.hear(at_the_door(refused))

    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, value in {
                "bind": f"{config.vault.host}:{config.vault.port}",
                "worker_class": ReceivingWorker,
                "workers": 1,
                # None of those: nobody is known before the ticket was looked at.
                "threads": 1,
                "worker_connections": 8 * THREADS,
                "keepalive": 15,
                "timeout": 60,
                "graceful_timeout": 3,
                "limit_request_line": 1024,
                "limit_request_fields": 30,
                "proc_name": "floorbell-vault",
                "loglevel": "warning",
                "logger_class": ServingLog,
                "control_socket_disable": True,
                "keyfile": str(identity / "tls.key"),
                "certfile": str(identity / "tls.crt"),
                "ca_certs": str(identity / "ca.crt"),
                "cert_reqs": int(ssl.CERT_REQUIRED),
                "ssl_context": partial(_tls, config.identity_path),
                "post_fork": take_notify_socket(),
                "worker_exit": lambda _server, worker: worker.wsgi.extensions["vault"].stop(),
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from edge.vault.application import create_vault

            app = create_vault(config, peer_of)
            # In the process that serves: threads do not survive a fork.
            app.extensions["vault"].start()
            return app

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        Server().run()
    except SystemExit as end:
        return int(end.code or 0) if not isinstance(end.code, str) else 1
    return 0


def peer_of(environ: dict[str, Any]) -> Peer | None:
    """The certificate that the client showed; its common name is its device's name."""
    return _named(environ["gunicorn.socket"])


def _named(connection: Any) -> Peer | None:
    certificate = connection.getpeercert() or {}
    for part in certificate.get("subject", ()):
        for name, value in part:
            if name == "commonName":
                serial = str(certificate.get("serialNumber", "")).lower().lstrip("0")
                begins, ends = (_time(certificate[one]) for one in ("notBefore", "notAfter"))
                whole = connection.getpeercert(binary_form=True)
                return Peer(str(value), serial or None, begins, ends, whole)
    return None


def _time(said: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(said), UTC)


def _tls(identity: Path, _config: Any, default: Any) -> ssl.SSLContext:
    """For one connection: its files and the CAs that count are read anew, and may change meanwhile."""
    context: ssl.SSLContext = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=anchors.certificates(identity))
    # A kiosk that was off for its certificate's whole time fetches the next one here; for everything else
    # its dates are judged at the door.
    context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    return context
