"""`floorbell ca` and what asks for the passphrase of the CA's key."""

from pathlib import Path

import pytest
from click import termui

from broker import revocation
from broker.authority import key_path
from deploy.asking import given
from deploy.cli import main
from edge.config import load_config


@pytest.fixture
def secret(tmp_path: Path) -> list[str]:
    path = tmp_path / "passphrase"
    path.write_text("four words on paper\n")
    return ["--passphrase-file", str(path)]


@pytest.fixture
def config(tmp_path: Path, secret: list[str]) -> str:
    made = ["provision", "store", "shop", "--title", "Shop", "--dir", str(tmp_path / "shop")]
    assert main([*made, "--host", "localhost", "--zone", "tills=Tills", *secret]) == 0
    return str(tmp_path / "shop" / "edge.toml")


def test_letting_a_device_in_needs_the_passphrase(
    config: str, secret: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add = ["device", "add", "tills-1", "--zone", "tills", "--config", config]
    (tmp_path / "wrong").write_text("not these words\n")
    capsys.readouterr()
    assert main([*add, "--passphrase-file", str(tmp_path / "wrong")]) == 1
    assert "The passphrase does not open" in capsys.readouterr().err
    assert main([*add, *secret]) == 0


def test_revoking_needs_none_and_the_list_follows(
    config: str, secret: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["device", "add", "tills-1", "--zone", "tills", "--config", config, *secret])
    capsys.readouterr()
    assert main(["device", "revoke", "tills-1", "--reason", "Stolen.", "--config", config]) == 0
    assert "Its name keeps it out." in capsys.readouterr().out
    identity = load_config(Path(config)).identity_path
    assert revocation.turned_away(identity) == {"tills-1"} and not revocation.revoked_serials(identity)
    assert main(["ca", "sign-list", "--config", config, *secret]) == 0
    assert len(revocation.revoked_serials(identity)) == 1
    assert capsys.readouterr().out == "1 certificate is on the list now.\n"


def test_a_lost_key_comes_back_from_its_copy_with_the_whole_list(
    config: str, secret: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["device", "add", "tills-1", "--zone", "tills", "--config", config, *secret])
    main(["device", "revoke", "tills-1", "--reason", "Stolen.", "--config", config])
    identity, copy = load_config(Path(config)).identity_path, str(tmp_path / "copy.pem")
    assert main(["ca", "backup", "--to", copy, "--config", config, *secret]) == 0
    assert "It is on this machine's own disk, and lost with it" in capsys.readouterr().out
    key_path(identity).unlink()
    revocation.list_path(identity).unlink()
    assert main(["ca", "restore", "--from", copy, "--config", config, *secret]) == 0
    assert len(revocation.revoked_serials(identity)) == 1


def test_phones_are_given_a_ca_of_their_own_and_a_sheet_to_compare(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ca", "qr", "--config", config]) == 1
    assert "This store has no CA for phones" in capsys.readouterr().err
    assert main(["ca", "phones", "--config", config]) == 1
    assert "needs a name or an address" in capsys.readouterr().err
    assert main(["ca", "phones", "--host", "floorbell.local", "--config", config]) == 0
    assert "trust floorbell.local with it, and nothing else" in capsys.readouterr().out
    sheet = tmp_path / "sheet.svg"
    assert main(["ca", "qr", "--to", str(sheet), "--config", config]) == 0
    told = capsys.readouterr().out
    assert sheet.read_text().startswith("<?xml") and told.count(":") > 30
    assert main(["ca", "qr", "--to", str(tmp_path / "sheet.txt"), "--config", config]) == 1
    assert "allowed is a file that ends in .svg or .png" in capsys.readouterr().err
    assert main(["ca", "qr", "--to", str(tmp_path / "nowhere" / "sheet.png"), "--config", config]) == 1
    assert "sheet.png cannot be written: No such file or directory." in capsys.readouterr().err


def test_a_new_passphrase_that_is_too_short_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["short", "short", "four words on paper", "four words on paper"])
    monkeypatch.setattr(termui, "hidden_prompt_func", lambda _: next(typed))
    assert given(None, "New passphrase", new=True) == "four words on paper"
    assert "has 5 characters; allowed is one line of at least 12." in capsys.readouterr().err


def test_a_kiosk_of_a_wrong_name_or_zone_is_refused_before_a_passphrase_is_asked_for(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["device", "invite", "tills-1", "--zone", "till", "--config", config]) == 1
    assert capsys.readouterr().err == "There is no zone 'till'; this store has tills.\n"
    assert main(["device", "invite", "Tills 1", "--zone", "tills", "--config", config]) == 1
    assert "The device's name is 'Tills 1'; allowed is" in capsys.readouterr().err
