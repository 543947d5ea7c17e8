"""What counts as a release, and what does not."""

import io
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import release
from broker.release import Archive, ReleaseError, Signature
from broker.signing import load_signer
from tests.rig.releases import make_key

FILES = {"kiosk/__init__.py": b'VERSION = "0.2.0"\n', "wheels/tiny.whl": b"x" * 1000}


def manifest(files: dict[str, bytes] = FILES, **more: Any) -> bytes:
    said = {
        "format": release.FORMAT,
        "version": "0.2.0",
        "made_at": "2026-11-27T12:00:00Z",
        "files": [{"path": n, "bytes": len(c), "sha256": sha256(c).hexdigest()} for n, c in files.items()],
    }
    return msgspec.json.encode(said | more)


def packed(written: bytes, signatures: bytes, files: dict[str, bytes] = FILES, **info: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=info.pop("format", tarfile.USTAR_FORMAT)) as tar:
        for name, content in {"release.json": written, "release.sig": signatures, **files}.items():
            one = tarfile.TarInfo(name)
            one.size = len(content)
            for key, value in info.items() if name in files else ():
                setattr(one, key, value)
            tar.addfile(one, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {make_key(folder / name): folder / name for name in ("one", "other")}


def signed(written: bytes, *paths: Path) -> bytes:
    made = []
    for path in paths:
        signer = load_signer(path)
        made.append(Signature(signer.key, signer.sign(release.to_sign(written))))
    return msgspec.json.encode(made)


def checked(packed: bytes, keys: Any) -> str:
    return release.check_whole(io.BytesIO(packed), keys)[0].version


def test_a_signed_release_is_read_to_its_end(keys: dict[str, Path]) -> None:
    written = manifest()
    (one, path), (other, second) = keys.items()
    assert checked(packed(written, signed(written, path)), [one]) == "0.2.0"
    # Rolled over: signed by both, known by either.
    both = packed(written, signed(written, path, second))
    assert checked(both, [one]) == checked(both, [other]) == "0.2.0"


def test_a_release_of_nobody_or_of_somebody_else_is_refused(keys: dict[str, Path]) -> None:
    written = manifest()
    (one, path), (other, _) = keys.items()
    for signatures, trusted in (
        (b"[]", [one]),
        (b"", [one]),
        (b"{}", [one]),
        (signed(written, path), [other]),
        (signed(written, path), []),
        (signed(manifest(notes="other"), path), [one]),
    ):
        with pytest.raises(ReleaseError):
            checked(packed(written, signatures), trusted)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../x", "kiosk/../../x", "kiosk//x", "kiosk/./x", "", "a" * 241, "kiosk/x y",
        "kiosk/\\x", ".venv/bin/floorbell", "unfinished", "release.json", "kiosk/x\0", "ä", "...",
        "/".join("a" * 13),
    ],
)  # fmt: skip
def test_a_name_that_leads_out_of_the_slot_or_is_taken_is_refused(path: str) -> None:
    with pytest.raises(ReleaseError):
        release.decode(manifest({path: b""}))


@pytest.mark.parametrize("pair", [("kiosk/a", "kiosk/a"), ("kiosk/a", "kiosk/a/b"), ("kiosk/a/b", "kiosk/a")])
def test_no_name_is_two_things(pair: tuple[str, str]) -> None:
    said = msgspec.json.decode(manifest())
    said["files"] = [{"path": name, "bytes": 0, "sha256": "0" * 64} for name in pair]
    with pytest.raises(ReleaseError, match="twice"):
        release.decode(msgspec.json.encode(said))


@pytest.mark.parametrize(
    "info",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": "release.json"},
        {"type": tarfile.DIRTYPE},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.FIFOTYPE},
        {"format": tarfile.PAX_FORMAT, "pax_headers": {"path": "kiosk/other"}},
        {"format": tarfile.GNU_FORMAT},
    ],
)
def test_nothing_but_plain_files_is_taken(keys: dict[str, Path], info: dict[str, Any]) -> None:
    written = manifest()
    one, path = next(iter(keys.items()))
    with pytest.raises(ReleaseError):
        checked(packed(written, signed(written, path), **info), [one])


