"""Second factors and recovery codes in the database. Secrets stand there sealed (see Seal), codes hashed.

A person may have an authenticator app, passkeys (passkeys.py), or both; the recovery codes are for either.
"""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.db.store_tables import recovery_code
from edge.db.store_tables import second_factor as table
from edge.errors import EdgeError
from edge.people import passkeys
from edge.people.passkeys import Passkey
from edge.people.passwords import CLEAR, hash_code

KEY_NAME = "second-factor.key"
CODES = 10
_CODE_LETTERS = 12
_NONCE_BYTES = 12


class WrongKey(EdgeError):
    """A secret that was sealed with another key than the one that is here."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A person's authenticator app. `last_step` was used last; its code and older ones count no more."""

    sealed: bytes
    last_step: int
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """All that a person has beside their password."""

    app: Factor | None
    passkeys: tuple[Passkey, ...]
    codes_left: int

    def __bool__(self) -> bool:
        """Whether there is a second factor: recovery codes alone are none."""
        return self.app is not None or bool(self.passkeys)


class Seal:
    """AES-256-GCM under the key beside edge.toml; a sealed secret is worth nothing for another person."""

    def __init__(self, key: str) -> None:
        self._key = bytes.fromhex(key)

    def close(self, secret: bytes, person: str) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, secret, person.encode())

    def open(self, sealed: bytes, person: str) -> bytes:
        """WrongKey for what was sealed with another key or for another person."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], person.encode())
        except (InvalidTag, ValueError):
            raise WrongKey(
                f"Codes cannot be checked here: {KEY_NAME} is not the key that they were set up with. "
                "Use a recovery code, or ask an admin to reset your second factor."
            ) from None


def held(conn: sa.Connection, store: str, person: str) -> Held:
    row = conn.execute(
        sa.select(table.c.sealed, table.c.last_step, table.c.set_at).where(
            table.c.store == store, table.c.person == person
        )
    ).first()
    left = sa.select(sa.func.count()).where(
        recovery_code.c.person == person, recovery_code.c.used_at.is_(None)
    )
    return Held(
        Factor(*row) if row is not None else None,
        tuple(passkeys.of_person(conn, store, person)),
        conn.execute(left).scalar_one(),
    )


def put(conn: sa.Connection, store: str, person: str, sealed: bytes, step: int, now: datetime) -> None:
    """The person's authenticator app from now on, proven by the code of this step."""
    conn.execute(table.insert().values(store=store, person=person, sealed=sealed, last_step=step, set_at=now))


def use(conn: sa.Connection, store: str, person: str, step: int) -> bool:
    """Whether the code of this step counts: each does once, and none after a newer one."""
    mine = (table.c.store == store, table.c.person == person, table.c.last_step < step)
    return conn.execute(table.update().where(*mine).values(last_step=step)).rowcount == 1


def remove(conn: sa.Connection, store: str, person: str) -> bool:
    """Whether there was an authenticator app; it is none any more."""
    gone = conn.execute(table.delete().where(table.c.store == store, table.c.person == person))
    return gone.rowcount == 1


def remove_codes(conn: sa.Connection, person: str) -> None:
    """No recovery code counts any more."""
    conn.execute(recovery_code.delete().where(recovery_code.c.person == person))


def fresh_codes() -> tuple[list[str], list[str]]:
    """Ten recovery codes of 59 bits and their hashes. Takes a core for a second: make them before the
    transaction."""
    shown = []
    for number in range(CODES):
        letters = "".join(secrets.choice(CLEAR) for _ in range(_CODE_LETTERS))
        shown.append(f"{number}-{letters[:4]}-{letters[4:8]}-{letters[8:]}")
    return shown, [hash_code(tidy(code)) for code in shown]


def tidy(typed: str) -> str:
    """What was typed, without what people put in between."""
    return "".join(one for one in typed.lower() if one.isalnum())


def number_of(tidied: str) -> int | None:
    """Which recovery code this may be; None for what is none by its shape."""
    return int(tidied[0]) if len(tidied) == _CODE_LETTERS + 1 and tidied[0] in "0123456789" else None


def put_codes(conn: sa.Connection, person: str, hashes: Sequence[str]) -> None:
    """These instead of all earlier ones."""
    conn.execute(recovery_code.delete().where(recovery_code.c.person == person))
    rows = [{"person": person, "number": n, "code_hash": one} for n, one in enumerate(hashes)]
    conn.execute(recovery_code.insert(), rows)


def code_hash(conn: sa.Connection, person: str, number: int) -> str | None:
    """The hash of an unused recovery code."""
    mine = (recovery_code.c.person == person, recovery_code.c.number == number)
    return conn.execute(
        sa.select(recovery_code.c.code_hash).where(*mine, recovery_code.c.used_at.is_(None))
    ).scalar()


def use_code(conn: sa.Connection, person: str, number: int, hashed: str, now: datetime) -> bool:
    """Whether this recovery code was still unused; it no longer is."""
    mine = (
        recovery_code.c.person == person,
        recovery_code.c.number == number,
        recovery_code.c.code_hash == hashed,
        recovery_code.c.used_at.is_(None),
    )
    return conn.execute(recovery_code.update().where(*mine).values(used_at=now)).rowcount == 1
