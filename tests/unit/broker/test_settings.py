"""A wrong configuration file becomes one sentence."""

from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta, Struct

from broker import settings
from broker.errors import SettingsError


class Lamp(Struct, frozen=True, forbid_unknown_fields=True):
    pin: Annotated[int, Meta(ge=0, le=27)]
    name: str = "lamp"


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    zone: str
    lamps: list[Lamp] = []
    pins: dict[str, Annotated[int, Meta(ge=0, le=27)]] = {}


def sentence(tmp_path: Path, text: str) -> str:
    path = tmp_path / "example.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        settings.load(path, Example)
    said = str(refused.value)
    assert said.startswith(str(path)) and said.endswith(".") and "\n" not in said
    return said.removeprefix(f"{path}")


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "example.toml"
    path.write_text('zone = "tills"\n[[lamps]]\npin = 4\n')
    assert settings.load(path, Example) == Example("tills", [Lamp(4)])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no configuration file .*none\.toml"):
        settings.load(tmp_path / "none.toml", Example)


def test_a_folder_or_foreign_bytes_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.load(tmp_path, Example)
    path = tmp_path / "example.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.load(path, Example)


def test_what_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    assert "line 1" in sentence(tmp_path, "zone = = 3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": zone is missing."),
        ("zone = 3", ": zone is 3: expected `str`, got `int`."),
        ('zone = "a"\ncolour = 1', ": colour is not a setting; remove it or mend its name."),
        ('zone = "a"\n[[lamps]]', ": lamps[0].pin is missing."),
        (
            'zone = "a"\n[[lamps]]\npin = 4\n[[lamps]]\npin = 40',
            ": lamps[1].pin is 40: expected `int` <= 27.",
        ),
        (
            'zone = "a"\n[[lamps]]\npin = 4\ncolor = 3',
            ": lamps[0].color is not a setting; remove it or mend its name.",
        ),
    ],
)
def test_a_mistake_names_its_key_its_value_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    assert sentence(tmp_path, text) == said


def test_a_value_of_a_table_is_still_named(tmp_path: Path) -> None:
    said = sentence(tmp_path, 'zone = "a"\n[pins]\nhelp = 99')
    assert "pins" in said and "<= 27" in said


def test_a_text_that_no_system_call_takes_is_named(tmp_path: Path) -> None:
    said = sentence(tmp_path, 'zone = "a"\n[[lamps]]\npin = 4\nname = "a\\u0000b"')
    assert said.startswith(": lamps[0].name contains the sign")


def test_a_file_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    assert sentence(tmp_path, "zone = " + "[" * 5000 + "]" * 5000) == " is nested too deeply."
