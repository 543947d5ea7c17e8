"""The messenger's pushes, to a push service that is here and fails in every way a real one does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from edge.config import Push
from edge.db.push_tables import push_subscription, push_try
from edge.db.tables import page
from edge.messenger.loop import Messenger
from edge.messenger.pushes import ROOM
from edge.pushing import queue
from tests.rig import receiver as ways
from tests.rig.push_phone import PushPhone
from tests.rig.receiver import Answer, Certificate, Receiver, status
from tests.unit.edge.conftest import STORE
from tests.unit.edge.pushed import Desk

from .conftest import Post

Receive = Callable[..., Receiver]
CREATED = status(201, "Created")


@dataclass
class Service:
    """A push service over TLS, and Igor's phone, which is subscribed there."""

    post: Post
    there: Receiver
    settings: Push
    phone: PushPhone
    desk: Desk
    tls: Certificate

    def open(self, within_s: float = 10.0) -> Messenger:
        return self.post.open(pushing=self.settings, push_within_s=within_s)

    def call(self, kind: str = "help", request: str = "", round_: int = 0) -> str:
        return self.desk.page("Igor", kind=kind, request=request, round_=round_)

    def tries(self) -> list[tuple[str | None, str]]:
        with self.post.engine.connect() as conn:
            query = sa.select(push_try.c.outcome, push_try.c.words)
            return [tuple(row) for row in conn.execute(query.order_by(push_try.c.push, push_try.c.number))]

    def page_states(self) -> list[str]:
        with self.post.engine.connect() as conn:
            return list(conn.execute(sa.select(page.c.state)).scalars())


@pytest.fixture
def serve(post: Post, receive: Receive, tmp_path: Path) -> Callable[..., Service]:
    def make(*answers: Answer) -> Service:
        tls = Certificate(tmp_path / "push-tls")
        there = receive(*answers, tls=tls)
        phone = PushPhone(f"https://localhost:{there.port}/send/abc?x=1")
        desk = Desk(post.small, post.engine, post.clock)
        desk.phone("Igor", keys=phone.keys)
        return Service(post, there, Push("mailto:it@shop.example", True, str(tls.ca)), phone, desk, tls)

    return make


Serve = Callable[..., Service]


def test_a_page_goes_to_the_push_service_sealed_for_its_phone_and_is_then_sent(serve: Serve) -> None:
    service = serve(CREATED)
    request = service.call()
    assert service.page_states() == ["pending"]
    service.post.land(service.open())
    (call,) = service.there.calls
    said = service.phone.reads(call.body)
    assert call.path == "/send/abc?x=1" and (said["what"], said["place"]) == ("help", "Shoes")
    assert request not in call.body.decode("latin-1") and "Shoes" not in str(call)
    heads = {name: call.headers[name] for name in ("ttl", "urgency", "content-encoding")}
    assert heads == {"ttl": "60", "urgency": "high", "content-encoding": "aes128gcm"}
    assert call.headers["topic"] == said["tag"] and call.headers["authorization"].startswith("vapid t=")
    assert service.desk.pushes() == [("sent", 1)] and service.page_states() == ["sent"]
    assert service.tries() == [("sent", "Sent to the phone's push service (201 Created).")]


def test_of_security_the_phone_itself_learns_nothing_but_that_it_is_called(serve: Serve) -> None:
    service = serve(CREATED)
    service.call("security")
    service.post.land(service.open())
    said = service.phone.reads(service.there.calls[0].body)
    assert set(said) == {"push", "tag", "at", "what"} and said["what"] == "open"


