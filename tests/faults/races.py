"""Several people answer one request at the same moment, each by a way of their own, while it escalates.

Two phones at one web process, a phone and another program at a second one, and, through the broker and the
worker, a hardware pager and a badge at the kiosk. Every invocation and its answer is recorded;
tests/rig/race.py judges them.
"""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from broker import codec, topics
from broker.events import Attended, Content, HelpRequested, SecurityRequested, new_id
from broker.mosquitto import free_port
from broker.session import Session
from deploy.provision import ACTOR, add_person
from edge.db.engine import connect
from edge.handling import acting, commanding, granting
from edge.people import store as people
from edge.tokens import store as tokens
from tests.faults.outcome import Outcome
from tests.faults.pager import Pager
from tests.rig.phone import Phone
from tests.rig.race import TOLD, UNHEARD, UNKNOWN, WON, Answer, Line, Race, faults, wins
from tests.rig.store import STORE, Rig, listens, wait_for

NAME = "races"
RACES, SHORT = 10_000, 240
KIOSKS = tuple(f"kiosk-{n}" for n in range(1, 17))
# Steps and repetitions fall into the races.
POLICIES = """
[policy.help]
steps = [{after_s = 0, who = ["best"]}, {after_s = 1, who = ["zone"]}, {after_s = 2, who = ["all"]}]
ceiling_s = 600
repeat_s = 2
[policy.security]
steps = [{after_s = 0, who = ["security", "supervisors"]}, {after_s = 1, who = ["all"]}]
repeat_s = 2
"""
# So that no way is always the first.
SPREAD_S = 0.012
BADGE = "badge-rosa"
PAGER = "pager-1"
ASSOCIATES = frozenset({"Ana", "Marc"})
GUARD = "Pau"
_ALREADY = re.compile(r"(\w+) is already (?:coming|there)")
_NOT_CALLED = "was not called about this request."
Act = Callable[[str, str], tuple[str, str | None]]


@dataclass
class Racer:
    """`act` answers the request (of this kiosk) and says what it came to, and who was named."""

    name: str
    way: str
    act: Act


@dataclass
class Run:
    """A request under way: of which kiosk, whether silent, and who answered it how."""

    request: str
    kiosk: str
    silent: bool
    answers: list[Answer] = field(default_factory=list)


