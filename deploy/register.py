"""`floorbell provision | device | person | token`: a new store, and who and what belongs to it."""

import datetime as dt
import shlex
from pathlib import Path

import click
import sqlalchemy as sa

from broker import identity
from broker.authority import open_authority
from deploy import noting
from deploy import provision as making
from deploy.asking import CONFIG, PASSPHRASE, given, opens_unasked, passphrase_of
from deploy.errors import DeployError
from deploy.inviting import device_invite
from edge.config import EdgeConfig, load_config
from edge.devices import store as devices
from edge.handling import beginning, commanding, granting, proving, staffing
from edge.paging import pagers
from edge.people import passwords
from edge.people import store as people
from edge.people.rights import wants_second_factor
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES
from edge.web.trust import addresses

# Roles that sit at a desk sign in there with a password; everyone else with a PIN on the floor.
_DESK = ("manager", "admin")


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _pages(config: EdgeConfig) -> str | None:
    """How browsers reach this store's pages, with the last slash; None where edge.toml does not say."""
    if config.web.origin:
        return f"{config.web.origin.rstrip('/')}/"
    return addresses(config).pages if config.web.tls == "store" else None


def _working(conn: sa.Connection, store: str, name: str) -> people.Person:
    """Whoever of this name works here, or DeployError."""
    found = people.by_name(conn, store, name)
    if found is None or not found.active:
        raise DeployError(f"There is no {name} in this store.")
    return found


@click.group()
def provision() -> None:
    """Make a new store."""


