"""Starts the store, says where it is, and ends it again; with --check it also plays one full round."""

import contextlib
import datetime as dt
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import sqlalchemy as sa

import deploy
from broker.mosquitto import free_port
from deploy import provision as making
from deploy.demo import shop
from deploy.demo.children import Children
from deploy.demo.control import Hand
from deploy.demo.filming import choose as filming_of
from deploy.demo.stage import Stage, person_ids, prepare, socket_of
from deploy.demo.visitor import Browser
from deploy.errors import DeployError
from edge.db.store_tables import device

PORT = 8080
START_S = 30.0
ROOT = Path(deploy.__file__).parent.parent


def run(
    data: Path | None,
    port: int | None,
    check: bool,
    say: Callable[[str], None] = click.echo,
    *,
    history: int | None = None,
    seed: int | None = None,
    video: Path | None = None,
    webcam: int | None = None,
) -> int:
    """The exit status. DeployError with the reason if the store could not start or a part of it ended."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    if shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin") is None:
        raise DeployError("Mosquitto is not installed; on Debian: apt-get install mosquitto.")
    filming = filming_of(video, webcam)
    if filming.why:
        say(filming.why)
    with _directory(data) as directory, contextlib.ExitStack() as claims:
        stage = prepare(directory, _web_port(port, claims), dt.datetime.now(dt.UTC), filming.sources)
        children = Children()
        try:
            if history:
                _remember(stage, history, seed, say)
            _start(stage, children, stop, say)
            if stop.is_set():
                return 0
            if check:
                from deploy.demo.check import play

                return play(stage, say)
            _welcome(stage, data, say)
            while not stop.wait(0.5):
                children.check()
            return 0
        finally:
            say("Stopping.")
            if killed := children.stop():
                say(f"These had to be killed: {', '.join(killed)}.")
            stage.close()


def _remember(stage: Stage, days: int, seed: int | None, say: Callable[[str], None]) -> None:
    from deploy.demo.history import story, write

    count = write.fill(stage.config, days, story.SEED if seed is None else seed, dt.datetime.now(dt.UTC))
    if count:
        say(f"The log holds {count:,} interactions of {days} days and of today.")
    else:
        say("The log holds something of these days already; it is kept as it is.")


def _start(stage: Stage, children: Children, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Everything, and wait until all of it works together. Returns early when `stop` is set."""
    python, config = sys.executable, str(stage.config_path)

    def start(name: str, *arguments: str) -> None:
        children.start(name, [python, "-m", *arguments], stage.log_of(name), ROOT)

    def until(ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_S
        while not stop.is_set() and not ready():
            children.check()
            if time.monotonic() > deadline:
                raise DeployError(f"{what} within {START_S:.0f} seconds; see {stage.directory / 'log'}.")
            stop.wait(0.05)

    began_at = dt.datetime.now(dt.UTC)
    say(f"Starting the store {shop.TITLE}.")
    start("broker", "deploy.cli", "broker", "run", "--listen", "127.0.0.1", "--config", config)
    until(lambda: _listens(stage.config.broker.port), "The broker did not start")
    start("worker", "edge", "worker", "--config", config)
    start("web", "deploy.demo.web", "--config", config)
    start("messenger", "edge", "messenger", "--config", config)
    if has_vault := (stage.config.identity_path / "vault").exists():
        # A demo's folder from before there was one has no certificate for it.
        start("vault", "edge", "vault", "--config", config)
    elif stage.filmed:
        say("No clip will come to the store: this folder is from before it had a vault. A new one has it.")
    for kiosk in shop.KIOSKS:
        folder, control = stage.kiosk_folder(kiosk), socket_of(stage.directory, kiosk.name)
        arguments = ("--config", str(folder / "kiosk.toml"), "--socket", str(control))
        start(kiosk.name, "deploy.demo.kiosk", *arguments)
        if kiosk.screen:
            shown = ("--port", str(stage.screen_port(kiosk)), "--framed-by", stage.address)
            start(f"{kiosk.name}-screen", "kiosk", "screen", "--config", str(folder / "kiosk.toml"), *shown)
        if kiosk in stage.filmed:
            start(f"{kiosk.name}-camera", "kiosk", "camera", "--config", str(folder / "kiosk.toml"))
    until(lambda: _listens(stage.config.web.port), "The pages did not start")
    until(lambda: not has_vault or _listens(stage.config.vault.port), "The vault did not start")
    for kiosk in shop.KIOSKS:
        if kiosk.screen:
            port = stage.screen_port(kiosk)
            until(lambda port=port: _listens(port), f"The screen of {kiosk.name} did not start")  # type: ignore[misc]
    until(lambda: _reached(stage, began_at), "The kiosks did not reach the store")
    if not stop.is_set():
        _sign_in_the_others(stage)


def _sign_in_the_others(stage: Stage) -> None:
    """Everyone but the visitor carries a phone already: they are called, and leave the visitor to answer."""
    ids = person_ids(stage.config)
    for member in shop.PEOPLE:
        if member.pin and member is not shop.VISITOR:
            browser = Browser(stage.address)
            browser.answer_once(browser.sign_in_on_the_floor(ids[member.name], member.pin))


def _welcome(stage: Stage, data: Path | None, say: Callable[[str], None]) -> None:
    say("")
    say(f"  Open   {stage.address}/")
    say("")
    say(f"  Phone  {stage.address}/floor/     Desk  {stage.address}/manage/")
    for member in shop.PEOPLE:
        secret = "   ".join(
            part
            for part in (
                f"PIN {member.pin}" if member.pin else "",
                f"password {member.password}" if member.password else "",
            )
            if part
        )
        say(f"    {member.name:<7} {member.about:<32} {secret}")
    say("")
    say("  Managers sign in without a second factor here; a store of your own asks for one.")
    kept = f"Data is kept in {stage.directory}." if data else "Nothing is kept."
    say(f"  Ctrl-C ends it. {kept}")
    sys.stdout.flush()


@contextlib.contextmanager
def _directory(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    # Not TemporaryDirectory: what a dying process still writes must not turn into an error here.
    made = Path(tempfile.mkdtemp(prefix="floorbell-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _web_port(asked: int | None, claims: contextlib.ExitStack) -> int:
    """The pages' port, claimed against other demos until `claims` end: the pages take it only in a while."""
    if asked is None:
        return PORT if _free(PORT) and _claim(PORT, claims) else free_port()
    if not _free(asked) or not _claim(asked, claims):
        raise DeployError(f"Port {asked} is taken; choose another with --port.")
    return asked


def _claim(port: int, claims: contextlib.ExitStack) -> bool:
    """Of two demos that start at once one gets it. The name is an abstract one: no file is left behind."""
    held = claims.enter_context(socket.socket(socket.AF_UNIX))
    try:
        held.bind(f"\0floorbell-demo-{port}")
    except OSError:
        return False
    return True


def _free(port: int) -> bool:
    with socket.socket() as sock:
        # As the web server will ask for it: what only lingers from a connection is no obstacle.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _reached(stage: Stage, began_at: dt.datetime) -> bool:
    """Whether the server has heard each kiosk since then, and each kiosk knows that the server is there."""
    heard = sa.select(sa.func.count()).where(
        device.c.store == shop.STORE, device.c.status == "online", device.c.status_at >= began_at
    )
    with making.writing(stage.config) as conn:
        if conn.execute(heard).scalar_one() < len(shop.KIOSKS):
            return False
    try:
        hands = [Hand(socket_of(stage.directory, kiosk.name)) for kiosk in shop.KIOSKS]
        return all(hand.look().shown.state not in ("starting", "unreachable") for hand in hands)
    except DeployError:
        return False
