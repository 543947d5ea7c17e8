"""`floorbell release key | build | sign | verify`: where releases of the kiosk's program are made.

On the machine of whoever makes them, never on a store server: the private key stays there.
"""

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import click
import msgspec

from broker import release
from broker.release import Archive, File, Manifest, Signature
from broker.signing import load_signer
from deploy.errors import DeployError

ROOT = Path(__file__).resolve().parents[1]
CODE = ("broker", "kiosk", "edge", "deploy")
LOCKS = ("kiosk", "screen", "camera")
# 64-bit Raspberry Pi OS and Debian: Bookworm has Python 3.11, Trixie 3.13.
PLATFORMS = ("cp311-aarch64", "cp313-aarch64", "cp311-x86_64", "cp313-x86_64")
GLIBC = (17, 28, 31, 34)
_LEFT_OUT = ("__pycache__", ".pyc")


@click.group("release")
def release_group() -> None:
    """Releases of the kiosk's program: made and signed here, carried by the store server."""


@release_group.command("key")
@click.option("--to", "path", type=click.Path(path_type=Path, dir_okay=False), required=True)
def release_key(path: Path) -> None:
    """Make a release key in a new file, and show its public half."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    if path.exists():
        raise DeployError(f"{path} is there already; a release key is never written over.")
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(pem)
    click.echo(f"The release key is in {path}. Keep it offline, with a copy; no store server ever needs it.")
    click.echo("This line belongs into /etc/floorbell/release.keys of every kiosk, and of the store server:")
    click.echo(f"{load_signer(path).key}  {path.stem}")


@release_group.command("build")
@click.option("--to", "path", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--source", type=click.Path(path_type=Path, exists=True, file_okay=False), default=ROOT)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    type=click.Choice(PLATFORMS),
    default=PLATFORMS[:2],
    show_default=True,
)
@click.option("--part", "parts", multiple=True, type=click.Choice(LOCKS), default=LOCKS, show_default=True)
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of wheels, pip's among them, instead of fetching them.",
)
@click.option("--needs", default="0.0.0", help="The oldest version that it takes the place of.")
@click.option("--withdraws", multiple=True, help="A newer version that it takes the place of all the same.")
@click.option("--notes", default="", help="A sentence for whoever rolls it out.")
def release_build(
    path: Path,
    source: Path,
    platforms: tuple[str, ...],
    parts: tuple[str, ...],
    wheels: Path | None,
    needs: str,
    withdraws: tuple[str, ...],
    notes: str,
) -> None:
    """Put code, locked requirements and wheels into one file. It is not yet signed."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = wheels or fetch(source, platforms, parts, Path(folder))
        manifest = build(path, source, parts, wheels, needs, withdraws, notes, datetime.now(UTC))
    click.echo(f"{path} is {manifest.version}, {path.stat().st_size / 1e6:.1f} MB. It has yet to be signed:")
    click.echo(f"  floorbell release sign {path} --key FILE")


@release_group.command("sign")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", "key", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
def release_sign(path: Path, key: Path) -> None:
    """Sign a release, beside those who have signed it already."""
    manifest = sign(path, key)
    click.echo(f"{path} is {manifest.version}, signed by {load_signer(key).key[:16]}….")


@release_group.command("verify")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--keys", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
def release_verify(path: Path, keys: Path) -> None:
    """Check signature, every file and every name, as a kiosk does."""
    with path.open("rb") as file:
        manifest, key = release.check_whole(file, keys_in(keys))
    click.echo(f"{path} is {manifest.version}, made {manifest.made_at:%Y-%m-%d}, signed by {key[:16]}….")
    click.echo(f"{len(manifest.files)} files, {manifest.size / 1e6:.1f} MB, each as it was signed.")


def keys_in(path: Path) -> list[str]:
    """The release keys in a file. DeployError if it cannot be read."""
    try:
        return release.read_keys(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"The release keys in {path} cannot be read: {error}.") from None


