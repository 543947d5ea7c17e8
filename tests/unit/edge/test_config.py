"""edge.toml: what it may not say."""

from pathlib import Path

import pytest

from broker.errors import SettingsError
from edge.config import load_config


@pytest.mark.parametrize(("data", "where"), [("", "etc"), ('data = "../lib"', "lib")])
def test_every_path_begins_beside_edge_toml_or_in_the_folder_that_it_names(
    tmp_path: Path, data: str, where: str
) -> None:
    (tmp_path / "etc").mkdir()
    path = tmp_path / "etc" / "edge.toml"
    path.write_text(f'store = "trial"\ntitle = "Trial"\n{data}\n')
    config = load_config(path)
    assert config.identity_path == tmp_path / where / "identity"
    assert config.database_url == f"sqlite:///{tmp_path / where / 'floorbell.db'}"
    assert config.vault_path == tmp_path / where / "vault"
    assert config.hint_path == tmp_path / where / "worker.hint"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('directory = "/elsewhere"', "directory is not a setting"),
        ('[broker]\nhost = ""', "broker.host is ''"),
        ("[web]\nshift_hours = nan", "web.shift_hours is nan"),
        ('[web]\ntls = "files"\nkey = "a.key"', "web.certificate and web.key are needed"),
        ('[web]\ncertificate = "a"\nkey = "b"', "web.certificate and web.key are needed"),
        ("[web]\ntrust_port = 8081", "web.trust_port is allowed only with tls"),
        ('[web]\ntls = "store"\ntrust_port = 8080', "web.trust_port is 8080, which is web.port"),
        ("[greeter]\nafter_s = 2", "greeter.after_s is 2; allowed are 5 to 600 seconds, and 0 for never."),
        ("[greeter]\nquiet_s = -1", "greeter.quiet_s is -1; allowed are 0 to 86400 seconds."),
        ('[evidence.stamp]\nurl = "http://tsa.example"', "evidence.stamp.certificate is missing"),
        (
            '[evidence.stamp]\nurl = "tsa.example"\ncertificate = "ca.pem"',
            "evidence.stamp.url is 'tsa.example'; an address begins with http:// or https:// and has a host.",
        ),
        ('[[outside.channel]]\nname = "a"\nkind = "post"\nfile = "f"', "outside.channel[0].kind is 'post'"),
        ('[[outside.channel]]\nname = "a"\nkind = "apprise"', "outside.channel[0].file is missing"),
        (
            '[[outside.channel]]\nname = "a"\nkind = "apprise"\nfile = "f"\nopened = ["fire"]',
            "outside.channel a: opened says 'fire'; allowed are threat, theft,",
        ),
        ('[outside]\nbase_url = "shop.example"', "outside.base_url is 'shop.example'; allowed is an address"),
        ("[home_assistant]\nport = 1883", "home_assistant.host is missing"),
        (
            '[home_assistant]\nhost = "home"\nprefix = "home/#"',
            "home_assistant.prefix is 'home/#'; allowed are letters, digits, - and _,",
        ),
        (
            '[home_assistant]\nhost = "home"\nusername = "shop"',
            "home_assistant.password_file is missing; username",
        ),
        (
            '[home_assistant]\nhost = "home"\ntls = false\ncertificate = "ca.pem"',
            "home_assistant.certificate counts only with TLS; remove it, or tls = false.",
        ),
        (
            '[security_contact]\ncontact = ["me@shop.example"]\nchecked_on = 2026-11-01',
            "security_contact.contact is 'me@shop.example'; allowed is an address as in mailto:",
        ),
        ("[security_contact]\nchecked_on = 2026-11-01", "security_contact.contact is missing"),
        ('[policy.greeter]\nsteps = [{after_s = 0, who = ["one"]}]', "policy.greeter.ceiling_s is missing"),
    ],
)
def test_a_setting_that_could_not_work_is_named(tmp_path: Path, more: str, said: str) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(f'store = "trial"\ntitle = "Trial"\n{more}\n')
    with pytest.raises(SettingsError, match=r"^[^\n]*$") as refused:
        load_config(path)
    assert said in str(refused.value)


def test_a_databases_password_is_in_a_file_that_is_not_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    for database, allowed in (("postgresql+psycopg://me:pw@host/shop", False), ("floorbell.db", True)):
        path.write_text(f'store = "trial"\ntitle = "Trial"\ndatabase = "{database}"\n')
        path.chmod(0o644)
        if allowed:
            load_config(path)
            continue
        with pytest.raises(SettingsError, match="holds a password and others may read this file") as refused:
            load_config(path)
        assert "pw" not in str(refused.value).replace("password", "")
        path.chmod(0o640)
        load_config(path)
