"""`floorbell device invite`: a code for one kiosk, and the window that it comes through."""

import datetime as dt
import io
import time
from collections.abc import Callable
from pathlib import Path

import click

from broker import invitation
from broker.authority import Authority, certificate_path, open_authority
from broker.invitation import Code, Door
from broker.topics import check_device_name
from deploy import provision as making
from deploy.asking import CONFIG, PASSPHRASE, passphrase_of
from deploy.enrolment import Invited, Window
from deploy.errors import DeployError
from edge.config import EdgeConfig, load_config
from edge.devices import store as devices


def open_window(
    config: EdgeConfig,
    name: str,
    zone: str,
    authority: Authority,
    listen: tuple[str, int],
    known_as: str,
    clock: Callable[[], dt.datetime],
    say: Callable[[str], None],
    passphrase: str | None = None,
) -> tuple[Window, Code]:
    """A window for this kiosk, and the code that it opens to. `known_as` is what kiosks call this server."""
    check_place(config, name, zone)

    def sign(request: str) -> str:
        folder = making.add_device(config, name, zone, request, clock(), authority, passphrase)
        return (folder / "tls.crt").read_text()

    ca = certificate_path(config.identity_path).read_text()
    code = invitation.make(ca, known_as, listen[1])
    invited = Invited(config.store, name, zone, config.broker.port)
    door = Door(code.secret, time.monotonic())
    return Window(config.identity_path / "vault", *listen, door, invited, sign, say), code


def check_place(config: EdgeConfig, name: str, zone: str) -> None:
    """ContractError or DeployError if no kiosk can have this name, or be in this zone."""
    check_device_name(name)
    with making.reading(config) as conn:
        zones = devices.zones(conn, config.store)
    if zone not in zones:
        raise DeployError(f"There is no zone {zone!r}; this store has {', '.join(zones) or 'none yet'}.")


def picture(code: Code) -> str:
    """The code as a QR code of signs."""
    import segno

    out = io.StringIO()
    segno.make(code.text, error="m").terminal(out, compact=True)
    return out.getvalue()


@click.command("invite")
@click.argument("name")
@click.option("--zone", required=True)
@click.option("--host", help="How the kiosk finds this server; without it by the address under [vault].")
@click.option("--listen", default="0.0.0.0", show_default=True, help="The address to wait for the kiosk at.")
@click.option("--port", type=click.IntRange(1, 65535), default=invitation.PORT, show_default=True)
@PASSPHRASE
@CONFIG
def device_invite(
    name: str,
    zone: str,
    host: str | None,
    listen: str,
    port: int,
    passphrase_file: Path | None,
    config: Path,
) -> None:
    """Show a code with which the kiosk NAME lets itself in, and wait for it, 15 minutes at most."""
    loaded = load_config(config)
    known_as = host or loaded.vault.address
    if known_as is None:
        raise DeployError(
            "edge.toml has no address under [vault]; say with --host how kiosks find this server."
        )
    check_place(loaded, name, zone)
    passphrase = passphrase_of(loaded, passphrase_file)
    authority = open_authority(loaded.identity_path, passphrase)
    window, code = open_window(
        loaded,
        name,
        zone,
        authority,
        (listen, port),
        known_as,
        lambda: dt.datetime.now(dt.UTC),
        lambda line: click.echo(line, err=True),
        passphrase,
    )
    click.echo("On the kiosk, within 15 minutes, once its packages are there:")
    click.echo(f"  sudo deploy/install.sh kiosk --enrol {code.text}")
    click.echo(f"or, without the installer: floorbell kiosk enrol {code.text} --dir identity")
    click.echo(picture(code))
    if not window.wait():
        raise DeployError(f"{name} was not let in; run this again for a new code.")
