"""Decoding: what is accepted, what is refused, and with which words."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import codec, events, topics
from broker.errors import ContractError
from broker.events import Clock, HelpRequested, SecurityRequested, new_id
from broker.messages import Call, CallState, Identify, Receipt

ID = UUID("019a3c5e-7b1f-7a68-9c3d-2f4b8a7e6d15")
OUTBOX = UUID("6d1f0f5e-42b7-4f0c-9a51-0c7f3a2b9e84")
HELP = topics.event("shop", "tills-1", "help")


def payload(**fields: Any) -> bytes:
    return json.dumps({"id": str(ID), "kind": "help", "data": {}} | fields).encode()


def refusal(content: bytes, topic: str = HELP) -> ContractError:
    with pytest.raises(ContractError) as refused:
        codec.decode_event("shop", topic, content)
    return refused.value


def test_an_event_comes_back_as_it_was_sent() -> None:
    clock = Clock(True, OUTBOX, 1234)
    at = datetime(2026, 3, 4, 10, 15, tzinfo=UTC)
    content = HelpRequested("fitting_room", "ca", 3)
    sent = codec.encode_event(ID, content, "help", outbox=OUTBOX, seq=7, at=at, clock=clock, drill=True)
    event = codec.decode_event("shop", HELP, sent)
    assert (event.store, event.device, event.kind, event.id) == ("shop", "tills-1", "help", ID)
    assert (event.content, event.outbox, event.seq) == (content, OUTBOX, 7)
    assert (event.at, event.clock, event.drill, event.payload) == (at, clock, True, sent)


def test_the_least_event_is_an_id_a_kind_and_data() -> None:
    event = codec.decode_event("shop", HELP, payload())
    assert event.content == HelpRequested("help", "en", 1)
    assert (event.outbox, event.seq, event.at, event.clock, event.drill) == (None, None, None, None, False)


def test_an_unknown_field_is_kept_and_ignored() -> None:
    sent = payload(mood="fine", data={"topic": "till", "floor": 2})
    event = codec.decode_event("shop", HELP, sent)
    assert event.content == HelpRequested("till")
    assert b'"mood"' in event.payload and b'"floor"' in event.payload


def test_of_a_field_that_stands_twice_the_last_counts() -> None:
    event = codec.decode_event(
        "shop", HELP, b'{"id":"%s","kind":"x","kind":"help","data":{}}' % str(ID).encode()
    )
    assert event.kind == "help"


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"{", b"not json", b'"help"', b"\xff\xfe", b'{"id": "\xff"}', b"\0" * 100],
)
def test_what_is_no_envelope_is_refused(content: bytes) -> None:
    assert refusal(content).reason.startswith("The event is not an envelope: ")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": "17"}, "Invalid UUID"),
        ({"data": None}, "The data of this 'help' event is wrong"),
        ({"data": []}, "The data of this 'help' event is wrong"),
        ({"data": {"count": 0}}, ">= 1"),
        ({"data": {"count": 10_001}}, "<= 10000"),
        ({"data": {"topic": "Shoes!"}}, "topic"),
        ({"data": {"language": "english please"}}, "language"),
        ({"outbox": str(OUTBOX)}, "come together"),
        ({"seq": 3}, "come together"),
        ({"outbox": str(OUTBOX), "seq": 0}, "seq"),
        ({"outbox": str(OUTBOX), "seq": 2**53 + 1}, "seq"),
        ({"at": "2026-03-04T10:15:00"}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"clock": {"synced": True, "boot": str(OUTBOX), "monotonic_ms": -1}}, "clock"),
        ({"kind": "dance"}, "The envelope says kind 'dance', its topic 'help'"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields: dict[str, Any], words: str) -> None:
    assert words in refusal(payload(**fields)).reason


CLIP = {
    "clip": str(ID),
    "cause": str(OUTBOX),
    "started_at": "2026-03-04T10:15:00Z",
    "ended_at": "2026-03-04T10:16:00Z",
    "bytes": 4,
    "sha256": "0" * 64,
    "manifest_sha256": "1" * 64,
    "signature": "2" * 128,
    "codec": "h264",
    "width": 64,
    "height": 48,
}


@pytest.mark.parametrize("field", ["clip", "cause", "sha256", "manifest_sha256"])
@pytest.mark.parametrize("said", ["../../etc/passwd", "/etc/passwd", f"{ID}/../x", "..", ""])
def test_a_path_in_a_clips_id_or_hash_is_refused_before_anything_is_named_by_it(
    field: str, said: str
) -> None:
    topic = topics.event("shop", "tills-1", "clip")
    codec.decode_event("shop", topic, payload(kind="clip", data=CLIP))
    assert field in refusal(payload(kind="clip", data=CLIP | {field: said}), topic).reason
    with pytest.raises(ContractError, match="clip"):
        codec.decode_command(
            json.dumps({"command": "upload", "clip": said, "url": "https://vault/", "ticket": "t"}).encode()
        )


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    reason = refusal(payload(kind="dance"), topics.event("shop", "tills-1", "dance")).reason
    assert reason == f"The kind 'dance' is unknown; known are {', '.join(events.KINDS)}."


def test_another_stores_event_is_refused() -> None:
    reason = refusal(payload(), topics.event("mall", "tills-1", "help")).reason
    assert reason == "The event is for the store 'mall'; this is 'shop'."


def test_a_topic_that_is_no_event_topic_is_refused() -> None:
    topic = topics.of_device("shop", "tills-1", topics.Channel.STATE)
    assert "is not an event topic" in refusal(payload(), topic).reason


def test_the_largest_event_is_accepted_and_one_byte_more_refused() -> None:
    room = events.MAX_EVENT_BYTES - len(payload(note=""))
    assert codec.decode_event("shop", HELP, payload(note="x" * room)).id == ID
    reason = refusal(payload(note="x" * (room + 1))).reason
    assert reason == "The event has 8193 bytes; allowed are 8192."


def test_an_event_that_is_too_large_is_not_even_encoded() -> None:
    content = events.FeedbackGiven(4, reason="x" * 9000)
    with pytest.raises(ContractError, match="allowed are 8192"):
        codec.encode_event(ID, content, "feedback")


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_json_nested_without_end_is_refused_without_falling_over(bracket: bytes) -> None:
    depth = 7000 // len(bracket)
    deep = b'{"id":"%s","kind":"help","data":{"x":%s' % (str(ID).encode(), bracket * depth)
    assert refusal(deep).event_id == str(ID)


def test_a_refusal_still_names_the_id_and_the_sequence_number() -> None:
    refused = refusal(payload(outbox=str(OUTBOX), seq=41, data={"count": "many"}))
    assert (refused.event_id, refused.seq) == (str(ID), 41)


def test_even_a_torn_payload_is_named_where_its_names_can_be_read() -> None:
    refused = refusal(payload(outbox=str(OUTBOX), seq=41)[:-4] + b"\xff")
    assert refused.event_id == str(ID)


def test_a_number_that_is_no_sequence_number_is_not_named() -> None:
    assert refusal(b'{"seq": 9999999999999999').seq is None
    assert refusal(b'{"seq": 0').seq is None


@given(st.binary(max_size=2000))
def test_no_bytes_at_all_raise_anything_but_a_contract_error(content: bytes) -> None:
    try:
        codec.decode_event("shop", HELP, content)
    except ContractError as refused:
        assert refused.reason.endswith(".")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["id", "kind", "data", "outbox", "seq", "at", "clock", "drill", "other"]), JSON
)


@given(FIELDS, st.sampled_from(events.KINDS))
def test_nor_does_any_json(fields: dict[str, Any], kind: str) -> None:
    try:
        codec.decode_event(
            "shop", topics.event("shop", "tills-1", kind), payload(**({"kind": kind} | fields))
        )
    except ContractError as refused:
        assert refused.reason.endswith(".")


@given(st.binary(max_size=300), st.sampled_from([Receipt, Call]))
def test_nor_does_any_other_message(content: bytes, kind: type) -> None:
    for decode in (lambda: codec.decode(content, kind), lambda: codec.decode_command(content)):
        try:
            decode()
        except ContractError as refused:
            assert refused.reason.endswith(".")


def test_the_same_content_in_another_order_is_the_same() -> None:
    assert codec.same_content(b'{"a":1,"b":{"c":2,"d":3}}', b'{"b": {"d": 3, "c": 2}, "a": 1}')
    assert not codec.same_content(b'{"a":1}', b'{"a":2}')


def test_a_call_and_a_command_come_back_as_they_were_sent() -> None:
    call = Call(ID, 3, CallState.ACKNOWLEDGED, "coming", "57W-V8N", 40, args={"name": "Marta"}, name="Marta")
    assert codec.decode(codec.encode(call), Call) == call
    assert codec.decode_command(codec.encode(Identify(5))) == Identify(5)


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(ContractError, match="not a command"):
        codec.decode_command(b'{"command": "explode"}')


def test_a_security_event_is_silent_unless_it_says_otherwise() -> None:
    sent = codec.encode_event(new_id(0), SecurityRequested("hold"), "security")
    event = codec.decode_event("shop", topics.event("shop", "tills-1", "security"), sent)
    assert isinstance(event.content, SecurityRequested) and event.content.silent
