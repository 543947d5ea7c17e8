"""The store server keeps a release that it can verify, whole or not at all."""

import datetime as dt
from pathlib import Path

import pytest

from broker.release import ReleaseError
from deploy import rollout
from deploy.errors import DeployError
from deploy.provision import NewStore, make_store
from edge.config import EdgeConfig, load_config
from edge.errors import Refused
from tests.rig import releases


@pytest.fixture
def config(tmp_path: Path) -> EdgeConfig:
    wanted = NewStore("shop", "The shop", ("127.0.0.1",), {"shoes": "Shoes"})
    return load_config(make_store(tmp_path / "store", wanted, dt.datetime.now(dt.UTC)))


def test_a_release_that_is_refused_leaves_no_file_behind(config: EdgeConfig, tmp_path: Path) -> None:
    public = releases.make_key(tmp_path / "key")
    path = releases.make(tmp_path / "made", "0.2.0", tmp_path / "key")
    config.release_keys_path.write_text("0" * 64 + "\n")
    with pytest.raises(ReleaseError, match="not signed by a key"):
        rollout.add(config, path)
    config.release_keys_path.write_text(public + "\n")
    assert rollout.add(config, path) == rollout.add(config, path) == "0.2.0"
    (kept,) = config.releases_path.iterdir()
    assert kept.read_bytes() == path.read_bytes()
    # The same version with other bytes.
    other = releases.make(tmp_path / "other", "0.2.0", tmp_path / "key", kiosk__more="MORE = 1\n")
    with pytest.raises(Refused, match="a version is given once"):
        rollout.add(config, other)
    assert list(config.releases_path.iterdir()) == [kept]


def test_a_full_disk_keeps_no_half_of_it(
    config: EdgeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.release_keys_path.write_text(releases.make_key(tmp_path / "key") + "\n")
    path = releases.make(tmp_path / "made", "0.2.0", tmp_path / "key")

    def full(source: object, to: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rollout.shutil, "copyfileobj", full)
    with pytest.raises(DeployError, match=r"cannot be kept in .*: No space left on device\.$"):
        rollout.add(config, path)
    assert list(config.releases_path.iterdir()) == []
