"""What every camera is to the rest: a stream of packets, or a named reason why there is none."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from broker.manifest import Mask


class CameraState(StrEnum):
    """How the camera is; the word stands in the heartbeat. SENTENCES says what each means."""

    OK = "ok"
    STARTING = "starting"
    MISSING = "missing"
    BUSY = "busy"
    SLOW = "slow"
    FROZEN = "frozen"
    BLACK = "black"
    UNPLUGGED = "unplugged"
    FAILED = "failed"


SENTENCES = {
    CameraState.OK: "The camera gives pictures.",
    CameraState.STARTING: "The camera is being opened.",
    CameraState.MISSING: "There is no such camera; check its cable and its name in kiosk.toml.",
    CameraState.BUSY: "Another program holds the camera; end that one.",
    CameraState.SLOW: "The camera gives less than half of its pictures; check its power and its network.",
    CameraState.FROZEN: "The camera gives no new pictures; switch it off and on.",
    CameraState.BLACK: "The camera's picture is black; check its lens and the light.",
    CameraState.UNPLUGGED: "The camera was there and is gone; check its cable.",
    CameraState.FAILED: "The camera cannot be used.",
}


class SourceError(Exception):
    """Why there are no pictures. It may always be tried again; the sentence says what was found."""

    def __init__(self, state: CameraState, sentence: str) -> None:
        super().__init__(sentence)
        self.state = state
        self.sentence = sentence


@dataclass(frozen=True)
class StreamInfo:
    """An opened stream. `extradata` as the source gives it: an avcC record, Annex B, or nothing when the
    parameter sets stand in every key frame. `frame_rate` is what it promises, 0 if nothing."""

    codec: str
    extradata: bytes
    width: int
    height: int
    frame_rate: float = 0.0
    treatment: str = "none"
    masks: tuple[Mask, ...] = ()

    def joins(self, other: "StreamInfo") -> bool:
        """Whether packets of both can stand in one file."""
        mine = (self.codec, self.extradata, self.width, self.height, self.treatment, self.masks)
        return mine == (
            other.codec,
            other.extradata,
            other.width,
            other.height,
            other.treatment,
            other.masks,
        )


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded picture. `pts_us` and `dts_us` are microseconds on one clock that the source chooses;
    `came_s` is monotonic and `wall_ms` Unix time, both of its arrival here."""

    stream: StreamInfo
    data: bytes
    pts_us: int
    dts_us: int
    key: bool
    came_s: float
    wall_ms: int


class Source(Protocol):
    """A camera, read by one thread. open() and packets() raise SourceError; packets() ends when there are no
    more, or after stop(), which may be called from any thread. close() may be called twice."""

    def open(self) -> None: ...

    def packets(self) -> Iterator[Packet]: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...
