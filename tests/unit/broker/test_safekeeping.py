"""The CA's key: its passphrase, its offline copy, and what is said when one of them is wrong."""

import datetime as dt
from pathlib import Path

import pytest

from broker import identity, safekeeping
from broker.authority import certificate_path, has_passphrase, key_path, open_authority
from broker.errors import IdentityError

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
PASSPHRASE = "four words on paper"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ca")
    identity.make_store(directory, "shop", ["localhost"], NOW, PASSPHRASE)
    return directory


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    (tmp_path / "ca").mkdir()
    for path in (key_path, certificate_path):
        path(tmp_path).write_bytes(path(made).read_bytes())
        path(tmp_path).chmod(0o600)
    return tmp_path


def test_the_key_opens_with_its_passphrase_only(store: Path) -> None:
    assert has_passphrase(store) and b"BEGIN PRIVATE KEY" not in key_path(store).read_bytes()
    open_authority(store, PASSPHRASE)
    with pytest.raises(IdentityError, match=r"The passphrase does not open .*ca\.key\."):
        open_authority(store, PASSPHRASE + "s")
    with pytest.raises(IdentityError, match="opens with its passphrase only"):
        open_authority(store)


def test_a_short_passphrase_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="has 11 characters; allowed is one line of at least 12"):
        identity.make_store(tmp_path / "new", "shop", ["localhost"], NOW, "11-letters!")
    assert not (tmp_path / "new").exists()


def test_a_key_that_others_may_read_is_refused(store: Path) -> None:
    key_path(store).chmod(0o640)
    with pytest.raises(IdentityError, match=r"others may read or change it \(mode 0640\); run: chmod 600"):
        open_authority(store, PASSPHRASE)


def test_the_copy_is_opened_and_restores_a_key_that_was_lost(store: Path, tmp_path: Path) -> None:
    copy, before = tmp_path / "copy.pem", open_authority(store, PASSPHRASE)
    safekeeping.back_up(store, copy, PASSPHRASE)
    assert copy.stat().st_mode & 0o777 == 0o600 and b"BEGIN PRIVATE KEY" not in copy.read_bytes()
    with pytest.raises(IdentityError, match="is there already; nothing was changed"):
        safekeeping.restore(store, copy, safekeeping.read(copy), PASSPHRASE)
    key_path(store).unlink()
    certificate_path(store).unlink()
    with pytest.raises(IdentityError, match="The passphrase does not open"):
        safekeeping.restore(store, copy, safekeeping.read(copy), "another passphrase")
    assert not key_path(store).exists()
    safekeeping.restore(store, copy, safekeeping.read(copy), PASSPHRASE)
    after = open_authority(store, PASSPHRASE)
    assert after.certificate == before.certificate
    assert after.key.private_numbers() == before.key.private_numbers()


def test_a_copy_never_overwrites_and_is_never_of_an_open_key(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pem"
    copy.write_text("something else")
    with pytest.raises(IdentityError, match="is there already; choose another name"):
        safekeeping.back_up(store, copy, PASSPHRASE)
    with pytest.raises(IdentityError, match="is no copy made by"):
        safekeeping.restore(store, copy, safekeeping.read(copy), PASSPHRASE)
    with pytest.raises(
        IdentityError, match=r"There is no folder .*stick; if it is a stick's, mount that first"
    ):
        safekeeping.back_up(store, tmp_path / "stick" / "copy.pem", PASSPHRASE)
    assert not (tmp_path / "stick").exists()
    identity.make_store(tmp_path / "open", "shop", ["localhost"], NOW)
    with pytest.raises(IdentityError, match="has no passphrase yet"):
        safekeeping.back_up(tmp_path / "open", tmp_path / "other.pem", PASSPHRASE)


def test_a_copy_of_another_ca_changes_nothing(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pem"
    safekeeping.back_up(store, copy, PASSPHRASE)
    identity.make_store(tmp_path / "other", "shop", ["localhost"], NOW)
    key_path(tmp_path / "other").unlink()
    with pytest.raises(IdentityError, match="is of another CA than"):
        safekeeping.restore(tmp_path / "other", copy, safekeeping.read(copy), PASSPHRASE)


def test_another_passphrase_opens_the_same_key(store: Path) -> None:
    before = open_authority(store, PASSPHRASE)
    safekeeping.change_passphrase(store, PASSPHRASE, "five words on other paper")
    after = open_authority(store, "five words on other paper")
    assert after.key.private_numbers() == before.key.private_numbers()
    with pytest.raises(IdentityError, match="does not open"):
        open_authority(store, PASSPHRASE)
