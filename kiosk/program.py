"""The kiosk program, wired in one place."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from broker.errors import BrokerError
from broker.events import Clock, Tampered
from broker.topics import Channel
from broker.watchdog import HUNG, Watchdog, notify
from kiosk import disk, leaving
from kiosk.cameras import Cameras
from kiosk.clock import Clocks, Stamp
from kiosk.config import Config
from kiosk.courier import Courier, Say
from kiosk.display import Display
from kiosk.errors import KioskError
from kiosk.health import Health
from kiosk.jobs import Report, Save
from kiosk.lamps import Player
from kiosk.outbox import NewEvent
from kiosk.panel import CameraNews, Ending, Panel
from kiosk.pins import Pins, open_factory
from kiosk.renewals import Renewals
from kiosk.replacing import settle
from kiosk.screens import Screens
from kiosk.storing import Storing
from kiosk.updating.updates import Condition, Updates
from kiosk.witnesses import Witnesses

log = logging.getLogger(__name__)
LEFT = "left.json"


def run(
    config: Config,
    pin_factory: Any,
    stop: threading.Event,
    watch: Callable[[Display], None] | None = None,
) -> int:
    """Be a kiosk until `stop` is set; the exit status. `pin_factory` is a gpiozero factory, None for lgpio's.

    `watch` is called with every new Display from the kiosk's main loop and must not block. KioskError is a
    sentence that says why the kiosk cannot start.
    """
    clocks = Clocks()
    held = disk.lock(config.outbox_directory)
    closing: list[Callable[[], object]] = [held.close]
    try:
        panel: Panel
        courier: Courier
        _settle(config)

        def report(item: Report) -> None:
            panel.put(item)
            courier.put(item)
            if updates is not None:
                updates.reported(item)

        watchdog = Watchdog(["panel", "storing thread", "courier"])
        storing = Storing(config.outbox_directory, clocks, report, lambda: watchdog.tick("storing thread"))
        health = Health(clocks, storing, config.outbox_directory)
        screens = (
            None if config.screen_socket is None else Screens(config.screen_socket, lambda t: panel.put(t))
        )
        cameras = (
            None
            if config.camera_socket is None
            else Cameras(config.camera_socket, lambda report: panel.put(CameraNews(report)))
        )

        def condition() -> Condition:
            works = panel.turns and storing.outbox is not None and storing.failed is None
            return Condition(works, courier.way, panel.idle)

        updates = None
        if config.update is not None:
            updates = Updates(config, clocks, condition, storing.put, Panel.new_id)
        panel = Panel(
            config,
            clocks,
            storing.put,
            health,
            watch,
            lambda: watchdog.tick("panel"),
            None if screens is None else screens.show,
            cameras=(lambda orders: None) if cameras is None else cameras.tell,
            ordered=(lambda command: None) if updates is None else updates.order,
        )
        health.watch_camera(panel.camera)

        def alarm() -> None:
            stamp = clocks.stamp(clocks.now())
            storing.put(Save(NewEvent(panel.new_id(), Tampered("custody-log"), stamp, None)))

        witnesses = Witnesses(config, lambda said: courier.say(Say(Channel.WITNESS, said)), alarm)
        try:
            courier = Courier(
                config,
                clocks,
                health.heartbeat,
                storing.put,
                panel.put,
                lambda: watchdog.tick("courier"),
                witnesses.show,
            )
        except BrokerError as error:
            raise KioskError(str(error)) from None
        health.watch_identity(lambda: courier.taken_over)
        pins = Pins(config, pin_factory or open_factory(config.gpio_chip), panel.edge)
        closing.append(pins.close)
        note = config.outbox_directory / LEFT
        closing.append(lambda: leaving.note(note, panel.leave()))
        storing.open()
        closing.append(storing.close)
        _take_up(storing, panel, clocks, config.give_up_s)
        player = Player(pins)
        player.start()
        closing.append(player.close)
        panel.begin(pins, player, leaving.take(note, clocks.boot, clocks.now()))
        if screens is not None:
            screens.start()
            closing.append(screens.close)
        if cameras is not None:
            cameras.start()
            closing.append(cameras.close)
        storing.start()
        courier.start()
        closing.append(courier.close)
        witnesses.start()
        closing.append(witnesses.close)
        renewals = Renewals(config, courier.renew)
        renewals.start()
        closing.append(renewals.close)
        if updates is not None:
            updates.start()
            closing.append(updates.close)
        watchdog.start()
        closing.append(watchdog.stop)
        notify(f"READY=1\nSTATUS={config.device} in {config.zone}")
        log.info("The kiosk %s of the store %s is ready.", config.device, config.store)
        ending = Ending(stop, [lambda: storing.failed, lambda: courier.failed])
        panel.run(ending, lambda: ending.failure is not None)
        notify("STOPPING=1")
        return 0 if ending.failure is None else HUNG
    finally:
        for close in reversed(closing):
            close()


def _settle(config: Config) -> None:
    """What a power cut interrupted while the identity was renewed."""
    try:
        settle(config.identity)
    except OSError as error:
        log.error("The renewed identity in %s cannot be put into its place: %s.", config.identity, error)


def _take_up(storing: Storing, panel: Panel, clocks: Clocks, give_up_s: float) -> None:
    """What the program was in the middle of when it ended: counted repeats, and the open request."""
    outbox = storing.outbox
    if outbox is None:
        return
    panel.visit.feedback.turn = outbox.next_seq
    now_s = clocks.now()
    for request_id, content, boot, made_ms in outbox.waiting_repeats():
        stamp = Stamp(made_ms / 1000, clocks.wall(), Clock(clocks.synced(), boot, made_ms))
        event = NewEvent(panel.new_id(), content, stamp, request_id, ends_repeats=True)
        storing.put(Save(event))
    found = outbox.interrupted(now_s - give_up_s)
    if found is not None:
        panel.visit.request.resume(*found, now_s)
        log.info("A request from before the start is still open.")
