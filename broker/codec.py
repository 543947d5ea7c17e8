"""Bytes to typed records and back, once, at the boundary, with the contract's limits."""

import re
from typing import TypeVar
from uuid import UUID

import msgspec

from broker import topics
from broker.errors import ContractError
from broker.events import CONTENT, KINDS, MAX_EVENT_BYTES, Clock, Content, Envelope, Event
from broker.messages import Command
from broker.witness import Witness

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_envelopes = msgspec.json.Decoder(Envelope)
_contents = {kind: msgspec.json.Decoder(content) for kind, content in CONTENT.items()}
_commands = msgspec.json.Decoder(Command)
_witnesses: msgspec.json.Decoder[Witness] = msgspec.json.Decoder(Witness)
_records: dict[type, msgspec.json.Decoder] = {}
_ID = re.compile(rb'"id"\s*:\s*"([0-9a-fA-F-]{36})"')
_OUTBOX = re.compile(rb'"outbox"\s*:\s*"([0-9a-fA-F-]{36})"')
_SEQ = re.compile(rb'"seq"\s*:\s*(\d{1,16})\b')


def encode(record: msgspec.Struct) -> bytes:
    """Any message of the contract as JSON."""
    return _encoder.encode(record)


def encode_event(
    event_id: UUID,
    content: Content,
    kind: str,
    *,
    outbox: UUID | None = None,
    seq: int | None = None,
    at: object = None,
    clock: Clock | None = None,
    drill: bool = False,
) -> bytes:
    """An event's envelope as JSON. ContractError if it would be larger than a broker-side reader accepts."""
    envelope = Envelope(
        id=event_id,
        kind=kind,
        data=msgspec.Raw(_encoder.encode(content)),
        outbox=outbox,
        seq=seq,
        at=at,  # type: ignore[arg-type]
        clock=clock,
        drill=drill,
    )
    payload = _encoder.encode(envelope)
    if len(payload) > MAX_EVENT_BYTES:
        raise ContractError(
            f"The event has {len(payload)} bytes; allowed are {MAX_EVENT_BYTES}.", str(event_id), seq
        )
    return payload


def decode_event(store: str, topic: str, payload: bytes) -> Event:
    """The event that a device published, or a ContractError whose reason can be shown to a person.

    `store` is the reader's own store: an event of another one is refused.
    """

    def refuse(reason: str) -> ContractError:
        return ContractError(reason, *_peek(payload[: 2 * MAX_EVENT_BYTES]))

    address = topics.parse(topic)
    if address.channel is not topics.Channel.EVENT:
        raise refuse(f"{topic!r} is not an event topic.")
    if address.store != store:
        raise refuse(f"The event is for the store {address.store!r}; this is {store!r}.")
    if len(payload) > MAX_EVENT_BYTES:
        raise refuse(f"The event has {len(payload)} bytes; allowed are {MAX_EVENT_BYTES}.")
    try:
        envelope = _envelopes.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(f"The event is not an envelope: {_sentence(error)}") from None
    if envelope.kind != address.kind:
        raise refuse(f"The envelope says kind {envelope.kind[:40]!r}, its topic {address.kind!r}.")
    if envelope.kind not in _contents:
        raise refuse(f"The kind {envelope.kind[:40]!r} is unknown; known are {', '.join(KINDS)}.")
    if (envelope.outbox is None) != (envelope.seq is None):
        raise refuse("'outbox' and 'seq' come together or not at all.")
    try:
        content = _contents[envelope.kind].decode(envelope.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(f"The data of this {envelope.kind!r} event is wrong: {_sentence(error)}") from None
    return Event(
        store=store,
        device=address.device,
        id=envelope.id,
        kind=envelope.kind,
        content=content,
        outbox=envelope.outbox,
        seq=envelope.seq,
        at=envelope.at,
        clock=envelope.clock,
        drill=envelope.drill,
        payload=payload,
    )


def same_content(one: bytes, other: bytes) -> bool:
    """Whether two payloads of one event id say the same, whatever the order of their keys."""
    return one == other or msgspec.json.decode(one) == msgspec.json.decode(other)


def decode(payload: bytes, kind: type[T]) -> T:
    """Any other message of the contract, or a ContractError."""
    decoder = _records.get(kind)
    if decoder is None:
        decoder = _records[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"The message is not a {kind.__name__}: {_sentence(error)}") from None


def decode_command(payload: bytes) -> Command:
    """A command for a device, or a ContractError."""
    try:
        return _commands.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"The message is not a command: {_sentence(error)}") from None


def decode_witness(payload: bytes) -> Witness:
    """What either side says about a head of the custody log, or a ContractError."""
    try:
        return _witnesses.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"The message says nothing about a head: {_sentence(error)}") from None


def _peek(payload: bytes) -> tuple[str | None, int | None, str | None]:
    """The id, sequence number and outbox of a payload that may be anything, so that a refusal can name it."""
    found = _SEQ.search(payload)
    seq = int(found[1]) if found else 0
    return _uuid(_ID.search(payload)), seq if 0 < seq <= 2**53 else None, _uuid(_OUTBOX.search(payload))


def _uuid(found: re.Match[bytes] | None) -> str | None:
    try:
        return str(UUID(found[1].decode())) if found else None
    except ValueError:
        return None


def _sentence(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply."
    return str(error).rstrip(".") + "."