def fetch(source: Path, platforms: Iterable[str], parts: Iterable[str], folder: Path) -> Path:
    """The locked wheels of these parts for these platforms, and pip's own, in `folder`. DeployError."""
    for platform in platforms:
        python, _, machine = platform.partition("-")
        wanted = [f"--platform=manylinux_2_{minor}_{machine}" for minor in GLIBC]
        wanted += [f"--platform=manylinux2014_{machine}", f"--python-version={python[2:3]}.{python[3:]}"]
        for part in parts:
            lock = source / "requirements" / f"{part}.txt"
            _pip(
                "download",
                "--require-hashes",
                "--only-binary=:all:",
                *wanted,
                "-r",
                str(lock),
                "-d",
                str(folder),
            )
    _pip("download", "--no-deps", "--only-binary=:all:", "pip", "-d", str(folder))
    return folder


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise DeployError(f"The wheels cannot be fetched: {said[-1][:300] if said else 'pip failed'}.")


def build(
    path: Path,
    source: Path,
    parts: Iterable[str],
    wheels: Path,
    needs: str,
    withdraws: Iterable[str],
    notes: str,
    now: datetime,
) -> Manifest:
    """Write the unsigned release; the same files give the same bytes but for the time."""
    contents = dict(_contents(source, parts, wheels))
    scope: dict[str, str] = {}
    exec(contents["kiosk/__init__.py"], scope)
    manifest = Manifest(
        format="floorbell-release-1",
        version=scope["VERSION"],
        made_at=now.replace(microsecond=0),
        files=[File(name, len(c), sha256(c).hexdigest()) for name, c in sorted(contents.items())],
        needs=needs,
        withdraws=list(withdraws),
        notes=notes,
    )
    written = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    release.decode(written)
    with _writing(path) as tar:
        _add(tar, release.MANIFEST, written)
        _add(tar, release.SIGNATURES, b"[]\n")
        for file in manifest.files:
            _add(tar, file.path, contents[file.path])
    return manifest


def _contents(source: Path, parts: Iterable[str], wheels: Path) -> Iterator[tuple[str, bytes]]:
    for package in CODE:
        for file in sorted((source / package).rglob("*")):
            name = file.relative_to(source).as_posix()
            if file.is_file() and not any(part in name for part in _LEFT_OUT):
                yield name, file.read_bytes()
    yield "pyproject.toml", (source / "pyproject.toml").read_bytes()
    for part in parts:
        yield f"requirements/{part}.txt", (source / "requirements" / f"{part}.txt").read_bytes()
    found = sorted(wheels.glob("*.whl"))
    if not any(wheel.name.startswith("pip-") for wheel in found):
        raise DeployError(f"{wheels} holds no wheel of pip; a kiosk installs the others with it.")
    for wheel in found:
        yield f"wheels/{wheel.name}", wheel.read_bytes()


def sign(path: Path, key: Path) -> Manifest:
    """Add a signature. The release is checked as a whole first: nobody signs what is damaged."""
    signer = load_signer(key)
    with path.open("rb") as file:
        archive = Archive(file)
        manifest = release.decode(archive.written)
        made = msgspec.json.decode(archive.signatures, type=list[Signature])
        made = [one for one in made if one.key != signer.key]
        made.append(Signature(signer.key, signer.sign(release.to_sign(archive.written))))
        with _writing(path) as tar:
            _add(tar, release.MANIFEST, archive.written)
            _add(tar, release.SIGNATURES, msgspec.json.encode(made) + b"\n")
            for one, content in archive.contents(manifest):
                _add(tar, one.path, b"".join(content))
    return manifest


@contextmanager
def _writing(path: Path) -> Iterator[tarfile.TarFile]:
    """A tar that takes the place of `path` once it is whole."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with tarfile.open(beside, "w", format=tarfile.USTAR_FORMAT) as tar:
            yield tar
        beside.replace(path)
    except ValueError as error:
        raise DeployError(f"A name is too long for a release: {error}.") from None
    finally:
        beside.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    # Owner, time and mode are the same everywhere: the same files give the same bytes.
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    tar.addfile(info, io.BytesIO(content))
