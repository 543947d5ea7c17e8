"""`floorbell evidence` takes an incident out, and says in one sentence what it cannot do."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.cli import main
from deploy.provision import writing
from edge.config import load_config
from edge.evidence import custody, export
from edge.handling import incidents
from edge.handling import writing as entries
from edge.handling.writing import Said
from edge.incidents.rules import Kind
from edge.incidents.store import New
from edge.people import store as people

ZONE = ["--zone", "tills=Tills"]


@pytest.fixture
def config(tmp_path: Path) -> str:
    folder, secret = str(tmp_path / "shop"), tmp_path / "passphrase"
    secret.write_text("four words on paper\n")
    made = ["provision", "store", "shop", "--title", "Shop", "--dir", folder, "--host", "localhost", *ZONE]
    assert main([*made, "--passphrase-file", str(secret)]) == 0
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


def test_an_incident_without_a_clip_is_exported_and_verified(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded, now, out = load_config(Path(config)), datetime.now(UTC), str(tmp_path / "out.zip")
    with writing(loaded) as conn:
        who = people.add(conn, loaded.store, "Mira", "manager", now)
        new = New(str(uuid4()), "theft", "tills", now, who.id)
        made = incidents.open_by_hand(conn, loaded.store, who.id, new, now, "desk")
        entries.write(conn, loaded.store, made, who.id, Said(Kind.STATEMENT, "He ran."), now, "desk")
    command = ["evidence", "export", "--config", config, "--by", "Mira", "--reason", "Court", out]
    assert main([*command, "--incident", f"{now.astimezone().year}-0001"]) == 0
    said = capsys.readouterr().out
    assert "0001 and 0 clips. Keep these apart" in said
    known = [word for line in said.splitlines()[1:] for word in line.split()]
    assert main(["evidence", "verify", out, *known]) == 0
    assert capsys.readouterr().out.startswith("ok: out.zip: ")
    # Without the head nothing but the store's own key holds the entry.
    assert main(["evidence", "verify", out, *known[:2]]) == 1
    assert "unanchored: incident.json" in capsys.readouterr().out


def test_whoever_presses_does_not_wait_for_a_bundle_that_is_written(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, now, write = load_config(Path(config)), datetime.now(UTC), export.write
    with writing(loaded) as conn:
        who = people.add(conn, loaded.store, "Mira", "manager", now)
        new = New(str(uuid4()), "theft", "tills", now, who.id)
        incidents.open_by_hand(conn, loaded.store, who.id, new, now, "desk")

    def meanwhile(*args: Any) -> Any:
        with writing(loaded) as conn:
            people.add(conn, loaded.store, "Bo", "associate", now)
        return write(*args)

    monkeypatch.setattr(export, "write", meanwhile)
    of = ["--incident", f"{now.astimezone().year}-0001", "--by", "Mira", "--reason", "Court"]
    assert main(["evidence", "export", "--config", config, *of, str(tmp_path / "out.zip")]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--incident", "12"], "The incident is '12'; a number is like 2026-0012."),
        (["--incident", "2026-0099"], "There is no incident 2026-0099 in this store."),
        ([], "Say which clips, or which incident: --clip or --incident, not both."),
    ],
)
def test_an_incident_that_is_none_is_said_in_a_sentence(
    config: str, tmp_path: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out.zip")
    command = ["evidence", "export", "--config", config, "--by", "Mira", "--reason", "Court", out]
    assert main([*command, *words]) == 1
    assert capsys.readouterr().err == f"{sentence}\n" and not Path(out).exists()


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


def test_a_name_is_erased_by_law_the_deed_is_an_entry_and_what_stays_is_said(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded, now = load_config(Path(config)), datetime(2026, 3, 1, tzinfo=UTC)
    with writing(loaded) as conn:
        for who in ("Ana Puig", "Ana Puig", "Mira"):
            custody.append(conn, "shop", "viewed", "clip", "", who, "Police.", now)
    erase = ["evidence", "erase-name", "--config", config, "--by", "Dana"]
    capsys.readouterr()
    assert main([*erase, "--reason", "Asked by Ana Puig", "Ana Puig"]) == 1
    assert "names the name that is to be erased" in capsys.readouterr().err
    assert main([*erase, "--reason", "GDPR article 17", "Nobody"]) == 1
    assert capsys.readouterr().err == "No entry of the custody log has the name 'Nobody'.\n"
    assert main([*erase, "--reason", "GDPR article 17", "Ana Puig"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2 entries have no name any more") and "bundles that were given out" in said
    with writing(loaded) as conn:
        kept = custody.between(conn, "shop", 0, 9)
    assert [(one.action, one.actor, one.actor_salt is None) for one in kept] == [
        ("viewed", None, True),
        ("viewed", None, True),
        ("viewed", "Mira", False),
        ("erased", "Dana", False),
    ]
    assert kept[-1].reason == "GDPR article 17 (command)"
