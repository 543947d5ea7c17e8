"""The desk changes a policy while the worker runs and requests wait."""

from itertools import pairwise

import pytest
import sqlalchemy as sa

from broker.events import HelpRequested, SecurityRequested
from broker.messages import Call
from edge.audit.store import Actor
from edge.db.store_tables import setting
from edge.db.tables import page
from edge.errors import NotFound
from edge.handling import basis, policing
from edge.policies import HELP, Policies, Policy, Step
from edge.routing import inforce
from tests.unit.edge.conftest import STORE
from tests.unit.edge.worker.rig import Worker

BOSS = Actor("command line", "command")
ALL_AT_ONCE = Policy([Step(0, ["best"]), Step(5, ["all"])], ceiling_s=60)


def change(worker: Worker, kind: str, policy: Policy | None) -> None:
    with worker.conn.begin():
        if policy is None:
            policing.back_to_file(worker.conn, STORE, BOSS, Policies(), kind, worker.clock())
        else:
            policing.set_policy(worker.conn, STORE, BOSS, Policies(), kind, policy, worker.clock())


def paged(worker: Worker) -> list[str]:
    """Whom there is a page for, once for each page."""
    names = sa.select(page.c.person).order_by(page.c.created_at)
    with worker.conn.begin():
        return list(worker.conn.execute(names).scalars())


def live(worker: Worker, seconds: int) -> None:
    for _ in range(seconds):
        worker.clock.forward(1)
        worker.kiosk.uptime_s += 1
        worker.take()


def test_the_next_press_follows_a_changed_policy_without_a_restart(worker: Worker) -> None:
    worker.take()
    change(worker, "help", ALL_AT_ONCE)
    worker.take(worker.kiosk.event(HelpRequested("till", "en")))
    assert len(paged(worker)) == 2
    live(worker, 5)
    assert len(paged(worker)) == 6


def test_a_waiting_request_goes_on_with_the_new_steps_and_pages_nobody_twice(worker: Worker) -> None:
    worker.take(worker.kiosk.event(HelpRequested("till", "en")))
    live(worker, 8)
    assert len(paged(worker)) == 2
    change(worker, "help", ALL_AT_ONCE)
    worker.take()
    everyone = paged(worker)
    assert len(everyone) == len(set(everyone)) == 6
    live(worker, 60)
    assert paged(worker) == everyone and worker.server.requests()[0]["state"] == "missed"


def test_what_was_changed_while_no_worker_ran_holds_for_what_waits_once_one_begins(worker: Worker) -> None:
    change(worker, "security", Policy([Step(0, ["security"])], repeat_s=300))
    worker.take(worker.kiosk.event(SecurityRequested("hold")))
    assert len(paged(worker)) == 1
    change(worker, "security", None)
    next_one = Worker(worker.conn, worker.clock)
    live(next_one, 9)
    assert len(paged(worker)) == 1
    live(next_one, 1)
    assert len(set(paged(worker))) == 6


def test_a_worker_that_begins_puts_nothing_off_and_calls_nobody_before_their_time(worker: Worker) -> None:
    worker.take(worker.kiosk.event(HelpRequested("till", "en")))
    live(worker, 14)
    next_one = Worker(worker.conn, worker.clock)
    next_one.take()
    assert len(paged(worker)) == 2
    change(worker, "help", ALL_AT_ONCE)
    Worker(worker.conn, worker.clock).take()
    assert len(paged(worker)) == 6


def test_a_policy_that_got_shorter_keeps_the_shopper_told_until_its_ceiling(worker: Worker) -> None:
    worker.take(worker.kiosk.event(HelpRequested("till", "en")))
    live(worker, 50)
    change(worker, "help", Policy([Step(0, ["zone"])], ceiling_s=300))
    told = []
    for second in range(260):
        said = len(worker.session.on("call", Call))
        live(worker, 1)
        if len(worker.session.on("call", Call)) > said:
            told.append(second)
    assert max(later - sooner for sooner, later in pairwise([0, *told])) <= 15
    assert worker.server.requests()[0]["state"] == "missed" and len(paged(worker)) == len(set(paged(worker)))


def test_a_ceiling_that_is_already_past_ends_in_missed_and_not_in_silence(worker: Worker) -> None:
    worker.take(worker.kiosk.event(HelpRequested("till", "en")))
    live(worker, 40)
    change(worker, "help", Policy([Step(0, ["best"])], ceiling_s=20))
    worker.take()
    assert worker.server.requests()[0]["state"] == "missed"


def test_editing_the_security_policy_again_and_again_does_not_put_off_the_next_round(worker: Worker) -> None:
    worker.take(worker.kiosk.event(SecurityRequested("hold")))
    first = len(paged(worker))
    for number in range(12):
        steps = [Step(0, ["security", "supervisors"]), Step(10 + number % 2, ["all"])]
        change(worker, "security", Policy(steps, repeat_s=10))
        live(worker, 1)
    assert len(paged(worker)) > first


def test_back_to_edge_toml(worker: Worker) -> None:
    worker.take()
    change(worker, "help", ALL_AT_ONCE)
    worker.take()
    change(worker, "help", None)
    worker.take(worker.kiosk.event(HelpRequested("till", "en")))
    live(worker, 10)
    assert len(paged(worker)) == 2


def test_what_nobody_could_have_set_is_not_used(conn: sa.Connection, worker: Worker) -> None:
    bad = {"steps": [{"after_s": 0, "who": ["security"]}], "ceiling_s": 30}
    with conn.begin():
        conn.execute(
            sa.insert(setting).values(
                store=STORE, name="policy.security", value=bad, changed_at=worker.clock()
            )
        )
        assert inforce.read(conn, STORE, Policies()) == Policies()


@pytest.mark.parametrize(
    ("kind", "policy", "said"),
    [
        ("security", Policy([Step(0, ["all"])], ceiling_s=60, repeat_s=10), "without an end"),
        ("help", Policy([Step(5, ["all"])], ceiling_s=60), r"after_s is \[5\]; it must begin with 0"),
        ("help", Policy([Step(0, [])], ceiling_s=60), "name who is paged"),
        ("help", Policy([Step(0, ["all"])], ceiling_s=7200), "allowed are 10 to 3600"),
        ("help", Policy([Step(0, ["all"])]), "repeat_s must say"),
        ("help", Policy([], ceiling_s=60), "must begin with 0"),
    ],
)
def test_a_faulty_policy_is_refused_and_nothing_changes(
    conn: sa.Connection, worker: Worker, kind: str, policy: Policy, said: str
) -> None:
    with conn.begin():
        with pytest.raises(policing.PolicyError, match=said):
            policing.set_policy(conn, STORE, BOSS, Policies(), kind, policy, worker.clock())
        assert inforce.overridden(conn, STORE) == {}


def test_a_policy_that_somebody_changed_meanwhile_is_not_overwritten(
    conn: sa.Connection, worker: Worker
) -> None:
    version = basis.of(policing.values(HELP))
    change(worker, "help", ALL_AT_ONCE)
    with conn.begin():
        with pytest.raises(basis.Stale, match="command line changed it meanwhile"):
            policing.set_policy(conn, STORE, BOSS, Policies(), "help", HELP, worker.clock(), version)
        with pytest.raises(NotFound):
            policing.set_policy(conn, STORE, BOSS, Policies(), "lunch", HELP, worker.clock())