@provision.command("store")
@click.argument("name")
@click.option("--title", required=True, help="What people call the store.")
@click.option("--dir", "directory", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--host", "hosts", multiple=True, required=True, help="A name or address of this server.")
@click.option("--zone", "zones", multiple=True, required=True, metavar="NAME=TITLE")
@click.option("--beside", multiple=True, metavar="NAME=NAME", help="Zones beside each other share cameras.")
@click.option("--broker-port", default=8883, show_default=True)
@click.option("--web-port", default=8080, show_default=True)
@click.option("--config", type=click.Path(path_type=Path), help="Where edge.toml goes, if not into --dir.")
@PASSPHRASE
def provision_store(
    name: str,
    title: str,
    directory: Path,
    hosts: tuple[str, ...],
    zones: tuple[str, ...],
    beside: tuple[str, ...],
    broker_port: int,
    web_port: int,
    config: Path | None,
    passphrase_file: Path | None,
) -> None:
    """Certificates, configuration and an empty database for the store NAME."""
    titles = {}
    for zone in zones:
        key, equals, said = zone.partition("=")
        if not equals or not said:
            raise DeployError(f"--zone is {zone!r}; allowed is NAME=TITLE, as in tills=Tills.")
        titles[key] = said
    pairs = []
    for pair in beside:
        one, equals, other = pair.partition("=")
        if not equals:
            raise DeployError(f"--beside is {pair!r}; allowed is NAME=NAME, as in tills=entrance.")
        pairs.append((one, other))
    wanted = making.NewStore(name, title, hosts, titles, broker_port, web_port=web_port, beside=tuple(pairs))
    making.check_new(directory, wanted, config)
    passphrase = given(passphrase_file, "Passphrase for the CA's key (at least 12 characters)", new=True)
    path = making.make_store(directory, wanted, now(), passphrase, config)
    click.echo(f"The store {name} is in {directory}.")
    click.echo("Letting devices in asks for that passphrase, and nothing can replace it. Copy the key now:")
    click.echo(f"  floorbell ca backup --to FILE --config {shlex.quote(str(path))}")
    click.echo(f"Next: start the programs, then run floorbell person first --config {shlex.quote(str(path))}")


@click.group()
def device() -> None:
    """Kiosks and pagers."""


@device.command("request")
@click.argument("name")
@click.option("--dir", "directory", type=click.Path(path_type=Path, file_okay=False), required=True)
def device_request(name: str, directory: Path) -> None:
    """On the device: make its keys in --dir, and the request that goes to the server."""
    request = identity.make_request(directory, name)
    path = directory / "request.json"
    path.write_text(request, encoding="utf-8")
    click.echo(f"The keys stay in {directory}. Take {path} to the store server and run there:")
    click.echo(f"  floorbell device add {name} --zone ZONE --request request.json --config edge.toml")


@device.command("add")
@click.argument("name")
@click.option("--zone", required=True)
@click.option("--request", "request_file", type=click.Path(path_type=Path, dir_okay=False))
@PASSPHRASE
@CONFIG
def device_add(
    name: str, zone: str, request_file: Path | None, passphrase_file: Path | None, config: Path
) -> None:
    """On the server: let the device NAME into the store."""
    request = None
    if request_file is not None:
        try:
            request = request_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DeployError(f"The request {request_file} cannot be read: {error}.") from None
    loaded = load_config(config)
    passphrase = passphrase_of(loaded, passphrase_file)
    authority = open_authority(loaded.identity_path, passphrase)
    folder = making.add_device(loaded, name, zone, request, now(), authority, passphrase)
    if request is None:
        click.echo(f"Move the files in {folder} to the device, into the folder that kiosk.toml names")
        click.echo("as broker.identity. They hold its keys: leave no copy behind.")
    else:
        click.echo(f"Copy tls.crt and ca.crt from {folder} to the device, beside its keys.")
        click.echo(f'In its kiosk.toml: store = "{loaded.store}", device = "{name}", zone = "{zone}".')


@device.command("pager")
@click.argument("name")
@click.option("--holder", help="Who holds it; without one nobody does.")
@CONFIG
def device_pager(name: str, holder: str | None, config: Path) -> None:
    """The device NAME is a pager: whatever calls its holder's phone calls there too."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        who = _working(conn, loaded.store, holder).id if holder is not None else None
        commanding.hand_out(conn, loaded.store, making.ACTOR, name, True, who, now())
    click.echo(f"{name} is a pager, held by {holder or 'nobody'}.")


@device.command("revoke")
@click.argument("name")
@click.option("--reason", required=True, help="Why, for the audit of changes.")
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Puts its certificates on the CA's list too: a file whose first line is the passphrase.",
)
@CONFIG
def device_revoke(name: str, reason: str, passphrase_file: Path | None, config: Path) -> None:
    """The device NAME is lost or stolen: end its connections and take nothing of it any more."""
    loaded = load_config(config)
    making.revoke_device(loaded, name, reason, now())
    click.echo(
        f"{name} is revoked: ‘floorbell broker run’ ends its connections within seconds and keeps it out."
    )
    # Whoever revokes is in a hurry, and is not asked for a passphrase.
    if passphrase_file is not None or opens_unasked(loaded):
        making.sign_list(loaded, passphrase_of(loaded, passphrase_file), now())
    else:
        click.echo("Its name keeps it out. 'floorbell ca sign-list' puts its certificates on a list too.")
    click.echo(f"To let it in again with a new certificate: floorbell device invite {name} --zone ZONE")
    noting.leave_if_backed_up(loaded, now())


@device.command("list")
@CONFIG
def device_list(config: Path) -> None:
    """Every device of the store and what it last said."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        found = devices.all_devices(conn, loaded.store)
        held = {one.pager: f"  pager of {one.name}" for one in pagers.held(conn, loaded.store)}
    for each in found:
        status = "revoked" if each.revoked_at else each.status
        click.echo(f"{each.name:<32}  {each.zone:<20}  {status}{held.get(each.name, '')}")
    if not found:
        click.echo("There is no device yet.")


device.add_command(device_invite)


@click.group()
def person() -> None:
    """Members of staff."""


@person.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(people.ROLES), required=True)
@click.option("--zone", "zones", multiple=True, help="Where they work; none means the whole floor.")
@click.option("--language", "languages", multiple=True, default=("en",), show_default=True)
@click.option("--badge", help="What their badge says at a kiosk.")
@click.option("--pin/--no-pin", default=None, help="Ask for a PIN, for the floor.")
@click.option("--password/--no-password", default=None, help="Ask for a password, for the desk.")
@CONFIG
def person_add(
    name: str,
    role: str,
    zones: tuple[str, ...],
    languages: tuple[str, ...],
    badge: str | None,
    pin: bool | None,
    password: bool | None,
    config: Path,
) -> None:
    """Add NAME to the staff and ask for a PIN or a password."""
    loaded = load_config(config)
    ask_pin = role not in _DESK if pin is None else pin
    ask_password = role in _DESK if password is None else password
    added = making.add_person(
        loaded,
        name,
        role,
        now(),
        zones=zones,
        languages=languages,
        pin=_secret("PIN (4 to 8 digits)") if ask_pin else None,
        password=_secret("Password (at least 10 characters)") if ask_password else None,
        badge=badge,
    )
    click.echo(f"{added.name} is added as {added.role}.")


