"""The files of a bundle, each read once: listings and manifests whole, videos only to be hashed."""

import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TypeVar

import msgspec

from edge.evidence.findings import NoBundle

T = TypeVar("T")
_CHUNK = 1024 * 1024
# What is read into memory at once: listings and manifests, never a video.
_LARGEST = 256 * 1024 * 1024


class Opened:
    """`names` as in the archive, twice where they are twice; `hashed`: SHA-256 and bytes of each."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = archive.namelist()
        self.hashed = self._hash_all()

    def read(self, name: str) -> bytes:
        """The whole file; nothing where it is damaged. NoBundle if it is too large for what it is."""
        if self._archive.getinfo(name).file_size > _LARGEST:
            raise NoBundle(f"{name} is larger than any of its kind.")
        try:
            return self._archive.read(name)
        except zipfile.BadZipFile:
            return b""

    def record(self, name: str, kind: type[T]) -> T:
        """The file's JSON. NoBundle if it is not there or no such record."""
        if name not in self.names:
            raise NoBundle(f"{name} is not in it.")
        try:
            return msgspec.json.decode(self.read(name), type=kind)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise NoBundle(f"{name} cannot be read: {error}.") from None

    def _hash_all(self) -> dict[str, tuple[str, int]]:
        """SHA-256 and size of every file. Each is read once, as many at a time as there are processors:
        hashing and the archive's own check let go of the interpreter."""
        names = sorted(set(self.names))
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return dict(zip(names, pool.map(self._hash, names), strict=True))

    def _hash(self, name: str) -> tuple[str, int]:
        digest, size = sha256(), 0
        try:
            with self._archive.open(name) as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except zipfile.BadZipFile:
            # The archive's own check of the file fails: it is neither what was listed nor what was signed.
            return "", size
        return digest.hexdigest(), size
