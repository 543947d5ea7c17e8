"""The `floorbell` command: what it makes, and its one sentence when it cannot."""

import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click.testing
import pytest
import sqlalchemy as sa

from deploy import cli
from deploy.provision import add_person, writing
from edge import create_app
from edge.audit import store as audits
from edge.config import load_config
from edge.db import store_tables
from edge.devices import store as devices
from edge.handling import beginning
from edge.people import factors, first
from edge.people import store as people

# Rows of any of these would be somebody's or some program's way in.
WHO_IS_LET_IN = (
    store_tables.person, store_tables.session, store_tables.token, store_tables.second_factor,
    store_tables.recovery_code, store_tables.setting,
)  # fmt: skip
Run = Callable[..., tuple[int, str, str]]
Opened = tuple[str, Path]


@pytest.fixture
def floorbell(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with the passphrase of the CA's key."""
    path = tmp_path / "passphrase"
    path.write_text("four words on paper\n")
    return path


@pytest.fixture
def opened(secret: Path) -> Opened:
    return "--passphrase-file", secret


@pytest.fixture
def config(tmp_path: Path, floorbell: Run, secret: Path) -> Path:
    status, _, wrong = floorbell(
        *("provision", "store", "shop", "--title", 'La "Botiga" nº 1', "--dir", tmp_path / "shop"),
        *("--host", "10.0.0.2", "--zone", "tills=Tills", "--zone", "door=The door"),
        *("--passphrase-file", secret),
    )
    assert (status, wrong) == (0, "")
    return tmp_path / "shop" / "edge.toml"


def test_a_new_store_has_nobody_and_lets_nobody_in(config: Path) -> None:
    app = create_app(load_config(config))
    room, client = app.extensions["floorbell"], app.test_client()
    with room.read() as conn:
        kept = [conn.execute(sa.select(sa.func.count()).select_from(one)).scalar() for one in WHO_IS_LET_IN]
    assert kept == [0] * len(WHO_IS_LET_IN)
    assert "data-pin" not in client.get("/floor/sign-in").text
    for name in ("admin", "root", "manager", "floorbell", "shop"):
        page = client.get("/manage/sign-in").text
        (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
        typed = {"csrf_token": token, "name": name, "password": name}
        assert client.post("/manage/sign-in", data=typed).status_code in (403, 429)
    assert client.get("/api/v1/people", headers={"Authorization": "Bearer admin"}).status_code == 401
    room.stop()


def test_a_new_store_has_its_zones_and_a_database_only_its_owner_reads(config: Path) -> None:
    loaded = load_config(config)
    assert (loaded.store, loaded.title) == ("shop", 'La "Botiga" nº 1')
    with writing(loaded) as conn:
        assert devices.zones(conn, "shop") == {"door": "The door", "tills": "Tills"}
    assert stat.S_IMODE((config.parent / "floorbell.db").stat().st_mode) == 0o600


def test_a_store_is_never_made_twice(config: Path, floorbell: Run) -> None:
    again = ("provision", "store", "shop", "--title", "x", "--dir", config.parent, "--host", "h")
    status, _, wrong = floorbell(*again, "--zone", "tills=Tills")
    assert (status, wrong) == (1, f"{config.parent} holds a store already; it is kept.\n")


def test_a_devices_keys_stay_on_it(tmp_path: Path, config: Path, floorbell: Run, opened: Opened) -> None:
    keys = tmp_path / "kiosk"
    assert floorbell("device", "request", "tills-1", "--dir", keys)[0] == 0
    request = ("--request", keys / "request.json")
    status, said, _ = floorbell(
        "device", "add", "tills-1", "--zone", "tills", *request, "--config", config, *opened
    )
    folder = config.parent / "devices" / "tills-1"
    assert (status, str(folder) in said) == (0, True)
    assert sorted(path.name for path in folder.iterdir()) == ["ca.crt", "tls.crt"]
    assert "tills-1" in floorbell("device", "list", "--config", config)[1]


def test_without_a_request_the_keys_are_made_here_and_the_folder_is_named(
    config: Path, floorbell: Run, opened: Opened
) -> None:
    status, said, _ = floorbell("device", "add", "door-1", "--zone", "door", "--config", config, *opened)
    assert status == 0 and "leave no copy behind" in said
    assert (config.parent / "devices" / "door-1" / "sign.key").exists()


def test_a_device_that_is_refused_leaves_nothing_behind(config: Path, floorbell: Run, opened: Opened) -> None:
    status, _, wrong = floorbell("device", "add", "tills-1", "--zone", "roof", "--config", config, *opened)
    assert (status, wrong) == (1, "There is no zone 'roof'; this store has door, tills.\n")
    broken = config.parent / "request.json"
    broken.write_text("{}")
    add = ("device", "add", "tills-1", "--zone", "tills", "--request", broken)
    status, _, wrong = floorbell(*add, "--config", config, *opened)
    assert status == 1 and "damaged" in wrong
    assert not (config.parent / "devices").exists()
    assert "There is no device yet." in floorbell("device", "list", "--config", config)[1]


def test_the_first_admin_gets_a_code_and_a_second_one_none(config: Path, floorbell: Run) -> None:
    status, code, said = floorbell("person", "first", "--config", config)
    assert status == 0 and "Open /manage/first at the desk's address within" in said
    assert len(code.strip()) == 19
    named = config.read_text().replace('# origin = "https', 'origin = "https')
    config.write_text(named)
    status, code, said = floorbell("person", "first", "--config", config)
    assert "Open https://floorbell.shop.example/manage/first within 15 minutes" in said
    loaded, now = load_config(config), datetime.now(UTC)
    with writing(loaded) as conn:
        assert first.counts(conn, loaded.store, beginning.key_of(code), now)
        beginning.begin(conn, loaded.store, code, "Helen", "a hash", now)
    status, _, wrong = floorbell("person", "first", "--config", config)
    assert status == 1 and wrong.startswith("This store has an admin already")


def test_a_lost_second_factor_is_reset_on_the_server(config: Path, floorbell: Run) -> None:
    loaded, now = load_config(config), datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert loaded.web.second_factor == "required"
    boss = add_person(loaded, "Helen", "manager", now, password="a long password")
    reset = ("person", "reset-second-factor", "Helen", "--config", config)
    assert floorbell(*reset)[::2] == (1, "Helen has no second factor.\n")
    with writing(loaded) as conn:
        factors.put(conn, loaded.store, boss.id, b"sealed", 1, now)
    status, said, _ = floorbell(*reset)
    assert status == 0 and "The next sign-in at the desk sets up another." in said
    with writing(loaded) as conn:
        assert not factors.held(conn, loaded.store, boss.id)
        assert audits.entries(conn, loaded.store, what="person")[0].what == "person.second_factor_reset"


def test_a_person_is_asked_for_a_pin_and_can_be_disabled(config: Path, floorbell: Run) -> None:
    asked = click.testing.CliRunner().invoke(
        cli.floorbell,
        ["person", "add", "Marta", "--role", "associate", "--zone", "tills", "--config", str(config)],
        input="2580\n2580\n",
    )
    assert asked.exit_code == 0 and "2580" not in asked.output
    loaded = load_config(config)
    with writing(loaded) as conn:
        marta = people.by_name(conn, "shop", "marta")
        assert marta is not None and marta.zones == ("tills",)
        assert (people.secrets(conn, marta.id).pin_hash or "").startswith("$argon2id$")
    assert floorbell("person", "disable", "Marta", "--config", config)[0] == 0
    assert (
        floorbell("person", "disable", "Marta", "--config", config)[2] == "There is no Marta in this store.\n"
    )


def test_the_broker_is_rendered_from_edge_toml(config: Path, floorbell: Run) -> None:
    status, said, _ = floorbell("broker", "render", "--config", config, "--listen", "10.0.0.2")
    assert status == 0
    assert "listener 8883 10.0.0.2\n" in Path(said.strip()).read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("sing",), "No such command 'sing'."),
        (("device", "add"), "Missing argument 'NAME'."),
        (("edge", "worker", "--config", "/nowhere.toml"), "There is no configuration file /nowhere.toml."),
        (("broker", "render", "--config", "/nowhere.toml"), "There is no configuration file /nowhere.toml."),
        (
            ("device", "request", "edge-worker", "--dir", "/nowhere"),
            "The device's name is 'edge-worker'; 'edge', 'feed', 'pager', 'phone' and 'edge-…' are taken.",
        ),
        (
            (
                "provision",
                "store",
                "s",
                "--title",
                "t",
                "--dir",
                "/nowhere",
                "--host",
                "h",
                "--zone",
                "tills",
            ),
            "--zone is 'tills'; allowed is NAME=TITLE, as in tills=Tills.",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_status_1(
    floorbell: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    assert floorbell(*arguments) == (1, "", sentence + "\n")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, floorbell: Run) -> None:
    (tmp_path / "file").touch()
    status, _, wrong = floorbell("device", "request", "tills-1", "--dir", tmp_path / "file" / "x")
    assert (status, wrong) == (1, f"{tmp_path / 'file' / 'x'}: Not a directory.\n")


def test_a_token_is_shown_once_listed_and_revoked(config: Path, floorbell: Run) -> None:
    add = ("token", "add", "Wall display", "--scope", "read:log", "--scope", "security", "--config", config)
    status, secret, _ = floorbell(*add)
    assert status == 0 and secret.startswith("fb_")
    assert floorbell(*add)[0] == 1
    listed = floorbell("token", "list", "--config", config)[1]
    assert "Wall display" in listed and "read:log security" in listed and secret.strip() not in listed
    assert floorbell("token", "revoke", "Wall display", "--config", config)[0] == 0
    assert "revoked" in floorbell("token", "list", "--config", config)[1]
    status, _, wrong = floorbell("token", "revoke", "Wall display", "--config", config)
    assert (status, wrong) == (1, "There is no token Wall display in this store.\n")
