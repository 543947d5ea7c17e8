"""The TLS that the web program speaks itself, and the plain page by which phones come to trust it."""

import datetime as dt
import http.client
import os
import plistlib
import socket
import ssl
import threading
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from broker import identity, phones
from broker.mosquitto import free_port
from broker.tls import NO_CHECK_TIME
from edge.config import EdgeConfig, Web
from edge.errors import EdgeError
from edge.headers import bare
from edge.tls import LOOK_S, Listening, of_own_pages
from edge.web import server
from edge.web.trust import TrustDoor, addresses, fingerprint

NOW = dt.datetime.now(dt.UTC)


class Time:
    def __init__(self) -> None:
        self.s, self.now = 0.0, NOW

    def pass_by(self, by: dt.timedelta) -> None:
        self.s, self.now = self.s + by.total_seconds(), self.now + by


@pytest.fixture
def config(tmp_path: Path) -> EdgeConfig:
    phones.make(tmp_path / "identity", "shop", ["floorbell.local"], NOW)
    web = Web(tls="store", port=8443, trust_port=8081)
    return EdgeConfig("shop", "Shop & sons", web=web, directory=str(tmp_path))


def own_files(config: EdgeConfig) -> EdgeConfig:
    """A shop's own certificate, from an authority of its own."""
    folder = Path(config.directory)
    identity.make_store(folder / "other", "other", ["shop.example"], NOW)
    bring(folder, "broker")
    return msgspec.structs.replace(config, web=Web(tls="files", certificate="own.crt", key="own.key"))


def bring(folder: Path, name: str) -> None:
    for kind in ("key", "crt"):
        (folder / f"own.{kind}").write_bytes((folder / "other" / name / f"tls.{kind}").read_bytes())
    (folder / "own.key").chmod(0o600)


