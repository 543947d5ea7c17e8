"""`floorbell ca`: the store CA's key, its passphrase, its offline copy and the list that it signs."""

from pathlib import Path

import click

from broker import authority, safekeeping
from deploy import provision as making
from deploy.asking import CONFIG, PASSPHRASE, given, passphrase_of
from deploy.register import now
from edge.config import load_config

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def ca() -> None:
    """The store CA's key: whoever has it and its passphrase can let devices in."""


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
    passphrase = passphrase_of(loaded, passphrase_file)
    copied = safekeeping.back_up(loaded.identity_path, to, passphrase)
    click.echo(
        f"{to} was written and opened again; its CA is {authority.fingerprint(copied.certificate)[:16]}."
    )
    click.echo("Keep it and the passphrase apart, and neither in this building only.")


@ca.command("restore")
@click.option("--from", "copy", type=_FILE, required=True, help="What 'floorbell ca backup' wrote.")
@PASSPHRASE
@CONFIG
def ca_restore(copy: Path, passphrase_file: Path | None, config: Path) -> None:
    """Put the CA's key back where it was lost. Devices notice nothing."""
    loaded = load_config(config)
    passphrase = given(passphrase_file, "Passphrase of the CA's key in that copy")
    safekeeping.restore(loaded.identity_path, copy, passphrase)
    making.sign_list(loaded, passphrase, now())
    click.echo(f"The CA's key is back in {loaded.identity_path / 'ca'}.")


@ca.command("sign-list")
@PASSPHRASE
@CONFIG
def ca_sign_list(passphrase_file: Path | None, config: Path) -> None:
    """Put the certificates that were revoked at the desk on the CA's list."""
    loaded = load_config(config)
    count = making.sign_list(loaded, passphrase_of(loaded, passphrase_file), now())
    words = {0: "Nothing was missing on the list.", 1: "1 certificate is on the list now."}
    click.echo(words.get(count, f"{count} certificates are on the list now."))
