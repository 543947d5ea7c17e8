"""The kiosk's part in an update, and what the release before finds when the new one is taken back."""

import json
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from broker.events import HelpRequested, ReleaseMoved
from broker.messages import Revert, Update
from kiosk import VERSION
from kiosk.clock import Clocks
from kiosk.config import Broker, Button, Config
from kiosk.config import Update as Settings
from kiosk.errors import KioskError
from kiosk.jobs import Save, Saved
from kiosk.keeper import loop
from kiosk.keeper.slots import Slots, State, Told
from kiosk.keeper.trial import Way
from kiosk.outbox import NewEvent, Outbox, unnumbered
from kiosk.updating import fetching
from kiosk.updating.fetching import End, path_of
from kiosk.updating.updates import Condition, Updates
from tests.system.kiosk_rig import until

ORDER = uuid4()


class Kiosk:
    """The kiosk's part, with a keeper's files beside it."""

    def __init__(self, folder: Path) -> None:
        self.slots = Slots(folder / "opt")
        (folder / "opt/update").mkdir(parents=True)
        self.folder = folder / "updates"
        update = Settings(str(self.folder), str(self.folder / "word.json"), str(folder / "opt"))
        button = Button("find", "help", 17, "find-item")
        config = Config("shop", "kiosk-1", "shoes", Broker("127.0.0.1", str(folder)), [button], update=update)
        self.condition = Condition(True, Way.OPEN, True)
        self.saved: list[NewEvent] = []
        self.updates = Updates(config, Clocks(), lambda: self.condition, self._save, uuid4)

    def _save(self, job: Save) -> None:
        self.saved.append(job.event)

    def word(self) -> loop.Heard:
        self.updates.speak()
        heard = loop.read_word(self.folder / "word.json", self.folder)
        assert heard is not None
        return heard


@pytest.fixture
def kiosk(tmp_path: Path) -> Any:
    kiosk = Kiosk(tmp_path)
    kiosk.updates.start()
    yield kiosk
    kiosk.updates.close()


def test_the_keeper_reads_what_the_kiosk_says_of_itself(kiosk: Kiosk) -> None:
    kiosk.condition = Condition(True, Way.HELD, False)
    word = kiosk.word().word
    assert (word.version, word.works, word.way.value, word.idle) == (VERSION, True, "held", False)


def test_what_the_keeper_tells_goes_to_the_outbox_once_and_is_forgotten_there(kiosk: Kiosk) -> None:
    told = Told(loop.new_id(), str(ORDER), "0.2.0", "refused", "It is older.")
    kiosk.slots.write(State("a", told=(told, Told("x", "y", "z", "w"))))
    kiosk.word()
    (event,) = kiosk.saved
    assert event.content == ReleaseMoved(ORDER, "0.2.0", "refused", "It is older.")
    assert kiosk.word().heard == frozenset() and len(kiosk.saved) == 1
    kiosk.updates.reported(Saved(unnumbered(event)))
    assert kiosk.word().heard == {told.id}
    kiosk.slots.write(State("a"))
    kiosk.word()
    assert kiosk.word().heard == frozenset() and len(kiosk.saved) == 1


def test_a_release_that_is_here_is_shown_to_the_keeper_and_one_that_is_called_back_is_deleted(
    kiosk: Kiosk,
) -> None:
    content = b"a release"
    update = Update(ORDER, "0.2.0", "https://x/release", "t", sha256(content).hexdigest(), len(content))
    path = path_of(kiosk.folder, update)
    path.write_bytes(content)
    (kiosk.folder / f"{'0' * 64}.release").touch()
    kiosk.updates.order(update)
    order = until(lambda: kiosk.word().order)
    assert (order.id, order.release, order.file, order.revert) == (str(ORDER), "0.2.0", path, False)
    assert list(kiosk.folder.glob("*.release")) == [path]
    back = uuid4()
    kiosk.updates.order(Revert(back, "0.2.0"))
    order = until(lambda: (o := kiosk.word().order) and o.revert and o)
    assert order.id == str(back)
    until(lambda: not path.exists())


def test_what_came_and_is_not_what_was_ordered_is_refused(kiosk: Kiosk) -> None:
    update = Update(ORDER, "0.2.0", "https://x/release", "t", "0" * 64, 4)
    path_of(kiosk.folder, update).with_suffix(".part").write_bytes(b"1234")
    kiosk.updates.order(update)
    until(lambda: kiosk.saved)
    said = kiosk.saved[0].content
    assert isinstance(said, ReleaseMoved) and said.stage == "refused"
    assert not list(kiosk.folder.glob("0*"))


def test_a_release_that_the_card_has_damaged_is_brought_anew(tmp_path: Path) -> None:
    update = Update(ORDER, "0.2.0", "https://127.0.0.1:1/release", "t", sha256(b"good").hexdigest(), 4)
    path = path_of(tmp_path, update)
    path.write_bytes(b"bad!")
    end, _ = fetching.fetch(update, tmp_path, tmp_path, lambda size: None, None)
    assert end is not End.HERE and not path.exists()
    path.write_bytes(b"good")
    assert fetching.fetch(update, tmp_path, tmp_path, lambda size: None, None) == (End.HERE, "")


@pytest.mark.parametrize("content", ["", "{}", '{"told": 1}', '{"told": [1]}', '{"told": [{"id": "1"}]}'])
def test_a_file_of_the_keepers_that_is_none_is_nothing(kiosk: Kiosk, content: str) -> None:
    (kiosk.slots.root / "update/state.json").write_text(content)
    kiosk.word()
    assert not kiosk.saved


NEWER = """
ALTER TABLE event ADD COLUMN colour TEXT;
ALTER TABLE repeats ADD COLUMN colour TEXT;
CREATE TABLE more (id INTEGER PRIMARY KEY);
PRAGMA user_version = 2;
"""


def test_the_release_before_works_on_an_outbox_that_the_new_one_has_touched(tmp_path: Path) -> None:
    clocks = Clocks()
    before = Outbox(tmp_path, clocks.boot, 0.0)
    new = NewEvent(uuid4(), HelpRequested(), clocks.stamp(1.0))
    with before.transaction():
        before.save(new)
    before.close()
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        db.executescript(NEWER)
    after = Outbox(tmp_path, clocks.boot, 0.0)
    assert after.set_aside is None
    with after.transaction():
        after.save(NewEvent(uuid4(), HelpRequested(), clocks.stamp(2.0)))
        after.count_repeats(new.id, HelpRequested(count=2), clocks.stamp(3.0))
    assert sorted(event.seq or 0 for event in after.open_events()[0]) == [1, 2]
    assert [row[0] for row in after.waiting_repeats()] == [new.id]
    assert after.counts().depth == 2
    after.close()
    assert sqlite3.connect(tmp_path / "outbox.db").execute("PRAGMA user_version").fetchone() == (2,)


def test_an_outbox_that_only_newer_ones_can_work_on_is_left_alone(tmp_path: Path) -> None:
    Outbox(tmp_path, UUID(int=1), 0.0).close()
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        db.executescript("UPDATE meta SET value = 2 WHERE key = 'oldest_reader'; PRAGMA user_version = 2;")
    with pytest.raises(KioskError, match="newer kiosk"):
        Outbox(tmp_path, UUID(int=1), 0.0)
    assert json.dumps(sorted(p.name for p in tmp_path.glob("damaged*"))) == "[]"
