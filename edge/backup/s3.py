"""An S3 bucket as the target, by boto3 (requirements/s3.txt). No other module knows of it."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from edge import secret_files
from edge.backup.errors import BackupError, NotThere
from edge.backup.settings import Backup
from edge.backup.targets import Stored


class Bucket:
    """s3://bucket/prefix. Nothing is asked of it before the first call."""

    def __init__(self, to: str, settings: Backup, directory: Path) -> None:
        """BackupError if boto3 is not installed, or the file with the credentials cannot be used."""
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise BackupError(
                "Backups to a bucket need boto3: "
                "'.venv/bin/pip install --require-hashes -r requirements/s3.txt'."
            ) from None
        # boto3's own transfer manager raises its own kind for what failed under it.
        from boto3.exceptions import Boto3Error

        self._errors = (BotoCoreError, ClientError, Boto3Error)
        self._to = to
        self._bucket, _, prefix = to.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        key_id, secret = _credentials(directory / settings.credentials)
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(
                connect_timeout=20, read_timeout=60, retries={"max_attempts": 5, "mode": "standard"}
            ),
        )

    def __str__(self) -> str:
        return self._to

    def list(self, prefix: str) -> Iterator[Stored]:
        with self._failing("be read"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for one in page.get("Contents", ()):
                    yield Stored(one["Key"].removeprefix(self._prefix), one["Size"])

    def put(self, name: str, parts: Iterable[bytes]) -> int:
        """A bucket shows an object only once all of it is there."""
        reader = _Reader(parts)
        with self._failing("be written"):
            self._client.upload_fileobj(
                io.BufferedReader(reader, 1024 * 1024), self._bucket, self._prefix + name
            )
        return reader.bytes

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with self._failing(f"be read: {name}"):
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
            with io.BufferedReader(_Body(body, self._errors), 1024 * 1024) as file:
                yield file

    def delete(self, name: str) -> None:
        with self._failing("be written"):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    def prepare(self) -> bool:
        """Never: whoever gave the credentials has made the bucket."""
        return False

    def check(self) -> None:
        self.put("probe", [b"may be deleted\n"])
        self.delete("probe")

    @contextmanager
    def _failing(self, how: str) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            kind = NotThere if _code(error) in ("NoSuchKey", "404") else BackupError
            raise kind(f"The bucket {self._to} cannot {how}: {_said(error)}.") from None
        except OSError as error:
            raise BackupError(f"The bucket {self._to} cannot {how}: {error}.") from None


class _Reader(io.RawIOBase):
    """What boto3 reads from: pieces as they are made. It cannot be read twice."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._left = memoryview(b"")
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._left = memoryview(part)
        size = min(len(into), len(self._left))
        into[:size] = self._left[:size]
        self._left = self._left[size:]
        self.bytes += size
        return size


class _Body(io.RawIOBase):
    """An object as it arrives; a line that breaks is an OSError as of any file."""

    def __init__(self, body: Any, errors: tuple[type[Exception], ...]) -> None:
        self._body, self._errors = body, errors

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        try:
            got = self._body.read(len(into))
        except self._errors as error:
            raise OSError(str(error)) from None
        into[: len(got)] = got
        return len(got)


def _credentials(path: Path) -> tuple[str, str]:
    try:
        secret_files.check(path, BackupError)
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"The credentials for backups, {path}, cannot be read: {error}.") from None
    if len(lines) != 2:
        raise BackupError(f"{path} has {len(lines)} lines; it has two: the key's id, and its secret.")
    return lines[0], lines[1]


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _said(error: Exception) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        found = response["Error"]
        return f"{found.get('Message') or found.get('Code')}".rstrip(".")
    return str(error).rstrip(".")
