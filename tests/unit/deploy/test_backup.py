"""`floorbell backup`: made, listed, proven; and each way in which one is not what it should be."""

import os
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.witness import HeadRefused
from deploy.cli import main
from deploy.provision import writing
from edge.backup.recovery import RecoveryKey
from edge.evidence import heads
from tests.rig.backed_up import STORE, BackedUp, store


@pytest.fixture
def shop(tmp_path: Path) -> BackedUp:
    return store(tmp_path)


@pytest.fixture
def key(shop: BackedUp, tmp_path: Path) -> list[str]:
    (tmp_path / "key.txt").write_text(f"# the shop's\n{shop.key}\n")
    return ["--key-file", str(tmp_path / "key.txt")]


def backup(shop: BackedUp, *command: str) -> int:
    return main(["backup", *command, "--config", str(shop.path)])


def made(shop: BackedUp) -> Path:
    """Make one; its folder."""
    before = set((shop.folder / "backups").glob("*"))
    assert backup(shop, "run") == 0
    (new,) = set((shop.folder / "backups").iterdir()) - before
    return new


def test_a_recovery_key_is_made_once_shown_once_and_not_kept(
    shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backup(shop, "key") == 1
    assert "already; --renew makes another key" in capsys.readouterr().err
    assert backup(shop, "key", "--renew") == 0
    shown = capsys.readouterr().out.strip()
    assert str(RecoveryKey.parse(shown)) == shown
    for path in (tmp_path / "shop").rglob("*"):
        assert not path.is_file() or shown.encode() not in path.read_bytes().upper()
    out = tmp_path / "stick.txt"
    assert backup(shop, "key", "--renew", "--out", str(out)) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert backup(shop, "key", "--renew", "--out", str(out)) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_backup_is_made_listed_and_proven(
    shop: BackedUp, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shop.film(os.urandom(200_000))
    shop.witnessed()
    new = made(shop)
    assert "2 files of clips" in capsys.readouterr().out
    assert backup(shop, "list") == 0
    assert f"{new.name}  whole" in (said := capsys.readouterr().out) and "not yet proven" in said
    assert backup(shop, "check", *key) == 0
    said = capsys.readouterr().out
    assert "is whole" in said and "1 entries of the custody log" in said and "countersigned by 1" in said
    assert backup(shop, "list") == 0
    assert ", proven 20" in capsys.readouterr().out


def test_only_clips_that_are_new_are_brought_and_each_once(
    shop: BackedUp, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.film(video := os.urandom(100_000))
    shop.film(video)
    made(shop)
    first = sorted((shop.folder / "clips").rglob("*.age"))
    times = [path.stat().st_mtime_ns for path in first]
    assert len(first) == 3
    shop.film(os.urandom(100_000))
    made(shop)
    assert [path.stat().st_mtime_ns for path in first] == times
    assert len(list((shop.folder / "clips").rglob("*.age"))) == 5
    assert "2 of them new" in capsys.readouterr().out


def test_nothing_at_the_target_can_be_read_without_the_recovery_key(shop: BackedUp) -> None:
    secret = b"what nobody may read " * 1000
    shop.film(secret)
    made(shop)
    for path in shop.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert content.startswith(b"age-encryption.org/v1\n")
            assert b"nobody may read" not in content and b"kiosk-1" not in content


def test_a_wrong_key_is_one_sentence(
    shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(shop)
    (tmp_path / "other.txt").write_text(str(RecoveryKey.new()))
    capsys.readouterr()
    assert backup(shop, "check", "--key-file", str(tmp_path / "other.txt")) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "This recovery key does not open" in said
    (tmp_path / "other.txt").write_text("nothing of the kind")
    assert backup(shop, "check", "--key-file", str(tmp_path / "other.txt")) == 1
    assert "This is no recovery key" in capsys.readouterr().err


def spoil(new: Path, old: Path, how: str) -> str:
    """Do one thing to a backup; what its refusal says."""
    clips = sorted((new.parent.parent / "clips").rglob("*.age"), key=lambda path: path.stat().st_size)
    match how:
        case "database cut short":
            path = new / "database.age"
            path.write_bytes(path.read_bytes()[:-100])
            return "cut short"
        case "database of an older backup":
            shutil.copy(old / "database.age", new / "database.age")
            return "files were exchanged"
        case "manifest of an older backup":
            shutil.copy(old / "manifest.age", new / "manifest.age")
            return f"is the backup {old.name}: files were exchanged"
        case "two clips exchanged":
            one, other = clips[-1].read_bytes(), clips[-2].read_bytes()
            clips[-1].write_bytes(other)
            clips[-2].write_bytes(one)
            return "is another file than the one that was backed up"
        case "a clip gone":
            clips[-1].unlink()
            return "it is not there"
        case "manifest gone":
            (new / "manifest.age").unlink()
            return "begun and never ended"
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "database cut short",
        "database of an older backup",
        "manifest of an older backup",
        "two clips exchanged",
        "a clip gone",
        "manifest gone",
    ],
)
def test_what_was_done_to_a_backup_is_one_sentence(
    shop: BackedUp, key: list[str], how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.film(os.urandom(50_000))
    old = made(shop)
    shop.film(os.urandom(60_000))
    new = made(shop)
    assert backup(shop, "check", new.name, *key) == 0
    said = spoil(new, old, how)
    capsys.readouterr()
    assert backup(shop, "check", new.name, *key) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_a_backup_that_another_server_made_for_the_same_key_is_refused(
    shop: BackedUp, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever knows whom a store seals for can seal, and not sign."""
    new = made(shop)
    (shop.config.identity_path / "backup" / "sign.key").write_text("ab" * 32)
    forged = made(shop)
    assert backup(shop, "check", new.name, *key) == 0
    capsys.readouterr()
    assert backup(shop, "check", forged.name, *key) == 1
    assert "was not made by this store's server" in capsys.readouterr().err


def test_rows_or_entries_that_are_not_those_that_were_copied_are_noticed(
    shop: BackedUp, tmp_path: Path
) -> None:
    from edge.backup.errors import NotWhole

    shop.film(os.urandom(1000))
    shop.witnessed()
    made(shop)
    opened = shop.opened()
    for number, (change, said) in enumerate(
        (
            ("DELETE FROM interaction", "The table interaction has 0 rows; 1 were backed up"),
            ("UPDATE custody SET entry = x'7b7d'", "entry 0 is not the one that was written"),
            ("UPDATE tree_head SET root = hex(zeroblob(32))", "The signed head of 1 entries is not that"),
            ("UPDATE witness SET root = hex(zeroblob(32)) WHERE size > 0", "head that kiosk-1 countersigned"),
        )
    ):
        database = tmp_path / f"{number}.db"
        opened.database(database)
        opened.prove(database)
        with sqlite3.connect(database) as db:
            db.execute(change)
        db.close()
        with pytest.raises(NotWhole, match=said):
            opened.prove(database)


def test_a_device_that_holds_another_head_than_it_signed_is_no_reason_to_refuse_a_backup(
    shop: BackedUp, key: list[str]
) -> None:
    """A kiosk that was put back to an earlier state of its own says so by refusing what it is shown."""
    shop.film(os.urandom(1000))
    shop.witnessed()
    shop.film(os.urandom(1000))
    now = datetime.now(UTC)
    with writing(shop.config) as conn:
        earlier = heads.newest(conn, STORE)
        assert earlier is not None
    shop.witnessed()
    with writing(shop.config) as conn:
        head = heads.newest(conn, STORE)
        assert head is not None and head.size > earlier.size
        said = HeadRefused(head.log, head.size, head.root, "From elsewhere.", earlier.size, earlier.root)
        assert not heads.refuse(conn, STORE, "kiosk-1", said, now)
    made(shop)
    assert backup(shop, "check", *key) == 0


def test_a_clip_that_is_damaged_in_the_vault_is_named_and_the_rest_is_backed_up(
    shop: BackedUp, key: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shop.film(os.urandom(50_000))
    video = max((shop.config.vault_path / "sealed").rglob("*"), key=lambda p: p.stat().st_size)
    video.chmod(0o600)
    video.write_bytes(os.urandom(50_000))
    made(shop)
    assert "Not in it: 1 files of clips" in capsys.readouterr().err
    assert backup(shop, "check", *key) == 0


def test_a_clip_that_was_damaged_after_it_was_backed_up_leaves_the_good_copy_alone(
    shop: BackedUp, key: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Its size changed too: it looks as if it had to be brought anew."""
    shop.film(os.urandom(50_000))
    made(shop)
    there = {path: path.read_bytes() for path in (shop.folder / "clips").rglob("*.age")}
    for place in (path for path in (shop.config.vault_path / "sealed").rglob("*") if path.is_file()):
        place.chmod(0o600)
        place.write_bytes(place.read_bytes()[:-7])
    made(shop)
    assert {path: path.read_bytes() for path in (shop.folder / "clips").rglob("*.age")} == there
    assert caplog.text.count("no longer what was sealed; its backup is left as it was") == 2
    assert backup(shop, "check", *key) == 0
    # The video, whose size the register knows, is in the new backup too; the manifest in those before.
    assert list(shop.opened().manifest.clips.values()) == [50_000]


def test_what_retention_deleted_leaves_the_backups_and_what_nobody_knows_of_stays(
    shop: BackedUp, key: list[str]
) -> None:
    shop.configure("clip_days = 0\n")
    shop.film(os.urandom(50_000))
    kept = shop.film(os.urandom(60_000))
    made(shop)
    stranger = shop.folder / "clips" / "ff" / f"{'f' * 64}.age"
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(b"of another store")
    shop.rows(f"UPDATE clip SET state = 'purged', purged_at = 1 WHERE id <> '{kept}' RETURNING id")
    made(shop)
    assert len(list((shop.folder / "clips").rglob("*.age"))) == 3 and stranger.exists()
    assert backup(shop, "check", *key) == 0


def test_a_target_that_is_not_there_is_one_sentence_and_is_written_down(
    shop: BackedUp, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(shop.folder.parent / "elsewhere")
    shop.path.write_text(shop.path.read_text().replace("elsewhere", "nowhere/at/all"))
    assert backup(shop, "run") == 1
    assert "is its disk connected?" in capsys.readouterr().err
    ((trouble,),) = shop.rows("SELECT trouble FROM backup")
    assert "is its disk connected?" in str(trouble)


def test_a_disk_that_is_not_mounted_is_not_taken_for_an_empty_one(
    shop: BackedUp, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is mounted there is a folder on the server's own disk: nothing is made in it, but by hand."""
    made(shop)
    shutil.rmtree(shop.folder)
    for command in ("note", "run"):
        capsys.readouterr()
        assert backup(shop, command) == 1
        said = capsys.readouterr().err
        assert "is not there; is its disk connected?" in said and "by 'floorbell backup key'" in said
        assert not shop.folder.exists()
    # It is made also where there is a key already, which stays.
    was = (shop.config.identity_path / "backup" / "sign.key").read_bytes()
    assert backup(shop, "key") == 0
    said = capsys.readouterr()
    assert said.err == f"The folder for backups, {shop.folder}, is made.\n" and not said.out
    assert (shop.config.identity_path / "backup" / "sign.key").read_bytes() == was
    assert shop.folder.stat().st_mode & 0o777 == 0o700
    made(shop)


def test_where_its_user_may_make_no_folder_the_command_that_does_is_shown(
    shop: BackedUp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(shop.folder)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", refuse)
    capsys.readouterr()
    assert backup(shop, "key") == 1
    said = capsys.readouterr().err
    assert f"may make no folder in {shop.folder.parent}; make it by hand: sudo install -d -o " in said
    assert said.endswith(f" -m 700 {shop.folder}\n") and said.count("\n") == 1


def test_without_a_key_or_a_place_nothing_is_made(shop: BackedUp, capsys: pytest.CaptureFixture[str]) -> None:
    (shop.config.identity_path / "backup" / "sign.key").unlink()
    assert backup(shop, "run") == 1
    assert "make one with 'floorbell backup key'" in capsys.readouterr().err
    shop.path.write_text(shop.path.read_text().replace("to =", "#"))
    assert backup(shop, "run") == 1
    assert "There is no place for backups" in capsys.readouterr().err
