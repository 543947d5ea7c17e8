"""`floorbell backup restore`: what comes back, what must not, and what is said of what nobody knows."""

import json
import os
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from broker import revocation
from broker.release import File, Manifest
from broker.signing import load_signer
from broker.witness import Before, HeadKept, kept_to_sign
from deploy.cli import main
from deploy.provision import ACTOR, add_device, add_person, revoke_device, writing
from edge.audit.store import Actor
from edge.backup import notes, opening, recovery, settings
from edge.backup.recovery import RecoveryKey
from edge.config import load_config
from edge.db.engine import connect
from edge.db.tables import interaction
from edge.devices import certificates
from edge.evidence import heads
from edge.evidence.findings import Known, Verdict
from edge.evidence.verify import examine
from edge.handling import granting, keeping
from edge.handling.restored import ShutOut
from edge.people import sessions
from edge.people import store as people
from edge.updates import rules
from edge.updates import store as updates
from tests.rig.backed_up import STORE, BackedUp, store


@pytest.fixture
def shop(tmp_path: Path) -> BackedUp:
    return store(tmp_path)


def backup(shop: BackedUp, *command: str) -> int:
    return main(["backup", *command, "--config", str(shop.path)])


class Back:
    """The restored store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = load_config(folder / "edge.toml")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        opened = connect(self.config.database_url, write=False)
        try:
            with opened.connect() as conn:
                return [tuple(row) for row in conn.execute(sa.text(query))]
        finally:
            opened.dispose()


def restore(shop: BackedUp, tmp_path: Path, *more: str) -> Back:
    (tmp_path / "key.txt").write_text(str(shop.key))
    to = tmp_path / "back"
    key = ["--key-file", str(tmp_path / "key.txt")]
    assert main(["backup", "restore", "--from", str(shop.folder), "--to", str(to), *key, *more]) == 0
    return Back(to)


def test_a_whole_store_comes_back_with_its_keys_its_clips_and_its_log(
    shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.film(os.urandom(100_000))
    shop.witnessed()
    (Path(shop.config.directory) / "push.key").write_text("a key")
    assert backup(shop, "run") == 0
    capsys.readouterr()
    back = restore(shop, tmp_path)
    said = capsys.readouterr().out
    assert "2 files of clips by their hashes, 1 entries of the custody log" in said
    assert "Not known: who was shut out" in said
    assert (back.folder / "push.key").read_text() == "a key"
    for path in Path(shop.config.identity_path).rglob("*"):
        if path.is_file():
            there = back.config.identity_path / path.relative_to(shop.config.identity_path)
            assert there.read_bytes() == path.read_bytes(), path
            assert there.stat().st_mode == path.stat().st_mode
    for path in (shop.config.vault_path / "sealed").rglob("*"):
        if path.is_file():
            there = back.config.vault_path / "sealed" / path.parent.name / path.name
            assert there.read_bytes() == path.read_bytes() and there.stat().st_mode & 0o777 == 0o444
    assert back.rows("SELECT action FROM custody ORDER BY place") == [("sealed",), ("restored",)]
    assert back.rows("SELECT size, backup FROM restore")[0][0] == 1
    assert Path(back.folder / "floorbell.db").stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backup(shop, "run") == 0
    restore(shop, tmp_path)
    capsys.readouterr()
    key = ["--key-file", str(tmp_path / "key.txt")]
    again = ["backup", "restore", "--from", str(shop.folder), "--to", str(tmp_path / "back"), *key]
    assert main(again) == 1
    assert "is not empty; nothing is overwritten" in capsys.readouterr().err
    shop.path.write_text(
        shop.path.read_text().replace('identity = "identity"', f'identity = "{tmp_path}/kept"')
    )
    shutil.copytree(shop.config.identity_path, tmp_path / "kept")
    assert backup(shop, "run") == 0
    shutil.rmtree(tmp_path / "back")
    assert main(again) == 1
    assert f"{tmp_path}/kept is there already" in capsys.readouterr().err
    assert not (tmp_path / "back" / "edge.toml").exists()


def test_everybody_is_signed_out_and_nobody_is_called_for_old_help(shop: BackedUp, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ana = add_person(shop.config, "Ana", "associate", now, zones=("tills",), pin="2411")
    old = {
        "store": STORE, "device": "kiosk-1", "zone": "tills", "state": "raised", "reference": "A", "count": 1,
        "revision": 1, "step": 0, "round": 0, "silent": False, "drill": False, "age_known": True,
    }  # fmt: skip
    with writing(shop.config) as conn:
        sessions.start(conn, ana, "floor", now, 10)
        people.set_presence(conn, STORE, ana.id, "available", now)
        for kind, minutes in (("help", 30), ("help", 0), ("security", 30)):
            at = now - timedelta(minutes=minutes)
            row = old | {"id": str(uuid4()), "kind": kind, "raised_at": at, "received_at": at}
            conn.execute(sa.insert(interaction).values(row))
    assert backup(shop, "run") == 0
    back = restore(shop, tmp_path)
    assert back.rows("SELECT count(*) FROM session") == [(0,)]
    assert back.rows("SELECT presence FROM person") == [("off",)]
    found = back.rows("SELECT kind, state FROM interaction ORDER BY kind, raised_at")
    assert found == [("help", "recorded"), ("help", "raised"), ("security", "raised")]
    words = back.rows("SELECT words FROM timeline")
    assert len(words) == 3 and all("after it is not known" in str(one) for (one,) in words)


def test_who_was_shut_out_since_stays_out_and_who_was_erased_stays_erased(
    shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A note beside the backups knows of it, also of the kiosk that came back under its name."""
    now = datetime.now(UTC)
    ana = add_person(shop.config, "Ana", "associate", now, zones=("tills",), pin="2411")
    clip = shop.film(os.urandom(1000))
    with writing(shop.config) as conn:
        granting.grant(conn, STORE, ACTOR, "Wall", ("read:log",), "0" * 64, now)
        keeping.view(conn, STORE, clip, Actor("Bo Example", "desk"), "To look.", now, silent=True)
    add_device(shop.config, "kiosk-3", "tills", None, now)
    assert backup(shop, "run") == 0
    revoke_device(shop.config, "kiosk-1", "Stolen.", now)
    revoke_device(shop.config, "kiosk-3", "Broken.", now)
    shutil.rmtree(Path(shop.config.directory) / "devices" / "kiosk-3")
    add_device(shop.config, "kiosk-3", "tills", None, now)
    shop.rows("UPDATE token SET revoked_at = 1 RETURNING id")
    with writing(shop.config) as conn:
        people.disable(conn, STORE, ana.id, now)
    reason = ["--by", "Mira", "--reason", "Asked by law.", "--config", str(shop.path)]
    assert main(["evidence", "erase-name", "Bo Example", *reason]) == 0
    capsys.readouterr()
    back = restore(shop, tmp_path)
    assert back.rows("SELECT name FROM device WHERE revoked_at IS NOT NULL") == [("kiosk-1",)]
    assert revocation.turned_away(back.config.identity_path) == {"kiosk-1"}
    # The first certificate of kiosk-3; the second this store never knew.
    assert back.rows("SELECT count(*) FROM certificate WHERE revoked_at IS NULL") == [(1,)]
    assert back.rows("SELECT active FROM person") == [(0,)]
    assert back.rows("SELECT count(*) FROM token WHERE revoked_at IS NULL") == [(0,)]
    assert back.rows("SELECT count(*) FROM custody WHERE actor = 'Bo Example'") == [(0,)]
    assert back.rows("SELECT count(*) FROM custody WHERE action = 'erased'") == [(1,)]
    assert "Bo Example" not in str(back.rows("SELECT * FROM custody"))
    assert "Shut out again: 4 devices" in capsys.readouterr().out


