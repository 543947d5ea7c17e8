"""Two kiosks laid out as on a machine, real broker, worker and vault: good releases, bad and false ones."""

import shutil
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from broker import release as format_of
from deploy import provision, rollout
from deploy.register import now
from edge.handling import updating
from edge.updates import store as updates
from tests.rig import releases
from tests.rig.machine import Machine, is_up
from tests.rig.store import STORE, Rig, wait_for

pytestmark = pytest.mark.system
KIOSKS = ("kiosk-1", "kiosk-2")
# Runs, and never reaches anybody.
DEAF = """

def _deaf(self):
    pass


Session.start = Session.hurry = _deaf
"""
# Runs for a second, again and again.
BRIEF = """

_run = run


def run(*args, **more):
    import os

    threading.Timer(1.0, os._exit, (3,)).start()
    return _run(*args, **more)
"""


class Shop:
    """The store's server and its machines."""

    def __init__(self, folder: Path, within_s: float) -> None:
        self.folder = folder
        self.rig = Rig.make(folder / "store", KIOSKS)
        self.key = folder / "release.pem"
        public = releases.make_key(self.key)
        self.rig.config.release_keys_path.write_text(public + "\n")
        self.machines = {name: Machine(self.rig, name, public, within_s=within_s) for name in KIOSKS}
        self.rig.start_broker()
        for program in ("worker", "vault"):
            self.rig.start(program)
        for machine in self.machines.values():
            machine.start()
        wait_for(lambda: set(self.versions().values()) == {"0.1.0"}, "The kiosks' first word", 60)

    def close(self) -> None:
        for machine in self.machines.values():
            machine.cut()
        self.rig.stop()

    def versions(self) -> dict[str, str]:
        return dict(self.rig.read("SELECT name, version FROM device WHERE updates"))

    def states(self) -> dict[str, str]:
        query = "SELECT device, state FROM rollout_part WHERE rollout = (SELECT max(id) FROM rollout)"
        return dict(self.rig.read(query))

    def newest(self) -> tuple[str, str]:
        """The newest roll-out's state, and why it failed."""
        return self.rig.read("SELECT state, words FROM rollout ORDER BY id DESC LIMIT 1")[0]  # type: ignore[return-value]

    def make(self, version: str, **changed: str) -> Path:
        """`changed` is what is added to a file of the release."""
        whole = {
            name: (releases.ROOT / (name.replace("__", "/") + ".py")).read_text() + more
            for name, more in changed.items()
        }
        return releases.make(self.folder / "made", version, self.key, **whole)

    def carry(self, path: Path, version: str) -> None:
        """As somebody who has broken into the server would: nothing is verified."""
        digest, config = sha256(path.read_bytes()).hexdigest(), self.rig.config
        config.releases_path.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, config.releases_path / digest)
        manifest = format_of.Manifest(
            "floorbell-release-1", version, now(), [format_of.File("x", 1, "0" * 64)]
        )
        with provision.writing(config) as conn:
            updates.add_release(conn, STORE, manifest, digest, path.stat().st_size, "0" * 64, "x", now())

    def roll_out(self, version: str, first: str = "kiosk-1") -> None:
        with provision.writing(self.rig.config) as conn:
            updating.roll_out(
                conn, STORE, provision.ACTOR, version, first, now(), soak_minutes=0, vault_url="https://x"
            )

    def fails(self, what: str) -> str:
        wait_for(lambda: self.newest()[0] == "failed", what, 120)
        return self.newest()[1]

    def troubles(self) -> list[str]:
        query = "SELECT words FROM trouble WHERE what = 'release' AND told_at IS NOT NULL AND well_at IS NULL"
        return [row[0] for row in self.rig.read(query)]

    def audited(self, what: str) -> list[str]:
        return [
            row[0] for row in self.rig.read("SELECT words FROM audit WHERE what = :w ORDER BY id", w=what)
        ]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[float], Shop]]:
    begun: list[Shop] = []

    def make(within_s: float) -> Shop:
        begun.append(Shop(tmp_path, within_s))
        return begun[0]

    yield make
    for shop in begun:
        shop.close()


def test_a_good_release_goes_to_one_kiosk_then_to_the_other_and_false_ones_to_none(
    begin: Callable[[float], Shop],
) -> None:
    # Only an alarm: a good release is never taken back for the slowness of the machine.
    shop = begin(60.0)
    path = shop.make("0.2.0")
    assert rollout.add(shop.rig.config, path) == "0.2.0"
    shop.roll_out("0.2.0")
    states = []
    begun_s = time.monotonic()

    def done() -> bool:
        if (seen := shop.states()) not in states:
            states.append(seen)
        return shop.newest()[0] == "done"

    wait_for(done, "The end of the roll-out", 150)
    print(f"rolled out after {time.monotonic() - begun_s:.1f} s: {states}")
    # Never at both: the other one waits until the first is well.
    assert all(seen["kiosk-2"] == "waiting" or seen["kiosk-1"] == "healthy" for seen in states)
    wait_for(lambda: set(shop.versions().values()) == {"0.2.0"}, "The kiosks' word of what they run", 30)
    assert {m.slots.pointed for m in shop.machines.values()} == {"b"}
    starts = {name: machine.starts for name, machine in shop.machines.items()}

    # Signed by a key that only whoever broke into the server knows; cut short; older.
    other = shop.folder / "other.pem"
    releases.make_key(other)
    false = releases.make(shop.folder / "made", "0.3.0", other)
    short = shop.folder / "short"
    short.write_bytes(shop.make("0.4.0").read_bytes()[:-20_000])
    for path, version, why in (
        (false, "0.3.0", "not signed by a key that counts"),
        (short, "0.4.0", "cut short"),
        (shop.make("0.1.5"), "0.1.5", "0.1.5 is older than 0.2.0"),
    ):
        shop.carry(path, version)
        shop.roll_out(version)
        words = shop.fails(f"The refusal of {version}")
        assert why in words and words.startswith(f"The roll-out of {version} stopped at kiosk-1.")
    assert [words.split(": ")[0] for words in shop.audited("release.refused")] == [
        f"kiosk-1 says of the release {version}" for version in ("0.3.0", "0.4.0", "0.1.5")
    ]
    assert set(shop.versions().values()) == {"0.2.0"} and shop.states()["kiosk-2"] == "waiting"
    assert starts == {name: machine.starts for name, machine in shop.machines.items()}


def test_a_release_that_is_not_well_goes_back_by_itself_and_whoever_manages_is_told(
    begin: Callable[[float], Shop],
) -> None:
    shop = begin(6.0)
    machine = shop.machines["kiosk-1"]
    # One never connects, one ends after a second; why it is taken back depends on how fast the machine is.
    for version, changed in (("0.2.0", {"broker__session": DEAF}), ("0.3.0", {"kiosk__program": BRIEF})):
        rollout.add(shop.rig.config, shop.make(version, **changed))
        shop.roll_out(version)
        words = shop.fails(f"The end of {version}")
        assert words.startswith(f"The roll-out of {version} stopped at kiosk-1. It"), words
        assert machine.slots.pointed == "a" and is_up(machine)
        wait_for(lambda words=words: shop.troubles() == [words], "The manager's trouble", 30)
    wait_for(lambda: shop.versions()["kiosk-1"] == "0.1.0", "The word of what runs", 30)
    # And what is pressed there comes through.
    machine.hand.press("till")
    wait_for(lambda: shop.rig.read("SELECT 1 FROM interaction WHERE kind = 'help'"), "The press", 30)
    assert shop.states()["kiosk-2"] == "waiting" and shop.machines["kiosk-2"].starts == 1
