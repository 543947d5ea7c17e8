"""What is to be done with a request of which so many bytes are here. Pure.

Only what says where it ends is read (RFC 9112, 6); all else is the parser's behind it, which refuses what is
no HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.http import parse_list_header

END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Limits:
    """`body_bytes`: a body up to this size is waited for before the request gets a thread; None: no body is,
    as where clips come. `head_s` and `body_s` are how long each may take altogether."""

    head_bytes: int = 16 * 1024
    body_bytes: int | None = 96 * 1024
    head_s: float = 10.0
    body_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Head:
    """`target` is what is asked for. `fields` by their names in lower case; where there are several of one,
    joined by commas as the parser does. `bytes` is how long the request is before anything else may follow
    it; None where that is not ours to say."""

    target: str
    fields: Mapping[str, str]
    bytes: int | None
    # Its body is larger than is waited for: what is to be said of it is said without reading it.
    cut: bool = False

    @property
    def expects(self) -> bool:
        """Whether the body comes only once it is asked for (RFC 9110, 10.1.1)."""
        return self.fields.get("expect", "").lower() == "100-continue"


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    sentence: str


def read(received: bytes | bytearray, limits: Limits) -> Head | Refusal | None:
    """The head of a request, or why there is none to be had; None while more has to come."""
    end = received.find(END, 0, limits.head_bytes)
    if end < 0:
        if len(received) >= limits.head_bytes:
            kib = limits.head_bytes // 1024
            return Refusal(431, f"The head of this request is longer than {kib} KiB.")
        return None
    lines = bytes(received[:end]).decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines[1:]]
    fields: dict[str, str] = {}
    for name, _, value in pairs:
        before = fields.get(key := name.strip().lower())
        fields[key] = value.strip() if before is None else f"{before},{value.strip()}"
    begin, target = end + len(END), " ".join(lines[0].split(" ")[1:2])
    if limits.body_bytes is None:
        return Head(target, fields, None)
    if "transfer-encoding" in fields:
        return Refusal(411, "Say with Content-Length how long the body is; a body in chunks is not taken.")
    lengths = {value.strip() for name, _, value in pairs if name.strip().lower() == "content-length"}
    said = lengths.pop() if len(lengths) == 1 else "" if lengths else "0"
    if not (said.isascii() and said.isdigit() and len(said) < 17):
        # The parser says what is wrong.
        return Head(target, fields, None)
    if int(said) > limits.body_bytes:
        return Head(target, fields, None, cut=True)
    return Head(target, fields, begin + int(said))


def forwarded(head: Head, proxies: int) -> str | None:
    """Whose address so many proxies say that it is, by the entry that ProxyFix takes for the pages; None
    where that is nobody's word."""
    entries = parse_list_header(head.fields.get("x-forwarded-for", "")) if proxies else []
    return entries[-proxies] if len(entries) >= proxies > 0 else None


def turned_away(refused: Mapping[str, int]) -> str:
    """A sentence of who was turned away within a minute: how many, by why."""
    words = ", ".join(f"{count} {why}" for why, count in sorted(refused.items()))
    return f"Turned away at the door within a minute: {words}."