class Course:
    """The store's real programs, and those who race in it."""

    def __init__(self, rig: Rig, seed: str) -> None:
        self._rig, self._chance = rig, random.Random(seed)
        self._engine = connect(rig.config.database_url, write=True)
        self._sessions: dict[str, Session] = {}
        self._phones: list[Phone] = []
        self._badges: list[str] = []
        self._pager = Pager(rig, PAGER)
        self.racers: list[Racer] = []

    def open(self) -> None:
        """Everything runs, and everybody is on the floor."""
        rig, now = self._rig, datetime.now(UTC)
        rosa = add_person(rig.config, "Rosa", "associate", now, zones=("shoes",), badge=BADGE)
        guard = add_person(rig.config, GUARD, "security", now, zones=("shoes",))
        secret = tokens.fresh()
        with self._engine.begin() as conn:
            scopes = ("act:requests", "security")
            granting.grant(conn, STORE, ACTOR, "Racer", scopes, tokens.key_of(secret), now)
            commanding.hand_out(conn, STORE, ACTOR, PAGER, True, guard.id, now)
            for id_ in (rosa.id, guard.id, rig.people["Marc"].id):
                people.set_presence(conn, STORE, id_, "available", now)
        rig.start_broker()
        rig.start("worker")
        second = _second_web(rig)
        for port in (rig.config.web.port, second):
            wait_for(lambda port=port: listens(port), "The start of the pages", 60)  # type: ignore[misc]
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        for name, port in (("Ana", rig.config.web.port), ("Igor", rig.config.web.port), ("Sofia", second)):
            phone = Phone(port)
            phone.sign_in(rig.people[name].id, str(rig.people[name].pin))
            self._phones.append(phone)
            self.racers.append(Racer(name, f"phone of {name}", _by_phone(phone)))
        self.racers.append(Racer("Marc", "api", _by_program(second, secret, rig.people["Marc"].id)))
        self.racers.append(Racer("Rosa", "badge", self._by_badge))
        self.racers.append(Racer(GUARD, "pager", self._by_pager))
        for name in KIOSKS:
            session = self._sessions[name] = rig.session(name, lambda delivery: None)
            session.start()
        self._sessions[PAGER] = self._pager.session
        self._pager.session.start()
        wait_for(lambda: all(s.connected for s in self._sessions.values()), "The kiosks' connections")

    def close(self) -> None:
        for session in self._sessions.values():
            session.stop()
        for phone in self._phones:
            phone.close()
        self._engine.dispose()

    def press(self, kiosks: Sequence[str]) -> list[Run]:
        """One request from each of them, help or security, aloud or silent."""
        runs = []
        for kiosk in kiosks:
            kind, silent = self._chance.choice((("help", False), ("security", False), ("security", True)))
            content = SecurityRequested("hold", silent) if kind == "security" else HelpRequested("till", "en")
            runs.append(Run(self._send(kiosk, kind, content), kiosk, silent))
        wait_for(
            lambda: self._count("interaction", [r.request for r in runs]) == len(runs), "The presses", 60
        )
        return runs

    def race(self, pool: ThreadPoolExecutor, run: Run) -> None:
        start = threading.Barrier(len(self.racers))
        delays = [self._chance.uniform(0, SPREAD_S) for _ in self.racers]

        def go(racer: Racer, delay_s: float) -> Answer:
            start.wait(30)
            time.sleep(delay_s)
            began_s = time.monotonic()
            came_to, holder = racer.act(run.request, run.kiosk)
            return Answer(racer.name, racer.way, began_s, time.monotonic(), came_to, holder)

        run.answers = list(pool.map(go, self.racers, delays))

    def settle(self) -> None:
        """Until the worker has taken all badges."""
        wait_for(lambda: self._count("event", self._badges) == len(self._badges), "The badges", 60)
        self._badges = []

    def histories(self, runs: Sequence[Run]) -> list[Race]:
        """What is written down of them; they are closed afterwards."""
        with self._engine.begin() as conn:
            found = [_history(conn, run) for run in runs]
            for run, race in zip(runs, found, strict=True):
                owner = next((s.id for s in people.all_people(conn, STORE) if s.name == race.owner), None)
                if owner is not None:
                    acting.resolve(conn, STORE, run.request, owner, "helped", "", datetime.now(UTC))
        return found

    def _by_badge(self, request: str, kiosk: str) -> tuple[str, str | None]:
        self._badges.append(self._send(kiosk, "attend", Attended(UUID(request), BADGE)))
        return UNHEARD, None

    def _by_pager(self, request: str, kiosk: str) -> tuple[str, str | None]:
        reason = self._pager.coming(request)
        if reason is None:
            return WON, None
        if reason.endswith(_NOT_CALLED):
            return UNKNOWN, None
        said = _ALREADY.search(reason)
        return (TOLD, said[1]) if said else (f"told: {reason}", None)

    def _send(self, kiosk: str, kind: str, content: Content) -> str:
        id_ = new_id(time.time_ns() // 1_000_000)
        payload = codec.encode_event(id_, content, kind)
        assert self._sessions[kiosk].publish(topics.event(STORE, kiosk, kind), payload) is not None
        return str(id_)

    def _count(self, table: str, ids: Sequence[str]) -> int:
        query = sa.text(f"SELECT count(*) FROM {table} WHERE id IN :ids")
        with self._engine.connect() as conn:
            found = conn.execute(query.bindparams(sa.bindparam("ids", expanding=True)), {"ids": list(ids)})
            return int(found.scalar_one())


def run(directory: Path, seed: int, races: int) -> Outcome:
    outcome = Outcome(NAME)
    rig = Rig.make(directory, (*KIOSKS, PAGER))
    rig.configure(lambda text: text + POLICIES)
    course = Course(rig, f"{seed}-races")
    judged: list[Race] = []
    try:
        course.open()
        began_s = time.monotonic()
        with ThreadPoolExecutor(len(course.racers)) as pool:
            before: list[Run] = []
            for batch in _batches(races):
                runs = course.press(batch)
                for one in runs:
                    course.race(pool, one)
                course.settle()
                # Those before have had the time of these: what escalated would have done so again.
                judged += course.histories(before)
                before = runs
            time.sleep(3)
            judged += course.histories(before)
        took_s = time.monotonic() - began_s
        for name in ("worker", "web", "web-2"):
            outcome.check(rig.processes[name].poll() is None, f"{name} ended.")
    finally:
        course.close()
        rig.stop()
    for race in judged:
        outcome.wrong += faults(race)
    won = wins(judged)
    told = sum(answer.came_to == TOLD for race in judged for answer in race.answers)
    unknown = sum(answer.came_to == UNKNOWN for race in judged for answer in race.answers)
    outcome.add({"races": len(judged), "a second": round(len(judged) / took_s), "told who": told})
    outcome.add({"not called yet": unknown, "won by": ", ".join(f"{w} {n}" for w, n in sorted(won.items()))})
    outcome.check(len(judged) == races, f"{len(judged)} of {races} races were run.")
    for racer in course.racers:
        outcome.check(won.get(racer.way), f"The {racer.way} never won: it was not in the race.")
    return outcome


def _batches(races: int) -> Iterator[Sequence[str]]:
    """Half of the kiosks, then the other half."""
    half, turn = len(KIOSKS) // 2, 0
    while races > 0:
        kiosks = KIOSKS[:half] if turn % 2 == 0 else KIOSKS[half:]
        yield kiosks[:races]
        races, turn = races - half, turn + 1


def _by_phone(phone: Phone) -> Act:
    def act(request: str, kiosk: str) -> tuple[str, str | None]:
        status, text = phone.post(f"/floor/requests/{request}/acknowledge")
        said = _ALREADY.search(text)
        return _came_to(status, said[1] if said else None)

    return act


def _by_program(port: int, secret: str, person: str) -> Act:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def act(request: str, kiosk: str) -> tuple[str, str | None]:
        with _connection(port) as connection:
            path, body = f"/api/v1/interactions/{request}/acknowledge", json.dumps({"person": person})
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return _came_to(response.status, json.loads(response.read()).get("holder"))

    return act


def _came_to(status: int, holder: str | None) -> tuple[str, str | None]:
    match status:
        case 200 | 303:
            return WON, None
        case 404:
            return UNKNOWN, None
        case 409:
            return TOLD, holder
    return f"answered with {status}", None


@contextmanager
def _connection(port: int) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        yield connection


def _second_web(rig: Rig) -> int:
    """Start two web processes on one database; the second's port."""
    port = free_port()
    path = rig.directory / "edge.toml"
    other = rig.directory / "edge-2.toml"
    other.write_text(path.read_text().replace(f"port = {rig.config.web.port}", f"port = {port}"))
    rig.start("web")
    rig.start("web-2", "-m", "edge", "web", "--config", str(other))
    return port


def _history(conn: sa.Connection, run: Run) -> Race:
    about = {"request": run.request}
    lines = conn.execute(
        sa.text(
            "SELECT t.what, p.name, t.words FROM timeline t LEFT JOIN person p ON p.id = t.person"
            " WHERE t.interaction = :request ORDER BY t.id"
        ),
        about,
    )
    owner = conn.execute(
        sa.text("SELECT p.name FROM interaction i JOIN person p ON p.id = i.owner WHERE i.id = :request"),
        about,
    ).scalar()
    told = conn.execute(
        sa.text("SELECT cursor, what FROM feed WHERE subject = :request ORDER BY cursor"), about
    ).all()
    waits = conn.execute(sa.text("SELECT kind FROM timer WHERE request = :request"), about).scalars().all()
    return Race(
        run.request,
        run.answers,
        [Line(*line) for line in lines],
        owner,
        [cursor for cursor, what in told if what == "page"],
        min((cursor for cursor, what in told if what == "page_over"), default=None),
        waits,
        ASSOCIATES if run.silent else frozenset({GUARD}),
    )
