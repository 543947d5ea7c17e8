"""What Prometheus is told, by whom it may be asked, and that no silent request shows in it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from edge.db import columns
from edge.handling import acting
from edge.reports import tallies
from edge.supervision import backups
from edge.supervision.backups import Run
from edge.web import metrics
from tests.unit.edge.web.conftest import STORE, Shop

from .busy import fill, own, standing
from .conftest import Let, Program


def scrape(program: Program) -> TestResponse:
    return program.client.get("/metrics", headers={"Authorization": f"Bearer {program.secret}"})


def samples(program: Program) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The store's own measurements; those of the process are its own affair."""
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(scrape(program).text)
        for one in family.samples
        if one.name.startswith("floorbell_")
    }


def value(program: Program, name: str, **labels: str) -> float | None:
    return samples(program).get((f"floorbell_{name}", frozenset(labels.items())))


@pytest.fixture
def plain(let: Let) -> Program:
    return let("read:metrics")


@pytest.fixture
def trusted(let: Let) -> Program:
    return let("read:metrics", "security")


def test_a_token_with_the_scope_is_needed(shop: Shop, let: Let) -> None:
    stranger = shop.app.test_client().get("/metrics")
    assert stranger.status_code == 401 and stranger.mimetype == "application/problem+json"
    other = scrape(let("read:log", "security"))
    assert other.status_code == 403 and "read:metrics" in other.json["detail"]


def test_it_is_the_text_format_with_a_sentence_for_each_and_the_process(plain: Program) -> None:
    answer = scrape(plain)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    assert {"process_resident_memory_bytes", "process_cpu_seconds"} <= {family.name for family in families}


def test_who_waits_and_for_how_long(shop: Shop, plain: Program) -> None:
    assert value(plain, "oldest_unanswered_seconds", kind="help") == 0
    shop.raise_request("Ana")
    own(shop, shop.raise_request("Ana"), "Ana")
    shop.clock.pass_(seconds=40)
    shop.raise_request("Marc")
    assert value(plain, "requests_open", kind="help", state="raised") == 2
    assert value(plain, "requests_open", kind="help", state="acknowledged") == 1
    assert value(plain, "oldest_unanswered_seconds", kind="help") == 40


def test_the_age_of_the_newest_whole_backup(shop: Shop, plain: Program) -> None:
    assert value(plain, "backup_age_seconds") is None
    begun = shop.clock.now
    shop.write(lambda conn: backups.record(conn, STORE, Run("one", begun, begun, "/mnt/backup")))
    shop.clock.pass_(seconds=90)
    later = shop.clock.now
    shop.write(lambda conn: backups.record(conn, STORE, Run("two", later, later, "/mnt/backup", "Full.")))
    assert value(plain, "backup_age_seconds") == 90


def test_answers_are_a_histogram_from_the_press(shop: Shop, plain: Program) -> None:
    request = shop.raise_request("Ana")
    shop.clock.pass_(seconds=12)
    ana = shop.people["Ana"].id
    shop.write(lambda conn: acting.acknowledge(conn, STORE, request, ana, shop.clock.now))
    assert value(plain, "answer_seconds_bucket", kind="help", le="10.0") == 0
    assert value(plain, "answer_seconds_bucket", kind="help", le="15.0") == 1
    assert value(plain, "answer_seconds_bucket", kind="help", le="+Inf") == 1
    assert value(plain, "answer_seconds_sum", kind="help") == 12


def test_devices_with_the_age_of_their_heartbeats(shop: Shop, plain: Program) -> None:
    standing(shop, "kiosk-1", "shoes")
    assert value(plain, "device_online", device="kiosk-1", zone="shoes") == 1
    shop.clock.pass_(seconds=60)
    assert value(plain, "device_online", device="kiosk-1", zone="shoes") == 0
    assert value(plain, "device_heartbeat_age_seconds", device="kiosk-1", zone="shoes") == 60


def test_what_a_device_says_is_wrong_tells_of_no_press(shop: Shop, plain: Program, trusted: Program) -> None:
    standing(shop, "kiosk-1", "shoes")
    assert value(plain, "device_faults", device="kiosk-1", zone="shoes") == 1
    assert value(trusted, "device_faults", device="kiosk-1", zone="shoes") == 3


def test_totals_streams_and_what_waits_to_be_sent(shop: Shop, trusted: Program, let: Let) -> None:
    shop.write(lambda conn: tallies.add(conn, STORE, [(tallies.event("help"), 5)]))
    shop.write(lambda conn: tallies.add(conn, STORE, [(tallies.refused("a/event/help"), 2)]))
    shop.write(lambda conn: tallies.add(conn, STORE, [(tallies.sent(silent=False), 3)]))
    with let("read:log").ask("GET", "/stream", buffered=False):
        assert value(trusted, "streams_open") == 1
    assert value(trusted, "events_total", kind="help") == 5
    assert value(trusted, "messages_refused_total") == 2 and value(trusted, "pages_sent_total") == 3
    assert value(trusted, "outgoing_messages") == 0
    assert value(trusted, "broker_connected") == 0 and value(trusted, "worker_heard") == 1


