"""Another CA for a store, where no device has to be waited for: each step, and a power cut in between."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509

from broker import anchors, authority, renewals, revocation
from broker.errors import IdentityError
from broker.issuing import hosts_of
from deploy import provision as making
from deploy import rolling
from deploy.errors import DeployError
from edge.config import EdgeConfig

NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
PASSPHRASE = "four words on paper"


def made(folder: Path, passphrase: str | None = None) -> EdgeConfig:
    wanted = making.NewStore("shop", "Shop", ("localhost",), {"tills": "Tills"})
    return making.load_config(making.make_store(folder / "shop", wanted, NOW, passphrase))


@pytest.fixture
def config(tmp_path: Path) -> EdgeConfig:
    return made(tmp_path)


def certificate(config: EdgeConfig, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((config.identity_path / name).read_bytes())


@pytest.mark.parametrize("cut", ["never", "renewals", "one", "both", "half"])
def test_a_power_cut_in_between_is_mended_by_the_same_command(config: EdgeConfig, cut: str) -> None:
    directory = config.identity_path
    before = certificate(config, "ca/ca.crt")
    if cut == "renewals":
        (directory / "renewals").rename(directory / "renewals-old")
    rolling.begin(config, None, LATER)
    assert rolling.standing(config).stage == "told"
    if cut in ("one", "both", "half"):
        (directory / "ca").rename(directory / "ca-old")
    if cut in ("both", "half"):
        (directory / "ca-next").rename(directory / "ca")
    if cut == "half":
        (directory / "edge-web" / "tls.key").write_bytes((directory / "vault" / "tls.key").read_bytes())
    rolling.switch(config, None, set(), LATER)
    assert rolling.standing(config).stage == "switched"
    after = certificate(config, "ca/ca.crt")
    assert after != before
    for name in ("broker", "vault", "edge-web", "edge-worker"):
        issued = certificate(config, f"{name}/tls.crt")
        issued.verify_directly_issued_by(after)
        assert (directory / name / "ca.crt").read_text() == (directory / "ca" / "ca.crt").read_text()
        authority.opened(
            (directory / name / "tls.key").read_bytes(),
            (directory / name / "tls.crt").read_bytes(), None, name,
        )  # fmt: skip
    assert hosts_of(certificate(config, "broker/tls.crt")) == ["localhost", "127.0.0.1"]
    rolling.retire(config, set(), LATER)
    assert rolling.standing(config).stage == "no"
    assert renewals.opened(directory) is not None and renewals.opened(directory, renewals.BEFORE) is None


def test_steps_out_of_their_order_are_refused_and_change_nothing(tmp_path: Path) -> None:
    config = made(tmp_path, PASSPHRASE)
    with pytest.raises(DeployError, match="No other CA is on its way"):
        rolling.switch(config, PASSPHRASE, set(), LATER)
    with pytest.raises(DeployError, match="There is no old CA to retire"):
        rolling.retire(config, set(), LATER)
    with pytest.raises(IdentityError, match="The passphrase does not open"):
        rolling.begin(config, "not these words", LATER)
    assert rolling.standing(config).stage == "no"
    rolling.begin(config, PASSPHRASE, LATER)
    before = certificate(config, "ca/ca.crt")
    with pytest.raises(IdentityError, match="The passphrase does not open"):
        rolling.switch(config, "not these words", set(), LATER)
    with pytest.raises(DeployError, match="There is no old CA to retire"):
        rolling.retire(config, set(), LATER)
    assert certificate(config, "ca/ca.crt") == before


def test_the_server_gets_new_certificates_by_the_same_ca(config: EdgeConfig) -> None:
    before = certificate(config, "broker/tls.crt")
    rolling.reissue(config, None, LATER)
    after = certificate(config, "broker/tls.crt")
    assert after != before and hosts_of(after) == hosts_of(before)
    after.verify_directly_issued_by(certificate(config, "ca/ca.crt"))


def test_a_revoked_device_is_let_in_again_by_no_ca_that_still_counts(tmp_path: Path) -> None:
    config = made(tmp_path, PASSPHRASE)
    directory = config.identity_path

    def add() -> str:
        opened = authority.open_authority(directory, PASSPHRASE)
        folder = making.add_device(config, "kiosk-1", "tills", None, LATER, opened, PASSPHRASE)
        (folder / "tls.key").unlink()
        return f"{x509.load_pem_x509_certificate((folder / 'tls.crt').read_bytes()).serial_number:x}"

    stolen = add()
    rolling.begin(config, PASSPHRASE, LATER)
    rolling.switch(config, PASSPHRASE, {"kiosk-1"}, LATER)
    making.revoke_device(config, "kiosk-1", "Stolen from the entrance.", LATER)
    fresh = add()
    counting = anchors.of_clients(directory)
    assert counting == ["ca", "ca-old", "renewals", "renewals-old"]
    assert [revocation.revoked_serials(directory, name) for name in counting] == [{stolen}] * 4
    assert revocation.turned_away(directory) == frozenset()
    making.revoke_device(config, "kiosk-1", "Stolen again.", LATER)
    assert making.sign_list(config, PASSPHRASE, LATER) == 1
    assert [revocation.revoked_serials(directory, name) for name in counting] == [{stolen, fresh}] * 4


def test_while_the_old_cas_list_cannot_be_signed_its_device_is_not_let_in_again(tmp_path: Path) -> None:
    config = made(tmp_path, PASSPHRASE)
    directory = config.identity_path
    opened = authority.open_authority(directory, PASSPHRASE)
    folder = making.add_device(config, "kiosk-1", "tills", None, LATER, opened, PASSPHRASE)
    (folder / "tls.key").unlink()
    rolling.begin(config, PASSPHRASE, LATER)
    rolling.switch(config, PASSPHRASE, {"kiosk-1"}, LATER)
    making.revoke_device(config, "kiosk-1", "Stolen from the entrance.", LATER)
    opened = authority.open_authority(directory, PASSPHRASE)
    with pytest.raises(IdentityError, match=r"The old CA still counts, and its list cannot be signed: .*\.$"):
        making.add_device(config, "kiosk-1", "tills", None, LATER, opened, "four other words")
    assert revocation.turned_away(directory) == {"kiosk-1"}
