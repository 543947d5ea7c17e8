"""`floorbell ca`: the store CA's key, its passphrase, its offline copy and the list that it signs."""

import io
import os
import shlex
from pathlib import Path

import click
from cryptography import x509

from broker import authority, issuing, phones, safekeeping
from broker.errors import IdentityError
from deploy import provision as making
from deploy import rolling
from deploy.asking import CONFIG, PASSPHRASE, given, passphrase_of
from deploy.errors import DeployError
from deploy.register import now
from edge.config import EdgeConfig, load_config
from edge.web.trust import addresses

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def ca() -> None:
    """The store CA's key: whoever has it and its passphrase can let devices in. And what phones trust."""


@ca.command("passphrase")
@click.option("--new-passphrase-file", type=_FILE, help="A file whose first line is the new one.")
@PASSPHRASE
@CONFIG
def ca_passphrase(new_passphrase_file: Path | None, passphrase_file: Path | None, config: Path) -> None:
    """Give the CA's key a passphrase, or another one."""
    loaded = load_config(config)
    old = passphrase_of(loaded, passphrase_file)
    authority.open_authority(loaded.identity_path, old)
    new = given(new_passphrase_file, "New passphrase (at least 12 characters)", new=True)
    safekeeping.change_passphrase(loaded.identity_path, old, new)
    click.echo("The CA's key opens with the new passphrase only. Copies made before open with the old one.")


@ca.command("backup")
@click.option("--to", type=_FILE, required=True, help="A new file, on a stick that is then locked away.")
@PASSPHRASE
@CONFIG
def ca_backup(to: Path, passphrase_file: Path | None, config: Path) -> None:
    """Copy the encrypted key and the certificate into a file, and open it to see that it is whole."""
    loaded = load_config(config)
    safekeeping.check_copy(loaded.identity_path, to)
    passphrase = passphrase_of(loaded, passphrase_file)
    copied = safekeeping.back_up(loaded.identity_path, to, passphrase)
    click.echo(
        f"{to} was written and opened again; its CA is {authority.fingerprint(copied.certificate)[:16]}."
    )
    if safekeeping.on_own_disk(loaded.identity_path, to):
        click.echo("It is on this machine's own disk, and lost with it: bring a copy onto a stick.")
    click.echo("Keep it and the passphrase apart, and neither in this building only.")


@ca.command("restore")
@click.option("--from", "copy", type=_FILE, required=True, help="What 'floorbell ca backup' wrote.")
@PASSPHRASE
@CONFIG
def ca_restore(copy: Path, passphrase_file: Path | None, config: Path) -> None:
    """Put the CA's key back where it was lost. Devices notice nothing."""
    loaded = load_config(config)
    passphrase, content = (
        given(passphrase_file, "Passphrase of the CA's key in that copy"),
        safekeeping.read(copy),
    )
    _go_on_as_owner(loaded.identity_path)
    safekeeping.restore(loaded.identity_path, copy, content, passphrase)
    making.sign_list(loaded, passphrase, now())
    click.echo(f"The CA's key is back in {loaded.identity_path / 'ca'}.")


def _go_on_as_owner(folder: Path) -> None:
    """Root alone may read the stick, and leaves nothing of its own in the store's folders."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.setgroups([owner.st_gid])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


@ca.command("sign-list")
@PASSPHRASE
@CONFIG
def ca_sign_list(passphrase_file: Path | None, config: Path) -> None:
    """Put the certificates that were revoked at the desk on the CA's list."""
    loaded = load_config(config)
    count = making.sign_list(loaded, passphrase_of(loaded, passphrase_file), now())
    words = {0: "Nothing was missing on the list.", 1: "1 certificate is on the list now."}
    click.echo(words.get(count, f"{count} certificates are on the list now."))


@ca.command("phones")
@click.option("--host", "hosts", multiple=True, help="A name or address that phones open the pages by.")
@CONFIG
def ca_phones(hosts: tuple[str, ...], config: Path) -> None:
    """Make the CA that phones and desks install to trust the pages. Another one has to be installed anew."""
    loaded = load_config(config)
    names = phones.make(loaded.identity_path, loaded.store, list(hosts) or _known_as(loaded), now())
    click.echo(f"Phones that install it trust {', '.join(names)} with it, and nothing else.")
    click.echo('In edge.toml under [web]: tls = "store", host = "0.0.0.0", trust_port = 8081')
    click.echo("After the next start of the web program: floorbell ca qr")


