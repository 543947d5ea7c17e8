"""Making a store, letting devices and people in. Files and the database; no questions, no printing."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from broker import anchors, identity, phones, renewals, revocation
from broker.authority import Authority, check_passphrase, open_authority, opened
from broker.errors import IdentityError
from broker.topics import check_name
from deploy.errors import DeployError
from edge.audit import store as audits
from edge.config import EdgeConfig, load_config
from edge.db import engine
from edge.devices import certificates
from edge.devices import store as devices
from edge.handling import revoking, staffing, zoning
from edge.people import passwords
from edge.people import store as people
from edge.people.details import Details

DEVICES = "devices"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# As whom the audit of changes names whoever sits at the server itself.
ACTOR = audits.Actor("command line", "command")


@dataclass(frozen=True)
class NewStore:
    """What a store is made from. `hosts` are the names and addresses that kiosks know the broker by, `beside`
    the pairs of zones that lie beside each other; `more` is what else stands in edge.toml."""

    name: str
    title: str
    hosts: tuple[str, ...]
    zones: dict[str, str]
    broker_port: int = 8883
    web_host: str = "127.0.0.1"
    web_port: int = 8080
    secure_cookies: bool = True
    frames: str = "none"
    web_origin: str = ""
    second_factor: str = "required"
    vault_host: str = "0.0.0.0"
    vault_port: int = 8444
    more: str = ""
    beside: tuple[tuple[str, str], ...] = ()


def check_new(directory: Path, wanted: NewStore, path: Path | None = None) -> None:
    """DeployError or IdentityError if no such store can be made there, with its configuration at `path`, if
    not beside the rest. A second CA would lock the devices of the first one out."""
    check_name(wanted.name, "The store's name")
    for zone in wanted.zones:
        check_name(zone, "The zone's name")
    for one, other in wanted.beside:
        if one == other or not {one, other} <= wanted.zones.keys():
            allowed = ", ".join(wanted.zones)
            raise DeployError(f"Beside each other are {one!r} and {other!r}; allowed are two of {allowed}.")
    if not wanted.title.isprintable() or not all(title.isprintable() for title in wanted.zones.values()):
        raise DeployError("A title is one line of ordinary letters.")
    if (directory / "identity" / "ca" / "ca.key").exists():
        raise IdentityError(f"{directory} holds a store already; it is kept.")
    if path is not None and path.exists():
        raise DeployError(f"{path} is there already; it is kept.")


def make_store(
    directory: Path,
    wanted: NewStore,
    now: dt.datetime,
    passphrase: str | None = None,
    path: Path | None = None,
) -> Path:
    """CA, certificates, edge.toml and a migrated database with its zones; the path of edge.toml, which is
    written at `path` if it is to be elsewhere than the rest.

    Without a passphrase the CA's key is not encrypted. Errors as check_new, or of the passphrase.
    """
    check_new(directory, wanted, path)
    if passphrase is not None:
        check_passphrase(passphrase)
    directory.mkdir(parents=True, exist_ok=True)
    path = write_configuration(directory, wanted, path)
    config = load_config(path)
    engine.migrate(config.database_url)
    Path(directory / config.database).chmod(0o600)
    with writing(config) as conn:
        for zone, title in wanted.zones.items():
            known = devices.zones(conn, wanted.name)
            others = [(set(pair) - {zone}).pop() for pair in wanted.beside if zone in pair]
            beside = [other for other in others if other in known]
            zoning.add(conn, wanted.name, ACTOR, zone, title, now, beside)
    # Last, because it is what says that the store is made.
    hosts = list(dict.fromkeys([*wanted.hosts, "localhost", "127.0.0.1"]))
    identity.make_store(config.identity_path, wanted.name, hosts, now, passphrase)
    if not _LOOPBACK.issuperset(hosts):
        phones.make(config.identity_path, wanted.name, hosts, now)
    return path


def write_configuration(directory: Path, wanted: NewStore, path: Path | None = None) -> Path:
    """edge.toml, written anew, in `directory` or at `path`; its path."""
    if path is None:
        path = directory / "edge.toml"
        path.write_text(_edge_toml(wanted, None), encoding="utf-8")
    else:
        path.write_text(_edge_toml(wanted, directory.resolve()), encoding="utf-8")
    return path


def add_device(
    config: EdgeConfig,
    name: str,
    zone: str,
    request: str | None,
    now: dt.datetime,
    authority: Authority | None = None,
    passphrase: str | None = None,
) -> Path:
    """Issue a certificate and register the device; the folder with what belongs on it.

    With `request` (the text that `floorbell device request` wrote on the device) the folder holds the answer
    only. Without one the device's keys are made here too, and should be moved, not copied. A revoked device
    is let in again, by this certificate only. `authority` is the opened CA; without one it is opened, if it
    has no passphrase. During a roll-over the old CA's key opens with `passphrase`, or IdentityError.
    """
    folder = Path(config.directory) / DEVICES / name
    with writing(config) as conn:
        devices.register(conn, config.store, name, zone, None, now)
        if request is None:
            request = identity.make_request(folder, name)
        pem, ca_pem, certificate = identity.sign_request(config.identity_path, request, name, now, authority)
        identity.install_certificate(folder, pem, ca_pem)
        devices.register(conn, config.store, name, zone, certificate, now)
        after = {"zone": zone, "certificate": certificate.sha256, "valid_until": str(certificate.not_after)}
        words = f"{name} was let in, with a new certificate."
        audits.record(conn, config.store, ACTOR, "device.added", name, words, now, {}, after)
        names = certificates.revoked_devices(conn, config.store)
        # Before its name is let in again, its old certificates are not.
        _list(config, certificates.revoked_serials(conn, config.store), now, authority, passphrase)
        revocation.let_in_anew(config.identity_path, name, certificate.serial)
    revocation.turn_away(config.identity_path, names)
    return folder


def revoke_device(config: EdgeConfig, name: str, reason: str, now: dt.datetime) -> None:
    """The device is let in no more. Needs no key of the CA; sign_list() follows once there is one."""
    with writing(config) as conn:
        revoking.revoke(conn, config.store, ACTOR, name, reason, now)
        names = certificates.revoked_devices(conn, config.store)
    # At once, also where no worker runs to do so.
    revocation.turn_away(config.identity_path, names)


def sign_list(config: EdgeConfig, passphrase: str | None, now: dt.datetime) -> int:
    """Put the revoked certificates on the CAs' lists; how many were missing there. A store from before there
    were renewals begins with them."""
    authority = open_authority(config.identity_path, passphrase)
    renewals.make(config.identity_path, config.store, now)
    with writing(config) as conn:
        return _list(config, certificates.revoked_serials(conn, config.store), now, authority, passphrase)


def _list(
    config: EdgeConfig,
    serials: set[str],
    now: dt.datetime,
    authority: Authority | None,
    passphrase: str | None,
) -> int:
    directory, old = config.identity_path, anchors.OLD
    missing = serials - revocation.revoked_serials(directory)
    if missing or not revocation.list_path(directory).exists():
        authority = authority or open_authority(directory)
        revocation.revoke(directory, authority, missing, now)
    # Whatever this server still trusts has to know of it.
    if old in anchors.roots(directory) and (late := serials - revocation.revoked_serials(directory, old)):
        revocation.revoke(directory, _old_authority(directory / old, passphrase), late, now, of=old)
        missing |= late
    renewals.keep_lists(directory, serials, now)
    return len(missing)


def _old_authority(folder: Path, passphrase: str | None) -> Authority:
    try:
        return opened(
            (folder / "ca.key").read_bytes(), (folder / "ca.crt").read_bytes(), passphrase, f"{folder}/ca.key"
        )
    except (IdentityError, OSError) as error:
        raise IdentityError(
            f"The old CA still counts, and its list cannot be signed: {str(error).rstrip('.')}; "
            "'floorbell ca retire' ends it."
        ) from None


def add_person(
    config: EdgeConfig,
    name: str,
    role: str,
    now: dt.datetime,
    *,
    zones: tuple[str, ...] = (),
    languages: tuple[str, ...] = ("en",),
    pin: str | None = None,
    password: str | None = None,
    badge: str | None = None,
) -> people.Person:
    """A new member of staff. EdgeError if a zone is unknown, a secret too weak or the name taken."""
    # Hashing takes a core for a while; the database is not held meanwhile.
    pin_hash = passwords.hash_pin(pin) if pin is not None else None
    password_hash = passwords.hash_password(password, name, config.title) if password is not None else None
    with writing(config) as conn:
        details = Details(name, role, zones, languages, badge)
        return staffing.add(
            conn, config.store, ACTOR, details, now, pin_hash=pin_hash, password_hash=password_hash
        )


@contextmanager
def writing(config: EdgeConfig) -> Iterator[sa.Connection]:
    """One transaction in the store's database. DeployError if it cannot be written."""
    opened = engine.connect(config.database_url, write=True)
    try:
        engine.check_version(opened)
        with opened.begin() as conn:
            yield conn
    except sa.exc.DBAPIError as error:
        raise DeployError(f"The store's database cannot be written: {error.orig}.") from None
    finally:
        opened.dispose()