def test_what_is_changed_missing_doubled_or_added_is_found(keys: dict[str, Path]) -> None:
    written = manifest()
    one, path = next(iter(keys.items()))
    signatures = signed(written, path)
    names = list(FILES)
    for files in (
        {**FILES, names[1]: b"y" * 1000},
        {**FILES, names[1]: b"x" * 999},
        {names[0]: FILES[names[0]]},
        dict(reversed(FILES.items())),
        {**FILES, "kiosk/more.py": b"import os"},
    ):
        with pytest.raises(ReleaseError):
            checked(packed(written, signatures, files), [one])
    good = packed(written, signatures)
    with pytest.raises(ReleaseError):
        checked(good + b"more", [one])


def test_a_release_that_is_cut_anywhere_is_refused(keys: dict[str, Path]) -> None:
    written = manifest()
    one, path = next(iter(keys.items()))
    good = packed(written, signed(written, path))
    last = len(good.rstrip(b"\0"))
    for end in [*range(0, last + 24, 37), last + 24]:
        with pytest.raises(ReleaseError):
            checked(good[:end], [one])


@pytest.mark.parametrize("size", [b"-0000000010", b"+0000000010", b"0000000_010", b"", b"0000000019x"])
def test_a_size_that_is_none_is_not_read_by(size: bytes) -> None:
    packed_ = bytearray(packed(manifest(), b"[]"))
    packed_[124:136] = size.ljust(12, b"\0")
    summed = sum(packed_[:512]) - sum(packed_[148:156]) + 8 * 32
    packed_[148:156] = b"%06o\0 " % summed

    class Counting(io.BytesIO):
        most = 0

        def read(self, size: int | None = -1) -> bytes:
            self.most = max(self.most, -1 if size is None else size, len(got := super().read(size)))
            return got

    file = Counting(bytes(packed_) + b"x" * 100_000)
    with pytest.raises(ReleaseError, match="something else than plain files"):
        Archive(file)
    assert file.most == 512


@pytest.mark.parametrize("more", [{"needs": "1"}, {"needs": "01.0.0"}, {"withdraws": ["1.0.0", "01.2.3"]}])
def test_a_version_that_is_none_is_found_before_anybody_signs(more: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError):
        release.decode(manifest(**more))


@given(st.data())
def test_no_bytes_raise_anything_else(data: st.DataObject) -> None:
    written = manifest()
    good = bytearray(packed(written, b"[]"))
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with pytest.raises(ReleaseError):
        archive = Archive(io.BytesIO(bytes(good)))
        for _, content in archive.contents(release.decode(archive.written)):
            list(content)
        raise ReleaseError("Only its signature is missing.")


@pytest.mark.parametrize(
    ("new", "running", "more", "against"),
    [
        ("0.2.0", "0.1.0", {}, None),
        ("0.10.0", "0.9.9", {}, None),
        ("0.1.0", "0.1.0", {}, "already"),
        ("0.1.9", "0.2.0", {}, "older"),
        ("0.1.9", "0.2.0", {"withdraws": ["0.2.0"]}, None),
        ("0.1.9", "0.2.1", {"withdraws": ["0.2.0"]}, "older"),
        ("0.3.0", "0.1.0", {"needs": "0.2.0"}, "or later"),
        ("0.3.0", "0.1.0", {"python": "3.13"}, "needs Python"),
    ],
)
def test_only_what_is_newer_or_withdraws_takes_a_place(
    new: str, running: str, more: dict[str, Any], against: str | None
) -> None:
    made = release.decode(manifest(version=new, **more))
    if against is None:
        release.may_replace(made, running, "3.11")
    else:
        with pytest.raises(ReleaseError, match=against):
            release.may_replace(made, running, "3.11")


def test_keys_stand_one_in_a_line() -> None:
    assert release.read_keys(f"# ours\n\n{'a' * 64}  2026\n{'b' * 64}\n", "x") == ["a" * 64, "b" * 64]
    with pytest.raises(ReleaseError, match="release key"):
        release.read_keys("ssh-ed25519 AAAA\n", "x")


def test_the_units_of_many_cameras_have_a_name_that_is_taken() -> None:
    name = "deploy/systemd/floorbell-camera@.service"
    assert release.decode(manifest({name: b""})).files[0].path == name
