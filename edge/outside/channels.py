"""[outside] in edge.toml: the channels that reach people outside the store, and what each takes. Pure.

What is secret of a channel, its addresses and keys, stands in a file of its own, never here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from broker.events import Name
from edge.incidents.classes import CLASSES

SECURITY, OPENED, CLOSED, REOPENED, MISSED, TEST = (
    "security.raised",
    "incident.opened",
    "incident.closed",
    "incident.reopened",
    "help.missed",
    "test",
)
ALL = "all"
MAX_CHANNELS = 20
KINDS = {"apprise": "Apprise", "webhook": "Signed webhook"}
Words = Annotated[str, Meta(min_length=1, max_length=200)]


class Channel(Struct, frozen=True, forbid_unknown_fields=True):
    """[[outside.channel]]. `file`, beside edge.toml and readable by its owner alone, holds what is secret.

    `opened` and `closed` are classes of incidents, or "all"; who is told of a close is told of a reopening.
    `silent`: of silent requests too. `names`: whose deed it was. `give_up_after_s`: counted from what
    happened; `within_s`: for one try.
    """

    name: Name
    kind: Literal["apprise", "webhook"]
    file: Words
    security: bool = True
    silent: bool = True
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    missed: bool = False
    drills: bool = False
    names: bool = False
    give_up_after_s: Annotated[float, Meta(ge=10, le=7 * 86_400)] = 6 * 3600
    within_s: Annotated[float, Meta(ge=1, le=60)] = 10
    # Whether the receiver may stand in a private network.
    allow_private: bool = False
    # Of a webhook: the CA that its certificate is under.
    certificate: Words | None = None


class Outside(Struct, frozen=True, forbid_unknown_fields=True):
    """`base_url`: where people outside reach the desk; without it messages have no link."""

    base_url: Annotated[str, Meta(max_length=300)] = ""
    channel: Annotated[tuple[Channel, ...], Meta(max_length=MAX_CHANNELS)] = ()

    def named(self, name: str) -> Channel | None:
        return next((one for one in self.channel if one.name == name), None)

    def fault(self) -> str | None:
        """What is wrong, and what is allowed."""
        if self.base_url and not _is_address(self.base_url):
            return f"outside.base_url is {self.base_url!r}; allowed is an address as in https://shop.example."
        names = [one.name for one in self.channel]
        for number, one in enumerate(self.channel):
            if one.name in names[:number]:
                return f"outside.channel has the name {one.name!r} twice; each name is given once."
            if wrong := _fault(one):
                return wrong
        return None


@dataclass(frozen=True, slots=True)
class Happening:
    """What a channel's settings are held against. `classed_as` is an incident's class."""

    what: str
    drill: bool = False
    silent: bool = False
    classed_as: str = ""
    channel: str | None = None


def takes(channel: Channel, happening: Happening) -> bool:
    """Whether this channel is told."""
    if happening.what == TEST:
        return happening.channel == channel.name
    if (happening.drill and not channel.drills) or (happening.silent and not channel.silent):
        return False
    match happening.what:
        case "security.raised":
            return channel.security
        case "incident.opened":
            return _holds(channel.opened, happening.classed_as)
        case "incident.closed" | "incident.reopened":
            return _holds(channel.closed, happening.classed_as)
        case _:
            return channel.missed and happening.what == MISSED


def said(channel: Channel) -> str:
    """What a channel takes, as a sentence."""
    found = ["security requests"] if channel.security else []
    if channel.opened:
        found.append(f"incidents opened ({_listed(channel.opened)})")
    if channel.closed:
        found.append(f"incidents closed or opened again ({_listed(channel.closed)})")
    if channel.missed:
        found.append("missed help requests")
    words = ", ".join(found) or "nothing but tests"
    more = [
        "silent ones too" if channel.silent else "no silent ones",
        "drills too" if channel.drills else "no drills",
        "with names" if channel.names else "no names",
    ]
    return f"{words[0].upper()}{words[1:]}; {', '.join(more)}."


def _listed(classes: Sequence[str]) -> str:
    return "all" if ALL in classes else ", ".join(CLASSES.get(one, one).lower() for one in classes)


def _holds(classes: Sequence[str], classed_as: str) -> bool:
    return ALL in classes or classed_as in classes


def _fault(channel: Channel) -> str | None:
    for key in ("opened", "closed"):
        for one in getattr(channel, key):
            if one != ALL and one not in CLASSES:
                return (
                    f"outside.channel {channel.name}: {key} says {one[:40]!r}; "
                    f"allowed are {', '.join(CLASSES)} and all."
                )
    if channel.kind != "webhook" and channel.certificate:
        return f"outside.channel {channel.name}: certificate is a setting of a webhook."
    return None


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return well and text.isascii() and text.isprintable() and not set(" ?#\\") & set(text)
