"""What the vault's door refused a device, as the audit says it."""

from collections.abc import Mapping

from edge.audit.refusals import Refused
from edge.audit.store import Actor
from edge.handling.behalf import SILENT
from edge.serving.head import turned_away

VAULT = Actor("the vault", "policy")
_BRINGS = "to bring a clip"
# Where a ticket is asked for.
TICKETED = frozenset({"put_manifest", "head", "patch", "release"})
# Endpoint -> what a device wants there.
_WANTED = {
    "put_manifest": _BRINGS,
    "head": _BRINGS,
    "patch": _BRINGS,
    "release": "a release of its program",
    "look": "to be told about its certificate",
    "renew": "its next certificate",
}


def of_identity(endpoint: str, device: str, sentence: str, address: str) -> Refused:
    """Its certificate does not count here, or not for what it asked; `sentence` says why."""
    wanted = _WANTED[endpoint]
    words = f"{device} wanted {wanted}, from {address}, and was refused: {sentence}"
    return Refused("denied.identity", device, words, wanted)


def of_ticket(endpoint: str, device: str, address: str) -> Refused:
    """Its certificate counts, and it has no ticket for what it asked. That there is a clip may be word of a
    silent call."""
    wanted = _WANTED[endpoint]
    what = f"{SILENT}.denied" if wanted == _BRINGS else "denied.ticket"
    words = f"{device} wanted {wanted}, from {address}, and was refused: it had no ticket for that."
    return Refused(what, device, words, wanted)


def at_the_door(refused: Mapping[str, int]) -> Refused:
    """What was turned away within a minute, before anybody heard who it was."""
    return Refused("denied.door", VAULT.name, turned_away(refused), "door")
