"""What stands in for a Raspberry Pi. `make hardware` builds it and runs these tests with --hardware.

Then a test that cannot run has failed. Otherwise one that finds neither a Pi nor its stand-in is skipped,
with a sentence that says what to do.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker import identity
from kiosk.pins import open_factory
from tests.hardware.chip import SIMULATOR, Chip
from tests.hardware.virtual_camera import Cable, picamera2_on

NO_CHIP = "There is no simulated GPIO chip; `make hardware` builds one and runs this on it."
NO_CAMERA = "There is no camera for picamera2; `make hardware` builds a virtual one and runs this on it."


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--hardware", action="store_true", help="on what `make hardware` builds; nothing is skipped"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    if report.skipped and item.config.getoption("--hardware", False):
        report.outcome = "failed"
        report.longrepr = f"It was skipped, and here it has to run: {report.longrepr[-1]}"
    return report


@pytest.fixture(scope="session")
def chip() -> Chip:
    """The simulated chip, its buttons not pressed."""
    if not SIMULATOR.is_dir():
        pytest.skip(NO_CHIP)
    return Chip()


@pytest.fixture(scope="session")
def factory(chip: Chip) -> Iterator[Any]:
    """lgpio's pins on the chip. One a process, as in a kiosk: an edge that comes after it is closed ends
    lgpio's thread."""
    factory = open_factory(chip.number)
    yield factory
    factory.close()


@pytest.fixture
def cable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Cable:
    """That of the virtual camera, which picamera2 has from now on."""
    if not request.config.getoption("--hardware", False):
        pytest.skip(NO_CAMERA)
    cable = Cable()
    virtual = picamera2_on(cable)
    monkeypatch.setattr("picamera2.Picamera2", virtual)
    return cable


@pytest.fixture
def camera(request: pytest.FixtureRequest) -> None:
    """Some camera: a Pi's own, or the virtual one."""
    if request.config.getoption("--hardware", False):
        request.getfixturevalue("cable")
        return
    try:
        from picamera2 import Picamera2
    except ImportError:
        pytest.skip(NO_CAMERA)
    if not Picamera2.global_camera_info():
        pytest.skip(NO_CAMERA)


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """The identity directory of the device kiosk-1 of the store 'shop'."""
    store, now = tmp_path / "store", dt.datetime.now(dt.UTC)
    identity.make_store(store, "shop", ["127.0.0.1"], now)
    directory = store / "devices" / "kiosk-1"
    request = identity.make_request(directory, "kiosk-1")
    certificate, ca, _ = identity.sign_request(store, request, "kiosk-1", now)
    identity.install_certificate(directory, certificate, ca)
    return directory
