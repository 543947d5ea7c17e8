"""What several commands ask for: the configuration, and the passphrase of the CA's key."""

from pathlib import Path

import click

from broker import authority
from broker.errors import IdentityError
from deploy.errors import DeployError
from edge.config import EdgeConfig

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default="edge.toml",
    envvar="FLOORBELL_CONFIG",
    show_default=True,
    help="The store server's configuration.",
)
PASSPHRASE = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file whose first line is the passphrase of the CA's key; without it you are asked.",
)


def passphrase_of(config: EdgeConfig, file: Path | None) -> str | None:
    """The passphrase of the store CA's key, asked for if need be; None for a key that has none."""
    if not authority.has_passphrase(config.identity_path):
        return None
    return given(file, "Passphrase of the CA's key")


def opens_unasked(config: EdgeConfig) -> bool:
    """Whether the store CA's key is there and has no passphrase."""
    try:
        return not authority.has_passphrase(config.identity_path)
    except IdentityError:
        return False


def given(file: Path | None, what: str, *, new: bool = False) -> str:
    """What stands in `file`, or is typed; a `new` one twice, and until it is long enough."""
    while file is None:
        typed = str(click.prompt(what, hide_input=True, confirmation_prompt=new, err=True))
        if not new:
            return typed
        try:
            authority.check_passphrase(typed)
        except IdentityError as error:
            click.echo(error, err=True)
        else:
            return typed
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"The passphrase in {file} cannot be read: {error}.") from None
    return lines[0] if lines else ""
