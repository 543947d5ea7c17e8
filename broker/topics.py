"""The topic table of the contract: floorbell/v1/{store}/{device}/…, lower case, singular."""

import re
from dataclasses import dataclass
from enum import StrEnum

from broker.errors import ContractError

ROOT = "floorbell/v1"
NAME_RULE = "1 to 32 of a-z, 0-9 and '-', beginning with a letter or digit"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}")
# Names that stand where a device's name would stand; 'phone' in the log, for what staff call for themselves.
# 'phone' is the place of what staff call for from their own.
RESERVED = frozenset({"edge", "feed", "pager", "phone"})


class Channel(StrEnum):
    """The last part of a device's topic, before an event's kind."""

    EVENT = "event"
    STATE = "state"
    HEARTBEAT = "heartbeat"
    RECEIPT = "receipt"
    CALL = "call"
    COMMAND = "command"
    WITNESS = "witness"


_CHANNELS = frozenset(channel.value for channel in Channel)


@dataclass(frozen=True)
class Address:
    """A device's topic, taken apart. `kind` is set for events only."""

    store: str
    device: str
    channel: Channel
    kind: str | None = None


def is_name(name: str) -> bool:
    """Whether a store, zone or device may be called so."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str, what: str) -> str:
    """The name of a store, zone or device unchanged, or a ContractError that says what is allowed."""
    if not is_name(name):
        raise ContractError(f"{what} is {name!r}; allowed is {NAME_RULE}.")
    return name


def check_device_name(name: str) -> str:
    """As check_name; also refuses the names that the server uses for itself."""
    check_name(name, "The device's name")
    if name in RESERVED or name.startswith("edge-"):
        taken = ", ".join(f"'{one}'" for one in sorted(RESERVED))
        raise ContractError(f"The device's name is {name!r}; {taken} and 'edge-…' are taken.")
    return name


def of_device(store: str, device: str, channel: Channel) -> str:
    """The topic of one channel of one device (or the filter, with '+' for a name)."""
    return f"{ROOT}/{store}/{device}/{channel}"


def event(store: str, device: str, kind: str) -> str:
    """The topic that a device publishes its events of one kind to."""
    return f"{ROOT}/{store}/{device}/event/{kind}"


def edge_state(store: str) -> str:
    """Retained: whether the store server is there."""
    return f"{ROOT}/{store}/edge/state"


def edge_heartbeat(store: str) -> str:
    """Every 2 s, from the loop that commits."""
    return f"{ROOT}/{store}/edge/heartbeat"


def feed(store: str) -> str:
    """Wakes web processes: a bare cursor, no content."""
    return f"{ROOT}/{store}/feed"


def pager_page(store: str, pager: str) -> str:
    """Where a hardware pager receives its pages."""
    return f"{ROOT}/{store}/pager/{pager}/page"


def parse(topic: str) -> Address:
    """The address of a device's topic. ContractError for any other topic."""
    parts = topic.split("/")
    if len(parts) in (5, 6) and parts[0] == "floorbell" and parts[1] == "v1":
        store, device, channel = parts[2], parts[3], parts[4]
        if _NAME.fullmatch(store) and _NAME.fullmatch(device) and device not in RESERVED:
            if channel == Channel.EVENT and len(parts) == 6 and _KIND.fullmatch(parts[5]):
                return Address(store, device, Channel.EVENT, parts[5])
            if len(parts) == 5 and channel != Channel.EVENT and channel in _CHANNELS:
                return Address(store, device, Channel(channel))
    raise ContractError(f"The topic {topic[:120]!r} is not a device's topic of {ROOT}.")
