"""A request is handed over once it is whole, in whatever pieces it came; what never ends is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix

from edge.serving.head import Head, Limits, Refusal, forwarded, read

LIMITS = Limits(head_bytes=200, body_bytes=50)
POST = b"POST /floor/sign-in HTTP/1.1\r\nHost: shop\r\nContent-Length: 7\r\n\r\nperson="


def whole(request: bytes, limits: Limits = LIMITS) -> Head:
    found = read(request, limits)
    assert isinstance(found, Head)
    return found


@given(st.integers(0, len(POST)))
def test_it_is_whole_with_its_last_byte_and_not_before(here: int) -> None:
    found = read(POST[:here], LIMITS)
    if found is None:
        assert b"\r\n\r\n" not in POST[:here]
    else:
        assert isinstance(found, Head) and found.bytes == len(POST)
        assert (found.target, found.fields["host"]) == ("/floor/sign-in", "shop")


@given(st.binary(max_size=400))
def test_whatever_comes_is_waited_for_refused_or_handed_over(noise: bytes) -> None:
    found = read(noise, LIMITS)
    assert found is None or isinstance(found, Head | Refusal)
    assert found is not None or len(noise) < LIMITS.head_bytes


def test_a_head_that_does_not_end_is_refused() -> None:
    found = read(b"GET /" + b"a" * 300, LIMITS)
    assert found == Refusal(431, "The head of this request is longer than 0 KiB.")
    assert read(b"GET /" + b"a" * 100, LIMITS) is None


def test_a_body_in_chunks_is_refused_for_nobody_knows_when_it_ends() -> None:
    found = read(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", LIMITS)
    assert isinstance(found, Refusal) and found.status == 411


def test_a_body_that_is_too_large_is_not_waited_for() -> None:
    assert whole(b"POST / HTTP/1.1\r\nContent-Length: 51\r\n\r\n").cut
    assert not whole(b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\n").cut


@pytest.mark.parametrize(
    "length", ["Content-Length: -1", "Content-Length: 1e2", "Content-Length: 1\r\ncontent-length: 2"]
)
def test_a_length_that_is_none_is_the_parsers_to_refuse(length: str) -> None:
    found = whole(f"POST / HTTP/1.1\r\n{length}\r\n\r\n".encode())
    assert found.bytes is None and not found.cut


def test_where_clips_come_the_head_alone_is_waited_for() -> None:
    clips = Limits(body_bytes=None)
    assert whole(b"PATCH /clip/1 HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", clips).bytes is None
    assert whole(b"PATCH /clip/1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", clips).bytes is None


def test_who_asks_before_sending_the_body_is_seen() -> None:
    assert whole(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n").expects
    assert not whole(POST).expects


@pytest.mark.parametrize(
    ("said", "proxies", "whose"),
    [
        (["203.0.113.9"], 0, None),
        (["203.0.113.9"], 1, "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9"], 1, "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9, 10.0.0.2"], 2, "203.0.113.9"),
        (["198.51.100.1", "203.0.113.9", "10.0.0.2"], 2, "203.0.113.9"),
        (["203.0.113.9"], 2, None),
        (['"198.51.100.1, 203.0.113.9'], 1, None),
        ([], 1, None),
    ],
)
def test_whose_address_it_is_say_as_many_proxies_as_there_are(
    said: list[str], proxies: int, whose: str | None
) -> None:
    lines = "".join(f"X-Forwarded-For: {one}\r\n" for one in said)
    head = whole(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
    assert forwarded(head, proxies) == whose
    environ = {"REMOTE_ADDR": "10.0.0.1"} | ({"HTTP_X_FORWARDED_FOR": ",".join(said)} if said else {})
    seen: list[str] = []
    pages = ProxyFix(lambda env, _: seen.append(env["REMOTE_ADDR"]) or [], proxies, 0, 0, 0, 0)
    pages(environ, lambda *_: lambda _: None)
    assert seen == [whose or "10.0.0.1"]
