"""A receiver of webhooks outside the store, which fails in every way that a real one does."""

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass(frozen=True)
class Call:
    """One whole request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def signed_with(self, key: bytes = KEY) -> bool:
        """As the Standard Webhooks specification says that a receiver checks it."""
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return hmac.compare_digest(f"v1,{mac}", self.headers["webhook-signature"])


# What is done with one request, on its open line.
Answer = Callable[["Receiver", socket.socket], None]


def status(code: int, words: str = "Whatever", **headers: str) -> Answer:
    def answer(_here: "Receiver", line: socket.socket) -> None:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        line.sendall(f"HTTP/1.1 {code} {words}\r\n{lines}Content-Length: 2\r\n\r\nok".encode())

    return answer


OK = status(200, "OK")


def hang(here: "Receiver", line: socket.socket) -> None:
    """Says nothing, and keeps the line."""
    here.end.wait(20)


def drip(here: "Receiver", line: socket.socket) -> None:
    """Each byte comes well within the time limit of a read; all of them do not."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * 20:
        line.sendall(bytes([byte]))
        if here.end.wait(0.05):
            return


def drip_body(here: "Receiver", line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    while not here.end.wait(0.05):
        line.sendall(b"o")


def close_mid_answer(_here: "Receiver", line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf of")


def close_silently(_here: "Receiver", line: socket.socket) -> None:
    """The request is read, and the line closed without a word."""


def nonsense(_here: "Receiver", line: socket.socket) -> None:
    line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 3)


def flood(here: "Receiver", line: socket.socket) -> None:
    """An answer that never ends, as fast as it is taken."""
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
    while not here.end.is_set():
        line.sendall(b"x" * 65536)


def long_header(here: "Receiver", line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while not here.end.is_set():
        line.sendall(b"X: " + b"y" * 1000 + b"\r\n")


class Receiver:
    """Answers the first request with the first of `answers`, then the last one. `calls` came whole."""

    def __init__(self, *answers: Answer, tls: "Certificate | None" = None) -> None:
        self.answers, self.calls = list(answers) or [OK], list[Call]()
        self.end = threading.Event()
        self._lock = threading.Lock()
        self._context = tls.context() if tls else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://localhost:{self.port}/floorbell"
        threading.Thread(target=self._accept, name="receiver", daemon=True).start()

    def close(self) -> None:
        """May be called twice."""
        if not self.end.is_set():
            self.end.set()
            # Closed alone it would take one more.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    @property
    def ids(self) -> list[str]:
        return [call.id for call in self.calls]

    def _accept(self) -> None:
        while not self.end.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), name="receiver-line", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        try:
            if self._context is not None:
                line = self._context.wrap_socket(line, server_side=True)
            call = self._read(line)
            with self._lock:
                number = len(self.calls)
                self.calls.append(call)
            self.answers[min(number, len(self.answers) - 1)](self, line)
        except (OSError, ValueError):
            pass
        finally:
            line.close()

    def _read(self, line: socket.socket) -> Call:
        file = line.makefile("rb")
        words = file.readline().decode().split()
        headers: dict[str, str] = {}
        while (one := file.readline().decode().strip()) != "":
            name, _, value = one.partition(": ")
            headers[name.lower()] = value
        if not words:
            raise ValueError("nothing was asked")
        return Call(words[1], headers, file.read(int(headers.get("content-length", "0"))))


class Certificate:
    """A throw-away CA in `folder`, and a certificate of it for `name`."""

    def __init__(self, folder: Path, name: str = "localhost", *, until_days: float = 30) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.chain, self.key = folder / "ca.pem", folder / "tls.crt", folder / "tls.key"
        now, ca_key = dt.datetime.now(dt.UTC), ec.generate_private_key(ec.SECP256R1())
        own = ec.generate_private_key(ec.SECP256R1())
        begins = now - dt.timedelta(days=60)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])

        def made(subject: x509.Name, public: Any, until: dt.datetime) -> x509.CertificateBuilder:
            return (
                x509.CertificateBuilder()
                .subject_name(subject)
                .issuer_name(issuer)
                .public_key(public)
                .serial_number(x509.random_serial_number())
                .not_valid_before(begins)
                .not_valid_after(until)
            )

        authority = made(issuer, ca_key.public_key(), now + dt.timedelta(days=60)).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "127.0.0.1":
            names = [x509.IPAddress(ipaddress.ip_address(name))]
        until = now + dt.timedelta(days=until_days)
        leaf = made(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), own.public_key(), until)
        leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
        pem = serialization.Encoding.PEM
        self.ca.write_bytes(authority.sign(ca_key, hashes.SHA256()).public_bytes(pem))
        self.chain.write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(pem))
        private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.key.write_bytes(own.private_bytes(pem, *private))

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context
