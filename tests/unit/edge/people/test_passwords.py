"""The rules for PINs and passwords, and that checking them never takes more than its share."""

import threading

import pytest

from edge.people import passwords
from edge.people.passwords import TooManySigningIn, Verifier, WeakSecret


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "١٢٣٤", "0000", " 1234"])
def test_a_pin_is_four_to_eight_digits_and_not_one_repeated(pin: str) -> None:
    with pytest.raises(WeakSecret):
        passwords.hash_pin(pin)


@pytest.mark.parametrize("pin", ["7777", "121212", "6969", "12345678", "0123", "8901", "4321", "10987"])
def test_a_pin_that_is_tried_first_is_refused(pin: str) -> None:
    with pytest.raises(WeakSecret, match="neither one or two digits repeated nor a row"):
        passwords.hash_pin(pin)


@pytest.mark.parametrize("password", ["qwertyuiop", "Password123", "LIVERPOOL1", "1q2w3e4r5t"])
def test_a_password_that_many_people_have_is_refused_without_asking_anybody(password: str) -> None:
    with pytest.raises(WeakSecret, match="Many people have this password"):
        passwords.hash_password(password)


@pytest.mark.parametrize("password", ["HelenaVidal1!", "floorbell-2026", "Vidal Northside"])
def test_a_password_that_is_little_more_than_names_is_refused(password: str) -> None:
    with pytest.raises(WeakSecret, match="little more than a name"):
        passwords.hash_password(password, "Helena Vidal", "Northside Store")


def test_a_sentence_with_a_name_in_it_is_a_good_password() -> None:
    hashed = passwords.hash_password("Helena walks the floor", "Helena Vidal", "Northside Store")
    assert Verifier().matches("Helena walks the floor", hashed)


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_a_password_has_at_least_ten_characters(password: str) -> None:
    with pytest.raises(WeakSecret):
        passwords.hash_password(password)


def test_only_the_right_secret_matches_and_its_hash_does_not_hold_it() -> None:
    hashed = passwords.hash_pin("2411")
    verifier = Verifier()
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and "2411" not in hashed
    assert verifier.matches("2411", hashed)
    assert not verifier.matches("2412", hashed)
    assert not verifier.matches("", hashed)


def test_a_password_counts_to_its_last_sign_in_its_own_letters() -> None:
    long = "Every aisle has a name " * 6
    verifier, hashed = Verifier(), passwords.hash_password(long)
    assert len(long) > 128 and verifier.matches(long, hashed)
    for other in (long[:-1], long[:64], long.strip(), long.lower(), long + " "):
        assert not verifier.matches(other, hashed)


@pytest.mark.parametrize("hashed", [None, "", "not a hash"])
def test_whoever_has_no_hash_never_matches(hashed: str | None) -> None:
    assert not Verifier().matches("nobody has this password", hashed)


def test_whoever_comes_when_the_queue_is_full_is_told_at_once() -> None:
    verifier = Verifier(at_once=1, waiting=0)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with verifier.place():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(10)
    with pytest.raises(TooManySigningIn):
        verifier.matches("2411", None)
    leave.set()
    thread.join(10)
    assert not verifier.matches("2411", None)


@pytest.mark.parametrize("second", ["2411", "1142", "2412", "7411", "24110", "124111", "241"])
def test_a_slip_of_the_thumb_makes_no_second_pin(second: str) -> None:
    assert passwords.too_alike("2411", second) == (second != "124111")


@pytest.mark.parametrize("second", ["7350", "2500", "241199", "12345678"])
def test_other_digits_are_another_pin(second: str) -> None:
    assert not passwords.too_alike("2411", second)


def test_all_hashes_are_compared_and_the_first_that_fits_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str | None] = []
    monkeypatch.setattr(
        passwords, "_is", lambda secret, hashed: bool(compared.append(hashed)) or hashed == secret
    )
    assert [Verifier().which(one, ["a", None, "a", "b"]) for one in "abc"] == [0, 3, None]
    assert len(compared) == 12
