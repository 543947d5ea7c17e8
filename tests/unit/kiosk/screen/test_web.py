"""The page and its door, with Flask's own client."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from kiosk.screen.board import Board
from kiosk.screen.messages import Asking, Touch, View
from kiosk.screen.web import MAX_STREAMS, create_app
from tests.rig.panel import OPEN, a_view

HOST = "127.0.0.1:8970"
TOUCH = {"X-Floorbell-Screen": "touch"}


class Screen:
    def __init__(self, view: View | None) -> None:
        self.board = Board()
        self.board.set(view)
        self.sent: list[Touch] = []
        self.takes = True
        self.client: FlaskClient = create_app(self.board, self._send, frozenset({HOST})).test_client()

    def _send(self, touch: Touch) -> bool:
        self.sent.append(touch)
        return self.takes

    def get(self, path: str = "/", host: str = HOST) -> Any:
        return self.client.get(path, headers={"Host": host})

    def touch(self, body: object, **more: str) -> int:
        headers = {"Host": HOST, **TOUCH, **{name.replace("_", "-"): value for name, value in more.items()}}
        return self.client.post("/touch", data=json.dumps(body), headers=headers).status_code


@pytest.fixture
def screen() -> Callable[..., Screen]:
    return lambda **more: Screen(a_view(**more))


Make = Callable[..., Screen]


def test_the_page_shows_the_present_truth_at_once(screen: Make) -> None:
    text = screen(state="sent", text="sent", keys=OPEN, reference="K7F-2QD", language="it").get().text
    assert "Il negozio ha la sua richiesta." in text and "K7F-2QD" in text and 'lang="it"' in text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "tel:112", "file:///etc/passwd", "//evil.example"])
def test_a_code_leads_to_a_page_and_nowhere_else(screen: Make, link: str) -> None:
    asking = Asking(request="r", code="K7F-2QD", link=link)
    text = screen(state="resolved", text="resolved", asking=asking).get().text
    assert 'class="qr"' not in text and link not in text


def test_no_other_host_name_leads_here(screen: Make) -> None:
    for path in ("/", "/stream", "/static/screen.css"):
        assert screen().get(path, "evil.example:8970").status_code == 403


def test_the_policy_of_every_answer_lets_nothing_in_and_nobody_frame_it(screen: Make) -> None:
    drawn = screen()
    answers = [drawn.get(path) for path in ("/", "/static/screen.css", "/static/screen.js", "/nowhere")]
    answers += [drawn.client.post("/touch", headers={"Host": HOST}), drawn.get("/", "evil.example:8970")]
    assert [one.status_code for one in answers] == [200, 200, 200, 404, 403, 403]
    for one in answers:
        policy = one.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri" in policy
        assert "unsafe" not in policy and "form-action 'none'" in policy
        assert one.headers["X-Content-Type-Options"] == "nosniff"
        assert one.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert (one.headers["Referrer-Policy"], one.headers["Cache-Control"]) == ("no-referrer", "no-store")


def test_the_page_brings_no_script_and_no_style_of_its_own(screen: Make) -> None:
    link = "https://shop.example/f/abc"
    asking = Asking(request="r", code="K7F-2QD", link=link)
    text = screen(state="resolved", text="resolved", asking=asking).get().text
    assert "<svg" in text and 'class="qr"' in text
    assert "style=" not in text and "<style" not in text and " onclick" not in text
    assert "https://" not in text


def test_a_touch_is_handed_to_the_panel(screen: Make) -> None:
    drawn = screen()
    assert drawn.touch({"what": "key", "key": "till"}) == 204
    assert drawn.touch({"what": "language", "value": "sr"}) == 204
    assert drawn.sent == [Touch("key", key="till"), Touch("language", value="sr")]


def test_a_form_of_another_site_touches_nothing(screen: Make) -> None:
    drawn = screen()
    body = json.dumps({"what": "key", "key": "till"})
    form = drawn.client.post("/touch", data=body, headers={"Host": HOST})
    assert form.status_code == 403
    assert drawn.touch({"what": "key", "key": "till"}, Sec_Fetch_Site="cross-site") == 403
    assert drawn.touch({"what": "key", "key": "till"}, Host="evil.example") == 403
    assert drawn.sent == []


@pytest.mark.parametrize(
    "body",
    [
        {"what": "key", "key": "security"},
        {"what": "language", "value": "xx"},
        {"what": "score", "value": "4"},
        {"what": "answer", "question": "wait", "value": "short"},
        {"what": "dismiss"},
    ],
)
def test_what_is_not_shown_cannot_be_touched(screen: Make, body: dict[str, str]) -> None:
    drawn = screen()
    assert drawn.touch(body) == 409 and drawn.sent == []


def test_a_score_is_one_to_four_and_given_once(screen: Make) -> None:
    asked = screen(asking=Asking())
    assert asked.touch({"what": "score", "value": "5"}) == 409
    assert asked.touch({"what": "score", "value": "1"}) == 204
    assert screen(asking=Asking(score=1)).touch({"what": "score", "value": "1"}) == 409


def test_an_answer_belongs_to_its_question(screen: Make) -> None:
    asked = screen(asking=Asking(score=1, questions=["wait"]))
    assert asked.touch({"what": "answer", "question": "wait", "value": "kind"}) == 409
    assert asked.touch({"what": "answer", "question": "wait", "value": "long"}) == 204


@pytest.mark.parametrize("body", [None, [], {"what": "explode"}, {"what": "key", "key": "x" * 65}])
def test_what_is_not_a_touch_is_refused(screen: Make, body: object) -> None:
    assert screen().touch(body) == 400


def test_without_the_panel_nothing_is_taken_and_the_page_offers_no_button() -> None:
    away = Screen(None)
    assert away.touch({"what": "language", "value": "ca"}) == 503
    text = away.get().text
    assert "This screen has lost its connection to the kiosk." in text and "<button" not in text


def test_a_panel_that_takes_no_touch_is_said_to_be_away(screen: Make) -> None:
    drawn = screen()
    drawn.takes = False
    assert drawn.touch({"what": "key", "key": "till"}) == 503


def test_the_stream_tells_each_change_and_beats_in_between(screen: Make) -> None:
    drawn = screen()
    lines = iter(drawn.client.get("/stream", headers={"Host": HOST}, buffered=False).response)
    assert "Press a button" in next(lines).decode()
    assert next(lines) == b"event: beat\ndata:\n\n"
    drawn.board.set(a_view(language="pt"))
    changed = json.loads(next(lines).decode().partition("data: ")[2])
    assert changed["lang"] == "pt" and changed["regions"]["sentence"].startswith("Carregue")
    drawn.board.set(None)
    assert json.loads(next(lines).decode().partition("data: ")[2])["mode"] == "lost"


def test_pages_without_number_do_not_take_every_thread(screen: Make) -> None:
    drawn = screen()
    held = [drawn.get("/stream") for _ in range(MAX_STREAMS)]
    assert drawn.get("/stream").status_code == 503
    held[0].close()
    assert drawn.get("/stream").status_code == 200
    for response in held[1:]:
        response.close()


def test_a_name_is_text_and_never_markup(screen: Make) -> None:
    name = "<img src=x>"
    text = screen(state="here", text="here", args={"name": name}, name=name, keys=OPEN).get().text
    assert "<img" not in text and "&lt;img" in text
