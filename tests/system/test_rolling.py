"""Another CA for a store whose broker, vault and kiosks run on: nobody is let in anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from broker.authority import certificate_path, fingerprint
from deploy import rolling
from deploy.cli import main
from deploy.errors import DeployError
from deploy.provision import add_device
from kiosk.errors import KioskError
from kiosk.renewing import renew
from tests.rig.store import Rig, listens, wait_for
from tests.system.test_renewal import door, folder_of, let_in, now

pytestmark = pytest.mark.system


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig.make(tmp_path / "shop", devices=("kiosk-1", "kiosk-2"))
    try:
        rig.start("vault")
        rig.start_broker_program()
        wait_for(lambda: listens(rig.config.vault.port), "The vault's start", 60)
        yield rig
    finally:
        rig.stop()


def ca(rig: Rig) -> str:
    return fingerprint(
        x509.load_pem_x509_certificate(certificate_path(rig.config.identity_path).read_bytes())
    )


def trusted(folder: Path) -> int:
    return (folder / "ca.crt").read_text().count("BEGIN")


def test_devices_go_over_to_another_ca_and_the_old_one_is_retired(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(rig.directory / "edge.toml")]
    one, two = folder_of(rig, "kiosk-1"), folder_of(rig, "kiosk-2")
    first = ca(rig)
    renew(door(rig, "kiosk-1"))
    assert main(["ca", "roll", *config]) == 0
    with pytest.raises(DeployError, match="on its way already"):
        rolling.begin(rig.config, None, now())
    renew_soon(rig, "kiosk-1")
    assert trusted(one) == 2
    capsys.readouterr()
    assert main(["ca", "switch", *config]) == 1
    refused = capsys.readouterr().err
    assert "kiosk-2: it never asked which CA to trust." in refused and "kiosk-1" not in refused
    assert ca(rig) == first
    renew_soon(rig, "kiosk-2")
    assert main(["ca", "switch", *config]) == 0
    assert ca(rig) != first
    assert let_in_soon(rig, one) and let_in_soon(rig, two)
    assert main(["ca", "status", *config]) == 0
    assert "Next: floorbell ca retire" in capsys.readouterr().out
    assert main(["ca", "retire", *config]) == 0
    for name, folder in (("kiosk-1", one), ("kiosk-2", two)):
        renew_soon(rig, name)
        assert trusted(folder) == 1
        assert let_in_soon(rig, folder)
    add_device(rig.config, "kiosk-3", "shoes", None, now())
    assert let_in_soon(rig, folder_of(rig, "kiosk-3"))
    said = rig.read("SELECT what FROM audit WHERE what LIKE 'ca.%' ORDER BY id")
    assert said == [("ca.next",), ("ca.reissued",), ("ca.retired",)]


def renew_soon(rig: Rig, name: str) -> None:
    """The vault takes some seconds to trust another key; a kiosk asks again."""

    def tried() -> bool:
        try:
            renew(door(rig, name))
        except KioskError:
            return False
        return True

    wait_for(tried, f"What {name} asks for", 60)


def refusal(rig: Rig, name: str) -> str:
    """Why the kiosk gets no answer that it takes."""
    with pytest.raises(KioskError) as refused:
        renew(door(rig, name))
    return str(refused.value)


def let_in_soon(rig: Rig, folder: Path) -> bool:
    """The broker is started anew for another CA; a kiosk tries until it is there."""

    def tried() -> bool:
        try:
            return let_in(rig, folder)
        except OSError:
            return False

    return wait_for(tried, "Being let in", 60)


def test_a_device_that_was_left_behind_is_refused_and_refuses_until_it_is_let_in_anew(rig: Rig) -> None:
    renew(door(rig, "kiosk-1"))
    rolling.begin(rig.config, None, now())
    renew_soon(rig, "kiosk-1")
    left = {"kiosk-2"}
    with pytest.raises(DeployError, match=r"This would shut devices out\. kiosk-2: it never asked"):
        rolling.switch(rig.config, None, set(), now())
    rolling.switch(rig.config, None, left, now())
    # It keeps its certificate in memory for some seconds.
    rig.kill("vault")
    rig.start("vault")
    wait_for(lambda: "is not this store" in refusal(rig, "kiosk-2"), "The kiosk's refusal", 60)
    with pytest.raises(DeployError, match="kiosk-2: its certificate is still one of the old CA's"):
        rolling.retire(rig.config, set(), now())
    rolling.retire(rig.config, left, now())
    assert let_in_soon(rig, folder_of(rig, "kiosk-1"))