@pytest.mark.parametrize(
    ("answer", "outcome", "states"),
    [
        (status(200), "unknown", ["waiting", "pending"]),
        (status(302, Location="https://elsewhere.example/"), "refused", ["refused", "pending"]),
        (status(403), "refused", ["refused", "pending"]),
        (status(404), "gone", ["gone", "pending"]),
        (status(410), "gone", ["gone", "pending"]),
        (status(413), "refused", ["refused", "pending"]),
        (status(500), "failed", ["waiting", "pending"]),
        (ways.hang, "unknown", ["waiting", "pending"]),
        (ways.drip, "unknown", ["waiting", "pending"]),
        (ways.close_silently, "unknown", ["waiting", "pending"]),
        (ways.close_mid_answer, "unknown", ["waiting", "pending"]),
        (ways.nonsense, "unknown", ["waiting", "pending"]),
        (ways.long_header, "unknown", ["waiting", "pending"]),
    ],
)
def test_whatever_else_a_push_service_does_is_not_sent(
    serve: Serve, answer: Answer, outcome: str, states: list[str]
) -> None:
    service = serve(answer)
    service.call()
    endless = (ways.hang, ways.drip, ways.long_header)
    service.post.land(service.open(1.0 if answer in endless else 10.0))
    ((found, words),) = service.tries()
    assert found == outcome and words.endswith(".") and len(service.there.calls) == 1
    assert [service.desk.pushes()[0][0], *service.page_states()] == states
    assert service.desk.count(push_subscription) == (0 if outcome == "gone" else 1)


def test_a_service_that_asks_for_a_pause_gets_it_and_the_rest_of_the_pages_life_is_the_ttl(
    serve: Serve,
) -> None:
    service = serve(status(429, Retry_After="20"), CREATED)
    messenger = service.open()
    service.call()
    for pause_s, calls in ((0, 1), (19, 1), (1, 2)):
        service.post.clock.forward(pause_s)
        service.post.land(messenger)
        assert len(service.there.calls) == calls
    assert [call.headers["ttl"] for call in service.there.calls] == ["60", "40"]
    assert len({call.headers["topic"] for call in service.there.calls}) == 1
    assert service.desk.pushes() == [("sent", 2)]


def test_a_pause_that_is_longer_than_the_pages_life_ends_it(serve: Serve) -> None:
    service = serve(status(503, Retry_After="120"))
    service.call()
    service.post.land(service.open())
    assert service.desk.pushes() == [("given_up", 1)]


def test_a_phone_that_is_gone_is_not_called_again_and_its_other_pushes_end(serve: Serve) -> None:
    service = serve(status(410))
    messenger = service.open()
    service.call()
    service.post.land(messenger)
    service.call()
    service.post.land(messenger)
    assert len(service.there.calls) == 1 and service.desk.pushes() == [("gone", 1)]


def test_nothing_is_sent_to_an_address_in_the_stores_own_network(serve: Serve) -> None:
    service = serve(CREATED)
    service.settings = Push(certificate=service.settings.certificate)
    service.call()
    service.post.land(service.open())
    ((outcome, words),) = service.tries()
    assert outcome == "failed" and "leads to a private address; nothing was sent" in words
    assert service.there.calls == []


def test_nothing_is_sent_without_tls_that_the_store_trusts(serve: Serve) -> None:
    service = serve(CREATED)
    service.settings = Push("", True)
    service.call()
    service.post.land(service.open())
    ((outcome, words),) = service.tries()
    assert outcome == "failed" and "certificate is not valid" in words and service.there.calls == []


def test_security_is_sent_while_everything_else_waits_for_a_service_that_hangs(
    serve: Serve, receive: Receive, post: Post
) -> None:
    service = serve(CREATED)
    slow = receive(ways.hang, tls=service.tls)
    names = ("Ana", "Bo", "Carla", "Sofia", "Mira")
    for number in range(40):
        service.desk.phone(names[number % 5], f"localhost:{slow.port}")
    messenger = service.open(3.0)
    service.desk.page(*names)
    messenger.turn()
    assert messenger.flying
    service.call("security")
    messenger.turn()
    begun = sum(tries for _, tries in service.desk.pushes())
    assert begun == ROOM.others_service + 1
    post.land(messenger)
    assert len(service.there.calls) == 1


def test_a_trial_is_sent_and_marks_no_page(serve: Serve) -> None:
    service = serve(CREATED)
    with service.desk.writing() as conn:
        igor, key = service.post.small.people["Igor"], service.desk.keys["Igor"]
        queue.put_trial(conn, STORE, igor, key, service.post.clock())
    service.post.land(service.open())
    assert service.phone.reads(service.there.calls[0].body)["what"] == "trial"
    assert service.desk.pushes() == [("sent", 1)] and service.page_states() == []
