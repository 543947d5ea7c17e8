"""edge.toml: one store server's configuration."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from broker.errors import SettingsError
from broker.events import Name
from broker.settings import load

Seconds = Annotated[float, Meta(ge=0, le=3600)]
Who = Literal["best", "zone", "supervisors", "security", "all"]


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """After how many seconds without an answer who is paged besides those before."""

    after_s: Seconds
    who: list[Who]


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """An escalation policy. `ceiling_s` None: paged until a person answers; then `repeat_s` must be set."""

    steps: list[Step]
    ceiling_s: Annotated[float, Meta(ge=10, le=3600)] | None = None
    repeat_s: Annotated[float, Meta(ge=2, le=600)] | None = None


# DESIGN 5: help and security.
HELP = Policy(
    steps=[Step(0, ["best"]), Step(15, ["zone"]), Step(30, ["supervisors"]), Step(45, ["all"])], ceiling_s=120
)
SECURITY = Policy(steps=[Step(0, ["security", "supervisors"]), Step(10, ["all"])], repeat_s=10)


class Policies(Struct, frozen=True, forbid_unknown_fields=True):
    help: Policy = HELP
    security: Policy = SECURITY


class BrokerAt(Struct, frozen=True, forbid_unknown_fields=True):
    host: Annotated[str, Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883


class Web(Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    # How many browsers may hold an event stream open; one more is told to ask again.
    streams: Annotated[int, Meta(ge=1, le=2000)] = 64
    # false only where browsers come over plain HTTP from another machine: a trial on a network of your own.
    secure_cookies: bool = True
    shift_hours: Annotated[float, Meta(gt=0, le=24)] = 10
    # Who may show these pages in a frame: 'none', or 'self' for the demo page.
    frames: Literal["none", "self"] = "none"


class EdgeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`database` is a file beside edge.toml or an SQLAlchemy URL; `identity` the folder made by provision."""

    store: Name
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    identity: str = "identity"
    database: str = "floorbell.db"
    broker: BrokerAt = field(default_factory=BrokerAt)
    web: Web = field(default_factory=Web)
    policy: Policies = field(default_factory=Policies)
    # Filled in by load_config: where relative paths begin.
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
    if config.directory != ".":
        raise SettingsError(f"{path}: directory is not a setting; paths begin where this file is.")
    config = msgspec.structs.replace(config, directory=str(path.resolve().parent))
    for name, policy in (("help", config.policy.help), ("security", config.policy.security)):
        _check(policy, f"{path}: policy.{name}")
    if config.policy.security.ceiling_s is not None:
        raise SettingsError(
            f"{path}: policy.security.ceiling_s is set; a security request is paged until a person answers."
        )
    return config


def _check(policy: Policy, where: str) -> None:
    afters = [step.after_s for step in policy.steps]
    if not afters or afters[0] != 0 or afters != sorted(set(afters)):
        raise SettingsError(f"{where}.steps: after_s is {afters}; it must begin with 0 and rise.")
    if not all(step.who for step in policy.steps):
        raise SettingsError(f"{where}.steps: who is empty in one step; name who is paged.")
    if policy.ceiling_s is None and policy.repeat_s is None:
        raise SettingsError(f"{where}: without ceiling_s, repeat_s must say how often to page again.")
    if policy.ceiling_s is not None and policy.ceiling_s <= afters[-1]:
        raise SettingsError(f"{where}.ceiling_s is {policy.ceiling_s}; it must be later than the last step.")
