"""edge.toml: one store server's configuration."""

import re
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from broker.errors import SettingsError
from broker.events import Name
from broker.logs import Log
from broker.settings import load
from edge.access_requests.letters import OfShop
from edge.backup.settings import Backup
from edge.home_assistant.settings import HomeAssistant
from edge.outside.channels import Outside
from edge.policies import GREETER, HELP, SECURITY, Policies, Policy, Step, faults
from edge.retention import Retention
from edge.schedule import Plan
from edge.security_contact import SecurityContact
from edge.stamping import Authority
from edge.updates.rules import fault_of_window

__all__ = [
    "GREETER",
    "HELP",
    "SECURITY",
    "BrokerAt",
    "EdgeConfig",
    "Evidence",
    "Greeter",
    "Policies",
    "Policy",
    "Push",
    "Step",
    "Web",
    "load_config",
]


# Those that write a log.
PROGRAMS = ("broker", "worker", "web", "vault", "messenger", "bridge", "migrate")
# A secure context (W3C Secure Contexts, 3.1): TLS, or the machine itself.
_ORIGIN = re.compile(
    r"(?:https://|http://(?=localhost(?::|$)))(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::[0-9]{1,5})?"
)
_IPV4 = re.compile(r"[0-9.]+")


class BrokerAt(Struct, frozen=True, forbid_unknown_fields=True):
    host: Annotated[str, Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883


class Web(Struct, frozen=True, forbid_unknown_fields=True):
    """[web]: `tls` is who speaks TLS. 'proxy': a proxy before this program, which speaks plain HTTP to it.
    'store': this program, with the certificate of 'floorbell ca phones'; on `trust_port`, if it is given,
    plain HTTP has what phones need to trust it. 'files': this program, with `certificate` (the whole chain)
    and `key`, both PEM, read again when they change.

    `origin` is how browsers reach these pages, as in https://floorbell.shop.example: passkeys are made for
    its host name, and without it there are none. `desk_idle_minutes` ends a sign-in at the desk at which
    nobody does anything; phones on the floor stay signed in, or no page would reach them."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    # How many browsers may hold an event stream open; one more is told to ask again.
    streams: Annotated[int, Meta(ge=1, le=2000)] = 64
    # false only where browsers come over plain HTTP from another machine: a trial on a network of your own.
    secure_cookies: bool = True
    origin: Annotated[str, Meta(max_length=260)] = ""
    shift_hours: Annotated[float, Meta(gt=0, le=24)] = 10
    desk_idle_minutes: Annotated[int, Meta(ge=5, le=24 * 60)] = 60
    # Whether managers and admins use the desk only with a second factor; supervisors may have one.
    second_factor: Literal["required", "optional"] = "required"
    # Who may show these pages in a frame: 'none', or 'self' for the demo page.
    frames: Literal["none", "self"] = "none"
    # How many proxies stand between browsers and this server, each of which adds to X-Forwarded-For; without
    # any that header is nobody's word. Whoever reaches the port past them could say anything: let only them.
    proxies: Annotated[int, Meta(ge=0, le=5)] = 0
    tls: Literal["proxy", "store", "files"] = "proxy"
    certificate: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    key: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    trust_port: Annotated[int, Meta(ge=1, le=65535)] | None = None

    def fault(self) -> str | None:
        """What is wrong, and what is allowed."""
        given = self.certificate is not None and self.key is not None
        if (self.tls == "files") != given or (self.certificate is None) != (self.key is None):
            return 'web.certificate and web.key are needed for tls = "files", both, and allowed only there.'
        if self.trust_port is not None and self.tls != "store":
            return 'web.trust_port is allowed only with tls = "store": other phones have nothing to install.'
        if self.trust_port == self.port:
            return f"web.trust_port is {self.port}, which is web.port; it needs another."
        if self.origin and not (self.origin_host and not _IPV4.fullmatch(self.origin_host)):
            return (
                f"web.origin is {self.origin[:80]!r}; allowed is https:// and a host name in small letters, "
                "as in https://floorbell.shop.example, or http://localhost:8080. Passkeys need a name; an "
                "address of numbers is none."
            )
        return None

    @property
    def origin_host(self) -> str:
        """The host name in `origin`; '' without one."""
        found = _ORIGIN.fullmatch(self.origin)
        return found["host"] if found else ""


class Greeter(Struct, frozen=True, forbid_unknown_fields=True):
    """[greeter]: who comes in and is greeted by nobody for `after_s` has an associate called, by
    [policy.greeter]. 0 switches it off: greetings are then only recorded.

    After a call, the same door calls nobody for `quiet_s`, however many come in: this and the associates who
    are free are all that limits a busy door.
    """

    after_s: float = 30
    quiet_s: float = 600

    def fault(self) -> str | None:
        """What is wrong, and what is allowed."""
        if self.after_s != 0 and not 5 <= self.after_s <= 600:
            return f"greeter.after_s is {self.after_s:g}; allowed are 5 to 600 seconds, and 0 for never."
        if not 0 <= self.quiet_s <= 86_400:
            return f"greeter.quiet_s is {self.quiet_s:g}; allowed are 0 to 86400 seconds."
        return None


class Vault(Struct, frozen=True, forbid_unknown_fields=True):
    """Where kiosks bring their clips. `address` is the name that they know this server by; without one there
    are no clips. `directory` is beside edge.toml and holds what must not be lost. A clip that was told
    of and is not here after `arrive_hours` is shown as not arrived; it is asked for all the same."""

    address: Annotated[str, Meta(min_length=1, max_length=253)] | None = None
    host: str = "0.0.0.0"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8444
    directory: str = "vault"
    arrive_hours: Annotated[float, Meta(ge=1, le=24 * 366)] = 24

    @property
    def url(self) -> str | None:
        return None if self.address is None else f"https://{self.address}:{self.port}"


class Push(Struct, frozen=True, forbid_unknown_fields=True):
    """[push]: calls to locked phones. `contact`, mailto: or https:, is whom a push service turns to; Apple's
    takes no push without. `allow_private` and `certificate`, the only CA that counts, are for a push service
    in a network of your own."""

    contact: Annotated[str, Meta(max_length=200)] = ""
    allow_private: bool = False
    certificate: Annotated[str, Meta(min_length=1, max_length=200)] | None = None

    def fault(self) -> str | None:
        """What is wrong, and what is allowed."""
        well = self.contact.isascii() and self.contact.isprintable() and " " not in self.contact
        if self.contact and not (well and self.contact.startswith(("mailto:", "https://"))):
            return (
                f"push.contact is {self.contact[:60]!r}; "
                "allowed is an address as in mailto:it@shop.example or https://shop.example."
            )
        return None


class Update(Struct, frozen=True, forbid_unknown_fields=True):
    """[update]: releases of the kiosks' program. `keys` holds the release keys that count, beside edge.toml;
    kiosks are told of a release `between` two times of day, as 22:00-06:00 in the server's own zone, or at
    any time."""

    keys: Annotated[str, Meta(min_length=1, max_length=200)] = "release.keys"
    between: str = ""


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """[evidence.stamp]: without it no authority is asked for time stamps. [evidence.letter]: what the shop
    says of itself to whoever asks for footage of themselves."""

    stamp: Authority | None = None
    letter: OfShop = field(default_factory=OfShop)


class EdgeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`data`, beside edge.toml or elsewhere, is the folder where every path that is named here begins, and
    what the programs make is kept. `database` is a file or an SQLAlchemy URL; `identity` the folder made by
    provision."""

    store: Name
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    data: Annotated[str, Meta(min_length=1)] = "."
    identity: str = "identity"
    # What amounts of losses are in, by ISO 4217; they are kept in its hundredths.
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"
    database: str = "floorbell.db"
    broker: BrokerAt = field(default_factory=BrokerAt)
    web: Web = field(default_factory=Web)
    policy: Policies = field(default_factory=Policies)
    greeter: Greeter = field(default_factory=Greeter)
    drill: Plan = field(default_factory=Plan)
    vault: Vault = field(default_factory=Vault)
    retention: Retention = field(default_factory=Retention)
    evidence: Evidence = field(default_factory=Evidence)
    outside: Outside = field(default_factory=Outside)
    push: Push = field(default_factory=Push)
    update: Update = field(default_factory=Update)
    home_assistant: HomeAssistant | None = None
    security_contact: SecurityContact | None = None
    backup: Backup = field(default_factory=Backup)
    log: Log = field(default_factory=Log)
    # Filled in by load_config: `data` as an absolute path.
    directory: str = "."

    @property
    def identity_path(self) -> Path:
        return Path(self.directory) / self.identity

    @property
    def database_url(self) -> str:
        if "://" in self.database:
            return self.database
        return f"sqlite:///{Path(self.directory) / self.database}"

    @property
    def vault_path(self) -> Path:
        return Path(self.directory) / self.vault.directory

    @property
    def releases_path(self) -> Path:
        """Where the releases lie that this server carries, each under its SHA-256."""
        return self.vault_path / "releases"

    @property
    def release_keys_path(self) -> Path:
        return Path(self.directory) / self.update.keys

    @property
    def hint_path(self) -> Path:
        """The datagram socket at which the worker hears that rows wait for it."""
        return Path(self.directory) / "worker.hint"

    @property
    def lock_path(self) -> Path:
        return Path(self.directory) / "worker.lock"


def load_config(path: Path) -> EdgeConfig:
    """edge.toml, checked. SettingsError names what is wrong."""
    import msgspec

    config = load(path, EdgeConfig)
    if _has_password(config.database) and path.stat().st_mode & 0o007:
        raise SettingsError(
            f"{path}: database holds a password and others may read this file; run: chmod o= {path}"
        )
    if config.directory != ".":
        raise SettingsError(
            f"{path}: directory is not a setting; paths begin in data, or where this file is."
        )
    config = msgspec.structs.replace(config, directory=str((path.resolve().parent / config.data).resolve()))
    for kind in Policies.__struct_fields__:
        if found := faults(kind, getattr(config.policy, kind)):
            raise SettingsError(f"{path}: {found[0]}")
    if wrong := config.greeter.fault():
        raise SettingsError(f"{path}: {wrong}")
    if wrong := config.drill.fault():
        raise SettingsError(f"{path}: {wrong}")
    if config.evidence.stamp is not None and (wrong := config.evidence.stamp.fault()):
        raise SettingsError(f"{path}: {wrong}")
    if wrong := config.outside.fault():
        raise SettingsError(f"{path}: {wrong}")
    if wrong := config.web.fault():
        raise SettingsError(f"{path}: {wrong}")
    if wrong := config.push.fault():
        raise SettingsError(f"{path}: {wrong}")
    if wrong := fault_of_window(config.update.between):
        raise SettingsError(f"{path}: {wrong}")
    if wrong := config.log.fault(PROGRAMS):
        raise SettingsError(f"{path}: {wrong}")
    if config.security_contact is not None and (wrong := config.security_contact.fault()):
        raise SettingsError(f"{path}: {wrong}")
    if config.home_assistant is not None and (wrong := config.home_assistant.fault()):
        raise SettingsError(f"{path}: {wrong}")
    if wrong := config.backup.fault():
        raise SettingsError(f"{path}: {wrong}")
    return config


def _has_password(database: str) -> bool:
    return "://" in database and ":" in database.partition("://")[2].rpartition("@")[0]
