"""What a kiosk that ends leaves for the one that is started after it, as when a release is tried: how its
buttons stood. A press in between is then nobody's loss: what is pressed now and was not is pressed since."""

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

log = logging.getLogger(__name__)
# Longer than any start takes; after that nobody who pressed still stands there.
GOOD_S = 60.0
MAX_BYTES = 64 * 1024


class Left(Struct, frozen=True):
    """At `at_s` of the monotonic clock of this `boot`: each button's level as far as it was dealt with, and
    the edges (button, pressed, seconds) that came after that."""

    boot: UUID
    at_s: float
    levels: dict[str, bool]
    edges: list[tuple[str, bool, float]] = []

    def edges_until(self, pressed: Mapping[str, bool], now_s: float) -> list[tuple[str, bool, float]]:
        """What happened until now, in its order, where the buttons stand like this."""
        known = [edge for edge in self.edges if edge[0] in pressed and edge[0] in self.levels]
        stood = self.levels | {name: level for name, level, _ in known}
        now = [(n, level, now_s) for n, level in pressed.items() if n in stood and stood[n] != level]
        return sorted(known, key=lambda edge: edge[2]) + now


_decoder = msgspec.json.Decoder(Left)


def note(path: Path, left: Left | None) -> None:
    """Not synced: after a power cut it is another boot."""
    if left is None:
        return
    try:
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(msgspec.json.encode(left))
        beside.replace(path)
    except OSError as error:
        log.warning("A press while the kiosk starts anew may be lost: %s.", error)


def take(path: Path, boot: UUID, now_s: float) -> Left | None:
    """What is there and still counts, once."""
    try:
        with path.open("rb") as file:
            left = _decoder.decode(file.read(MAX_BYTES))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        left = None
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    return left if left is not None and left.boot == boot and 0 <= now_s - left.at_s <= GOOD_S else None
