"""Members of staff who accept and close requests, so that the next press raises a new one."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPException

import sqlalchemy as sa

from edge.db.engine import connect
from edge.errors import EdgeError
from edge.handling import acting
from edge.interactions.request import OUTCOMES
from edge.people import store as people
from tests.rig.phone import Listening, Phone, Told
from tests.rig.store import STORE, Rig

_TROUBLE = (sa.exc.DBAPIError, EdgeError)


class Desk:
    """Acts through edge.handling directly, as a second process with the database open. Needs no web.

    Security is left to those whom it calls (tests.faults.alarms).
    """

    def __init__(self, rig: Rig, seed: str) -> None:
        self._rig = rig
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._engine = connect(rig.config.database_url, write=True)
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self.closed = 0

    def start(self) -> None:
        self.make_present()
        self._thread.start()

    def make_present(self) -> None:
        """Everyone is available, as if signed in."""
        with self._engine.begin() as conn:
            for someone in self._rig.people.values():
                people.set_presence(conn, STORE, someone.id, "available", _now())

    def close_all(self) -> None:
        """Accept and close every request that is open."""
        someone = next(iter(self._rig.people.values()))
        query = sa.text("SELECT id FROM interaction WHERE state = 'raised'")
        with self._engine.begin() as conn:
            for (request,) in conn.execute(query).all():
                acting.acknowledge(conn, STORE, request, someone.id, _now())
                acting.resolve(conn, STORE, request, someone.id, "helped", "", _now())

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(40)
        assert not self._thread.is_alive(), "The desk hangs."
        self._engine.dispose()

    def _run(self) -> None:
        while not self._stop.wait(self._chance.uniform(0.2, 1.2)):
            try:
                self._turn()
            except _TROUBLE:
                self._stop.wait(0.5)  # the worker was stopped with the database locked, or is not there

    def _turn(self) -> None:
        with self._engine.connect() as conn:
            with conn.begin():
                rows = conn.execute(
                    sa.text("SELECT id, state, owner FROM interaction WHERE state IN "
                            "('raised', 'acknowledged', 'attended') AND kind <> 'security' ORDER BY id")
                ).all()  # fmt: skip
            for request, state, owner in rows:
                if self._chance.random() < 0.4:
                    continue
                who = owner or self._chance.choice([p.id for p in self._rig.people.values()])
                try:
                    with conn.begin():
                        if state == "raised":
                            acting.acknowledge(conn, STORE, request, who, _now())
                        elif state == "acknowledged" and self._chance.random() < 0.5:
                            acting.attend(conn, STORE, request, who, _now())
                        else:
                            acting.resolve(conn, STORE, request, who, "helped", "", _now())
                            self.closed += 1
                except EdgeError:
                    pass  # the shopper was faster


class Associate:
    """A person with a phone: signs in over HTTP, listens to the event stream, accepts and closes.

    `told` counts each page that the stream brought. It comes back with its last cursor after any break.
    """

    def __init__(self, rig: Rig, name: str, seed: str) -> None:
        self._rig, self._who = rig, rig.people[name]
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._phone = Phone(rig.config.web.port)
        self._cursor = ""
        self._seen: Counter[str] = Counter()
        self._requests: list[str] = []
        self._listening: Listening | None = None
        self._thread = threading.Thread(target=self._run, name=f"phone-{name}", daemon=True)
        self.first_cursor = 0
        self.closed = self.breaks = self.reloads = 0

    def start(self) -> bool:
        """Sign in; False while the web does not answer yet."""
        try:
            self._phone.sign_in(self._who.id, str(self._who.pin))
        except (OSError, HTTPException):
            self._phone.close()
            return False
        (row,) = self._rig.read("SELECT coalesce(max(cursor), 0) FROM feed")
        self.first_cursor = int(row[0])
        self._cursor = str(self.first_cursor)
        self._thread.start()
        return True

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), f"The phone of {self._who.name} hangs."
        if self._listening is not None:
            self._listening.close()

    def missed(self) -> list[str]:
        """Sentences about pages that the phone never got, or got twice."""
        rows = self._rig.read(
            "SELECT body FROM feed WHERE what = 'page' AND audience = :who AND cursor > :after",
            who=f"person:{self._who.id}",
            after=self.first_cursor,
        )
        pages = {json.loads(str(body))["page"] for (body,) in rows}
        wrong = [f"{self._who.name}'s phone never got page {page}." for page in pages - self._seen.keys()]
        wrong += [f"{self._who.name}'s phone got page {p} {n} times." for p, n in self._seen.items() if n > 1]
        return wrong

    def caught_up(self) -> bool:
        return not any("never got" in sentence for sentence in self.missed())

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
                self._turn()
            except (OSError, HTTPException):
                # No answer, or half of one: the web was killed or stopped.
                self._phone.close()
            self._stop.wait(self._chance.uniform(0.1, 0.6))

    def _listen(self) -> None:
        if self._listening is not None and not self._listening.ended.is_set():
            return
        if self._listening is not None:
            self.breaks += 1
        self._listening = self._phone.listen(self._told, after=self._cursor)
        self._listening.ready.wait(20)

    def _told(self, told: Told) -> None:
        if told.event == "reload":
            self.reloads += 1
        if told.id:
            self._cursor = told.id
        if told.event == "page":
            page = json.loads(told.data)
            self._seen[page["page"]] += 1
            self._requests.append(page["request"])

    def _turn(self) -> None:
        """Do one thing about one request; what is not over comes again."""
        if not self._requests:
            return
        request = self._requests[0]
        if self._serve(request):
            self._requests.pop(0)
        else:
            self._requests.append(self._requests.pop(0))

    def _serve(self, request: str) -> bool:
        """Whether there is nothing left to do about it."""
        status, _ = self._phone.post(f"/floor/requests/{request}/acknowledge")
        if status >= 400:
            return status < 500
        self._stop.wait(self._chance.uniform(0.1, 1.0))
        steps: list[Callable[[], tuple[int, str]]] = []
        if self._chance.random() < 0.5:
            steps.append(lambda: self._phone.post(f"/floor/requests/{request}/attend"))
        outcome = self._chance.choice(list(OUTCOMES))
        steps.append(lambda: self._phone.post(f"/floor/requests/{request}/resolve", outcome=outcome))
        for step in steps:
            status, _ = step()
            if status >= 500:
                return False
        self.closed += 1
        return True


def _now() -> datetime:
    return datetime.now(UTC)
