"""A store in the middle of its day: something of everything that the API can show."""

from datetime import timedelta
from hashlib import sha256

import sqlalchemy as sa

from broker.events import new_id
from edge.access_requests import store as access_store
from edge.audit.store import Actor
from edge.db import store_tables, tables
from edge.db.outside_tables import outside_delivery
from edge.devices.store import register
from edge.handling import access_requests, exporting, incidents, keeping, writing
from edge.handling.writing import Said
from edge.incidents.rules import Kind
from edge.incidents.store import New
from edge.outside import store as outside
from edge.outside import wording
from edge.outside.channels import SECURITY
from edge.outside.rules import Outcome
from edge.outside.wording import Facts
from edge.people import sessions
from tests.rig import footage
from tests.unit.edge.web.conftest import STORE, Shop

COVERED = "Something covers the camera."
OUTBOX, BOOT = "0192f0e1-0000-7000-8000-000000000001", "0192f0e1-0000-7000-8000-000000000002"


def fill(shop: Shop) -> dict[str, list[str]]:
    """Put it in; what of each there is, by the name that bodies and paths have for it."""
    requests = [
        shop.raise_request("Ana", "Marc"),
        shop.raise_request("Ana", language="sr", topic="till", zone="tills", count=3),
        own(shop, shop.raise_request("Ana", "Marc"), "Ana"),
        own(shop, shop.raise_request("Marc"), "Marc", "attended"),
        shop.raise_request("Igor", "Sofia", kind="security"),
        own(shop, shop.raise_request("Igor", kind="security", note="umbrella"), "Igor"),
        over(shop, shop.raise_request("Ana"), "resolved"),
        over(shop, shop.raise_request("Marc"), "missed"),
    ]
    shop.write_scores([(-4000, 1), (-300, 4), (-299, 4), (-298, 4), (-20, 2)])
    devices = [standing(shop, name, zone) for name, zone in (("kiosk-1", "shoes"), ("till-1", "tills"))]
    for name in ("Ana", "Marc", "Sofia"):
        shop.write(
            lambda conn, name=name: sessions.start(conn, shop.people[name], "floor", shop.clock.now, 8)
        )
    clips = [
        shop.seal(requests[4], b"silent"),
        shop.seal(requests[0], b"loud"),
        told_of(shop, requests[1]),
    ]
    held = [hold(shop, clips[0], "Mira"), hold(shop, clips[1], None)]
    ready, asked = exported(shop, clips[0]), exported(shop, clips[1], made=False)
    cases = [case(shop, "Mira"), case(shop, "Sofia", closed=True), case(shop, "Igor", requests[4])]
    people = [one.id for one in shop.people.values()]
    return {
        "interactions": requests,
        "people": people,
        "devices": devices,
        "evidence": clips,
        "holds": held,
        "exports": [ready, asked],
        "clips": clips,
        "incidents": cases,
        "access-requests": [asked_for(shop), asked_for(shop, answered=True)],
        "outside": [told_outside(shop), told_outside(shop, silent=True), "guards"],
        "zones": ["shoes", "tills"],
        "person": people,
        "to": people,
        "of": people,
        "about": requests,
        "cover": people,
        "zone": ["shoes", "tills"],
    }


def own(shop: Shop, request: str, name: str, state: str = "acknowledged") -> str:
    now, i = shop.clock.now, tables.interaction
    attended_at = now if state == "attended" else None
    values = {
        "state": state,
        "owner": shop.people[name].id,
        "acknowledged_at": now,
        "attended_at": attended_at,
    }
    shop.write(lambda conn: conn.execute(i.update().where(i.c.id == request).values(**values)))
    return request


def over(shop: Shop, request: str, state: str) -> str:
    i, values = tables.interaction, {"state": state, "closed_at": shop.clock.now + timedelta(minutes=2)}
    shop.write(lambda conn: conn.execute(i.update().where(i.c.id == request).values(**values)))
    return request


def standing(shop: Shop, name: str, zone: str) -> str:
    """A device that was heard, of whose events two never came and one was refused."""
    now, d = shop.clock.now, store_tables.device
    beat = {"boot": BOOT, "monotonic_ms": 5, "outbox": OUTBOX, "depth": 2, "oldest_open_seq": 9}
    beat |= {
        "stuck": ["security"],
        "faults": [COVERED, "Clips wait on this kiosk. The store cannot be reached."],
    }
    shop.write(lambda conn: register(conn, STORE, name, zone, None, now))
    heard = {"status": "online", "status_at": now, "version": "0.1.0", "heartbeat": beat, "heartbeat_at": now}
    shop.write(lambda conn: conn.execute(d.update().where(d.c.name == name).values(**heard)))
    gap = {"outbox": OUTBOX, "first_seq": 4, "last_seq": 5, "found_at": now}
    shop.write(lambda conn: conn.execute(tables.gap.insert().values(store=STORE, device=name, **gap)))
    aside(shop, name, "help", b"\xffnonsense")
    event = {"id": str(new_id(int(now.timestamp() * 1000))), "kind": "help", "outbox": OUTBOX, "seq": 3}
    event |= {"received_at": now, "drill": False, "payload": b"{}"}
    shop.write(lambda conn: conn.execute(tables.event.insert().values(store=STORE, device=name, **event)))
    return name


