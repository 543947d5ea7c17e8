"""Whoever rewrites the server's custody log must rewrite every kiosk too: with every program real."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from edge.db.engine import connect
from edge.db.evidence_tables import custody as entries
from edge.db.evidence_tables import custody_log, custody_node, tree_head
from edge.evidence import custody
from kiosk import witnessing
from tests.rig.kiosk import configure, start
from tests.rig.store import STORE, Rig, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig.make(tmp_path)
    configure(rig, "kiosk-1")
    rig.start_broker()
    for program in ("worker", "vault"):
        rig.start(program)
    wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
    start(rig, "kiosk-1")
    yield rig
    rig.stop()


def write(rig: Rig, actor: str, reason: str, *, forget: bool = False) -> None:
    """An entry of custody; with `forget` everything before it was never there, under the same log's name."""
    engine = connect(rig.config.database_url, write=True)
    with engine.begin() as conn:
        if forget:
            for table in (entries, custody_node, tree_head):
                conn.execute(sa.delete(table))
            conn.execute(sa.update(custody_log).values(size=0))
        for _ in range(2):
            custody.append(conn, STORE, "viewed", "clip", "", actor, reason, dt.datetime.now(dt.UTC))
    engine.dispose()


def test_a_kiosk_holds_the_logs_head_and_raises_the_alarm_when_the_log_is_rewritten(rig: Rig) -> None:
    held_at = rig.directory / "kiosks" / "kiosk-1" / "outbox"
    write(rig, "Mira", "Police.")
    ((size, root),) = wait_for(
        lambda: rig.read("SELECT size, root FROM witness WHERE size > 0"), "The kiosk's word", 60
    )
    held = witnessing.read(held_at)
    assert held is not None and (held.size, held.root) == (size, root) == (2, held.root)
    assert rig.read("SELECT reason FROM interaction WHERE kind = 'tamper'") == []

    write(rig, "Mira", "Again.")
    wait_for(lambda: rig.read("SELECT size FROM witness") == [(4,)], "The kiosk's word on a longer log", 60)
    assert rig.read("SELECT reason FROM interaction WHERE kind = 'tamper'") == []

    for _ in range(3):
        write(rig, "Nobody", "Nothing.", forget=_ == 0)
    ((refused,),) = wait_for(
        lambda: rig.read("SELECT refused FROM witness WHERE refused IS NOT NULL"), "The refusal", 60
    )
    assert refused == "This head does not continue the one that is held here."
    wait_for(
        lambda: rig.read("SELECT reason FROM interaction WHERE kind = 'tamper'") == [("custody-log",)],
        "The alarm",
        30,
    )
    kept = witnessing.read(held_at)
    assert kept is not None and kept.size == 4