@ca.command("qr")
@click.option("--to", type=_FILE, help="A sheet to print instead, as .svg or .png.")
@CONFIG
def ca_qr(to: Path | None, config: Path) -> None:
    """Show the QR code by which phones come to trust the pages, and the fingerprint to compare."""
    import segno

    told = addresses(load_config(config))
    code = segno.make(told.trust or told.pages, error="m")
    if to is not None:
        if to.suffix not in (".svg", ".png"):
            raise DeployError(f"--to is {to}; allowed is a file that ends in .svg or .png.")
        try:
            code.save(str(to), scale=8, border=4)
        except OSError as error:
            raise DeployError(
                f"{to} cannot be written: {error.strerror}. The store's own user writes it; allowed is a "
                f"folder where it may, as with --to /tmp/{to.name}."
            ) from None
    else:
        out = io.StringIO()
        code.terminal(out, compact=True)
        click.echo(out.getvalue())
    click.echo(f"Open on the phone: {told.trust or told.pages}")
    if told.trust is None:
        click.echo("There is no web.trust_port in edge.toml: hand the phones phones/ca.crt by another way.")
    click.echo("The fingerprint that the phone must show (SHA-256):")
    digits = told.fingerprint.split(":")
    for at in range(0, len(digits), 8):
        click.echo(f"  {':'.join(digits[at : at + 8])}")


@ca.command("roll")
@PASSPHRASE
@CONFIG
def ca_roll(passphrase_file: Path | None, config: Path) -> None:
    """Begin with another CA: devices are told to trust it too. It gets the same passphrase."""
    loaded = load_config(config)
    rolling.begin(loaded, passphrase_of(loaded, passphrase_file), now())
    click.echo("The next CA is made. Kiosks ask once an hour whom to trust; who has not yet:")
    click.echo(f"  floorbell ca status --config {shlex.quote(str(config))}")
    click.echo("When all have: floorbell ca switch")


@ca.command("status")
@CONFIG
def ca_status(config: Path) -> None:
    """How far another CA is on its way, and which devices it waits for."""
    found = rolling.standing(load_config(config))
    click.echo(
        {
            "no": "One CA counts, and no other is on its way.",
            "told": "Another CA is made; the old one still vouches for the server.",
            "switched": "The new CA vouches for the server; the old one still counts.",
        }[found.stage]
    )
    for name, why in sorted(found.waiting.items()):
        click.echo(f"{name:<32}  {why}")
    if found.stage != "no" and not found.waiting:
        following = {"told": "switch", "switched": "retire"}[found.stage]
        click.echo(f"No device is missing. Next: floorbell ca {following}")


_WITHOUT = click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="A device that is not waited for: it is let in anew later.",
)


@ca.command("switch")
@_WITHOUT
@PASSPHRASE
@CONFIG
def ca_switch(without: tuple[str, ...], passphrase_file: Path | None, config: Path) -> None:
    """Let the new CA vouch for this server. Refused while a device does not trust it yet."""
    loaded = load_config(config)
    passphrase = given(passphrase_file, "Passphrase of the CA's key") if _locked(loaded) else None
    rolling.switch(loaded, passphrase, set(without), now())
    click.echo(
        "The server has certificates of the new CA. 'floorbell broker run' goes over to them by itself."
    )
    click.echo("Make a copy of the new key now: floorbell ca backup --to FILE")
    click.echo("When all devices have renewed their certificates: floorbell ca retire")


@ca.command("retire")
@_WITHOUT
@CONFIG
def ca_retire(without: tuple[str, ...], config: Path) -> None:
    """Let the old CA count no more. Refused while a device still has a certificate of it."""
    rolling.retire(load_config(config), set(without), now())
    click.echo("The old CA counts no more; its copies may be destroyed.")


@ca.command("reissue")
@PASSPHRASE
@CONFIG
def ca_reissue(passphrase_file: Path | None, config: Path) -> None:
    """New keys and certificates for the programs on this server, by the same CA and for the same names."""
    loaded = load_config(config)
    rolling.reissue(loaded, passphrase_of(loaded, passphrase_file), now())
    click.echo("The server's own certificates are new; its programs take them up by themselves.")


def _locked(config: EdgeConfig) -> bool:
    """Whether a passphrase is needed; also where a power cut left the CA between two folders."""
    try:
        return authority.has_passphrase(config.identity_path)
    except IdentityError:
        return True


def _known_as(config: EdgeConfig) -> list[str]:
    """What the server's own certificate calls it."""
    path = config.identity_path / "broker" / "tls.crt"
    return issuing.hosts_of(x509.load_pem_x509_certificate(path.read_bytes()))
