"""'You are reachable' only after a round trip, in time and from this phone."""

import json
import time
from datetime import timedelta

import pytest

from edge.reports import floor as now_there
from edge.web import errands
from edge.web.round_trip import RoundTrips

from .conftest import Browser, Clock, Shop

KEY = "a" * 64


def test_a_nonce_is_answered_by_its_own_phone_within_ten_seconds(clock: Clock) -> None:
    trips, now = RoundTrips("secret"), clock.now
    nonce = trips.ask(KEY, now)
    assert trips.answers(KEY, nonce, now + timedelta(seconds=10))
    assert RoundTrips("secret").answers(KEY, nonce, now), "another process of the same store knows it too"
    assert not trips.answers(KEY, nonce, now + timedelta(seconds=10.1))
    assert not trips.answers(KEY, nonce, now - timedelta(seconds=1))
    assert not trips.answers("b" * 64, nonce, now)
    assert not RoundTrips("other").answers(KEY, nonce, now)


@pytest.mark.parametrize("nonce", ["", "-", "1-2", "x" * 64, "9" * 40 + "-0", "1772445600000-é"])
def test_what_is_no_nonce_is_no_answer(clock: Clock, nonce: str) -> None:
    assert not RoundTrips("secret").answers(KEY, nonce, clock.now)


def test_a_phone_that_answers_is_reachable_and_written_so_once_for_many(
    shop: Shop, clock: Clock, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "HEARD_EVERY_S", 0.05)
    visitor.sign_in(shop.people["Ana"])
    nonce = visitor.get("/floor/pages").headers["Floorbell-Nonce"]
    shop.services.errands.start()
    clock.pass_(seconds=3)
    assert visitor.post("/floor/heard", nonce=nonce).status_code == 204
    deadline = time.monotonic() + 10
    while shop.read("SELECT heard_at FROM session WHERE heard_at IS NOT NULL") == []:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    def reachable() -> bool:
        with shop.services.read() as conn:
            return {p.name: p.reachable for p in now_there.people(conn, "trial", [], clock.now)}["Ana"]

    assert reachable()
    clock.pass_(seconds=11)
    assert not reachable()


def test_an_answer_that_is_late_or_anothers_is_no_round_trip(
    shop: Shop, clock: Clock, visitor: Browser
) -> None:
    visitor.sign_in(shop.people["Ana"])
    other = Browser(shop.app)
    other.sign_in(shop.people["Marc"])
    nonce = other.get("/floor/pages").headers["Floorbell-Nonce"]
    assert visitor.post("/floor/heard", nonce=nonce).status_code == 409
    clock.pass_(seconds=11)
    late = other.post("/floor/heard", nonce=nonce)
    assert late.status_code == 409 and "comes too late" in late.text


def test_every_beat_of_a_phone_asks_anew_and_a_desks_beat_asks_nothing(
    shop: Shop, clock: Clock, visitor: Browser
) -> None:
    visitor.sign_in(shop.people["Sofia"])
    visitor.sign_in_at_desk("Sofia")
    said = {}
    for room in ("floor", "manage"):
        response = visitor.client.get(f"/{room}/stream", buffered=False)
        first = next(iter(response.response))
        response.close()
        text = first.decode() if isinstance(first, bytes) else first
        said[room] = json.loads(text.split("data: ", 1)[1])
    assert visitor.post("/floor/heard", nonce=said["floor"]["nonce"]).status_code == 204
    assert "nonce" not in said["manage"]
