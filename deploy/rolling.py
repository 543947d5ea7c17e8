"""Another CA in the place of the store's, while devices go on (broker/decisions/006). Files and the database.

    begin    ca-next is made; devices are told of it and trust both
    switch   what runs on the server gets certificates of the new one; the old one is ca-old
    retire   the old one counts no more

Each may be run again after a power cut: what is done is seen from the folders.
"""

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from cryptography import x509

from broker import anchors, authority, files, identity, issuing, renewals, revocation
from broker.authority import Authority
from deploy import provision as making
from deploy.errors import DeployError
from edge.audit import store as audits
from edge.config import EdgeConfig
from edge.db.store_tables import certificate, device


@dataclass(frozen=True, slots=True)
class Standing:
    """How far it is: 'no', 'told' or 'switched'; and which devices the next step would shut out, with why."""

    stage: str
    waiting: dict[str, str]


def standing(config: EdgeConfig) -> Standing:
    """DeployError if the database cannot be read."""
    directory = config.identity_path
    if _there(directory, anchors.NEXT):
        new = _fingerprint(directory / anchors.NEXT)
        with making.reading(config) as conn:
            trusts = _trusts(conn, config.store)
        missing = {name: said for name, said in trusts.items() if new not in (said or "").split(",")}
        return Standing("told", {name: _not_told(said) for name, said in missing.items()})
    if not _there(directory, anchors.OLD):
        return Standing("no", {})
    counts = {_fingerprint(directory / anchors.CA), _fingerprint(directory / renewals.FOLDER)}
    with making.reading(config) as conn:
        issuers = _issuers(conn, config.store)
    late = "its certificate is still one of the old CA's"
    return Standing("switched", {name: late for name, issuer in issuers.items() if issuer not in counts})


def begin(config: EdgeConfig, passphrase: str | None, now: dt.datetime) -> None:
    """Make the next CA, under the same passphrase, and another key for renewals. DeployError if one is under
    way; IdentityError if the passphrase is not the CA's."""
    directory = config.identity_path
    authority.open_authority(directory, passphrase)
    if standing(config).stage != "no":
        raise DeployError("Another CA is on its way already; 'floorbell ca status' says how far it is.")
    half = f"{anchors.NEXT}.new"
    shutil.rmtree(directory / half, ignore_errors=True)
    made = issuing.authority(f"Floorbell store {config.store} {now:%Y-%m-%d %H:%M:%S}", now)
    files.write(directory / half / "ca.key", authority.encrypted(made.key, passphrase), secret=True)
    files.write(directory / half / "ca.crt", issuing.pem(made.certificate))
    revocation.revoke(directory, made, (), now, of=half)
    if _there(directory, renewals.FOLDER) and not _there(directory, renewals.BEFORE):
        (directory / renewals.FOLDER).rename(directory / renewals.BEFORE)
    renewals.make(directory, config.store, now)
    # Last, because it is what says that there is one.
    (directory / half).rename(directory / anchors.NEXT)
    _record(config, "ca.next", made, "Another CA was made; devices are told to trust it too.", now)


def switch(config: EdgeConfig, passphrase: str | None, without: set[str], now: dt.datetime) -> None:
    """From now on the new CA vouches for the server. DeployError names the devices that do not trust it yet,
    but for those in `without`: they are lost until they are let in anew."""
    directory = config.identity_path
    if _there(directory, anchors.NEXT):
        _check(standing(config), without)
        authority.opened(
            (directory / anchors.NEXT / "ca.key").read_bytes(),
            (directory / anchors.NEXT / "ca.crt").read_bytes(),
            passphrase,
            "The new CA's key",
        )
        if _there(directory, anchors.CA):
            (directory / anchors.CA).rename(directory / anchors.OLD)
        (directory / anchors.NEXT).rename(directory / anchors.CA)
    elif not _there(directory, anchors.OLD):
        raise DeployError("No other CA is on its way; 'floorbell ca roll' makes one.")
    reissue(config, passphrase, now)


def reissue(config: EdgeConfig, passphrase: str | None, now: dt.datetime) -> None:
    """New keys and certificates for everything on this server, for the same names."""
    directory = config.identity_path
    opened = authority.open_authority(directory, passphrase)
    held = x509.load_pem_x509_certificate((directory / "broker" / "tls.crt").read_bytes())
    identity.issue_server(directory, opened, issuing.hosts_of(held), now)
    _record(config, "ca.reissued", opened, "The server's own certificates were made anew.", now)


def retire(config: EdgeConfig, without: set[str], now: dt.datetime) -> None:
    """The old CA, and the renewals' key before this one, count no more. DeployError as in switch()."""
    directory = config.identity_path
    found = standing(config)
    if found.stage != "switched":
        raise DeployError("There is no old CA to retire; 'floorbell ca status' says how far it is.")
    _check(found, without)
    # The CA's last, because it is what says that there is something to retire.
    for name in (renewals.BEFORE, anchors.OLD):
        if _there(directory, name):
            (directory / name).rename(directory / f"{name}-retired-{now:%Y%m%d-%H%M%S}")
    _record(config, "ca.retired", None, "The old CA counts no more.", now)


def _check(found: Standing, without: set[str]) -> None:
    left = {name: why for name, why in found.waiting.items() if name not in without}
    if left:
        said = "; ".join(f"{name}: {why}" for name, why in sorted(left.items()))
        raise DeployError(f"This would shut devices out. {said}. Wait, or say --without NAME for each.")


def _trusts(conn: sa.Connection, store: str) -> dict[str, str | None]:
    d = device.c
    rows = conn.execute(sa.select(d.name, d.trusts).where(d.store == store, d.revoked_at.is_(None)))
    return {row.name: row.trusts for row in rows}


def _issuers(conn: sa.Connection, store: str) -> dict[str, str | None]:
    d, c = device.c, certificate.c
    both = device.join(certificate, sa.and_(c.store == d.store, c.serial == d.certificate_serial))
    query = sa.select(d.name, c.issuer).select_from(both).where(d.store == store, d.revoked_at.is_(None))
    return {row.name: row.issuer for row in conn.execute(query)}


def _not_told(trusts: str | None) -> str:
    return "it never asked which CA to trust" if trusts is None else "it trusts the old CA only"


def _there(directory: Path, name: str) -> bool:
    return (directory / name / "ca.crt").exists()


def _fingerprint(folder: Path) -> str:
    return authority.fingerprint(x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()))


def _record(config: EdgeConfig, what: str, of: Authority | None, words: str, now: dt.datetime) -> None:
    after = {} if of is None else {"ca": authority.fingerprint(of.certificate)}
    with making.writing(config) as conn:
        audits.record(conn, config.store, making.ACTOR, what, "the store's CA", words, now, {}, after)
