"""An event as the interaction that it becomes: where and when it was pressed, and its row in the log."""

from dataclasses import dataclass
from datetime import datetime

from broker.events import Event, reference_of
from edge.ingest.age import Age, Reference, age_of
from edge.interactions.request import Request, State

UNKNOWN_ZONE = "unknown"


@dataclass(frozen=True, slots=True)
class Origin:
    """What the server knows about a device: its zone, its clock as last heard, since when it is revoked."""

    zone: str
    reference: Reference | None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pressed:
    """How old an event is, and when it happened by the server's clock: now, where the age is unknown."""

    age: Age
    at: datetime


class Records:
    """Makes rows and requests of one transaction's events. Writes nothing."""

    def __init__(self, store: str, origins: dict[str, Origin], now: datetime) -> None:
        self._store, self._origins, self._now = store, origins, now

    def pressed(self, event: Event) -> Pressed:
        origin = self._origins.get(event.device)
        age = age_of(event.clock, origin.reference if origin else None, self._now)
        return Pressed(age, self._now - age.at_least if age.known else self._now)

    def zone(self, device: str) -> str:
        origin = self._origins.get(device)
        return origin.zone if origin else UNKNOWN_ZONE

    def request(
        self,
        event: Event,
        pressed: Pressed,
        state: State,
        *,
        topic: str | None,
        language: str | None,
        count: int,
        silent: bool = False,
        kind: str | None = None,
    ) -> Request:
        """The request that an event raises, before anything was done about it."""
        return Request(
            id=str(event.id),
            store=self._store,
            device=event.device,
            zone=self.zone(event.device),
            kind=kind or event.kind,
            topic=topic,
            language=language,
            state=state,
            count=count,
            revision=0,
            step=0,
            round=0,
            silent=silent,
            drill=event.drill,
            raised_at=pressed.at,
            age_known=pressed.age.known,
        )

    def row(self, event: Event, pressed: Pressed, **values: object) -> dict[str, object]:
        """The interaction's row, as if it were one that needs no person; `values` say what is different.

        Every row has the same columns, so that many can be inserted at once.
        """
        row: dict[str, object] = {
            "id": str(event.id),
            "store": self._store,
            "device": event.device,
            "zone": self.zone(event.device),
            "kind": event.kind,
            "topic": None,
            "language": None,
            "state": "recorded",
            "reference": reference_of(event.id),
            "count": 1,
            "revision": 0,
            "step": 0,
            "round": 0,
            "silent": False,
            "drill": event.drill,
            "raised_at": pressed.at,
            "received_at": self._now,
            "age_known": pressed.age.known,
            "closed_at": None,
            "score": None,
            "reason": None,
            "about": None,
        }
        return row | values
