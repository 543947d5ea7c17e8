"""A time-stamping authority: `openssl ts` behind a small HTTP server, under a throw-away CA."""

import datetime as dt
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = dt.timedelta(days=1)
_SETTINGS = """[tsa]
default_tsa = own
[own]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
"""
# An object id that says: what is signed here is a time stamp (RFC 3161, 2.4.2).
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
Answer = Callable[[bytes], tuple[int, bytes]]


class Issuer:
    """A CA in `folder`, and the certificates that it has issued there, each with its key beside it."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._name, self._key = folder, name, _new_key()
        self.ca = folder / "ca.crt"
        now = dt.datetime.now(dt.UTC)
        self.ca.write_bytes(self._sign(name, self._key, now - 900 * _DAY, now + 900 * _DAY, None))
        self.issue("signer", "Test Time")
        (folder / "ts.cnf").write_text(_SETTINGS)

    def issue(self, file: str, name: str, until_days: float = 300, *, stamps: bool = True) -> None:
        """One that is valid from 300 days ago on; `stamps`: its usage is time-stamping, and nothing else."""
        now, key = dt.datetime.now(dt.UTC), _new_key()
        usage = ExtendedKeyUsageOID.TIME_STAMPING if stamps else ExtendedKeyUsageOID.EMAIL_PROTECTION
        raw = self._sign(name, key, now - 300 * _DAY, now + until_days * _DAY, usage)
        (self.folder / f"{file}.crt").write_bytes(raw)
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (self.folder / f"{file}.key").write_bytes(key.private_bytes(*pem))

    def reply(self, query: bytes, signer: str = "signer") -> bytes:
        """What `openssl ts` says to this query."""
        (self.folder / "query.tsq").write_bytes(query)
        words = ["ts", "-reply", "-config", "ts.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr"]
        return self._openssl(*words, *self._with(signer)).joinpath("reply.tsr").read_bytes()

    def forge(self, query: bytes, signer: str) -> bytes:
        """A reply as it should be, signed by somebody whom `openssl ts` refuses as a signer."""
        self.reply(query)
        self._openssl("ts", "-reply", "-in", "reply.tsr", "-token_out", "-out", "token.der")
        self._openssl("cms", "-verify", "-noverify", "-inform", "DER", "-in", "token.der", "-out", "info.der")
        kind = ["-econtent_type", _TST_INFO, "-outform", "DER", "-md", "sha256"]
        words = ["cms", "-sign", "-binary", "-nodetach", "-in", "info.der", "-out", "forged.der", *kind]
        body = (
            b"\x30\x03\x02\x01\x00"
            + self._openssl(*words, *self._with(signer)).joinpath("forged.der").read_bytes()
        )
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body

    def _with(self, signer: str) -> list[str]:
        return ["-signer", f"{signer}.crt", "-inkey", f"{signer}.key"]

    def _openssl(self, *words: str) -> Path:
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr.decode()
        return self.folder

    def _sign(
        self,
        name: str,
        key: rsa.RSAPrivateKey,
        begins: dt.datetime,
        ends: dt.datetime,
        usage: x509.ObjectIdentifier | None,
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(self._name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
        )
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class TimeAuthority:
    """Answers at `url` with what `answer` makes of a query: a status and a body. `asked` are the queries."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[bytes]()
        self.dripping, self.silent = False, False
        self._end = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tsr"
        self._thread = threading.Thread(target=self._server.serve_forever, name="authority", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """May be called twice."""
        self._end.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        here = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                here.asked.append(query)
                if here.silent:
                    here._end.wait(20)
                    return
                status, body = here.answer(query)
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self._write(body)

            def _write(self, body: bytes) -> None:
                # Each byte comes well within the time limit of a read; all of them do not.
                pieces = [bytes([one]) for one in body] if here.dripping else [body]
                try:
                    for piece in pieces:
                        self.wfile.write(piece)
                        if here.dripping and here._end.wait(0.05):
                            return
                except OSError:
                    return

            def log_message(self, *_args: object) -> None:
                return

        return Handler


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
