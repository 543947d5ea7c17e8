"""What goes over the socket between panel and camera, one JSON object a line.

Neither tells the other what to do next: each says how everything stands, again at every change and at every
connection, so that nothing is lost with a process and nothing is done twice.
"""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from broker.messages import ShortText, Upload
from kiosk.camera.clips import Announcement
from kiosk.camera.losses import Loss
from kiosk.camera.seen import Tamper
from kiosk.camera.window import Kind


class Happened(Struct, frozen=True):
    """Something that footage is wanted of. `at_ms` is of the monotonic clock, which both processes share."""

    cause: UUID
    kind: Kind
    at_ms: int


class Orders(Struct, frozen=True):
    """The panel's word: all that happened and is still within reach, the tickets that came, and the clips'
    events that are in the outbox."""

    happened: Annotated[list[Happened], Meta(max_length=256)] = []
    uploads: Annotated[list[Upload], Meta(max_length=64)] = []
    stored: Annotated[list[UUID], Meta(max_length=256)] = []


class CameraReport(Struct, frozen=True):
    """The camera's word. `watching`: pictures come in and are kept in memory; the lamp says so. `finished`
    are the clips, and `lost` what there are no pictures of, whose events the panel has not said to be stored.
    `moving`, `stands_since_ms` (monotonic) and `tamper` are of the pictures, see kiosk.camera.seen."""

    state: Annotated[str, Meta(max_length=32)]
    watching: bool
    faults: Annotated[list[ShortText], Meta(max_length=8)] = []
    finished: Annotated[list[Announcement], Meta(max_length=16)] = []
    moving: bool = False
    stands_since_ms: int | None = None
    tamper: Tamper = "unknown"
    lost: Annotated[list[Loss], Meta(max_length=16)] = []
