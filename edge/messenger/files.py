"""A channel's own file, beside edge.toml: its addresses and keys. Read at each try, so that a mended file
needs no restart. No sentence from here holds anything of what stands in it."""

import base64
import binascii
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edge import secret_files
from edge.outside.channels import Channel
from edge.secret_files import FileFault

MAX_ADDRESSES = 50
MAX_ADDRESS = 2000
SECRET_BYTES = (24, 64)


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """A webhook's address, in parts, and the key that it is signed with."""

    scheme: str
    host: str
    port: int
    path: str
    key: bytes


def endpoint(directory: Path, channel: Channel) -> Endpoint:
    """A webhook's file: `url` and `secret`, in TOML. FileFault."""
    try:
        found = tomllib.loads(secret_files.read(directory, channel.file))
    except (tomllib.TOMLDecodeError, RecursionError):
        # What the parser says quotes the file.
        raise FileFault(f"{channel.file} is not TOML; it has two lines, url = and secret =.") from None
    if set(found) != {"url", "secret"} or not all(isinstance(one, str) for one in found.values()):
        raise FileFault(f"{channel.file} has other lines than url = and secret =; those two are needed.")
    return _parts(channel, found["url"], _key(channel, found["secret"]))


def addresses(directory: Path, channel: Channel) -> list[str]:
    """The addresses in an Apprise channel's file, one a line; # begins a remark. FileFault."""
    lines = (line.strip() for line in secret_files.read(directory, channel.file).splitlines())
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise FileFault(f"{channel.file} has no address; it has one a line, as Apprise writes them.")
    if len(found) > MAX_ADDRESSES:
        raise FileFault(f"{channel.file} has {len(found)} addresses; allowed are {MAX_ADDRESSES}.")
    for number, one in enumerate(found, 1):
        if "://" not in one or len(one) > MAX_ADDRESS or not one.isprintable():
            raise FileFault(
                f"{channel.file}: its address {number} is none that Apprise knows, as in tgram://…"
            )
    return found


def parts(directory: Path, channel: Channel) -> int:
    """How many addresses a channel has; 1 where its file cannot be read, so that the trouble is seen."""
    if channel.kind == "webhook":
        return 1
    try:
        return len(addresses(directory, channel))
    except FileFault:
        return 1


def fault(directory: Path, channel: Channel) -> str | None:
    """What is wrong with a channel's file."""
    try:
        if channel.kind == "webhook":
            endpoint(directory, channel)
        else:
            addresses(directory, channel)
    except FileFault as error:
        return str(error)
    if channel.certificate is not None and not (directory / channel.certificate).is_file():
        return f"{channel.certificate}, the CA of the channel {channel.name}, is not there."
    return None


def _key(channel: Channel, secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    least, most = SECRET_BYTES
    if not secret.startswith("whsec_") or not least <= len(key) <= most:
        raise FileFault(
            f"{channel.file}: its secret is none; it is whsec_ and then {least} to {most} random bytes in "
            "Base64."
        )
    return key


def _parts(channel: Channel, url: str, key: bytes) -> Endpoint:
    try:
        found = urlsplit(url)
        host, port = found.hostname or "", found.port
    except ValueError:
        host, port, found = "", None, urlsplit("")
    well = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_ADDRESS and port != 0
    if found.scheme not in ("http", "https") or not host or not well or "@" in found.netloc:
        raise FileFault(f"{channel.file}: its url is none; it is as in https://guard.example/floorbell.")
    if found.scheme == "http" and not channel.allow_private:
        raise FileFault(
            f"{channel.file}: its url begins with http://; allowed is https://, or set allow_private = true "
            "for a receiver in a private network."
        )
    path = (found.path or "/") + (f"?{found.query}" if found.query else "")
    return Endpoint(found.scheme, host, port or (443 if found.scheme == "https" else 80), path, key)
