"""A store's identities and a real broker for every system test that wants them."""

import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import identity, mosquitto

STORE = "shop"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The identity directory of a provisioned store named 'shop'."""
    directory = tmp_path / "store"
    identity.make_store(directory, STORE, ["127.0.0.1", "localhost"], dt.datetime.now(dt.UTC))
    return directory


@pytest.fixture
def device(store: Path) -> Callable[[str], Path]:
    """Enrol a device by name; the directory with its credentials."""

    def enrol(name: str) -> Path:
        directory = store / "devices" / name
        now = dt.datetime.now(dt.UTC)
        request = identity.make_request(directory, name)
        certificate, ca, _ = identity.sign_request(store, request, name, now)
        identity.install_certificate(directory, certificate, ca)
        return directory

    return enrol


@pytest.fixture
def broker(store: Path) -> Iterator[mosquitto.Broker]:
    """A real Mosquitto on a free port, started."""
    user = "root" if os.geteuid() == 0 else None
    settings = mosquitto.Settings(STORE, store, port=mosquitto.free_port(), user=user)
    running = mosquitto.Broker(settings)
    running.start()
    yield running
    running.stop()