def test_a_silent_request_changes_nothing_for_who_may_not_know_of_it(
    shop: Shop, plain: Program, trusted: Program
) -> None:
    shop.raise_request("Ana")
    before, known_before = samples(plain), samples(trusted)
    silent = shop.raise_request("Igor", kind="security")
    igor = shop.people["Igor"].id
    page = str(shop.read("SELECT id FROM page WHERE request = :id", id=silent)[0][0])
    shop.write(lambda conn: acting.mark_sent(conn, STORE, [page], shop.clock.now))
    shop.write(lambda conn: acting.acknowledge(conn, STORE, silent, igor, shop.clock.now))
    shop.raise_request("Igor", kind="security", silent=False)
    shop.raise_request("Ana", silent=True)
    told = [
        (tallies.event("security"), 1),
        (tallies.event("attend"), 1),
        (tallies.missed("help", silent=True), 1),
    ]
    shop.write(lambda conn: tallies.add(conn, STORE, told))
    assert samples(plain) == before
    assert value(trusted, "requests_open", kind="security", state="acknowledged") == 1
    assert value(trusted, "events_total", kind="security") == 1
    assert samples(trusted) != known_before
    assert not any("security" in str(key) or "outgoing" in str(key) for key in before)


def test_no_name_of_a_person_stands_in_it(shop: Shop, trusted: Program) -> None:
    fill(shop)
    text = scrape(trusted).text
    assert not [name for name in shop.people if re.search(rf"\b{name}\b", text)]


def test_a_scrape_reads_only_what_is_open_however_long_the_log_is(shop: Shop, trusted: Program) -> None:
    asked: list[str] = []
    engine = shop.services.readers
    sa.event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    scrape(trusted)
    with shop.services.read() as conn:
        for statement in [one for one in asked if "FROM interaction" in one]:
            values = ("trial",) * statement.count("?")
            plan = [str(row[3]) for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert plan and all("ix_interaction_open" in line for line in plan), plan
    assert not any("event" in one.split("FROM")[-1] for one in asked)


def test_ready_says_which_part_is_not(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    client = shop.app.test_client()

    def ask(after: timedelta = timedelta(seconds=6)) -> tuple[int, dict[str, str]]:
        shop.clock.pass_(seconds=after.total_seconds())
        answer = client.get("/readyz")
        return answer.status_code, answer.json

    good = {"status": "ok", "database": "ok", "migrations": "ok", "broker": "ok", "worker": "ok"}
    assert ask() == (200, good)
    shop.services.hub.calling = lambda: False
    assert ask() == (200, good | {"worker": "not heard"})
    monkeypatch.setattr(shop.services, "wake_state", lambda: "away")
    assert ask()[1]["broker"] == "cannot be reached" and ask()[0] == 503
    monkeypatch.undo()
    shop.write(lambda conn: conn.execute(sa.text("UPDATE alembic_version SET version_num = '0001'")))
    assert ask(timedelta(0))[0] == 200, "What was found is told for five seconds."
    status, said = ask()
    assert status == 503 and said["migrations"].startswith("at 0001; this program needs ")
    shop.write(lambda conn: columns.metadata.tables["feed"].drop(conn))
    shop.write(lambda conn: conn.execute(sa.text("ALTER TABLE alembic_version RENAME TO gone")))
    status, said = ask()
    assert (status, said["database"], said["migrations"]) == (503, "cannot be written", "not known")


def test_its_page_names_each_with_its_type_and_its_labels(shop: Shop, trusted: Program) -> None:
    fill(shop)
    page = Path(metrics.__file__).with_suffix(".md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", page, re.MULTILINE)
    kinds = {name.removesuffix("_total"): kind for name, kind, _ in rows}
    labels = {name.removesuffix("_total"): set(said.strip().split(", ")) - {""} for name, _, said in rows}
    families = [
        family
        for family in text_string_to_metric_families(scrape(trusted).text)
        if family.name.startswith("floorbell_")
    ]
    assert {family.name: family.type for family in families} == kinds
    for family in families:
        for one in family.samples:
            assert one.labels.keys() - {"le"} == labels[family.name], one.name
        # Prometheus' own rules: a base unit at the end, and only counters end in _total.
        assert not re.search(r"_(ms|milliseconds|minutes|percent)$", family.name)
