"""A vault with one device that has a signing key, and clips of it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from broker import manifest as manifests
from broker.events import ClipRecorded, Event, new_id
from broker.events import Clock as DeviceClock
from broker.manifest import Footage, Manifest
from broker.signing import Signer
from edge.config import EdgeConfig, Vault
from edge.db.store_tables import device
from edge.db.tables import interaction
from edge.evidence import clips
from edge.handling import evidence
from edge.handling.telling import Telling
from edge.vault.application import create_vault
from edge.vault.arrivals import Peer
from tests.unit.edge.conftest import START, STORE, Clock, SmallStore

VIDEO = os.urandom(300_000)


@dataclass(frozen=True)
class Film:
    """A clip as its device holds it, and what it tells of it."""

    id: UUID
    video: bytes
    written: bytes
    told: Event

    @property
    def content(self) -> ClipRecorded:
        assert isinstance(self.told.content, ClipRecorded)
        return self.told.content

    def with_content(self, **other: object) -> "Film":
        content = msgspec.structs.replace(self.content, **other)
        return replace(self, told=msgspec.structs.replace(self.told, id=new_id(1), content=content))


def film(signer: Signer, video: bytes, cause: UUID, clip: UUID | None = None) -> Film:
    clip = clip or new_id(int(START.timestamp() * 1000))
    ended = START + timedelta(seconds=10)
    manifest = Manifest(
        format="floorbell-clip-1",
        clip=clip,
        store=STORE,
        device="kiosk-1",
        zone="shoes",
        camera="front",
        causes=[cause],
        wanted=(START, ended),
        started_at=START,
        ended_at=ended,
        clock=DeviceClock(True, UUID(int=1), 5),
        footage=Footage(sha256(video).hexdigest(), len(video), "h264", 640, 360, [(0, 0)], [0]),
        recorder="test",
    )
    written = manifests.encode(manifest)
    content = ClipRecorded(
        clip=clip,
        cause=cause,
        started_at=START,
        ended_at=ended,
        bytes=len(video),
        sha256=sha256(video).hexdigest(),
        manifest_sha256=sha256(written).hexdigest(),
        signature=signer.sign(manifests.to_sign(written)),
        codec="h264",
        width=640,
        height=360,
    )
    told = Event(STORE, "kiosk-1", new_id(2), "clip", content, None, None, START, None, False, b"")
    return Film(clip, video, written, told)


class Door:
    """The vault as a device sees it."""

    def __init__(self, app: Flask, engine: sa.Engine, clock: Clock, signer: Signer, folder: Path) -> None:
        self.app, self.engine, self.clock, self.signer, self.folder = app, engine, clock, signer, folder
        self.client: FlaskClient = app.test_client()
        self.tickets: dict[UUID, str] = {}
        self.peer: Peer | None = Peer("kiosk-1")

    def announce(self, told: Film) -> None:
        telling = Telling(STORE)
        with self.engine.begin() as conn:
            evidence.announce(conn, telling, told.told, told.content, "shoes", self.clock())

    def ticket(self, told: Film) -> None:
        with self.engine.begin() as conn:
            self.tickets[told.id] = clips.issue_ticket(conn, STORE, str(told.id), self.clock())

    def bring(self, one: Film) -> None:
        """Told of, with a ticket, and its manifest is there."""
        self.announce(one)
        self.ticket(one)
        assert self.manifest(one).status_code == 204

    def manifest(self, one: Film, written: bytes | None = None) -> TestResponse:
        path = f"/clip/{one.id}/manifest"
        return self.client.put(path, data=one.written if written is None else written, headers=self._who(one))

    def offset(self, one: Film) -> TestResponse:
        return self.client.head(f"/clip/{one.id}", headers=self._who(one))

    def send(self, one: Film, begin: int, end: int | None = None) -> TestResponse:
        headers = {**self._who(one), "Upload-Offset": str(begin)}
        return self.client.patch(f"/clip/{one.id}", data=one.video[begin:end], headers=headers)

    def clip(self, one: Film) -> clips.Clip:
        with self.engine.connect() as conn:
            found = clips.find(conn, STORE, str(one.id))
        assert found is not None
        return found

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with self.engine.connect() as conn:
            return [tuple(row) for row in conn.execute(sa.text(query))]

    def restart(self) -> None:
        """Killed and started again: nothing in memory is left."""
        self.app.extensions["vault"].stop()
        self.app = _make(self.app.extensions["vault"].config, self)
        self.client = self.app.test_client()

    def _who(self, one: Film) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tickets.get(one.id, 'none')}"}


def _make(config: EdgeConfig, door: "Door | None", clock: Clock | None = None) -> Flask:
    return create_vault(config, lambda _environ: door.peer if door else None, clock or door.clock)  # type: ignore[union-attr]


@pytest.fixture
def door(small_store: SmallStore, engine: sa.Engine, clock: Clock, tmp_path: Path) -> Iterator[Door]:
    signer = Signer(Ed25519PrivateKey.generate())
    with engine.begin() as conn:
        conn.execute(sa.update(device).where(device.c.name == "kiosk-1").values(signing_key=signer.key))
    config = EdgeConfig(
        store=STORE,
        title="Shop",
        database=small_store.url,
        vault=Vault(address="localhost"),
        directory=str(tmp_path),
    )
    made: list[Door] = []
    app = create_vault(config, lambda _environ: made[0].peer, clock)
    made.append(Door(app, engine, clock, signer, config.vault_path))
    yield made[0]
    made[0].app.extensions["vault"].stop()


@pytest.fixture
def cause(engine: sa.Engine) -> UUID:
    """An open security request of kiosk-1."""
    raised = new_id(int(START.timestamp() * 1000))
    with engine.begin() as conn:
        conn.execute(
            sa.insert(interaction).values(
                id=str(raised),
                store=STORE,
                device="kiosk-1",
                zone="shoes",
                kind="security",
                state="raised",
                reference="ABC-DEF",
                count=1,
                revision=1,
                step=0,
                round=0,
                silent=True,
                drill=False,
                raised_at=START,
                received_at=START,
                age_known=True,
            )
        )
    return raised


@pytest.fixture
def one(door: Door, cause: UUID) -> Film:
    return film(door.signer, VIDEO, cause)


def sealed_files(door: Door) -> list[Path]:
    return [path for path in (door.folder / "sealed").rglob("*") if path.is_file()]