def test_a_device_that_was_let_in_after_the_backup_and_revoked_is_turned_away(
    shop: BackedUp, tmp_path: Path
) -> None:
    """The restored store never knew it; its certificate is of the CA all the same."""
    now = datetime.now(UTC)
    assert backup(shop, "run") == 0
    add_device(shop.config, "kiosk-9", "shoes", None, now)
    revoke_device(shop.config, "kiosk-9", "Stolen.", now)
    add_device(shop.config, "kiosk-8", "shoes", None, now)
    ((first,),) = shop.rows("SELECT serial FROM certificate WHERE device = 'kiosk-8'")
    revoke_device(shop.config, "kiosk-8", "Broken.", now)
    shutil.rmtree(Path(shop.config.directory) / "devices" / "kiosk-8")
    add_device(shop.config, "kiosk-8", "shoes", None, now)
    assert backup(shop, "note") == 0
    back = restore(shop, tmp_path)
    assert revocation.turned_away(back.config.identity_path) == {"kiosk-9"}
    assert back.rows("SELECT name FROM device WHERE revoked_at IS NOT NULL") == [("kiosk-9",)]
    with writing(shop.config) as old, writing(back.config) as new:
        known = certificates.revoked_serials(old, STORE)
        assert first in known and known <= certificates.revoked_serials(new, STORE)
        assert certificates.is_revoked(new, STORE, "kiosk-9", None)
        assert certificates.is_revoked(new, STORE, "kiosk-8", str(first))
        assert not certificates.is_revoked(new, STORE, "kiosk-8", None)
    # Whoever mends it lets it in anew.
    add_device(back.config, "kiosk-9", "shoes", None, now)
    assert revocation.turned_away(back.config.identity_path) == frozenset()
    assert known <= revocation.revoked_serials(back.config.identity_path)


