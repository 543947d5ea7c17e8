"""A release: one file that a kiosk can be renewed from without the internet, signed by whoever made it.

It is a tar (POSIX ustar) of plain files and nothing else, in this order: `release.json`, the manifest;
`release.sig`, its signatures; then each file of the manifest. The manifest has every file's size and SHA-256,
and its exact bytes are what is signed: Ed25519 over SIGNED and the SHA-256 of the manifest. The store server
carries releases and cannot make any. What one is to say of itself is judged here, files are read elsewhere.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import IO, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from broker.errors import ContractError
from broker.events import AwareTime, Sha256, Version

FORMAT = "floorbell-release-1"
SIGNED = b"floorbell release manifest 1\n"
MANIFEST, SIGNATURES = "release.json", "release.sig"
MAX_MANIFEST_BYTES, MAX_SIGNATURES_BYTES = 2 * 1024 * 1024, 16 * 1024
MAX_FILES, MAX_FILE_BYTES = 10_000, 1 << 30
MAX_RELEASE_BYTES = 2 << 30
_BLOCK = 512
_CHUNK = 64 * 1024
_PART = re.compile(r"[A-Za-z0-9_.+@-]{1,150}")
_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
_KEY = re.compile(r"[0-9a-f]{64}")
# Python's int() would also take a sign and '_'.
_OCTAL = re.compile(rb"[0-7]{1,12}")


class ReleaseError(ContractError):
    """A release that is not to be used, with the sentence why."""


class File(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One file. `path` is below the release's folder, with '/'."""

    path: Annotated[str, Meta(min_length=1, max_length=240)]
    bytes: Annotated[int, Meta(ge=0, le=MAX_FILE_BYTES)]
    sha256: Sha256


class Manifest(Struct, frozen=True, omit_defaults=True):
    """What a release is. It takes the place of an older version only, `needs` or later, and of those newer
    ones that `withdraws` names: so a server that was broken into cannot order what was mended away."""

    format: Literal["floorbell-release-1"]
    version: Version
    made_at: AwareTime
    files: Annotated[list[File], Meta(min_length=1, max_length=MAX_FILES)]
    needs: Version = "0.0.0"
    python: Annotated[str, Meta(pattern=r"^3\.[0-9]{1,2}$")] = "3.11"
    withdraws: Annotated[list[Version], Meta(max_length=64)] = []
    notes: Annotated[str, Meta(max_length=2000)] = ""

    @property
    def size(self) -> int:
        """Bytes, once it is unpacked."""
        return sum(file.bytes for file in self.files)


class Signature(Struct, frozen=True, forbid_unknown_fields=True):
    """By the release key with this public half."""

    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$")]


_manifest = msgspec.json.Decoder(Manifest)
_signatures = msgspec.json.Decoder(Annotated[list[Signature], Meta(max_length=16)])


def to_sign(written: bytes) -> bytes:
    """What a signature of these manifest bytes is over."""
    return SIGNED + sha256(written).digest()