@person.command("first")
@CONFIG
def person_first(config: Path) -> None:
    """A one-time code by which the first admin begins at the desk. Refused once there is one."""
    loaded, code = load_config(config), passwords.fresh_code()
    with making.writing(loaded) as conn:
        beginning.offer(conn, loaded.store, making.ACTOR, code, now())
    where = _pages(loaded)
    page = f"{where}manage/first" if where is not None else "/manage/first at the desk's address"
    click.echo(f"Open {page} within 15 minutes; it asks for this code, once:", err=True)
    click.echo(code)


@person.command("disable")
@click.argument("name")
@CONFIG
def person_disable(name: str, config: Path) -> None:
    """NAME no longer works here: signed out everywhere at once, and paged no more."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        found = _working(conn, loaded.store, name)
        staffing.disable(conn, loaded.store, making.ACTOR, found.id, now())
    click.echo(f"{found.name} is signed out and paged no more.")


@person.command("reset-second-factor")
@click.argument("name")
@CONFIG
def person_reset_second_factor(name: str, config: Path) -> None:
    """NAME has lost phone and recovery codes: the password alone signs them in, and they are out now."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        found = _working(conn, loaded.store, name)
        proving.reset(conn, loaded.store, making.ACTOR, found.id, now())
    click.echo(f"The second factor of {found.name} is reset.")
    if wants_second_factor(found.role, loaded.web.second_factor):
        click.echo("The next sign-in at the desk sets up another.")


@click.group()
def token() -> None:
    """What other programs show at the API."""


@token.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(tuple(SCOPES)))
@CONFIG
def token_add(name: str, scopes: tuple[str, ...], config: Path) -> None:
    """A token for the program NAME, shown this once."""
    loaded, secret = load_config(config), tokens.fresh()
    with making.writing(loaded) as conn:
        granting.grant(conn, loaded.store, making.ACTOR, name, scopes, tokens.key_of(secret), now())
    click.echo("Nobody can see this again; the program sends it as 'Authorization: Bearer …':", err=True)
    click.echo(secret)


@token.command("list")
@CONFIG
def token_list(config: Path) -> None:
    """Every token: its name, when it was last used, what it may do."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        found = tokens.all_tokens(conn, loaded.store)
    for each in found:
        last = f"{each.last_used_at:%Y-%m-%d %H:%M}" if each.last_used_at else "never used"
        state = "revoked" if each.revoked_at else last
        click.echo(f"{each.name:<32}  {state:<16}  {' '.join(each.scopes)}")
    if not found:
        click.echo("There is no token yet.")


@token.command("revoke")
@click.argument("name")
@CONFIG
def token_revoke(name: str, config: Path) -> None:
    """The token NAME opens nothing from now on."""
    loaded = load_config(config)
    with making.writing(loaded) as conn:
        found = tokens.by_name(conn, loaded.store, name)
        if found is None:
            raise DeployError(f"There is no token {name} in this store.")
        granting.revoke(conn, loaded.store, making.ACTOR, found.id, now())
    click.echo(f"The token {name} is revoked.")


def _secret(what: str) -> str:
    return str(click.prompt(what, hide_input=True, confirmation_prompt=True))
