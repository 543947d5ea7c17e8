"""An identity that cannot be used is one sentence, before anything is connected."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from broker import identity
from broker.errors import IdentityError
from broker.session import Session
from broker.tls import Credentials


@pytest.fixture
def store(tmp_path: Path) -> Path:
    identity.make_store(tmp_path, "trial", ["localhost"], dt.datetime.now(dt.UTC))
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(IdentityError) as refused:
        Session("kiosk-1", "127.0.0.1", 8883, Credentials.in_directory(folder), lambda delivery: None)
    return str(refused.value)


def test_a_folder_that_may_not_be_looked_into_is_named(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")  # root, who may run the tests, is never refused

    monkeypatch.setattr(Path, "is_file", closed)
    assert "edge-web" in refusal(store / "edge-web")


def test_a_key_with_a_password_is_refused_and_asked_of_nobody(
    store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = store / "edge-web" / "tls.key"
    key = load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"abc")))
    assert "cannot be used" in refusal(store / "edge-web")
    assert capfd.readouterr() == ("", "")
