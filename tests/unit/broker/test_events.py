"""Ids and reference codes."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from broker.events import new_id, reference_of

MOMENTS = st.integers(0, 2**48 - 1)
RANDOMNESS = st.binary(min_size=10, max_size=10)


@given(MOMENTS, RANDOMNESS)
def test_a_new_id_is_a_uuid_of_version_7(moment: int, randomness: bytes) -> None:
    made = new_id(moment, randomness)
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == moment


@given(MOMENTS, MOMENTS, RANDOMNESS, RANDOMNESS)
def test_ids_sort_by_their_time(one: int, other: int, first: bytes, second: bytes) -> None:
    if one != other:
        assert (one < other) == (str(new_id(one, first)) < str(new_id(other, second)))


def test_two_ids_of_one_millisecond_differ() -> None:
    assert len({new_id(1_700_000_000_000) for _ in range(1000)}) == 1000


def test_every_random_bit_reaches_the_id() -> None:
    none, every = new_id(0, b"\0" * 10), new_id(0, b"\xff" * 10)
    assert (none.int ^ every.int).bit_count() == 74


def test_the_example_of_rfc_9562_is_met() -> None:
    # RFC 9562, appendix A.6: unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
    tail = (0xCC3 << 62 | 0x18C4DC0C0C07398F).to_bytes(10)
    assert new_id(0x017F22E279B0, tail) == uuid.UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


@given(st.uuids())
def test_a_reference_is_six_signs_that_survive_being_read_aloud(event_id: uuid.UUID) -> None:
    reference = reference_of(event_id)
    assert len(reference) == 7 and reference[3] == "-"
    assert not set(reference) & set("ILOUilou")


def test_a_reference_is_the_same_on_both_sides() -> None:
    assert reference_of(uuid.UUID("019a3c5e-7b1f-7a68-9c3d-2f4b8a7e6d15")) == "57W-V8N"


def test_ids_of_the_same_second_have_different_references() -> None:
    references = {reference_of(new_id(1_700_000_000_000 + ms)) for ms in range(1000)}
    assert len(references) > 990
