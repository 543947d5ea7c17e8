"""A store as it looks after some days of work, with something open in every corner, and its web program."""

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from broker.events import new_id, reference_of
from broker.mosquitto import free_port
from broker.witness import HeadRefused
from deploy.demo import shop, stage
from deploy.demo.history import story, write
from deploy.provision import add_person, writing
from edge.access_requests import shown
from edge.access_requests import store as access_store
from edge.access_requests.store import New as NewAccess
from edge.audit.store import Actor
from edge.config import EdgeConfig, Policies
from edge.db import feedback_tables, store_tables, tables
from edge.devices.store import register
from edge.evidence import captures, clips, exports, heads, holds
from edge.evidence.masks import Key, Masks, Mode, Track
from edge.handling import (
    access_requests,
    covering,
    exporting,
    incidents,
    keeping,
    losing,
    raising,
    safety,
)
from edge.handling import writing as entries
from edge.handling.writing import Said
from edge.incidents.rules import Kind
from edge.incidents.store import New
from edge.paging import pagers
from edge.paging import store as paging
from edge.people import store as people
from edge.web.shopper import sign_of
from tests.rig import drilled, film, footage, rolled_out, told_outside, troubled
from tests.rig.footage import Shot
from tests.rig.store import ROOT, listens, wait_for

DAYS = 3
# As long as a name may be: what it does to a line must be seen.
LONG_NAME = "Maximiliana Konstantina Papadopoulou-Szczepańska-Featherstonehaugh-Hohenzollern"
COMPLAINT = "Ten minutes at the till, and then the wrong size."
LONG_WORDS = "Nobody came, and the third one sent me to the other side of the house.\n" * 6


def empty(directory: Path) -> EdgeConfig:
    """The demo's store before its first day."""
    made = stage.prepare(directory, free_port(), dt.datetime.now(dt.UTC))
    made.close()
    return made.config


def furnish(config: EdgeConfig) -> dict[str, str]:
    """Some days of work, and something open or broken for each page.

    What addresses name, by kind, and everybody's id by name.
    """
    now = dt.datetime.now(dt.UTC)
    told_outside.configure(config)
    ids = stage.person_ids(config)
    long_named = add_person(config, LONG_NAME, "associate", now, zones=("tills",), languages=("en",))
    write.fill(config, DAYS, story.SEED, now)
    with writing(config) as conn:
        waiting = request(conn, now - dt.timedelta(seconds=70), "fitting-rooms", "fitting-room", count=3)
        paging.insert(conn, shop.STORE, waiting, [(ids["Marta"], "works in Fitting rooms, free")], 0, now)
        alarm = request(conn, now - dt.timedelta(seconds=20), "entrance", "hold", kind="security")
        paging.insert(
            conn, shop.STORE, alarm, [(ids["Omar"], "security"), (ids["Nadia"], "supervisor")], 0, now
        )
        mine = request(
            conn, now - dt.timedelta(minutes=4), "tills", "till", state="acknowledged", owner=ids["Marta"],
            acknowledged_at=now - dt.timedelta(minutes=3),
        )  # fmt: skip
        for name in ("Nadia", "Luka"):
            people.set_presence(conn, shop.STORE, ids[name], "available", now - dt.timedelta(minutes=30))
        _eyes(conn, ids, now)
        called = _call(conn, ids, now)
        missed = request(
            conn, now - dt.timedelta(minutes=6), "entrance", "find-item", state="missed",
            closed_at=now - dt.timedelta(minutes=4),
        )  # fmt: skip
        noon = now.astimezone().replace(hour=12, minute=0) - dt.timedelta(days=1)
        yesterday = request(
            conn, noon, "tills", None, kind="feedback", state="recorded", score=1, reason=COMPLAINT
        )
        told = request(
            conn, now - dt.timedelta(minutes=9), "tills", None, kind="feedback", state="recorded", score=1,
            reason=LONG_WORDS,
        )  # fmt: skip
        _devices(conn, now)
        _pagers(conn, (waiting, ids["Marta"]), long_named.id, now)
        number = _set_aside(conn, now)
        i = tables.interaction.c
        newest = sa.select(i.id).where(i.store == shop.STORE).order_by(i.raised_at.desc()).limit(1)
        done_ones = newest.where(i.kind == "help", i.state == "resolved")
        done = conn.execute(done_ones.where(~_rated(i.id))).scalar_one()
        rated = conn.execute(newest.where(i.kind == "feedback", i.about.is_not(None))).scalar_one()
        recorded = _clips(conn, config.vault_path, ids[shop.MANAGER.name], alarm, waiting, mine, now)
        cases = _incidents(conn, ids, alarm, now)
        asked_for = _access_requests(conn, ids[shop.MANAGER.name], recorded["sealed"], now)
        outside = told_outside.tell(conn, shop.STORE, now)
        troubled.trouble(conn, ids, now)
        rolled_out.roll_out(conn, shop.STORE, "kiosk-tills", "kiosk-entrance", now)
        drills = drilled.drill(conn, shop.STORE, ids[shop.MANAGER.name], shop.MANAGER.name, now)
        return (
            ids
            | recorded
            | cases
            | asked_for
            | outside
            | drills
            | {
                "person": ids["Luka"],
                "long_named": long_named.id,
                "waiting": waiting,
                "alarm": alarm,
                "mine": mine,
                "called": called,
                "told": told,
                "yesterday": yesterday,
                "done": done,
                "rated": rated,
                "missed": missed,
                "greeted": conn.execute(newest.where(i.kind == "greet")).scalar_one(),
                "number": str(number),
                "open_sign": sign_of(waiting),
                "done_sign": sign_of(done),
            }
        )


