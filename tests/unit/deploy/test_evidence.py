"""`floorbell evidence` says in one sentence what it cannot do."""

from pathlib import Path

import pytest

from deploy.cli import main

ZONE = ["--zone", "tills=Tills"]


@pytest.fixture
def config(tmp_path: Path) -> str:
    folder = str(tmp_path / "shop")
    assert (
        main(["provision", "store", "shop", "--title", "Shop", "--dir", folder, "--host", "localhost", *ZONE])
        == 0
    )
    return str(tmp_path / "shop" / "edge.toml")


def test_a_clip_that_is_not_there_is_named(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.zip")
    words = [
        "evidence",
        "export",
        "--config",
        config,
        "--clip",
        "../x",
        "--by",
        "Mira",
        "--reason",
        "Court",
        out,
    ]
    assert main(words) == 1
    assert capsys.readouterr().err == "There is no clip '../x' in this store.\n"
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--key", "abc"], "The key is 'abc'; a key has 64 signs of 0-9 and a-f."),
        (["--head", "7"], "The head is '7'; it is the number of entries, ':' and 64 signs."),
        ([], "other.zip cannot be read as a bundle: File is not a zip file."),
    ],
)
def test_what_cannot_be_verified_is_said(
    tmp_path: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(b"no archive")
    assert main(["evidence", "verify", str(other), *words]) == 1
    assert capsys.readouterr().err.endswith(f"{sentence}\n")
