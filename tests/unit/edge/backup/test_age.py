"""The files that backups are made of: each way in which one is not what was sealed is found, and named."""

import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.backup import age
from edge.backup.errors import BackupError, NotWhole
from edge.backup.recovery import RecoveryKey

KEY = RecoveryKey.new()
CHUNK = age.CHUNK_BYTES
PARTS = st.lists(st.binary(max_size=2000), max_size=5)
SEALED_CHUNK = CHUNK + age.TAG_BYTES


def sealed(content: bytes, key: RecoveryKey = KEY) -> bytes:
    return b"".join(age.sealed([content], key.public))


def opened(written: bytes, key: RecoveryKey = KEY) -> bytes:
    return b"".join(age.opened(io.BytesIO(written), key.private, "The part"))


@settings(max_examples=40, deadline=None)
@given(PARTS, st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1]))
def test_what_was_sealed_in_any_pieces_comes_back_and_its_size_was_known(
    parts: list[bytes], more: int
) -> None:
    pieces = [*parts, bytes(more)]
    written = b"".join(age.sealed(pieces, KEY.public))
    assert opened(written) == b"".join(pieces)
    assert len(written) == age.sealed_bytes(sum(map(len, pieces)))


def test_the_same_content_is_never_sealed_the_same() -> None:
    assert sealed(b"the same") != sealed(b"the same")


def test_another_recovery_key_opens_nothing_and_says_so() -> None:
    with pytest.raises(BackupError, match="This recovery key does not open The part") as raised:
        opened(sealed(b"secret"), RecoveryKey.new())
    assert not isinstance(raised.value, NotWhole)


def faulty() -> Iterator[tuple[str, bytes, str]]:
    written = sealed(bytes(3 * CHUNK + 5))
    begin = len(written) - 3 * SEALED_CHUNK - 5 - age.TAG_BYTES
    chunks = [written[begin + at * SEALED_CHUNK :][:SEALED_CHUNK] for at in range(4)]
    whole = written[:begin]
    yield "without its last chunk", whole + b"".join(chunks[:3]), "cut short"
    yield "without its last byte", written[:-1], "cut short"
    yield "without its content", whole, "not as it was sealed"
    yield "within its nonce", written[: begin - 4], "cut short"
    yield "within its header", written[:30], "cut short"
    yield "with two chunks exchanged", whole + chunks[1] + chunks[0] + b"".join(chunks[2:]), "not as it was"
    yield "without a chunk in the middle", whole + chunks[0] + b"".join(chunks[2:]), "not as it was"
    yield "with a chunk twice", whole + chunks[0] + b"".join(chunks), "not as it was"
    yield "with more behind it", written + b"more", "not as it was"
    other = sealed(bytes(3 * CHUNK + 5))
    yield "with another's chunk", whole + other[begin:][:SEALED_CHUNK] + b"".join(chunks[1:]), "not as it was"
    altered = bytearray(written)
    altered[begin + 7] ^= 1
    yield "with a bit altered", bytes(altered), "not as it was"
    altered = bytearray(written)
    altered[begin - 20] = ord("A") if altered[begin - 20] != ord("A") else ord("B")
    yield "with its header altered", bytes(altered), "its beginning"
    yield "of another kind", b"SQLite format 3\0" + bytes(4000), "no backup's file"
    yield "empty", b"", "no backup's file"


@pytest.mark.parametrize(("written", "said"), [pytest.param(w, s, id=i) for i, w, s in faulty()])
def test_a_file_that_is_not_as_it_was_sealed_is_one_sentence(written: bytes, said: str) -> None:
    with pytest.raises(NotWhole, match=said) as raised:
        opened(written)
    assert str(raised.value).startswith("The part ") and "\n" not in str(raised.value)


def test_a_recovery_key_is_read_however_it_was_typed_and_a_wrong_sign_is_noticed() -> None:
    text = str(KEY)
    assert text.startswith("AGE-SECRET-KEY-1") and KEY.recipient.startswith("age1")
    assert str(RecoveryKey.parse(f" {text[:20]} {text[20:].lower()}\n")) == text
    wrong = text[:30] + ("Q" if text[30] != "Q" else "P") + text[31:]
    with pytest.raises(BackupError, match="a sign of it is wrong or missing"):
        RecoveryKey.parse(wrong)
    with pytest.raises(BackupError, match="begins with AGE-SECRET-KEY-1"):
        RecoveryKey.parse(KEY.recipient)
    assert text not in repr(KEY)


def test_an_identity_and_a_recipient_are_those_that_age_itself_writes() -> None:
    # The key of age's own test vectors.
    key = RecoveryKey.parse("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
    assert key.private.private_bytes_raw() == bytes([0x42]) * 32
    assert key.recipient == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
