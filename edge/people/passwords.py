"""PINs and passwords: their rules, their argon2id hashes, and checking them without taking the machine."""

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

from edge.errors import EdgeError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

PIN_LENGTHS = range(4, 9)
MIN_PASSWORD = 10
MAX_PASSWORD = 200
PLAIN_PIN = "A PIN is neither one or two digits repeated nor a row like 1234."
# Shorter words of a name are found in any sentence; fewer letters beside the names are soon guessed.
_A_WORD = 3
_MORE_THAN_NAMES = 6
# No letter looks like another.
CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"
# A storm of sign-ins may take one core, never both, and never more than a few of the web's threads.
_AT_ONCE = 1
_WAITING = 8
BUSY = "Many people are signing in at this moment; try again in a few seconds."


class WeakSecret(EdgeError):
    """A PIN or password that the rules do not allow."""


class TooManySigningIn(EdgeError):
    """More sign-ins at once than are checked at once. Trying again in a few seconds makes sense."""


def hash_pin(pin: str) -> str:
    """The argon2id hash of a PIN of 4 to 8 digits. WeakSecret for anything else or what is tried first."""
    if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_LENGTHS):
        raise WeakSecret("A PIN has 4 to 8 digits.")
    if _is_tried_first(pin):
        raise WeakSecret(PLAIN_PIN)
    return _hasher().hash(pin)


def hash_password(password: str, *near: str) -> str:
    """The argon2id hash of a password of at least 10 characters. WeakSecret for a shorter one, one that many
    people have, and one that is little more than words of `near`: the person's name, the store's."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise WeakSecret(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
    if password.casefold() in _common():
        raise WeakSecret("Many people have this password, so it is tried first; choose another.")
    rest = password.casefold()
    for word in sorted(("floorbell", *" ".join(near).casefold().split()), key=len, reverse=True):
        rest = rest.replace(word, "") if len(word) >= _A_WORD else rest
    if len(rest) < _MORE_THAN_NAMES:
        raise WeakSecret("That is little more than a name that stands here; choose another password.")
    return _hasher().hash(password)


def hash_code(code: str) -> str:
    """The argon2id hash of a recovery code."""
    return _hasher().hash(code)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A secret made here: shown once to whoever hands it over, then only its hash is known."""

    shown: str
    hashed: str


def fresh_pin(unlike: str | None = None) -> Fresh:
    """A random PIN of 6 digits, other than the one whose hash is `unlike`. Takes a core for a tenth of a
    second or two: make it before the transaction."""
    while True:
        pin = f"{secrets.randbelow(10**6):06}"
        if not _is_tried_first(pin) and not _is(pin, unlike):
            return Fresh(pin, hash_pin(pin))


def too_alike(pin: str, second: str) -> bool:
    """Whether a slip of the thumb makes one PIN of the other: the same digits in whatever order, one of them
    another, or one more or less."""
    if sorted(pin) == sorted(second):
        return True
    if len(pin) == len(second):
        return sum(one != other for one, other in zip(pin, second, strict=True)) == 1
    shorter, longer = sorted((pin, second), key=len)
    return len(longer) - len(shorter) == 1 and any(
        longer[:n] + longer[n + 1 :] == shorter for n in range(len(longer))
    )


def fresh_code() -> str:
    """79 random bits that can be read aloud: no letter looks like another."""
    return "-".join("".join(secrets.choice(CLEAR) for _ in range(4)) for _ in range(4))


def fresh_password() -> Fresh:
    """A random password, as fresh_code()."""
    password = fresh_code()
    return Fresh(password, hash_password(password))


class Verifier:
    """Compares secrets with hashes, one at a time, with a short queue; whoever comes later is told so."""

    def __init__(self, at_once: int = _AT_ONCE, waiting: int = _WAITING) -> None:
        self._slots = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    def matches(self, secret: str, hashed: str | None) -> bool:
        """Whether the secret is the hashed one. False for None, after as much work. TooManySigningIn."""
        return self.which(secret, [hashed]) == 0

    def which(self, secret: str, hashes: Sequence[str | None]) -> int | None:
        """The place of the first of the hashes that the secret is of. All are compared each time, so that the
        time of the answer tells neither which it was nor which there are. TooManySigningIn."""
        with self.place():
            found = [_is(secret, hashed) for hashed in hashes]
        return found.index(True) if True in found else None

    @contextmanager
    def place(self) -> Iterator[None]:
        """Held while one secret is compared."""
        if not self._places.acquire(blocking=False):
            raise TooManySigningIn(BUSY)
        try:
            with self._slots:
                yield
        finally:
            self._places.release()


def _is(secret: str, hashed: str | None) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(hashed or _nobody(), secret[:MAX_PASSWORD]) and bool(hashed)
    except (VerificationError, InvalidHashError):
        return False


def _is_tried_first(pin: str) -> bool:
    """Whether it is 7777, 1212, 1234 or 8765, as long as it may be."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return pin == (pin[:2] * len(pin))[: len(pin)] or steps in ({1}, {9})


@cache
def _common() -> frozenset[str]:
    """Passwords of ten letters and more that many people have, in small letters."""
    listed = files("edge.people").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in listed.splitlines() if not line.startswith("# "))


@cache
def _hasher() -> "PasswordHasher":
    # OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, 2 passes, 1 lane. A Pi 4 takes about 0.1 s for it.
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobody() -> str:
    # Compared for names that do not exist, so that the time of the answer does not tell which do.
    return _hasher().hash("nobody has this password")