@contextmanager
def served(config: EdgeConfig) -> Iterator[str]:
    """The web program of this store, alone: no press comes in, so nothing moves while it is looked at."""
    with _program(config, "web", config.web.port):
        yield f"http://127.0.0.1:{config.web.port}"


@contextmanager
def vault(config: EdgeConfig) -> Iterator[None]:
    """The vault program of this store."""
    with _program(config, "vault", config.vault.port):
        yield


@contextmanager
def _program(config: EdgeConfig, name: str, port: int) -> Iterator[None]:
    directory = Path(config.directory)
    with open(directory / f"{name}.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "edge", name, "--config", str(directory / "edge.toml")],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: listens(port), f"The start of the {name} program")
        yield
    finally:
        process.terminate()
        process.wait(15)


def request(
    conn: sa.Connection, at: dt.datetime, zone: str, topic: str | None, *, kind: str = "help", **more: Any
) -> str:
    id_ = new_id(int(at.timestamp() * 1000))
    values = {
        "id": str(id_), "store": shop.STORE, "device": f"kiosk-{zone}", "zone": zone, "language": "ca",
        "kind": kind, "topic": topic, "state": "raised", "reference": reference_of(id_), "count": 1,
        "revision": 1, "step": 0, "round": 0, "silent": False, "drill": False, "raised_at": at,
        "received_at": at, "age_known": True,
    }  # fmt: skip
    conn.execute(sa.insert(tables.interaction).values(values | more))
    return str(id_)


def _eyes(conn: sa.Connection, ids: dict[str, str], now: dt.datetime) -> None:
    """A drawer that stays open beside whoever works there, and movement that only the others look at."""
    at, works_there = now - dt.timedelta(seconds=100), (ids["Marta"], "works in Fitting rooms, free")
    others = [(ids["Nadia"], "supervisor, free"), (ids["Omar"], "security, free")]
    for kind, topic, zone, called in (
        ("drawer", "open", "fitting-rooms", [works_there, *others]),
        ("watch", "movement", "tills", others),
    ):
        asked = request(conn, at, zone, topic, kind=kind, language=None)
        paging.insert(conn, shop.STORE, asked, called, 0, now)


def _call(conn: sa.Connection, ids: dict[str, str], now: dt.datetime) -> str:
    """Luka has called security from a phone; Nadia has asked whether he is safe."""
    at = now - dt.timedelta(seconds=50)
    made = raising.Call(new_id(int(at.timestamp() * 1000)))
    called = raising.call(conn, shop.STORE, Policies(), ids["Luka"], made, at)
    safety.ask(conn, shop.STORE, called, ids["Nadia"], now - dt.timedelta(seconds=30))
    return called


def _rated(interaction: sa.ColumnElement[str]) -> sa.Exists:
    return sa.exists().where(feedback_tables.feedback.c.about == interaction)


def _clips(
    conn: sa.Connection,
    vault: Path,
    manager: str,
    alarm: str,
    waiting: str,
    mine: str,
    now: dt.datetime,
) -> dict[str, str]:
    """One of each state; the sealed one is held, and a kiosk refuses the custody log's head. Two cameras have
    given nothing for the alarm, and somebody has looked at a clip of the visitor's own request."""
    at, device = now - dt.timedelta(minutes=2), "kiosk-entrance"
    mira = Actor(shop.MANAGER.name, "desk", manager)
    shots = [Shot(shop.STORE, device, "entrance", alarm, at, film.fragmented(seconds)) for seconds in (12, 3)]
    sealed, purged = (footage.seal(conn, vault, shot, now) for shot in shots)
    keeping.view(conn, shop.STORE, sealed, mira, LONG_WORDS[:400], now, silent=True)
    hold = keeping.place_hold(conn, shop.STORE, sealed, mira, "Police case 12", now, silent=True)
    keeping.ask_release(conn, shop.STORE, hold, mira, "The case is closed", now, silent=True)
    clips.set_purged(conn, shop.STORE, purged, holds.is_held(shop.STORE), now)
    told, other = (
        footage.announce(conn, Shot(shop.STORE, device, "tills", waiting, at, b"%d" % n), now)[0]
        for n in (1, 2)
    )
    clips.set_mismatched(conn, shop.STORE, other, "The video is not the one that the manifest names.")
    shot = Shot(shop.STORE, device, "entrance", alarm, at, b"gone")
    gone = footage.announce(conn, shot, now)[0]
    clips.set_lost(conn, shop.STORE, gone, clips.GONE, losing.CLIP_LOST["full"], now)
    captures.add(conn, shop.STORE, alarm, alarm, ["kiosk-tills", "kiosk-fitting-rooms"], at, now)
    captures.answer(conn, shop.STORE, "kiosk-tills", [alarm], captures.LOST, "late", now)
    own = footage.seal(conn, vault, Shot(shop.STORE, device, "tills", mine, at, b"own"), now)
    keeping.view(conn, shop.STORE, own, mira, LONG_WORDS[:400], now, silent=True)
    exported, asked = (
        exporting.ask(conn, shop.STORE, [sealed], mira, "For the police", now, silent=True) for _ in range(2)
    )
    exports.set_ready(conn, shop.STORE, exported, 170_000, (9, "5e" * 32), ["ab" * 32, "cd" * 32], now)
    heads.sign_newest(conn, shop.STORE, footage.CAMERA, now)
    heads.refuse(conn, shop.STORE, device, HeadRefused(UUID(int=1), 4, "0" * 64, "It does not follow."), now)
    return {
        "sealed": sealed,
        "purged": purged,
        "told_of": told,
        "mismatched": other,
        "gone": gone,
        "exported": exported,
        "asked": asked,
    }


def _incidents(conn: sa.Connection, ids: dict[str, str], alarm: str, now: dt.datetime) -> dict[str, str]:
    """One of the alarm that says much, one that is closed, and a complaint that asks for an account."""
    made = {name: str(new_id(int(now.timestamp() * 1000))) for name in ("case", "case_closed", "complaint")}
    nadia, omar, luka, store = ids["Nadia"], ids["Omar"], ids["Luka"], shop.STORE
    made["case"] = incidents.of_request(conn, store, alarm, now)

    def write(case: str, who: str, kind: Kind, words: str, **more: Any) -> None:
        entries.write(conn, store, made[case], who, Said(kind, words, **more), now, "desk")

    write("case", omar, Kind.STATEMENT, LONG_WORDS, said_by="A shopper in a grey coat")
    write("case", omar, Kind.STATEMENT, "He had a red cap.")
    write("case", omar, Kind.STATEMENT, "The cap was blue.", corrects=2)
    write("case", nadia, Kind.PERSON, "About 30, a grey coat, limped", role="shopper")
    write("case", nadia, Kind.LOSS, "Two jackets", amount_cents=24_900)
    write("case", nadia, Kind.ACTION, "The door was locked for ten minutes")
    entries.identify(conn, store, made["case"], nadia, 4, "J. Doe", "The police ask for it.", now, "desk")
    incidents.tick(conn, store, made["case"], omar, "police-called", True, now, "phone")
    for name, who in (("case_closed", nadia), ("complaint", luka)):
        new = New(made[name], "complaint" if name == "complaint" else "theft", "tills", now, who)
        incidents.open_by_hand(conn, store, who, new, now, "phone")
        write(name, who, Kind.STATEMENT, "Nothing is known of it yet.")
    made["exported_case"] = exporting.ask_incident(
        conn, store, "Riverside", made["case"], Actor(shop.MANAGER.name, "desk", ids[shop.MANAGER.name]),
        LONG_WORDS[:400], now, now - dt.timedelta(hours=24), lambda _: True, silent=True, currency="EUR",
    )  # fmt: skip
    incidents.close(conn, store, made["case_closed"], nadia, "police", "File 12", None, now, "desk")
    for who in (ids[shop.VISITOR.name], luka):
        incidents.ask_account(conn, store, made["complaint"], nadia, who, now, "desk")
    return made


def _access_requests(conn: sa.Connection, manager: str, clip: str, now: dt.datetime) -> dict[str, str]:
    """One that waits and is overdue, with a clip that is marked and a copy of it that is being made; one that
    was answered with footage whose file is ready; and one that is closed and asks for its holds' release."""
    mira, store, made = Actor(shop.MANAGER.name, "desk", manager), shop.STORE, {}
    around, today = dt.timedelta(minutes=10), now.astimezone().date()
    boxes = Masks(Mode.OTHERS, (Track((Key(0, 100, 100, 300, 500), Key(5000, 500, 200, 300, 500))),))
    for name, days in (("access", 40), ("access_answered", 26), ("access_closed", 3)):
        new = NewAccess(
            str(new_id(int(now.timestamp() * 1000))), "letter", today - dt.timedelta(days=days),
            "asker@example.org", "Showed a passport at the desk", LONG_WORDS[:300], "entrance", now - around,
            now,
        )  # fmt: skip
        made[name] = one = access_requests.open_(conn, store, new, mira, now)
        if name == "access_closed":
            access_requests.answer(conn, store, one, "nothing", "", "", mira, None, now)
            access_requests.close(conn, store, one, mira, None, now)
            access_requests.ask_release(conn, store, one, mira, "It is answered", now, silent=True)
            continue
        covering.mark(conn, store, one, clip, True, mira, now, silent=True)
        covering.save(conn, store, one, clip, boxes, 0, mira, now, silent=True)
        if name == "access_answered":
            copy = shown.of_request(conn, one)[clip]
            covering.made(conn, store, copy, None, whole=True, now=now)
            covering.watched(conn, store, one, clip, 1, mira, now, silent=True)
            access_requests.answer(conn, store, one, "footage", "", LONG_WORDS, mira, None, now)
            row = access_store.one(conn, store, one)
            access_store.set_packed(conn, one, 170_000, None, row.revision)
    return made


def _devices(conn: sa.Connection, now: dt.datetime) -> None:
    """One kiosk is well, one is in trouble; the third was never heard."""
    d, boot = store_tables.device, str(new_id(int(now.timestamp() * 1000)))
    beat = {
        "boot": boot, "monotonic_ms": 90_000, "uptime_s": 90, "depth": 0, "oldest_open_seq": None,
        "clock_synced": True, "temperature_c": 51.5, "free_disk_bytes": 21_000_000_000,
    }  # fmt: skip
    for name, status, more in (
        ("kiosk-tills", "online", {}),
        ("kiosk-entrance", "offline", {"depth": 12, "stuck": ["help"], "faults": ["disk nearly full"]}),
    ):
        conn.execute(
            sa.update(d)
            .where(d.c.store == shop.STORE, d.c.name == name)
            .values(status=status, status_at=now, version="0.1.0", heartbeat=beat | more, heartbeat_at=now)
        )
    for first, closed in ((41, None), (7, now)):
        conn.execute(
            sa.insert(tables.gap).values(
                store=shop.STORE, device="kiosk-entrance", outbox=boot, first_seq=first, last_seq=first + 2,
                found_at=now, closed_at=closed,
            )
        )  # fmt: skip


def _pagers(conn: sa.Connection, called: tuple[str, str], long_named: str, now: dt.datetime) -> None:
    """One that was called beside its holder's phone, one whose holder has a long name, one of nobody."""
    request_, holder = called
    for name, person in (("pager-1", holder), ("pager-2", long_named), ("pager-3", None)):
        register(conn, shop.STORE, name, "fitting-rooms", None, now)
        mine = sa.update(store_tables.device).where(store_tables.device.c.name == name)
        conn.execute(mine.values(pager=True, holder=person))
    page = conn.execute(sa.select(tables.page.c.id).where(tables.page.c.request == request_)).scalar_one()
    (tried,) = pagers.add(conn, shop.STORE, [("pager-1", page, request_, holder)], now)
    pagers.mark_sent(conn, [tried.id], now)


def _set_aside(conn: sa.Connection, now: dt.datetime) -> int:
    topic = f"floorbell/v1/{shop.STORE}/kiosk-entrance/event/help"
    done = conn.execute(
        sa.insert(tables.quarantine).values(
            store=shop.STORE, device="kiosk-entrance", topic=topic, reason="The kind 'hlep' is not known.",
            sha256="5e" * 32, payload=b'{"kind": "hlep", "words": "' + b"\xff\x00long" * 90 + b'"}', count=3,
            first_at=now, last_at=now,
        )
    )  # fmt: skip
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])
