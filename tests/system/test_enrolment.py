"""A kiosk lets itself in by a code, over real TLS; whoever stands in between gets nothing."""

import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from broker import identity
from broker.authority import open_authority
from broker.errors import IdentityError
from broker.invitation import Code, make
from broker.mosquitto import free_port
from deploy import inviting
from deploy import provision as making
from deploy.enrolment import Window
from edge.config import EdgeConfig
from edge.db.store_tables import audit, device
from kiosk.enrolling import enrol
from kiosk.errors import KioskError

pytestmark = pytest.mark.system
PATIENCE_S = 30.0


@pytest.fixture
def config(tmp_path: Path) -> EdgeConfig:
    wanted = making.NewStore("shop", "Shop", ("localhost",), {"tills": "Tills"})
    return making.load_config(making.make_store(tmp_path / "shop", wanted, dt.datetime.now(dt.UTC)))


class Opened:
    """A window in a thread."""

    def __init__(self, config: EdgeConfig) -> None:
        self.said: list[str] = []
        self.window: Window
        authority = open_authority(config.identity_path)
        where = ("127.0.0.1", free_port())
        self.window, self.code = inviting.open_window(
            config, "tills-1", "tills", authority, where, "localhost", _now, self.said.append
        )
        self.let_in: bool | None = None
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self) -> None:
        self.let_in = self.window.wait()

    def ended(self) -> bool:
        self._thread.join(PATIENCE_S)
        return not self._thread.is_alive()

    def close(self) -> None:
        self.window.shut.set()
        self._thread.join(PATIENCE_S)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def opened(config: EdgeConfig) -> Iterator[Opened]:
    opened = Opened(config)
    yield opened
    opened.close()


def test_a_kiosk_with_the_code_is_let_in_once_and_its_keys_stay_on_it(
    config: EdgeConfig, opened: Opened, tmp_path: Path
) -> None:
    done = enrol(opened.code.text, tmp_path / "kiosk")
    assert (done.store, done.device, done.zone, done.host) == ("shop", "tills-1", "tills", "localhost")
    assert opened.ended() and opened.let_in
    assert sorted(path.name for path in (tmp_path / "kiosk").iterdir()) == [
        "ca.crt", "sign.key", "tls.crt", "tls.key",
    ]  # fmt: skip
    at_server = Path(config.directory) / "devices" / "tills-1"
    assert sorted(path.name for path in at_server.iterdir()) == ["ca.crt", "tls.crt"]
    with making.writing(config) as conn:
        assert conn.scalars(sa.select(device.c.name)).all() == ["tills-1"]
        assert "device.added" in conn.scalars(sa.select(audit.c.what)).all()
    with pytest.raises(KioskError, match="cannot be reached"):
        enrol(opened.code.text, tmp_path / "another")


def test_five_wrong_codes_shut_the_window_and_leave_nothing_on_the_kiosk(
    config: EdgeConfig, opened: Opened, tmp_path: Path
) -> None:
    guess = replace(opened.code, secret="00000000" if opened.code.secret != "00000000" else "11111111")
    for _ in range(5):
        with pytest.raises(KioskError, match="This is not the code that was shown"):
            enrol(guess.text, tmp_path / "kiosk")
    assert opened.ended() and opened.let_in is False
    assert not (tmp_path / "kiosk").exists()
    with making.writing(config) as conn:
        assert conn.scalars(sa.select(device.c.name)).all() == []


def test_a_server_of_another_ca_is_told_no_secret(opened: Opened, tmp_path: Path) -> None:
    identity.make_store(tmp_path / "other", "shop", ["localhost"], _now())
    foreign = make((tmp_path / "other" / "ca" / "ca.crt").read_text(), "localhost", opened.code.port)
    with pytest.raises(KioskError, match="is not the server that the code was made at"):
        enrol(Code(opened.code.secret, foreign.mark, "localhost", opened.code.port).text, tmp_path / "kiosk")
    assert opened.said == [] and not (tmp_path / "kiosk").exists()


def test_a_kiosk_that_is_enrolled_keeps_what_it_has(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "kiosk").mkdir()
    (tmp_path / "kiosk" / "tls.crt").write_text("what it has")
    with pytest.raises(IdentityError, match="holds the certificate of a kiosk already; it is kept"):
        enrol(opened.code.text, tmp_path / "kiosk")
