"""Cameras around a security request: who is asked for which moment, and what becomes of it."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from broker import codec
from broker.events import ClipLost, ClipRecorded, HelpRequested, SecurityRequested, new_id
from broker.messages import Capture, Heartbeat
from broker.topics import Channel, of_device
from edge.db.evidence_tables import capture, clip, custody, ticket
from edge.db.tables import event, outgoing, page, timeline
from edge.devices import store as devices
from edge.evidence import captures, clips, register
from edge.handling import capturing, incidents
from edge.handling.telling import Telling
from edge.incidents import links
from edge.incidents.store import of_request
from tests.unit.edge.conftest import START, STORE
from tests.unit.edge.ingest.server import Arrival, Kiosk, Server, id_of

CAMERAS = ("kiosk-1", "kiosk-2", "till-1", "roof-1")


@pytest.fixture
def floor(server: Server, kiosk: Kiosk) -> dict[str, Kiosk]:
    """Cameras in shoes (two), in tills beside it and on the roof, which is beside nothing; one kiosk in shoes
    without. All were heard just now, each with a clock of its own."""
    kiosks = {}
    with server.conn.begin():
        devices.add_zone(server.conn, STORE, "roof", "Roof")
        for name, zone in (("kiosk-2", "shoes"), ("roof-1", "roof"), ("blind-1", "shoes")):
            devices.register(server.conn, STORE, name, zone, None, START)
        devices.set_neighbours(server.conn, STORE, "tills", ["shoes"])
        for number, name in enumerate((*CAMERAS, "blind-1")):
            one = Kiosk(server, name, UUID(int=100 + number), 1000.0 * (number + 1))
            camera = "ok" if name in CAMERAS else None
            beat = Heartbeat(one.boot, int(one.uptime_s * 1000), camera=camera)
            devices.save_heartbeat(server.conn, STORE, name, beat, server.clock())
            kiosks[name] = one
    for one in kiosks.values():
        one.heard()
    return kiosks


def commands(server: Server, device: str) -> list[Capture]:
    topic = of_device(STORE, device, Channel.COMMAND)
    found = [codec.decode_command(r["payload"]) for r in server.rows(outgoing) if r["topic"] == topic]
    return [command for command in found if isinstance(command, Capture)]


def asked(server: Server) -> dict[str, list[Capture]]:
    found = {name: commands(server, name) for name in (*CAMERAS, "blind-1")}
    return {name: sent for name, sent in found.items() if sent}


def film(kiosk: Kiosk, cause: UUID, *more: UUID) -> tuple[UUID, Arrival]:
    made = new_id(int(START.timestamp() * 1000))
    ended = START + timedelta(seconds=40)
    content = ClipRecorded(
        made, cause, START, ended, 9, "0" * 64, "1" * 64, "s", "h264", 64, 48, [cause, *more] if more else []
    )
    return made, kiosk.event(content)


def clips_of(server: Server, request: UUID) -> list[str]:
    with server.conn.begin():
        found = register.of_interaction(server.conn, STORE, str(request), START, silent=True)
    return [one.clip.id for one in found]


def test_security_asks_the_cameras_of_the_zone_and_of_those_beside_it_for_its_own_moment(
    server: Server, floor: dict[str, Kiosk]
) -> None:
    hold = floor["kiosk-1"].event(SecurityRequested("hold"))
    for one in floor.values():
        one.uptime_s += 5
    server.clock.forward(5)
    server.take(hold)
    sent = asked(server)
    assert set(sent) == {"kiosk-2", "till-1"}
    for name, (command,) in sent.items():
        assert command.cause == id_of(hold) and command.boot == floor[name].boot
        assert command.monotonic_ms == int((floor[name].uptime_s - 5) * 1000), "when it was pressed"
    assert "The cameras of kiosk-2 and till-1 are asked for pictures." in server.words()


def test_the_pages_are_written_before_and_help_asks_nobody(server: Server, floor: dict[str, Kiosk]) -> None:
    server.take(floor["kiosk-1"].event(HelpRequested()))
    assert asked(server) == {}
    server.take(floor["kiosk-1"].event(SecurityRequested("hold")))
    lines = [row["words"] for row in server.rows(timeline) if row["what"] in ("paged", "noted")]
    assert "asked for pictures" in lines[-1] and server.rows(page)
    topics = [row["topic"].rpartition("/")[2] for row in server.rows(outgoing)]
    assert topics.index("command") > topics.index("call")


def test_a_store_without_other_cameras_writes_nothing(server: Server, kiosk: Kiosk) -> None:
    server.take(kiosk.event(SecurityRequested("hold")))
    assert server.rows(capture) == [] and not any("pictures" in words for words in server.words())


def test_every_further_press_asks_again_under_its_own_id(server: Server, floor: dict[str, Kiosk]) -> None:
    first = floor["kiosk-1"].event(SecurityRequested("hold"))
    server.take(first)
    for one in floor.values():
        one.uptime_s += 20
    server.clock.forward(20)
    second = floor["kiosk-1"].event(SecurityRequested("hold"))
    server.take(second)
    before, after = commands(server, "till-1")
    assert (before.cause, after.cause) == (id_of(first), id_of(second))
    assert after.monotonic_ms is not None and before.monotonic_ms is not None
    assert after.monotonic_ms - before.monotonic_ms == 20_000
    made, told = film(floor["till-1"], id_of(first), id_of(second))
    server.take(told)
    assert clips_of(server, id_of(first)) == [str(made)]
    assert {row["state"] for row in server.rows(capture, device="till-1")} == {"filmed"}


def test_a_clip_that_was_asked_for_belongs_to_the_request_and_is_kept_and_hidden_like_its_own(
    server: Server, floor: dict[str, Kiosk]
) -> None:
    hold = floor["kiosk-1"].event(SecurityRequested("hold"))
    server.take(hold)
    made, told = film(floor["till-1"], id_of(hold))
    own, its = film(floor["kiosk-1"], id_of(hold))
    server.take(told, its)
    assert sorted(clips_of(server, id_of(hold))) == sorted([str(made), str(own)])
    for row in server.rows(clip):
        assert (row["kept_as"], row["silent"]) == ("security", True)


def test_the_incident_has_the_clips_of_the_cameras_around_it_whichever_comes_first(
    server: Server, floor: dict[str, Kiosk]
) -> None:
    hold = floor["kiosk-1"].event(SecurityRequested("hold"))
    again = floor["kiosk-1"].event(SecurityRequested("hold"))
    server.take(hold)
    early, told = film(floor["till-1"], id_of(hold))
    server.take(told)
    with server.conn.begin():
        incidents.open_due(server.conn, STORE, server.clock())
        opened = of_request(server.conn, STORE, str(id_of(hold)))
    server.take(again)
    late, told = film(floor["kiosk-2"], id_of(again))
    server.take(told)
    assert opened is not None
    with server.conn.begin():
        assert sorted(links.clips_of(server.conn, opened)) == sorted([str(early), str(late)])


def test_footage_that_a_shoppers_help_shares_with_silent_security_is_hidden_and_belongs_to_both(
    server: Server, floor: dict[str, Kiosk]
) -> None:
    help_, hold = floor["till-1"].event(HelpRequested()), floor["kiosk-1"].event(SecurityRequested("hold"))
    server.take(help_, hold)
    made, told = film(floor["till-1"], id_of(help_), id_of(hold))
    server.take(told)
    (row,) = server.rows(clip)
    assert (row["kept_as"], row["silent"]) == ("security", True)
    assert clips_of(server, id_of(help_)) == clips_of(server, id_of(hold)) == [str(made)]
    with server.conn.begin():
        assert register.of_interaction(server.conn, STORE, str(id_of(help_)), START, silent=False) == []


def test_a_drills_pictures_are_of_a_drill(server: Server, floor: dict[str, Kiosk]) -> None:
    hold = floor["kiosk-1"].event(SecurityRequested("hold"), drill=True)
    server.take(hold)
    server.take(film(floor["till-1"], id_of(hold))[1])
    (row,) = server.rows(clip)
    assert (row["drill"], row["kept_as"]) == (True, "routine")


def again(server: Server, device: str) -> None:
    telling = Telling(STORE)
    with server.conn.begin():
        capturing.ask_again(server.conn, telling, device, server.clock())
        telling.flush(server.conn, server.clock())


def test_a_camera_that_was_away_is_asked_again_by_the_clock_that_it_comes_back_with(
    server: Server, floor: dict[str, Kiosk]
) -> None:
    hold = floor["kiosk-1"].event(SecurityRequested("hold"))
    server.take(hold)
    server.clock.forward(30)
    with server.conn.begin():
        boot = str(UUID(int=900))
        devices.save_clock(server.conn, STORE, "till-1", boot, 40_000, server.clock())
        devices.save_clock(server.conn, STORE, "kiosk-2", boot, 4_000, server.clock())
    for name, moment in (("till-1", 10_000), ("kiosk-2", 0)):
        again(server, name)
        assert commands(server, name)[1] == Capture(id_of(hold), UUID(int=900), moment)
    server.take(film(floor["till-1"], id_of(hold))[1])
    again(server, "till-1")
    assert len(commands(server, "till-1")) == 2, "what was answered is not asked again"
    server.clock.forward(86_400)
    again(server, "kiosk-2")
    assert len(commands(server, "kiosk-2")) == 2, "nor what is long over"


def test_a_camera_that_does_not_answer_gets_no_stale_command_and_it_is_said_what_is_known(
    server: Server, floor: dict[str, Kiosk]
) -> None:
    server.take(floor["kiosk-1"].event(SecurityRequested("hold")))
    rows = [r for r in server.rows(outgoing) if r["topic"].endswith("/command")]
    (one, _) = captures.without_pictures(server.conn, STORE, server.requests(device="kiosk-1")[0]["id"])
    server.conn.rollback()
    assert captures.in_words(one, server.clock()).endswith("and has not answered yet.")
    (ends_s,) = {row["expiry_s"] for row in rows}
    # While the broker still holds the command nobody says that it was not answered; from then on they do.
    for after_s, said in ((ends_s, "yet."), (ends_s + 1, "is back."), (86_401, "asked no more.")):
        assert captures.in_words(one, server.clock() + timedelta(seconds=after_s)).endswith(said)
    # And whoever comes back later is sent it anew, for the same moment, with a whole life.
    floor["till-1"].wait(ends_s + 1)
    floor["till-1"].heard()
    again(server, "till-1")
    sent = [r for r in server.rows(outgoing) if r["topic"].endswith("till-1/command")]
    assert [row["expiry_s"] for row in sent] == [ends_s, ends_s]
    first, second = commands(server, "till-1")
    assert (first.cause, first.monotonic_ms) == (second.cause, second.monotonic_ms)


def test_what_came_too_late_is_said_once_in_the_timeline_and_a_clip_counts_more(
    server: Server, floor: dict[str, Kiosk]
) -> None:
    hold = floor["kiosk-1"].event(SecurityRequested("hold"))
    server.take(hold)
    late = ClipLost("late", None, id_of(hold))
    server.take(floor["till-1"].event(late))
    server.take(floor["till-1"].event(late))
    said = "There are no pictures of till-1: it was asked after they had left the camera's memory."
    assert server.words().count(said) == 1
    with server.conn.begin():
        found = captures.without_pictures(server.conn, STORE, str(id_of(hold)))
    assert [(one.device, one.state, one.why) for one in found] == [
        ("kiosk-2", "asked", None),
        ("till-1", "lost", "late"),
    ]
    silent = [body for body in server.audiences()["silent"] if body.get("kind") == "security"]
    assert silent and not any(
        body.get("request") == str(id_of(hold)) for body in server.audiences().get("manage", [])
    )
    server.take(film(floor["till-1"], id_of(hold))[1])
    with server.conn.begin():
        found = captures.without_pictures(server.conn, STORE, str(id_of(hold)))
    assert [one.device for one in found] == ["kiosk-2"]


@pytest.mark.parametrize(
    ("why", "state", "sentence"),
    [("full", "gone", "card was full"), ("damaged", "damaged", "no longer holds what was signed")],
)
def test_a_clip_that_its_card_has_lost_is_said_everywhere_and_not_asked_for_any_more(
    server: Server, floor: dict[str, Kiosk], why: str, state: str, sentence: str
) -> None:
    hold = floor["kiosk-1"].event(SecurityRequested("hold"))
    made, told = film(floor["kiosk-1"], id_of(hold))
    server.take(hold, told)
    with server.conn.begin():
        clips.issue_ticket(server.conn, STORE, str(made), server.clock())
    lost = floor["kiosk-1"].event(ClipLost(why, made))  # type: ignore[arg-type]
    floor["kiosk-1"].wait(60)
    server.take(lost, floor["kiosk-1"].event(ClipLost(why, made)))  # type: ignore[arg-type]
    (row,) = server.rows(clip)
    assert (row["state"], row["lost_at"]) == (state, START), "when it was found, and not when it was said"
    assert sentence in row["trouble"]
    (entry,) = server.rows(custody)
    assert (entry["action"], entry["actor"]) == ("lost", "device kiosk-1") and sentence in entry["reason"]
    (line,) = [words for words in server.words() if "will not come" in words]
    assert line.startswith("The clip of kiosk-1 from 10:00:00 UTC") and sentence in line
    assert server.rows(ticket) == []
    with server.conn.begin():
        assert clips.without_ticket(server.conn, STORE, server.clock()) == []


def test_a_loss_that_comes_before_its_clip_is_not_forgotten(server: Server, floor: dict[str, Kiosk]) -> None:
    hold = floor["kiosk-1"].event(SecurityRequested("hold"))
    made, told = film(floor["kiosk-1"], id_of(hold))
    server.take(floor["kiosk-1"].event(ClipLost("full", made)))
    server.take(hold, told)
    assert [row["state"] for row in server.rows(clip)] == ["gone"]


def test_what_is_sealed_stays_so_and_nobody_loses_anothers_clip(
    server: Server, floor: dict[str, Kiosk]
) -> None:
    made, told = film(floor["kiosk-1"], UUID(int=5))
    server.take(told)
    receipts = server.take(floor["till-1"].event(ClipLost("full", made)))
    (refusal,) = next(iter(receipts["till-1"].refused.values()))
    assert refusal.reason == f"The clip {made} is another device's."
    assert server.rows(event, kind="lost") == []
    with server.conn.begin():
        now = server.clock()
        clips.set_sealed(server.conn, STORE, str(made), "security", True, now, now)
    server.take(floor["kiosk-1"].event(ClipLost("missing", made)))
    assert [row["state"] for row in server.rows(clip)] == ["sealed"] and server.rows(custody) == []


def test_a_loss_of_nothing_is_refused(server: Server, kiosk: Kiosk) -> None:
    topic, payload = kiosk.event(ClipLost("late", None, UUID(int=5)))
    server.take((topic, payload.replace(str(UUID(int=5)).encode(), b"").replace(b'"cause":""', b'"x":1')))
    (said,) = server.refusals()
    assert "neither a clip nor a cause" in said


def test_the_clock_of_a_camera_is_read_backwards_to_its_start_and_no_further(conn: sa.Connection) -> None:
    camera = captures.Camera("kiosk-2", "b", 10_000, START)
    assert camera.moment(START - timedelta(seconds=4)) == ("b", 6_000)
    assert camera.moment(START - timedelta(seconds=40)) == ("b", 0)
    assert captures.Camera("kiosk-2", None, None, None).moment(START) is None
