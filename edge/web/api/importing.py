"""A CSV file of people: first what it would do, then all of it or nothing."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.handling import importing as taking_in
from edge.people.details import Details
from edge.people.importing import COLUMNS, MAX_BYTES, Plan
from edge.people.passwords import fresh_pin
from edge.web import bearer
from edge.web.services import services

Csv = Annotated[
    str, Meta(max_length=MAX_BYTES, description=f"A first line {','.join(COLUMNS)}, then one person a line.")
]


class File(Struct, frozen=True, forbid_unknown_fields=True):
    csv: Csv


class ConfirmedFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`confirmed` is that of the plan which was looked at."""

    csv: Csv
    confirmed: Annotated[str, Meta(max_length=64)]


class PlannedLine(Struct):
    """What would be done with one line."""

    line: int
    verdict: Literal["add", "change", "leave"]
    name: str
    role: str
    zones: list[str]
    languages: list[str]
    badge: str | None


class FaultInFile(Struct):
    """`line` 1 is the header, 0 the file; `column` '' is the line as a whole."""

    line: int
    column: str
    value: str
    sentence: str


class PlanOfFile(Struct):
    """Nothing of it can be carried out while there are faults."""

    lines: list[PlannedLine]
    faults: list[FaultInFile]
    confirmed: str


class NewPin(Struct):
    name: str
    pin: str


class Imported(Struct):
    """Who is new, with their PINs, which are shown this once; and how many were changed."""

    added: list[NewPin]
    changed: int


def people_plan(body: File) -> PlanOfFile:
    """What the file would do. Nothing is written."""
    return _plan(_planned(body.csv.encode()))


def people_import(body: ConfirmedFile) -> Imported:
    """Carry out a plan. 409 if the file has faults or would do something else by now."""
    room, actor, data = services(), bearer.actor_here(), body.csv.encode()
    planned = _planned(data)
    new = planned.of("add") if taking_in.version(planned) == body.confirmed and not planned.faults else []
    with room.verifier.place():
        pins = [fresh_pin() for _ in new]
    hashes = [pin.hashed for pin in pins]
    done = room.change(
        lambda conn: taking_in.carry_out(conn, room.store, actor, data, body.confirmed, hashes, room.clock())
    )
    added = [NewPin(name, pin.shown) for name, pin in zip(done, pins, strict=True)]
    return Imported(added, len(planned.of("change")))


def _planned(data: bytes) -> Plan:
    room = services()
    with room.read() as conn:
        return taking_in.plan(conn, room.store, bearer.actor_here(), data)


def _plan(planned: Plan) -> PlanOfFile:
    def line(number: int, verdict: Literal["add", "change", "leave"], who: Details) -> PlannedLine:
        zones, languages = list(who.zones), list(who.languages)
        return PlannedLine(number, verdict, who.name, who.role, zones, languages, who.badge)

    return PlanOfFile(
        [line(one.line, one.verdict, one.after) for one in planned.lines],
        [FaultInFile(one.line, one.column, one.value, one.sentence) for one in planned.faults],
        taking_in.version(planned),
    )
