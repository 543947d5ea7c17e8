"""The kiosk's half of the spine: pins to wire and back, on a real broker, with a server that can be told."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import codec
from broker.events import Attended, HelpRequested, new_id, reference_of
from broker.messages import Call, CallState, Drill, Identify, Replay
from broker.mosquitto import Broker
from broker.topics import Channel
from kiosk.config import Security
from kiosk.display import State
from tests.system.kiosk_rig import (
    CANCEL,
    HELP,
    HERE,
    LAMP,
    PULSE,
    RELAY,
    SECURITY,
    TILL,
    FakeServer,
    RunningKiosk,
    a_call,
    settings,
    until,
)

pytestmark = pytest.mark.system
NAME = "kiosk-1"


@pytest.fixture
def start(
    device: Callable[[str], Path], broker: Broker, store: Path, tmp_path: Path
) -> Iterator[Callable[..., RunningKiosk]]:
    """Start a kiosk; a second call starts it anew on the same outbox."""
    identity = device(NAME)
    running: list[RunningKiosk] = []

    def begin(**more: object) -> RunningKiosk:
        config = settings(identity, broker.settings.port, tmp_path / "outbox", NAME, **more)
        running.append(RunningKiosk(config))
        return running[-1]

    yield begin
    for kiosk in running:
        kiosk.close()


@pytest.fixture
def server(store: Path, broker: Broker) -> Iterator[FakeServer]:
    fake = FakeServer(store, broker.settings.port)
    yield fake
    fake.close()


def test_a_kiosk_that_is_told_to_end_ends_only_when_security_has_been_called(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    kiosk.factory.pin(SECURITY).drive_low()
    # As systemd does when a release is tried, a moment after somebody began to hold the button.
    kiosk.stop.set()
    kiosk.close()
    assert [event.kind for event in server.of_kind("security")] == ["security"]
    assert kiosk.status == 0


def test_a_press_becomes_saved_then_sent_then_a_person_by_name(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    server.receipts = False
    kiosk.press(HELP)
    kiosk.shows(State.SAVED)
    assert State.SENT not in kiosk.states
    event = until(lambda: server.arrivals and server.arrivals[0])
    assert event.content == HelpRequested("find-item", "en", 1)
    assert event.seq == 1 and event.clock is not None
    assert State.SENT not in kiosk.states

    server.receipts = True
    server.receipt(event)
    kiosk.shows(State.SENT)
    assert kiosk.display.reference == reference_of(event.id)
    reference = reference_of(event.id)
    server.call(NAME, a_call(event.id, args={"people": "2"}, reference=reference))
    kiosk.shows(State.SENT, "paging.best")
    coming = a_call(
        event.id, revision=2, state="acknowledged", text="coming", name="Ana", reference=reference
    )
    server.call(NAME, coming)
    shown = kiosk.shows(State.ON_THE_WAY)
    assert shown.name == "Ana"
    until(lambda: kiosk.factory.pin(LAMP).state > 0)

    kiosk.press(HERE)
    attended = until(lambda: server.of_kind("attend"))[0]
    assert attended.content.request == event.id
    here = a_call(event.id, revision=3, state="attended", text="here", name="Ana", reference=reference)
    server.call(NAME, here)
    kiosk.shows(State.HERE)
    server.call(NAME, a_call(event.id, revision=4, state="resolved", text="resolved", reference=reference))
    kiosk.shows(State.RESOLVED)


def test_cancel_withdraws_the_open_request(start: Callable[..., RunningKiosk], server: FakeServer) -> None:
    kiosk = start()
    kiosk.press(HELP)
    event = until(lambda: server.of_kind("help"))[0]
    kiosk.press(CANCEL)
    cancel = until(lambda: server.of_kind("cancel"))[0]
    assert cancel.content.request == event.id
    kiosk.shows(State.CANCELLED, "cancelled")


def test_a_killed_broker_loses_nothing_that_was_pressed(
    start: Callable[..., RunningKiosk], server: FakeServer, broker: Broker
) -> None:
    kiosk = start()
    kiosk.press(HELP)
    kiosk.shows(State.SENT)
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGKILL)
    kiosk.press(CANCEL)
    kiosk.shows(State.CANCELLED, "cancel.saved")
    kiosk.press(TILL)
    kiosk.shows(State.SAVED)
    time.sleep(0.3)
    broker.start()
    until(lambda: len(server.of_kind("help")) == 2 and server.of_kind("cancel"))
    assert sorted(event.seq for event in server.events.values()) == [1, 2, 3]
    assert kiosk.shows(State.SENT)


def test_twenty_presses_a_second_are_one_request_with_a_count(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start(repeat_window_s=1)
    for _ in range(60):
        kiosk.press(HELP, 0.025)
        time.sleep(0.025)
    until(lambda: sum(event.content.count for event in server.of_kind("help")) == 60)
    helps = server.of_kind("help")
    assert len(helps) <= 6
    assert helps[0].content.count == 1


def test_a_held_security_button_sends_an_event_and_leaves_no_trace(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    before = list(kiosk.shown)
    lamp = list(kiosk.factory.pin(LAMP).states)
    kiosk.press(SECURITY, 0.3)
    kiosk.press(SECURITY, 0.7)
    event = until(lambda: server.of_kind("security"))[0]
    assert event.content.trigger == "hold" and event.content.silent
    server.call(NAME, a_call(event.id, display="discreet", state="acknowledged", text="coming", name="Bo"))
    time.sleep(0.3)
    assert len(server.of_kind("security")) == 1
    assert kiosk.shown == before
    assert list(kiosk.factory.pin(LAMP).states) == lamp


def test_two_buttons_held_together_call_security_and_nothing_else(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start(security=Security(together=["cancel", "here"], hold_s=0.5, pulse=PULSE))
    before, lamp = list(kiosk.shown), list(kiosk.factory.pin(LAMP).states)
    for pin in (CANCEL, HERE):
        kiosk.factory.pin(pin).drive_low()
    event = until(lambda: server.of_kind("security"))[0]
    for pin in (CANCEL, HERE):
        kiosk.factory.pin(pin).drive_high()
    felt = kiosk.factory.pin(PULSE).states
    until(lambda: [state.state for state in felt] == [False, True, False])
    server.call(NAME, a_call(event.id, display="discreet", state="acknowledged", text="coming", name="Bo"))
    until(lambda: [state.state for state in felt] == [False, True, False, True, False, True, False])
    assert [event.kind for event in server.events.values()] == ["security"]
    assert (kiosk.shown, list(kiosk.factory.pin(LAMP).states)) == (before, lamp)


def test_a_store_that_cannot_be_reached_leaves_the_siren(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start(security=Security(relay=RELAY, relay_s=5))
    until(lambda: server.heartbeats)
    server.online(False)
    kiosk.shows(State.UNREACHABLE)
    assert not kiosk.factory.pin(RELAY).state
    kiosk.press(SECURITY, 0.6)
    until(lambda: kiosk.factory.pin(RELAY).state)
    until(lambda: not kiosk.factory.pin(RELAY).state)


def test_while_the_server_is_away_help_is_held_and_security_is_not(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    until(lambda: server.heartbeats)
    time.sleep(0.3)  # it has heard the server, so that the first press is not its probe
    kiosk.press(HELP)
    kiosk.shows(State.SENT)
    server.online(False)
    kiosk.press(CANCEL)
    kiosk.shows(State.CANCELLED)
    until(lambda: server.of_kind("cancel"))  # the probe
    kiosk.press(HELP)
    kiosk.press(SECURITY, 0.6)
    until(lambda: server.of_kind("security"))
    assert len(server.of_kind("help")) == 1
    assert kiosk.display.state is State.SAVED
    server.online(True)
    until(lambda: len(server.of_kind("help")) == 2)
    kiosk.shows(State.SENT)


def test_a_kiosk_that_starts_anew_takes_up_the_open_request(
    start: Callable[..., RunningKiosk], store: Path, broker: Broker
) -> None:
    kiosk = start()
    kiosk.press(HELP)
    reference = kiosk.shows(State.SAVED).reference
    kiosk.close()
    again = start()
    assert again.shows(State.SAVED).reference == reference
    server = FakeServer(store, broker.settings.port)
    try:
        again.shows(State.SENT)
        assert len(server.of_kind("help")) == 1
        states = until(lambda: [s.status for s in server.states])
        assert states[-1] == "online"
        again.close()
        until(lambda: server.states[-1].status == "offline")
    finally:
        server.close()


def test_a_replay_sends_what_was_receipted_again(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    kiosk.press(HELP)
    kiosk.shows(State.SENT)
    outbox = server.arrivals[0].outbox
    assert outbox is not None
    server.command(NAME, Replay(outbox, 1))
    until(lambda: len(server.arrivals) >= 2)
    assert server.arrivals[0].payload == server.arrivals[-1].payload


def test_a_refused_event_is_set_aside_and_shows_in_the_heartbeat(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    server.refuse = "The kind is not wanted here."
    kiosk.press(HELP)
    kiosk.shows(State.MISSED, "refused")
    beat = until(lambda: next((b for b in server.heartbeats if b.faults), None))
    assert "not wanted here" in beat.faults[0]
    assert beat.depth == 0 and beat.oldest_open_seq == 2


def test_nonsense_from_the_wire_is_ignored_and_the_line_goes_on(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    for channel in (Channel.CALL, Channel.COMMAND, Channel.RECEIPT):
        for payload in (b"", b"{", b"[]", b'{"command":"explode"}', b"\xff" * 9000, b'{"seqs":[0]}'):
            server.raw(NAME, channel, payload)
    server.raw(NAME, Channel.COMMAND, b'{"command":"drill","kind":"greet"}')
    kiosk.press(HELP)
    kiosk.shows(State.SENT)
    # One event, which may be sent more than once: a probe goes out before the server is known to be there.
    assert len({event.id for event in server.arrivals}) == 1
    assert {event.kind for event in server.arrivals} == {"help"}


def test_a_technician_finds_the_kiosk_by_its_blinking_lamp(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    until(lambda: server.heartbeats)
    before = len(kiosk.factory.pin(LAMP).states)
    server.command(NAME, Identify(1))
    until(lambda: len(kiosk.factory.pin(LAMP).states) > before + 6)
    assert kiosk.display.state is State.IDLE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk to fill")
def test_with_a_full_disk_presses_are_still_sent_and_are_saved_when_there_is_room(
    device: Callable[[str], Path], broker: Broker, server: FakeServer, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(small)], check=True)
    try:
        kiosk = RunningKiosk(settings(device(NAME), broker.settings.port, small / "outbox", NAME))
        until(lambda: (small / "outbox" / "reserve").exists() and server.heartbeats)
        server.receipts = False
        with contextlib.suppress(OSError), (small / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"0" * 4096):
                pass
        pressed = 0
        while State.NOT_SAVED not in kiosk.states and pressed < 60:
            kiosk.press(HELP if pressed % 2 == 0 else CANCEL)
            pressed += 1
        kiosk.shows(State.NOT_SAVED)
        server.receipts = True
        kiosk.shows(State.SENT)
        kiosk.press(SECURITY, 0.6)
        security = until(lambda: server.of_kind("security"))[0]
        assert security.seq is not None, "the reserve has made room for it"
        assert any(event.seq is None for event in server.events.values())
        (small / "filler").unlink()
        until(lambda: (small / "outbox" / "reserve").exists())
        kiosk.press(CANCEL)
        kiosk.press(TILL)
        until(lambda: any(e.content.topic == "till" and e.seq for e in server.of_kind("help")))
        kiosk.close()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_second_program_on_the_same_outbox_refuses_to_start(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    start()
    second = start()
    assert "Another kiosk program" in str(second.error)


def test_a_drill_goes_the_way_of_a_press_and_a_real_press_meanwhile_is_a_real_one(
    start: Callable[..., RunningKiosk], server: FakeServer
) -> None:
    kiosk = start()
    until(lambda: server.heartbeats)
    drill, silent = new_id(0), new_id(0)
    server.command(NAME, Drill("help", drill))
    server.command(NAME, Drill("security", silent))
    events = until(lambda: {e.id: e for e in server.arrivals} if len(server.arrivals) >= 2 else None)
    assert events[drill].drill and events[drill].kind == "help" and events[drill].seq is not None
    assert events[silent].drill and events[silent].kind == "security"
    assert kiosk.display.state is State.IDLE
    kiosk.press(HELP)
    kiosk.shows(State.SENT)
    real = until(lambda: next((e for e in server.arrivals if not e.drill), None))
    for request in (drill, silent):
        call = Call(request, 2, CallState.ACKNOWLEDGED, "coming", "AAA-AAA", 30, name="Ana", drill=True)
        server.raw(NAME, Channel.CALL, codec.encode(call))
    answers = until(
        lambda: (found := [e for e in server.arrivals if isinstance(e.content, Attended)])[1:] and found
    )
    assert {e.content.request for e in answers if isinstance(e.content, Attended)} == {drill, silent}
    assert all(e.drill for e in answers)
    # The shopper's own request has heard nothing of it.
    assert kiosk.display.state is State.SENT and real.id not in (drill, silent)