@contextmanager
def reading(config: EdgeConfig) -> Iterator[sa.Connection]:
    """The store's database as it stands, for as long as it takes: nobody's press waits. DeployError."""
    opened = engine.connect(config.database_url, write=False)
    try:
        with opened.connect() as conn:
            yield conn
    except sa.exc.DBAPIError as error:
        raise DeployError(f"The store's database cannot be read: {error.orig}.") from None
    finally:
        opened.dispose()


def _edge_toml(wanted: NewStore, data: Path | None) -> str:
    # A JSON string without escaped letters is a TOML string.
    title = json.dumps(wanted.title, ensure_ascii=False)
    kept = "" if data is None else f"data = {json.dumps(str(data), ensure_ascii=False)}\n"
    name = wanted.web_origin or "https://floorbell.shop.example"
    origin = f'{"" if wanted.web_origin else "# "}origin = "{name}"'
    return f"""\
# One store server. Every setting and its limits: edge/config.py.
store = "{wanted.name}"
title = {title}
{kept}identity = "identity"
database = "floorbell.db"

[broker]
host = "127.0.0.1"
port = {wanted.broker_port}

# Where kiosks with a camera bring their clips.
[vault]
address = "{(wanted.hosts or ("127.0.0.1",))[0]}"
host = "{wanted.vault_host}"
port = {wanted.vault_port}

# An authority that stamps the custody log's head once a day (RFC 3161), and the file with its CA.
# [evidence.stamp]
# url = "http://tsa.example/tsr"
# certificate = "tsa-ca.pem"

# Who is told outside the store, by `floorbell edge messenger`; the file, chmod 600, has the addresses.
# [[outside.channel]]
# name = "on-call"
# kind = "apprise"
# file = "on-call.txt"

[web]
host = "{wanted.web_host}"
port = {wanted.web_port}
secure_cookies = {str(wanted.secure_cookies).lower()}
# Without a proxy that speaks TLS: the store's own certificate (floorbell ca qr), or files of yours.
# tls = "store"
# trust_port = 8081
frames = "{wanted.frames}"
# Whether managers and admins need a second factor at the desk: "required" or "optional".
second_factor = "{wanted.second_factor}"
# How browsers reach these pages, a name behind HTTPS; without it there are no passkeys.
{origin}
{wanted.more}"""