def case(shop: Shop, name: str, about: str | None = None, *, closed: bool = False) -> str:
    """An incident that this person has opened, of this request if one is named, and written into."""
    now, who = shop.clock.now, shop.people[name].id
    new = New(str(new_id(int(now.timestamp() * 1000))), "complaint", "shoes", now, who)

    def write(conn: sa.Connection) -> str:
        made = incidents.open_by_hand(conn, STORE, who, new, now, "desk", about)
        said = Said(Kind.STATEMENT, "She was rude to me.", "A shopper")
        writing.write(conn, STORE, made, who, said, now, "desk")
        if closed:
            incidents.close(conn, STORE, made, who, "settled", "", None, now, "desk")
        return made

    return str(shop.write(write))


def asked_for(shop: Shop, *, answered: bool = False) -> str:
    """An access request of the last hour."""
    now, mira = shop.clock.now, Actor("Mira", "desk", shop.people["Mira"].id)
    new = access_store.New(
        str(new_id(int(now.timestamp() * 1000))), "desk", now.date(), "a@example.org", "Passport", "",
        "shoes", now - timedelta(hours=1), now,
    )  # fmt: skip

    def write(conn: sa.Connection) -> str:
        made = access_requests.open_(conn, STORE, new, mira, now)
        if answered:
            access_requests.answer(conn, STORE, made, "nothing", "", "", mira, None, now)
        return made

    return str(shop.write(write))


def told_outside(shop: Shop, *, silent: bool = False) -> str:
    """A security request that people outside were told of, in vain as yet."""
    now = shop.clock.now
    facts = wording.encode(Facts(STORE, "Trial", now, "shoes", "Shoes", reference="K7", silent=silent))

    def write(conn: sa.Connection) -> str:
        outside.see(conn, STORE, {"guards": None}, now)
        outside.mark(conn, STORE, SECURITY, "r", now)
        happened = outside.unspread(conn, STORE)[-1]
        new = outside.New("guards", 1, SECURITY, facts, silent, now + timedelta(hours=1))
        outside.spread(conn, STORE, happened, [new], now)
        rooms, leases = {"guards": outside.Room(8, 8)}, {"guards": timedelta(seconds=9)}
        begun, _ = outside.claim(conn, STORE, "me", rooms, leases, now)
        for one in begun:
            outside.end(conn, one, "me", outside.Ended(Outcome.FAILED, "The receiver was away."), now)
        d = outside_delivery.c
        return str(conn.execute(sa.select(d.id).where(d.happening == happened.id)).scalar())

    return str(shop.write(write))


def told_of(shop: Shop, cause: str) -> str:
    """A clip that has not come yet."""
    shot, now = shop.shot(cause, b"still there"), shop.clock.now
    return str(shop.write(lambda conn: footage.announce(conn, shot, now)[0]))


def hold(shop: Shop, clip: str, asked_by: str | None) -> str:
    """A hold on this clip, whose release somebody may have asked for."""
    mira, now = Actor("Mira", "desk", shop.people["Mira"].id), shop.clock.now
    made = shop.write(lambda conn: keeping.place_hold(conn, STORE, clip, mira, "Police", now, silent=True))
    if asked_by is not None:
        shop.write(lambda conn: keeping.ask_release(conn, STORE, str(made), mira, "Over", now, silent=True))
    return str(made)


def exported(shop: Shop, clip: str, *, made: bool = True) -> str:
    """An export of this clip, which the vault may have made."""
    mira, now = Actor("Mira", "desk", shop.people["Mira"].id), shop.clock.now
    asked = shop.write(lambda conn: exporting.ask(conn, STORE, [clip], mira, "Police", now, silent=True))
    if made:
        footage.make_bundles(shop.services)
    return str(asked)


def aside(shop: Shop, device: str, kind: str, payload: bytes) -> None:
    """A message of this device that was refused and kept."""
    now = shop.clock.now
    shop.write(
        lambda conn: conn.execute(
            tables.quarantine.insert().values(
                store=STORE, device=device, topic=f"floorbell/v1/{STORE}/{device}/event/{kind}",
                reason="It is no JSON.", sha256=sha256(payload).hexdigest(), payload=payload,
                count=2, first_at=now, last_at=now,
            )
        )
    )  # fmt: skip
