"""Certificates and keys."""

import datetime as dt
import json
import stat
from pathlib import Path

import pytest
from cryptography import x509

from broker import identity
from broker.errors import ContractError, IdentityError

NOW = dt.datetime(2026, 3, 4, 10, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("store")
    identity.make_store(directory, "shop", ["127.0.0.1", "floorbell.local"], NOW)
    return directory


@pytest.fixture
def request_of_tills(tmp_path: Path) -> str:
    return identity.make_request(tmp_path / "tills-1", "tills-1")


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def common_name(found: x509.Certificate) -> str:
    return str(found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def test_a_store_gets_a_ca_a_broker_and_its_programs(store: Path) -> None:
    ca = certificate(store / "ca" / "ca.crt")
    for name in ("broker", *identity.PROGRAMS):
        issued = certificate(store / name / "tls.crt")
        issued.verify_directly_issued_by(ca)
        assert common_name(issued) == name
        assert (store / name / "ca.crt").read_text() == (store / "ca" / "ca.crt").read_text()


def test_the_broker_answers_to_each_of_its_hosts(store: Path) -> None:
    names = certificate(store / "broker" / "tls.crt").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert [str(name.value) for name in names.value] == ["127.0.0.1", "floorbell.local"]


def test_no_program_and_no_device_can_pose_as_the_broker_or_issue(store: Path) -> None:
    for name in identity.PROGRAMS:
        extensions = certificate(store / name / "tls.crt").extensions
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
        assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_only_their_owner_reads_the_keys(store: Path, tmp_path: Path, request_of_tills: str) -> None:
    keys = [*store.rglob("*.key"), *tmp_path.rglob("*.key")]
    # Those of the CA, renewals, the broker and the vault with its signing key; the programs; the device.
    assert len(keys) == 5 + len(identity.PROGRAMS) + 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_a_second_ca_is_refused(store: Path) -> None:
    before = (store / "ca" / "ca.crt").read_bytes()
    with pytest.raises(IdentityError, match="holds a store CA already"):
        identity.make_store(store, "shop", ["127.0.0.1"], NOW)
    assert (store / "ca" / "ca.crt").read_bytes() == before


def test_a_devices_keys_are_never_made_twice(tmp_path: Path, request_of_tills: str) -> None:
    with pytest.raises(IdentityError, match="holds a device's keys already"):
        identity.make_request(tmp_path / "tills-1", "tills-1")


def test_a_request_becomes_a_certificate_for_its_own_key(
    store: Path, tmp_path: Path, request_of_tills: str
) -> None:
    pem, ca_pem, registered = identity.sign_request(store, request_of_tills, "tills-1", NOW)
    identity.install_certificate(tmp_path / "tills-1", pem, ca_pem)
    issued = certificate(tmp_path / "tills-1" / "tls.crt")
    issued.verify_directly_issued_by(certificate(store / "ca" / "ca.crt"))
    assert common_name(issued) == registered.name == "tills-1"
    assert registered.signing_key == json.loads(request_of_tills)["signing_key"]
    assert registered.not_before <= NOW < registered.not_after


def test_a_request_carries_no_private_key(request_of_tills: str) -> None:
    assert "PRIVATE" not in request_of_tills


def test_a_request_for_another_name_is_refused(store: Path, request_of_tills: str) -> None:
    with pytest.raises(IdentityError, match="The request is for 'tills-1', not for 'tills-2'"):
        identity.sign_request(store, request_of_tills, "tills-2", NOW)


def test_a_changed_device_field_does_not_rename_a_request(store: Path, request_of_tills: str) -> None:
    forged = json.dumps(json.loads(request_of_tills) | {"device": "tills-2"})
    with pytest.raises(IdentityError, match="not for 'tills-2'"):
        identity.sign_request(store, forged, "tills-2", NOW)


@pytest.mark.parametrize("damage", ["csr", "signing_key", "proof"])
def test_a_request_without_proof_of_its_keys_is_refused(
    store: Path, request_of_tills: str, damage: str
) -> None:
    fields = json.loads(request_of_tills)
    del fields[damage]
    with pytest.raises(IdentityError, match="or it is damaged"):
        identity.sign_request(store, json.dumps(fields), "tills-1", NOW)


def test_a_signing_key_of_somebody_else_is_refused(
    store: Path, tmp_path: Path, request_of_tills: str
) -> None:
    other = json.loads(identity.make_request(tmp_path / "other", "tills-2"))
    fields = json.loads(request_of_tills) | {"signing_key": other["signing_key"]}
    with pytest.raises(IdentityError, match="or it is damaged"):
        identity.sign_request(store, json.dumps(fields), "tills-1", NOW)


@pytest.mark.parametrize("request_text", ["", "[]", "null", "3", "{}", '{"csr": 3}', "\x00"])
def test_what_is_no_request_is_refused(store: Path, request_text: str) -> None:
    with pytest.raises(IdentityError, match="or it is damaged"):
        identity.sign_request(store, request_text, "tills-1", NOW)


@pytest.mark.parametrize("name", ["edge-worker", "broker 1", "pager"])
def test_the_servers_names_are_never_issued_to_a_device(store: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractError):
        identity.make_request(tmp_path / "d", name)
    with pytest.raises(ContractError):
        identity.sign_request(store, "{}", name, NOW)


def test_without_a_ca_nothing_is_signed(tmp_path: Path, request_of_tills: str) -> None:
    with pytest.raises(IdentityError, match="There is no usable store CA"):
        identity.sign_request(tmp_path, request_of_tills, "tills-1", NOW)