def test_what_is_left_of_the_lost_servers_identities_says_too_who_stays_out(
    shop: BackedUp, tmp_path: Path
) -> None:
    assert backup(shop, "run") == 0
    shop.path.write_text(shop.path.read_text().replace("[backup]\nto", "[backup]\n#"))
    shop.configure("")
    revoke_device(shop.config, "kiosk-1", "Stolen.", datetime.now(UTC))
    assert main(["ca", "sign-list", "--config", str(shop.path)]) == 0
    back = restore(shop, tmp_path, "--left", str(shop.config.identity_path))
    assert revocation.turned_away(back.config.identity_path) == {"kiosk-1"}
    assert revocation.revoked_serials(back.config.identity_path) == revocation.revoked_serials(
        shop.config.identity_path
    )
    assert back.rows("SELECT name FROM device WHERE revoked_at IS NOT NULL") == [("kiosk-1",)]


@pytest.mark.parametrize("state", [rules.RUNNING, rules.RECALLED])
def test_no_roll_out_goes_on_and_no_release_is_carried_whose_file_is_gone(
    shop: BackedUp, tmp_path: Path, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    manifest = Manifest("floorbell-release-1", "0.2.0", now, [File("kiosk/x.py", 1, "0" * 64)])
    with writing(shop.config) as conn:
        updates.add_release(conn, STORE, manifest, "ab" * 32, 1000, "cd" * 32, "Mira", now)
        made = updates.begin(conn, STORE, "0.2.0", ["kiosk-1", "kiosk-2"], 60, 5, "Mira", now)
        updates.end(conn, made, state, now)
    assert backup(shop, "run") == 0
    back = restore(shop, tmp_path)
    assert back.rows("SELECT state FROM rollout") == [(rules.STOPPED,)]
    assert back.rows("SELECT count(*) FROM release") == [(0,)]
    assert back.rows("SELECT subject FROM audit WHERE what = 'release.stopped'") == [("0.2.0",)]
    said = capsys.readouterr().out
    assert "1 are to be added again, and 1 roll-outs that were going on are stopped" in said


def test_each_key_restores_what_was_made_for_it_whole_and_says_what_it_cannot_read(
    shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.film(os.urandom(5000))
    assert backup(shop, "run") == 0
    old = opening.choose(shop.target)
    revoke_device(shop.config, "kiosk-1", "Stolen.", datetime.now(UTC))
    assert backup(shop, "note") == 0
    before, stick = shop.key, tmp_path / "stick.txt"
    assert backup(shop, "key", "--renew", "--out", str(stick)) == 0
    revoke_device(shop.config, "kiosk-2", "Broken.", datetime.now(UTC))
    assert backup(shop, "run") == 0 and backup(shop, "note") == 0
    # The newest, with the new key: nothing in it is sealed for the one before.
    shop.key = RecoveryKey.parse(stick.read_text())
    capsys.readouterr()
    back = restore(shop, tmp_path)
    said = capsys.readouterr().out
    assert "2 files of clips by their hashes" in said and "are asked for them" not in said
    assert "1 notes of who was shut out or erased are sealed for another recovery key" in said
    assert revocation.turned_away(back.config.identity_path) == {"kiosk-1", "kiosk-2"}
    # The older one, with the key before; it knows what was known when that key was given up.
    shutil.rmtree(back.folder)
    shop.key = before
    back = restore(shop, tmp_path, "--name", old)
    said = capsys.readouterr().out
    assert "2 files of clips by their hashes" in said and "sealed for another recovery key" in said
    assert revocation.turned_away(back.config.identity_path) == {"kiosk-1"}


def test_a_new_key_knows_at_once_who_is_shut_out(shop: BackedUp, tmp_path: Path) -> None:
    stick = tmp_path / "stick.txt"
    assert backup(shop, "key", "--renew", "--out", str(stick)) == 0
    ((note,), others) = notes.read(shop.target, RecoveryKey.parse(stick.read_text()), STORE)
    assert note.out.devices == [] and others == 0


def test_a_name_that_was_erased_is_noted_as_long_as_a_backup_may_have_it(
    shop: BackedUp, tmp_path: Path
) -> None:
    """However long backups are kept."""
    assert backup(shop, "run") == 0
    at = settings.time_of(opening.choose(shop.target))
    sealer = recovery.sealer(shop.config.identity_path)
    notes.write(shop.target, sealer, STORE, ShutOut(erased=["Bo Example"]), at + timedelta(hours=1))
    later = at + timedelta(days=3000)
    notes.write(shop.target, sealer, STORE, ShutOut(), later)
    found, _ = notes.read(shop.target, shop.key, STORE)
    assert notes.together(found).erased == ["Bo Example"]
    shutil.rmtree(shop.folder / "backups")
    notes.write(shop.target, sealer, STORE, ShutOut(), later + timedelta(hours=1))
    found, _ = notes.read(shop.target, shop.key, STORE)
    assert len(found) == 1 and notes.together(found).erased == []


def test_what_its_time_is_over_for_is_not_brought_back(shop: BackedUp, tmp_path: Path) -> None:
    shop.film(os.urandom(3000))
    kept = shop.film(os.urandom(4000))
    shop.rows(f"UPDATE clip SET keep_until = 1 WHERE id <> '{kept}' RETURNING id")
    assert backup(shop, "run") == 0
    back = restore(shop, tmp_path)
    assert back.rows("SELECT state FROM clip ORDER BY state") == [("purged",), ("sealed",)]
    files = [path for path in (back.config.vault_path / "sealed").rglob("*") if path.is_file()]
    assert sorted(path.stat().st_size for path in files)[-1] == 4000 and len(files) == 2


def test_a_clip_that_is_gone_or_damaged_is_waited_for_again_and_the_rest_comes_back(
    shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, damaged, whole = (shop.film(os.urandom(size)) for size in (50_000, 60_000, 70_000))
    assert backup(shop, "run") == 0
    files = sorted((shop.folder / "clips").rglob("*.age"), key=lambda path: path.stat().st_size)
    files[-3].unlink()
    files[-2].write_bytes(files[-2].read_bytes()[:-1])
    back = restore(shop, tmp_path)
    states = dict(back.rows("SELECT id, state FROM clip"))
    assert states == {gone: "announced", damaged: "announced", whole: "sealed"}
    assert "2 clips were not in the backup" in capsys.readouterr().out
    assert back.rows("SELECT count(*) FROM custody WHERE action = 'lost'") == [(2,)]


def test_a_bundle_of_before_a_restore_says_that_its_log_may_lack_entries(
    shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = shop.film(os.urandom(1000))
    shop.witnessed()
    assert backup(shop, "run") == 0
    back = restore(shop, tmp_path)
    bundle = tmp_path / "bundle.zip"
    why = ["--by", "Mira", "--reason", "For the court.", "--config", str(back.folder / "edge.toml")]
    assert main(["evidence", "export", "--clip", clip, *why, str(bundle)]) == 0
    said = capsys.readouterr().out
    keys = [word for line in said.splitlines() if line.startswith("--key") for word in line.split()]
    assert main(["evidence", "verify", str(bundle), *keys]) == 1
    said = capsys.readouterr().out
    assert f"restored: clip {clip}: It was recorded before the store was restored" in said
    assert "restored: The store says that it was restored at" in said and "with 1 entries" in said


def given_up(back: Back, shop: BackedUp, size: int, before: list[Before]) -> None:
    """kiosk-1 keeps the newest head, and signs what it held before the restore."""
    signer = load_signer(back.config.identity_path / "vault" / "sign.key")
    with writing(back.config) as conn:
        heads.sign_newest(conn, STORE, signer, datetime.now(UTC))
        head = heads.newest(conn, STORE)
        assert head is not None
        said = kept_to_sign(STORE, "kiosk-1", head.log, head.size, head.root, 7, before)
        kept = HeadKept(head.log, head.size, head.root, 7, shop.signer().sign(said), before)
        heads.keep(conn, STORE, "kiosk-1", kept, shop.signer().key, datetime.now(UTC))


def exported(back: Back, clip: str, to: Path, capsys: pytest.CaptureFixture[str]) -> Known:
    """A bundle of the clip; what to verify it with."""
    capsys.readouterr()
    why = ["--by", "Mira", "--reason", "For the court.", "--config", str(back.folder / "edge.toml")]
    assert main(["evidence", "export", "--clip", clip, *why, str(to)]) == 0
    said = capsys.readouterr().out.splitlines()
    return Known(frozenset(line.split()[1] for line in said if line.startswith("--key")))


def test_a_head_that_was_given_up_is_told_of_explained_by_a_restore_alone_and_cannot_be_left_out(
    shop: BackedUp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = shop.film(os.urandom(1000))
    shop.witnessed()
    assert backup(shop, "run") == 0
    back = restore(shop, tmp_path)
    ((restored_us,),) = back.rows("SELECT restored_at FROM restore")
    given_up(back, shop, 9, [Before(9, "ab" * 32, int(str(restored_us)) // 1000)])
    known = exported(back, clip, tmp_path / "one.zip", capsys)
    examined = examine(tmp_path / "one.zip", known)
    assert {found.verdict for found in examined.findings} == {Verdict.RESTORED}
    assert any("Kiosk-1 had a head of 9 entries that is not of this log" in one for one in examined.restored)
    # Somebody takes it out of the bundle, and lists that file anew.
    with zipfile.ZipFile(tmp_path / "one.zip") as bundle, zipfile.ZipFile(tmp_path / "cut.zip", "w") as cut:
        content = {name: bundle.read(name) for name in bundle.namelist()}
        anchors = json.loads(content["heads.json"])
        for one in anchors["witnesses"]:
            one.pop("before", None)
        content["heads.json"] = json.dumps(anchors).encode()
        listing = json.loads(content["bundle.json"])
        new = content["heads.json"]
        listing["files"]["heads.json"] |= {"sha256": sha256(new).hexdigest(), "bytes": len(new)}
        content["bundle.json"] = json.dumps(listing).encode()
        for name, raw in content.items():
            cut.writestr(name, raw)
    found = examine(tmp_path / "cut.zip", known).findings
    assert any(one.verdict is Verdict.ALTERED and "kiosk-1 did not sign" in one.sentence for one in found)
    # A store that was never restored has no excuse.
    with writing(back.config) as conn:
        conn.execute(sa.text("DELETE FROM restore"))
    known = exported(back, clip, tmp_path / "two.zip", capsys)
    found = examine(tmp_path / "two.zip", known).findings
    assert any(one.verdict is Verdict.REMOVED and "kiosk-1 has 9" in one.sentence for one in found)


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give files away.")
def test_what_root_puts_back_belongs_to_whom_the_folder_was_made_for(shop: BackedUp, tmp_path: Path) -> None:
    shop.film(os.urandom(1000))
    assert backup(shop, "run") == 0
    (tmp_path / "back").mkdir()
    os.chown(tmp_path / "back", 12345, 12346)
    back = restore(shop, tmp_path)
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in back.folder.rglob("*")}
    assert owners == {(12345, 12346)}
