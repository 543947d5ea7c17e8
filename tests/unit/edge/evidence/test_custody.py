"""The custody log: every entry a leaf, nothing changed unnoticed, a name erased without breaking it."""

import threading

import msgspec
import sqlalchemy as sa

from broker import tree
from edge.db.engine import connect
from edge.db.evidence_tables import custody as table
from edge.evidence import custody, entries
from tests.unit.edge.conftest import START, STORE, Clock


def fill(conn: sa.Connection, count: int) -> None:
    clock = Clock()
    with conn.begin():
        for n in range(count):
            at = clock.forward(1)
            custody.append(conn, STORE, "viewed", f"clip-{n % 3}", "d" * 64, "Mira", f"Look {n}.", at)


def test_an_entry_stands_in_the_tree_as_it_was_written(conn: sa.Connection) -> None:
    fill(conn, 11)
    with conn.begin():
        log = custody.log_of(conn, STORE)
        kept = custody.between(conn, STORE, 0, 11)
        node = custody.nodes(conn, STORE)
        assert log is not None and log.size == 11
        assert [entry.index for entry in kept] == list(range(11))
        leaves = [entries.leaf(entry.entry) for entry in kept]
        assert [leaf.hex() for leaf in leaves] == [entry.leaf for entry in kept]
        head = tree.root(node, 11)
        assert head == tree.root(tree.over(leaves), 11)
        proof = tree.inclusion_proof(node, 6, 11)
        assert tree.includes(leaves[6], 6, 11, proof, head)
        grown = tree.consistency_proof(node, 5, 11)
        assert tree.continues(5, tree.root(node, 5), 11, head, grown)


def test_an_entry_commits_to_its_words_and_to_nothing_else(conn: sa.Connection) -> None:
    fill(conn, 1)
    with conn.begin():
        (kept,) = custody.between(conn, STORE, 0, 1)
    entry = entries.decode(kept.entry)
    assert (entry.action, entry.subject, entry.digest) == ("viewed", "clip-0", "d" * 64)
    assert kept.actor_salt is not None and kept.reason_salt is not None
    assert entry.actor == entries.commit("actor", bytes.fromhex(kept.actor_salt), "Mira")
    assert entry.reason == entries.commit("reason", bytes.fromhex(kept.reason_salt), "Look 0.")
    assert entry.actor != entries.commit("reason", bytes.fromhex(kept.actor_salt), "Mira")
    assert b"Mira" not in kept.entry


def test_a_name_is_erased_and_the_log_still_verifies(conn: sa.Connection) -> None:
    fill(conn, 4)
    with conn.begin():
        head = tree.root(custody.nodes(conn, STORE), 4)
        assert custody.erase_actor(conn, STORE, "Mira") == 4
        kept = custody.between(conn, STORE, 0, 4)
        assert {(entry.actor, entry.actor_salt) for entry in kept} == {(None, None)}
        assert tree.root(tree.over([entries.leaf(entry.entry) for entry in kept]), 4) == head


def test_a_clips_own_entries_are_found(conn: sa.Connection) -> None:
    fill(conn, 7)
    with conn.begin():
        assert [entry.index for entry in custody.of_subject(conn, STORE, "clip-1")] == [1, 4]


def test_another_stores_log_is_another_log(conn: sa.Connection) -> None:
    fill(conn, 2)
    with conn.begin():
        assert custody.append(conn, "other", "held", "c", "", "Ana", "Police.", START) == 0
        mine, other = custody.log_of(conn, STORE), custody.log_of(conn, "other")
    assert mine is not None and other is not None and mine.id != other.id and other.size == 1


def test_an_entry_that_is_rolled_back_leaves_no_hole(conn: sa.Connection) -> None:
    fill(conn, 2)
    with conn.begin() as transaction:
        custody.append(conn, STORE, "held", "c", "", "Ana", "Police.", START)
        transaction.rollback()
    fill(conn, 1)
    with conn.begin():
        assert [entry.index for entry in custody.between(conn, STORE, 0, 9)] == [0, 1, 2]


def test_two_writers_share_one_log_without_a_hole(engine: sa.Engine) -> None:
    """Each with a connection of its own, as two programs of the store have."""
    failed: list[BaseException] = []

    def write() -> None:
        own = connect(engine.url.render_as_string(hide_password=False), write=True)
        try:
            for n in range(20):
                with own.begin() as conn:
                    custody.append(conn, STORE, "viewed", "c", "", "Ana", f"{n}", START)
        except BaseException as error:
            failed.append(error)
        finally:
            own.dispose()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with engine.connect() as conn:
        kept = custody.between(conn, STORE, 0, 1000)
        leaves = [entries.leaf(entry.entry) for entry in kept]
        assert [entry.index for entry in kept] == list(range(80))
        assert tree.root(custody.nodes(conn, STORE), 80) == tree.root(tree.over(leaves), 80)


def test_an_entry_that_was_changed_in_the_database_no_longer_has_its_leaf(conn: sa.Connection) -> None:
    fill(conn, 3)
    with conn.begin():
        head = tree.root(custody.nodes(conn, STORE), 3)
        (kept,) = custody.between(conn, STORE, 1, 2)
        forged = msgspec.json.decode(kept.entry)
        forged["action"] = "held"
        values = {"entry": msgspec.json.encode(forged)}
        conn.execute(sa.update(table).where(table.c.place == 1).values(values))
        leaves = [entries.leaf(entry.entry) for entry in custody.between(conn, STORE, 0, 3)]
    assert tree.root(tree.over(leaves), 3) != head
