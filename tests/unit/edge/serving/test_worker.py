"""Who makes room in the anteroom, and what is said there. The rest: tests/system/test_slow_clients.py."""

from edge import headers
from edge.serving.worker import Waiting, answer, crowding


def waiting(address: str) -> Waiting:
    return Waiting(None, address, 0.0)


def test_the_oldest_of_whoever_takes_most_places_makes_room() -> None:
    one, crowd = waiting("10.0.0.9"), [waiting("10.0.0.66") for _ in range(5)]
    assert crowding([one, *crowd]) is crowd[0]
    assert crowding([*crowd, one]) is crowd[0]
    assert crowding([one, waiting("10.0.0.8")]) is one


def test_a_refusal_at_the_door_is_a_sentence_with_the_headers_of_every_answer() -> None:
    head, _, body = answer(431, "Too long.").decode().partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    assert (first, body) == ("HTTP/1.1 431 Request Header Fields Too Large", "Too long.\n")
    assert dict(field.split(": ", 1) for field in fields).items() >= headers.bare().items()
    assert "Retry-After: 2" in answer(503, "Busy.").decode()
