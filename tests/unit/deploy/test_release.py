"""`floorbell release`: made, signed by one key after the other, and verified as on a kiosk."""

from pathlib import Path

import pytest

from deploy.cli import main
from tests.rig import releases


def test_a_release_is_made_signed_twice_and_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels = releases.wheelhouse(tmp_path / "wheels")
    code = releases.source(tmp_path / "code", "0.2.0")
    (code / "requirements/kiosk.txt").write_text("")
    path = tmp_path / "made.release"
    lines = []
    for name in ("old", "new"):
        assert main(["release", "key", "--to", str(tmp_path / name)]) == 0
        lines.append(capsys.readouterr().out.splitlines()[-1])
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert main(["release", "key", "--to", str(tmp_path / "old")]) == 1
    build = ["release", "build", "--to", str(path), "--source", str(code), "--wheels", str(wheels)]
    assert main([*build, "--part", "kiosk"]) == 0
    keys = tmp_path / "release.keys"
    keys.write_text(lines[1] + "\n")
    verify = ["release", "verify", str(path), "--keys", str(keys)]
    capsys.readouterr()
    assert main(verify) == 1 and "not signed" in capsys.readouterr().err
    for name in ("old", "new"):
        assert main(["release", "sign", str(path), "--key", str(tmp_path / name)]) == 0
    for line in lines:
        keys.write_text(line + "\n")
        assert main(verify) == 0
    assert "is 0.2.0" in capsys.readouterr().out


def test_the_same_files_give_the_same_release(tmp_path: Path) -> None:
    key = tmp_path / "key"
    releases.make_key(key)
    one = releases.make(tmp_path / "made", "0.2.0", key).read_bytes()
    for file in (tmp_path / "made/source-0.2.0/kiosk").iterdir():
        file.touch()
    assert releases.make(tmp_path / "made", "0.2.0", key).read_bytes() == one


def test_a_folder_without_pip_and_a_release_that_is_none_are_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wheels").mkdir()
    path = tmp_path / "x.release"
    assert main(["release", "build", "--to", str(path), "--wheels", str(tmp_path / "wheels")]) == 1
    assert "no wheel of pip" in capsys.readouterr().err and not path.exists()
    path.write_bytes(b"something else" * 1000)
    releases.make_key(tmp_path / "key")
    assert main(["release", "sign", str(path), "--key", str(tmp_path / "key")]) == 1
    assert capsys.readouterr().err.startswith("This is no release")
