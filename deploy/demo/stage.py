"""The demo's folder: made at the first start, found again at the next, with the ports of this one."""

import datetime as dt
import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from broker.mosquitto import free_port
from broker.settings import load
from deploy import provision as making
from deploy.demo import drilling, outside, shop
from deploy.errors import DeployError
from edge.config import EdgeConfig, load_config
from edge.db import engine
from edge.people import store as people

# A Unix socket's address takes 107 bytes; the longest of ours is kiosks/kiosk-fitting-rooms/control.
_LONGEST_PATH = 107 - len("/kiosks/kiosk-fitting-rooms/control")


@dataclass(frozen=True)
class Stage:
    """A prepared demo. Held until close(): two demos on one folder would throw each other out.

    `filmed` are the kiosks that have a camera."""

    directory: Path
    config_path: Path
    config: EdgeConfig
    held: IO[str]
    filmed: tuple[shop.Kiosk, ...] = ()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.config.web.port}"

    def kiosk_folder(self, kiosk: shop.Kiosk) -> Path:
        return self.directory / "kiosks" / kiosk.name

    def screen_port(self, kiosk: shop.Kiosk) -> int:
        return int(port_file(self.directory, kiosk.name).read_text())

    def log_of(self, name: str) -> Path:
        return self.directory / "log" / f"{name}.log"

    def close(self) -> None:
        self.held.close()


def socket_of(directory: Path, kiosk: str) -> Path:
    """Where the kiosk's hand listens."""
    return directory / "kiosks" / kiosk / "control"


def port_file(directory: Path, kiosk: str) -> Path:
    """Holds the port of the kiosk's screen, for the programs of this demo."""
    return directory / "kiosks" / kiosk / "screen.port"


def prepare(
    directory: Path, web_port: int, now: dt.datetime, films: Mapping[str, str] | None = None
) -> Stage:
    """DeployError if the folder holds something else, is in use, or cannot be used. `films` is the source of
    each kiosk that has a camera."""
    directory = directory.resolve()
    if len(os.fsencode(directory)) > _LONGEST_PATH:
        raise DeployError(f"The path {directory} is too long for the demo's sockets; choose a shorter one.")
    path = directory / "edge.toml"
    if path.exists():
        if load(path, EdgeConfig).store != shop.STORE:
            raise DeployError(f"{directory} holds another store than the demo's; choose another folder.")
    elif directory.exists() and any(directory.iterdir()):
        raise DeployError(f"{directory} is not empty and holds no demo; choose another folder.")
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    films = films or {}
    held = _hold(directory)
    wanted = making.NewStore(
        shop.STORE,
        shop.TITLE,
        ("127.0.0.1",),
        shop.ZONES,
        broker_port=free_port(),
        web_port=web_port,
        secure_cookies=False,
        second_factor="optional",
        vault_host="127.0.0.1",
        vault_port=free_port(),
        frames="self",
        web_origin=f"http://localhost:{web_port}",
        more=shop.GREETER_TOML + outside.CHANNEL,
        beside=shop.BESIDE,
    )
    if (directory / "ready").exists():
        making.write_configuration(directory, wanted)
        engine.migrate(load_config(path).database_url)
    else:
        _make(directory, wanted, now)
    config = load_config(path)
    outside.prepare(directory, web_port)
    drilling.let_in(directory, config)
    (directory / "log").mkdir(exist_ok=True)
    for kiosk in shop.KIOSKS:
        folder = directory / "kiosks" / kiosk.name
        folder.mkdir(parents=True, exist_ok=True)
        address = f"http://127.0.0.1:{config.web.port}"
        identity = f"../../{making.DEVICES}/{kiosk.name}"
        text = shop.kiosk_toml(
            kiosk, (config.broker.port, config.vault.port), identity, address, films.get(kiosk.name)
        )
        if kiosk.screen:
            port_file(directory, kiosk.name).write_text(str(free_port()))
        (folder / "kiosk.toml").write_text(text)
    filmed = tuple(kiosk for kiosk in shop.KIOSKS if kiosk.name in films)
    return Stage(directory, path, config, held, filmed)


def _make(directory: Path, wanted: making.NewStore, now: dt.datetime) -> None:
    if (directory / "identity").exists():
        raise DeployError(f"The demo in {directory} was left half made; delete it and try again.")
    config = load_config(making.make_store(directory, wanted, now))
    for kiosk in shop.KIOSKS:
        making.add_device(config, kiosk.name, kiosk.zone, None, now)
    for member in shop.PEOPLE:
        making.add_person(
            config,
            member.name,
            member.role,
            now,
            zones=member.zones,
            languages=member.languages,
            pin=member.pin,
            password=member.password,
        )
    (directory / "ready").touch()


def person_ids(config: EdgeConfig) -> dict[str, str]:
    """Name -> id of everyone on the staff."""
    with making.writing(config) as conn:
        return {person.name: person.id for person in people.all_people(conn, config.store)}


def _hold(directory: Path) -> IO[str]:
    file = open(directory / "demo.lock", "w", encoding="ascii")  # noqa: SIM115  (held until Stage.close)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise DeployError(f"A demo runs on {directory} already; stop it first.") from None
    return file
