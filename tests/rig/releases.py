"""Releases of the kiosk's program for tests: small, quick to build, bad in every way that is wanted."""

import datetime as dt
import shutil
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.signing import load_signer
from deploy import release

ROOT = Path(__file__).resolve().parents[2]
NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
TINY = "tiny-1.0-py3-none-any.whl"
# Where the packages are that a test's slots do not install: those of the interpreter that runs the tests.
SITE = next(path for path in sys.path if path.endswith("site-packages"))


def make_key(path: Path) -> str:
    """A release key in a file; its public half."""
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    path.chmod(0o600)
    return load_signer(path).key


def wheelhouse(folder: Path) -> Path:
    """A wheel of pip, and one of a package that nobody needs, which is all that a test's slot installs."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / TINY, "w") as wheel:
        for name, text in (
            ("tiny.py", "HERE = True\n"),
            ("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"),
            ("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            ("tiny-1.0.dist-info/RECORD", "tiny.py,,\n"),
        ):
            wheel.writestr(zipfile.ZipInfo(name), text)
    pip = folder / "pip-0-py3-none-any.whl"
    if not pip.exists():
        with zipfile.ZipFile(pip, "w") as wheel:
            for file in sorted((Path(SITE) / "pip").rglob("*")):
                if file.is_file() and file.suffix not in (".pyc", ".exe"):
                    wheel.write(file, file.relative_to(SITE).as_posix())
    return folder


def source(folder: Path, version: str, **changed: str) -> Path:
    """The code of a release with this version. `changed` are files with other content, as kiosk__program for
    kiosk/program.py."""
    if not folder.exists():
        for package in release.CODE:
            shutil.copytree(
                ROOT / package,
                folder / package,
                ignore=shutil.ignore_patterns("__pycache__", "migrations", "static", "translations", "fonts"),
            )
        shutil.copy(ROOT / "pyproject.toml", folder)
        (folder / "requirements").mkdir()
    (folder / "kiosk/__init__.py").write_text(f'"""A kiosk."""\n\nVERSION = "{version}"\n')
    for name, content in changed.items():
        (folder / (name.replace("__", "/") + ".py")).write_text(content)
    return folder


def make(
    folder: Path,
    version: str,
    key: Path | None,
    *,
    wheels: Path | None = None,
    withdraws: tuple[str, ...] = (),
    needs: str = "0.0.0",
    **changed: str,
) -> Path:
    """A release in a file of `folder`, signed by `key`."""
    folder.mkdir(exist_ok=True)
    wheels = wheels or wheelhouse(folder / "wheels")
    code = source(folder / f"source-{version}", version, **changed)
    digest = sha256((wheels / TINY).read_bytes()).hexdigest()
    (code / "requirements/kiosk.txt").write_text(f"tiny==1.0 --hash=sha256:{digest}\n")
    path = folder / f"{version}.release"
    release.build(path, code, ["kiosk"], wheels, needs, withdraws, "", NOW)
    if key is not None:
        release.sign(path, key)
    return path