def number(version: str) -> tuple[int, ...]:
    """A version as something to be compared. ReleaseError if it is none."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ReleaseError(f"The version is {version[:20]!r}; allowed are three numbers, as in 1.4.0.")
    return tuple(int(part) for part in found.groups())


def decode(written: bytes) -> Manifest:
    """ReleaseError unless it is a manifest whose files can be unpacked below a folder and nowhere else."""
    try:
        manifest = _manifest.decode(written)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ReleaseError(f"The release's manifest cannot be read: {str(error).rstrip('.')}.") from None
    for version in (manifest.version, manifest.needs, *manifest.withdraws):
        number(version)
    known: set[str] = set()
    folders: set[str] = set()
    for file in manifest.files:
        _check_path(file.path)
        above = {file.path.rsplit("/", n)[0] for n in range(1, file.path.count("/") + 1)}
        if file.path in known | folders or above & known:
            raise ReleaseError(f"The release names {file.path} twice, or as a file and as a folder.")
        known.add(file.path)
        folders |= above
    return manifest


def _check_path(path: str) -> None:
    parts = path.split("/")
    if len(parts) > 12 or not all(_PART.fullmatch(part) and part.strip(".") for part in parts):
        raise ReleaseError(
            f"The release names a file {path[:80]!r}; allowed are plain names below its folder."
        )
    if parts[0] in (".venv", "unfinished", MANIFEST, SIGNATURES):
        raise ReleaseError(f"The release names a file {path[:80]!r}; that name is taken.")


def signer(written: bytes, signatures: bytes, keys: Iterable[str]) -> str:
    """The public key among `keys` that signed these manifest bytes. ReleaseError if none did."""
    from broker.signing import is_signed

    trusted = set(keys)
    if not trusted:
        raise ReleaseError("No release key counts here, so no release can be taken.")
    try:
        made = _signatures.decode(signatures or b"[]")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ReleaseError("The release's signatures cannot be read.") from None
    if not made:
        raise ReleaseError("The release is not signed.")
    for one in made:
        if one.key in trusted and is_signed(one.key, to_sign(written), one.signature):
            return one.key
    raise ReleaseError("The release is not signed by a key that counts here.")


def may_replace(manifest: Manifest, running: str, python: str) -> None:
    """ReleaseError unless the release may take the place of what runs here, under this Python (as '3.11')."""
    now, new = number(running), number(manifest.version)
    if new == now:
        raise ReleaseError(f"{manifest.version} is what runs here already.")
    if new < now and running not in manifest.withdraws:
        raise ReleaseError(f"{manifest.version} is older than {running}, which runs here.")
    if now < number(manifest.needs):
        raise ReleaseError(
            f"{manifest.version} takes the place of {manifest.needs} or later, not of {running}."
        )
    if _python(python) < _python(manifest.python):
        raise ReleaseError(f"{manifest.version} needs Python {manifest.python}; here is {python}.")


def _python(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def read_keys(text: str, where: str) -> list[str]:
    """Public keys, one in a line, the rest of which is a remark; '#' begins a line that is one."""
    keys = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not _KEY.fullmatch(words[0]):
            raise ReleaseError(f"{where} holds {words[0][:20]!r}; a release key is 64 of 0-9 and a-f.")
        keys.append(words[0])
    return keys


class Archive:
    """A release as it is read, once, from its beginning to its end. ReleaseError as soon as it is none."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.written = self._whole(MANIFEST, MAX_MANIFEST_BYTES)
        self.signatures = self._whole(SIGNATURES, MAX_SIGNATURES_BYTES)

    def contents(self, manifest: Manifest) -> Iterator[tuple[File, Iterator[bytes]]]:
        """Each file with its bytes, which have to be read before the next one; they are compared with what
        the manifest says while they are read. At the end nothing may follow."""
        for file in manifest.files:
            name, size = self._header()
            if name != file.path or size != file.bytes:
                raise ReleaseError(f"The release holds {name[:80]!r} where {file.path} should be.")
            yield file, self._content(file)
        rest = self._file.read(2 * _BLOCK)
        if rest.strip(b"\0") or len(rest) < 2 * _BLOCK:
            raise ReleaseError("The release does not end where it should.")
        while rest := self._file.read(_CHUNK):
            if rest.strip(b"\0"):
                raise ReleaseError("Something follows the end of the release.")

    def _content(self, file: File) -> Iterator[bytes]:
        digest, left = sha256(), file.bytes
        while left:
            chunk = self._read(min(_CHUNK, left))
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
        self._read(-file.bytes % _BLOCK)
        if digest.hexdigest() != file.sha256:
            raise ReleaseError(f"{file.path} is not what was signed.")

    def _whole(self, name: str, most: int) -> bytes:
        found, size = self._header()
        if found != name:
            raise ReleaseError(f"This is no release: it begins with {found[:40]!r} instead of {name}.")
        if size > most:
            raise ReleaseError(f"{name} has {size} bytes; allowed are {most}.")
        content = self._read(size)
        self._read(-size % _BLOCK)
        return content

    def _header(self) -> tuple[str, int]:
        block = self._read(_BLOCK)
        summed = sum(block) - sum(block[148:156]) + 8 * 32
        try:
            right, size = _octal(block[148:156]) == summed, _octal(block[124:136])
            name, before = (
                block[at : at + n].rstrip(b"\0").decode("ascii") for at, n in ((0, 100), (345, 155))
            )
        except ValueError:
            right = False
        if not right or block[257:263] != b"ustar\0" or block[156:157] != b"0":
            raise ReleaseError(
                "This is no release, or it is damaged: it holds something else than plain files."
            )
        return f"{before}/{name}" if before else name, size

    def _read(self, length: int) -> bytes:
        read = self._file.read(length)
        if len(read) < length:
            raise ReleaseError("The release is cut short: its end is missing.")
        return read


def _octal(field: bytes) -> int:
    """A number in a header. ValueError if it is none."""
    digits = field.strip(b"\0 ")
    if not _OCTAL.fullmatch(digits):
        raise ValueError("no octal number")
    return int(digits, 8)


def check(archive: Archive, keys: Iterable[str]) -> tuple[Manifest, str]:
    """The manifest and the key that signed it; the contents are still to be read."""
    key = signer(archive.written, archive.signatures, keys)
    return decode(archive.written), key


def check_whole(file: IO[bytes], keys: Iterable[str]) -> tuple[Manifest, str]:
    """As `check`, with every file compared."""
    archive = Archive(file)
    manifest, key = check(archive, keys)
    for _, content in archive.contents(manifest):
        for _ in content:
            pass
    return manifest, key
