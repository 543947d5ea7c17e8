"""A bucket as the target, against a server that speaks S3's own protocol (moto), by the real boto3."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from edge.backup import making, opening, targets
from edge.backup.errors import BackupError
from edge.backup.s3 import Bucket
from edge.backup.settings import Backup, name_of
from tests.rig.backed_up import BackedUp


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    url = f"http://{host}:{port}"
    secret = {"aws_access_key_id": "shop", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **secret).create_bucket(Bucket="backups")
    yield url
    running.stop()


def credentials(folder: Path, text: str = "shop\nsecret\n", mode: int = 0o600) -> None:
    path = folder / "backup-s3.txt"
    path.write_text(text)
    path.chmod(mode)


def bucket(folder: Path, url: str, to: str = "s3://backups/shop-1") -> Bucket:
    return Bucket(to, Backup(to=to, endpoint=url), folder)


def test_what_is_put_is_listed_read_and_deleted_below_its_prefix_alone(server: str, tmp_path: Path) -> None:
    credentials(tmp_path)
    one, other = (bucket(tmp_path, server, f"s3://backups/{name}") for name in ("one", "other/below/"))
    one.check()
    # More than goes in one request.
    large = [os.urandom(1_000_003) for _ in range(12)]
    assert one.put("clips/ab/large.age", large) == 12 * 1_000_003
    one.put("backups/x/empty.age", [])
    other.put("clips/ab/small.age", [b"a", b"b"])
    assert [(s.name, s.bytes) for s in one.list("clips/")] == [("clips/ab/large.age", 12 * 1_000_003)]
    assert [s.name for s in other.list("clips/")] == ["clips/ab/small.age"]
    with one.open("clips/ab/large.age") as file:
        assert file.read() == b"".join(large)
    one.delete("clips/ab/large.age")
    one.delete("clips/ab/large.age")
    assert list(one.list("clips/")) == []


def test_a_store_is_backed_up_to_a_bucket_and_proven_from_there(
    shop: BackedUp, server: str, tmp_path: Path
) -> None:
    credentials(Path(shop.config.directory))
    to = f'to = "s3://backups/real"\nendpoint = "{server}"'
    shop.path.write_text(shop.path.read_text().replace(f'to = "{shop.folder}"', to))
    shop.configure("")
    shop.film(os.urandom(100_000))
    shop.witnessed()
    target = targets.target_of(shop.config)
    made = making.make(shop.config, shop.path, target, name_of(datetime.now(UTC)))
    assert made.clips == 2
    opened = opening.open_backup(target, opening.choose(target), shop.key)
    (tmp_path / "work").mkdir()
    assert opening.check(opened, tmp_path / "work").entries == 1


def test_what_is_wrong_with_a_bucket_is_one_sentence(server: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"backup-s3.txt, cannot be read"):
        bucket(tmp_path, server)
    credentials(tmp_path, mode=0o644)
    with pytest.raises(BackupError, match="chmod 600"):
        bucket(tmp_path, server)
    credentials(tmp_path, "only an id\n\n\n")
    with pytest.raises(BackupError, match="it has two"):
        bucket(tmp_path, server)
    credentials(tmp_path)
    with pytest.raises(BackupError, match=r"s3://elsewhere cannot be written: .*bucket does not exist"):
        bucket(tmp_path, server, "s3://elsewhere").check()
    with (
        pytest.raises(BackupError, match="s3://backups/shop-1 cannot be read: backups/none"),
        bucket(tmp_path, server).open("backups/none"),
    ):
        pass
    with pytest.raises(BackupError, match="cannot be written"):
        bucket(tmp_path, "http://127.0.0.1:9").check()