def shown(server: ssl.SSLContext, client: ssl.SSLContext, name: str = "floorbell.local") -> str:
    """The serial number of the certificate that a client meets, over a real handshake."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(ours, server_side=True).close()
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(theirs, server_hostname=name) as line:
            return str((line.getpeercert() or {}).get("serialNumber", ""))
    finally:
        thread.join()


def test_the_stores_own_certificate_is_renewed_while_the_program_runs(config: EdgeConfig) -> None:
    time = Time()
    listening = Listening(config, lambda: time.now, lambda: time.s)
    phone = ssl.create_default_context(cafile=phones.ca_path(config.identity_path))
    # The time that passes here does not pass for OpenSSL.
    phone.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    first = shown(listening.context(None, None), phone)
    time.pass_by(dt.timedelta(days=119))
    assert shown(listening.context(None, None), phone) == first
    time.pass_by(dt.timedelta(days=2))
    assert shown(listening.context(None, None), phone) != first


def test_files_of_ones_own_are_read_again_and_a_bad_one_leaves_the_one_before(config: EdgeConfig) -> None:
    config = own_files(config)
    listening, folder = Listening(config), Path(config.directory)
    client = ssl.create_default_context(cafile=folder / "other" / "ca" / "ca.crt")
    first = shown(listening.context(None, None), client, "shop.example")
    (folder / "own.crt").write_text("half of it")
    assert shown(listening.context(None, None), client, "shop.example") == first
    bring(folder, "vault")
    assert shown(listening.context(None, None), client, "shop.example") != first


@pytest.mark.parametrize("own", [False, True])
def test_a_key_that_others_may_read_is_told_of_while_it_runs_and_is_none_to_start_with(
    config: EdgeConfig, caplog: pytest.LogCaptureFixture, own: bool
) -> None:
    config = own_files(config) if own else config
    listening = Listening(config)
    client = of_own_pages(config)
    assert client is not None
    first = shown(listening.context(None, None), client)
    listening.key.chmod(0o644)
    # As if it had been put there anew.
    os.utime(listening.key, ns=(0, 0))
    assert shown(listening.context(None, None), client) == first
    assert "others may read" in caplog.text and "The pages go on" in caplog.text
    with pytest.raises(EdgeError, match=r"others may read .* run: chmod 600"):
        Listening(config)


def test_a_program_beside_it_trusts_this_certificate_and_no_other(config: EdgeConfig) -> None:
    beside = of_own_pages(config)
    assert beside is not None
    assert shown(Listening(config).context(None, None), beside)
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(Listening(own_files(config)).context(None, None), beside)
    assert of_own_pages(msgspec.structs.replace(config, web=Web())) is None


def test_without_a_certificate_the_pages_do_not_start(config: EdgeConfig, tmp_path: Path) -> None:
    none = msgspec.structs.replace(config, directory=str(tmp_path / "empty"))
    with pytest.raises(EdgeError, match=r"no certificate that can be used: .* 'floorbell ca phones'"):
        Listening(none)
    web = Web(tls="files", certificate="own.crt", key="own.key")
    with pytest.raises(EdgeError, match=r"no certificate that can be used: .*own\.crt"):
        Listening(msgspec.structs.replace(config, web=web))


def test_a_look_at_the_clock_is_not_taken_for_each_connection(config: EdgeConfig) -> None:
    time = Time()
    asked: list[int] = []

    def clock() -> dt.datetime:
        asked.append(1)
        return time.now

    listening = Listening(config, clock, lambda: time.s)
    for _ in range(50):
        listening.context(None, None)
    assert len(asked) == 1
    time.pass_by(dt.timedelta(seconds=LOOK_S))
    listening.context(None, None)
    assert len(asked) == 2


def test_the_trust_page_gives_the_certificate_in_the_forms_that_phones_take(config: EdgeConfig) -> None:
    door = TrustDoor(config, free_port())
    door.start()
    try:
        der = x509.load_pem_x509_certificate(phones.ca_path(config.identity_path).read_bytes())
        got = {path: ask(door, path) for path in ("/", "/trust", "/floorbell-ca.crt", "/trust.css", "/x")}
        assert got["/"][1] == got["/trust"][1] and got["/x"][0] == 404 and got["/trust.css"][0] == 200
        assert x509.load_der_x509_certificate(got["/floorbell-ca.crt"][1]) == der
        status, body, headers = ask(door, "/floorbell.mobileconfig")
        (payload,) = plistlib.loads(body)["PayloadContent"]
        assert (status, payload["PayloadType"]) == (200, "com.apple.security.root")
        assert x509.load_der_x509_certificate(payload["PayloadContent"]) == der
        assert "filename" in headers["Content-Disposition"]
        assert {**bare(), "Content-Security-Policy": headers["Content-Security-Policy"]}.items() <= dict(
            headers
        ).items()
        page = got["/trust"][1].decode()
        assert "Shop &amp; sons" in page and "https://floorbell.local:8443/" in page
        for path in ("/../edge.toml", "/static/css/base.css", "/%2e%2e/floorbell.db"):
            assert ask(door, path)[0] == 404
    finally:
        door.stop()


def test_a_port_that_is_taken_leaves_the_pages_without_this_one_and_is_told_of_once(
    config: EdgeConfig, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        web = Web(tls="store", port=8443, trust_port=other.getsockname()[1])
        assert server.trust_door(msgspec.structs.replace(config, web=web)) is None
    (said,) = caplog.messages
    assert "The pages go on without" in said and "web.trust_port" in said
    assert server.trust_door(msgspec.structs.replace(config, web=Web())) is None


def ask(door: TrustDoor, path: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read(), response.headers


def test_what_the_qr_code_leads_to(config: EdgeConfig) -> None:
    told = addresses(config)
    assert (told.pages, told.trust) == (
        "https://floorbell.local:8443/",
        "http://floorbell.local:8081/trust",
    )
    assert told.fingerprint == fingerprint(phones.ca_path(config.identity_path).read_text())
    assert len(told.fingerprint) == 95 and told.names == ("floorbell.local",)
