"""The log of what people outside were told, for other programs."""

from datetime import timedelta

from tests.unit.edge.web.conftest import Shop

from .busy import told_outside
from .conftest import Let


def test_messages_and_their_tries_are_read_with_the_scope_for_it(shop: Shop, let: Let) -> None:
    told = told_outside(shop)
    program = let("read:outside")
    (message,) = program.get("/outside/messages").json["messages"]
    assert (message["id"], message["state"], message["tries"]) == (told, "waiting", 1)
    assert message["words"] == "Security request, Shoes" and message["class"] == ""
    whole = program.get(f"/outside/messages/{told}").json
    assert [(one["outcome"], one["words"]) for one in whole["tries"]] == [
        ("failed", "The receiver was away.")
    ]
    assert let("read:log", "read:store", "security").get("/outside/messages").status_code == 403


def test_silent_ones_are_not_there_for_a_token_that_may_not_see_them(shop: Shop, let: Let) -> None:
    silent = told_outside(shop, silent=True)
    plain, trusted = let("read:outside"), let("read:outside", "security")
    assert plain.get("/outside/messages").json == {"messages": [], "next": None}
    hidden, unknown = plain.get(f"/outside/messages/{silent}"), plain.get("/outside/messages/nothing")
    assert hidden.status_code == unknown.status_code == 404 and hidden.json == unknown.json
    assert trusted.get(f"/outside/messages/{silent}").json["message"]["silent"] is True


def test_pages_follow_each_other_without_a_gap(shop: Shop, let: Let) -> None:
    made = []
    for _ in range(5):
        made.append(told_outside(shop))
        shop.clock.now += timedelta(seconds=60)
    program, seen, place = let("read:outside"), [], ""
    while place is not None:
        answer = program.get("/outside/messages", limit=2, before=place).json
        seen += [one["id"] for one in answer["messages"]]
        place = answer["next"]
    assert seen == made[::-1]


def test_channels_are_named_without_their_addresses_and_one_is_tested(shop: Shop, let: Let) -> None:
    program = let("read:outside", "write:store")
    channels = program.get("/outside/channels").json["channels"]
    assert [(one["name"], one["kind"]) for one in channels] == [("guards", "webhook"), ("boss", "apprise")]
    assert "file" not in channels[0]
    assert program.post("/outside/channels/guards/test").status_code == 204
    assert shop.read("SELECT what, channel FROM outside_happening") == [("test", "guards")]
    assert program.post("/outside/channels/nobody/test").status_code == 404
    assert let("read:outside").post("/outside/channels/guards/test").status_code == 403
