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
from kiosk.replacing import settle

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
        "ca.crt", "enrolled.toml", "sign.key", "tls.crt", "tls.key",
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


@pytest.mark.parametrize("cut", ["fresh", "between"])
def test_what_a_kill_cut_off_after_the_answer_is_finished_by_the_same_code(
    opened: Opened, tmp_path: Path, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kiosk"
    if cut == "between":
        folder.mkdir()
        (folder / "tls.crt").write_text("what it has")
    real, calls = Path.rename, []

    def dies(path: Path, to: Path) -> Path:
        calls.append(path)
        if len(calls) == (1 if cut == "fresh" else 2):
            raise KeyboardInterrupt
        return real(path, to)

    monkeypatch.setattr(Path, "rename", dies)
    with pytest.raises(KeyboardInterrupt):
        enrol(opened.code.text, folder, anew=cut == "between")
    monkeypatch.undo()
    assert opened.ended() and not folder.exists()
    done = enrol(opened.code.text, folder)
    assert done.device == "tills-1" and (folder / "tls.key").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("kiosk")] == ["kiosk"]
    # Once more it is what it is.
    assert enrol(opened.code.text, folder) == done


def test_a_kiosk_is_let_in_anew_only_where_that_is_said_and_then_has_other_keys(
    config: EdgeConfig, opened: Opened, tmp_path: Path
) -> None:
    folder = tmp_path / "kiosk"
    enrol(opened.code.text, folder)
    old = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "next").mkdir()
    (folder / "next" / "tls.key").write_text("of a renewal that was begun")
    assert opened.ended()
    again = Opened(config)
    try:
        with pytest.raises(IdentityError, match="With --anew this kiosk is let in again"):
            enrol(again.code.text, folder)
        wrong = replace(again.code, secret="00000000" if again.code.secret != "00000000" else "11111111")
        with pytest.raises(KioskError, match="This is not the code that was shown"):
            enrol(wrong.text, folder, anew=True)
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == old
        enrol(again.code.text, folder, anew=True)
        assert again.ended() and again.let_in
    finally:
        again.close()
    new = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert new.keys() == old.keys() and new["ca.crt"] == old["ca.crt"]
    assert all(new[name] != old[name] for name in ("tls.key", "tls.crt", "sign.key"))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("kiosk")] == ["kiosk"]


def test_a_kiosk_starts_that_was_cut_off_between_its_old_and_its_new_identity(tmp_path: Path) -> None:
    fresh = tmp_path / "identity.new"
    fresh.mkdir()
    (fresh / "tls.crt").write_text("new")
    assert settle(tmp_path / "identity") is True
    assert (tmp_path / "identity" / "tls.crt").read_text() == "new" and not fresh.exists()


def test_a_folder_of_something_else_is_not_taken(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "kiosk").mkdir()
    (tmp_path / "kiosk" / "letter.txt").touch()
    with pytest.raises(IdentityError, match="is not empty; a kiosk's identity has a folder of its own"):
        enrol(opened.code.text, tmp_path / "kiosk")
