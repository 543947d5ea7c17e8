"""A drawer's contact: from its pin to the outbox, once it has settled."""

from pathlib import Path

import msgspec
import pytest

from broker.errors import SettingsError
from broker.events import DrawerMoved
from kiosk.config import Config, Contact, load
from kiosk.contacts import SETTLED_S, ContactWatch
from tests.rig.booth import Booth

TOML = (Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml").read_text()
EXAMPLE = load(Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml")


def with_contact(contact: Contact) -> Config:
    return msgspec.structs.replace(EXAMPLE, contact=[contact])


def test_a_level_counts_once_it_has_stood_and_from_when_it_began() -> None:
    watch = ContactWatch()
    watch.level(False, 10.0)
    assert watch.look(10.0 + SETTLED_S) == (False, 10.0)
    for at_s, is_open in ((20.0, True), (20.05, False), (20.1, True), (20.2, True)):
        watch.level(is_open, at_s)
        assert watch.look(at_s) is None
    assert watch.due_at() == 20.1 + SETTLED_S
    assert watch.look(20.1 + SETTLED_S) == (True, 20.1)
    assert watch.look(99.0) is None and watch.due_at() is None


def test_one_that_only_springs_back_says_nothing() -> None:
    watch = ContactWatch()
    watch.level(False, 0.0)
    watch.look(1.0)
    watch.level(True, 5.0)
    watch.level(False, 5.1)
    assert watch.due_at() is None and watch.look(9.0) is None


@pytest.mark.parametrize("open_when", ["open", "closed"])
def test_a_drawer_is_told_of_at_the_start_and_whenever_it_moves_and_nothing_is_shown(
    tmp_path: Path, open_when: str
) -> None:
    contact = Contact("drawer", 16, open_when=open_when)  # type: ignore[arg-type]
    booth = Booth(with_contact(contact), tmp_path / "outbox")
    pin = booth.factory.pin(16)
    if open_when == "closed":
        opens, shuts = pin.drive_low, pin.drive_high
        booth.wait(1.0)
    else:
        # Pulled up: a contact that nobody has closed is an open drawer.
        opens, shuts = pin.drive_high, pin.drive_low
        shuts()
        booth.wait(1.0)
    shown = booth.views[-1] if booth.views else None
    opens()
    booth.wait(1.0)
    shuts()
    booth.wait(0.1)
    opens()
    booth.wait(1.0)
    shuts()
    booth.wait(1.0)
    assert booth.stored("drawer")[-3:] == [DrawerMoved(False), DrawerMoved(True), DrawerMoved(False)]
    assert (booth.views[-1] if booth.views else None) == shown
    booth.close()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('name = "till"\npin = 16', "something else has this name"),
        ('name = "drawer"\npin = 17', "button"),
        ('name = "drawer"\npin = 16\nkind = "door"', "kind"),
        ('name = "drawer"\npin = 16\n[[contact]]\nname = "other"\npin = 20', "contact"),
    ],
)
def test_what_cannot_be_wired_is_one_sentence(tmp_path: Path, lines: str, said: str) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text(TOML + "\n[[contact]]\n" + lines + "\n")
    with pytest.raises(SettingsError, match=said):
        load(path)
