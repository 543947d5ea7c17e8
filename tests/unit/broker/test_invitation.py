"""The one-time code: what is typed is what was shown, and it lets one in, once, in time."""

import datetime as dt

import pytest

from broker import identity, invitation
from broker.errors import IdentityError
from broker.invitation import GOOD_FOR_S, MISTAKES, Door


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    made = []
    for name in ("one", "other"):
        directory = tmp_path_factory.mktemp(name)
        identity.make_store(directory, "shop", ["localhost"], dt.datetime.now(dt.UTC))
        made.append((directory / "ca" / "ca.crt").read_text())
    return made


@pytest.mark.parametrize("port", [8445, 9000])
def test_a_code_is_read_as_it_was_shown_however_it_is_typed(cas: list[str], port: int) -> None:
    code = invitation.make(cas[0], "floorbell.local", port)
    signs, _, where = code.text.partition("@")
    assert invitation.read(code.text) == code
    typed = signs.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert invitation.read(f" {typed}@{where}\n") == code


def test_a_code_recognises_its_own_ca_only(cas: list[str]) -> None:
    code = invitation.make(cas[0], "floorbell.local")
    assert code.is_of(cas[0]) and not code.is_of(cas[1]) and not code.is_of("nothing")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ABCD-EFGH", "no server behind an @"),
        ("ABCD@floorbell.local", "has 4 signs before the @; allowed are 24"),
        (f"{'A' * 24}@floor bell", "no server behind an @"),
        (f"{'A' * 24}@shop:99999", "port is 99999; allowed are 1 to 65535"),
    ],
)
def test_a_mistyped_code_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(IdentityError, match=sentence):
        invitation.read(text)


def test_the_door_lets_one_in_once() -> None:
    door = Door("SECRET", 100.0)
    assert door.against("SECRET", 101.0) is None and not door.shut(101.0)
    door.used = True
    assert (
        door.shut(102.0) and door.against("SECRET", 102.0) == "This code was used already; ask for a new one."
    )


def test_the_door_shuts_after_its_time_and_after_five_mistakes() -> None:
    door = Door("SECRET", 100.0)
    assert door.against("SECRET", 100.0 + GOOD_FOR_S) == "This code is not good any more; ask for a new one."
    for _ in range(MISTAKES):
        assert not door.shut(101.0)
        assert door.against("GUESS", 101.0) == "This is not the code that was shown."
    assert door.shut(101.0) and door.against("SECRET", 101.0) is not None
