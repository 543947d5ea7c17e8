"""One clip being written: appended, hashed as it grows, signed, synced, renamed; and what a kill left.

Order: a journal line says what comes, then the video gets it. So a journal without its video's end is cut
back to what is there, and no frame of a whole fragment is lost.
"""

import contextlib
import logging
import os
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import msgspec

from broker import manifest as manifests
from broker.events import ClipRecorded, Clock
from broker.files import sync
from broker.signing import Signer
from kiosk.camera import draft as drafts
from kiosk.camera import mp4
from kiosk.camera.clips import EVENT, JOURNAL, MANIFEST, SIGNATURE, VIDEO, Announcement, Clips
from kiosk.camera.draft import Draft, End, Head, Line, Note, Part, Wish
from kiosk.camera.source import Packet
from kiosk.camera.window import Window

log = logging.getLogger(__name__)

# Room in the manifest: 55,000 frames take less than a megabyte, and are 15 minutes at 60 a second.
MAX_FRAMES = 55_000
GAP_S = 2.0
JUMP_S = 0.5


@dataclass(frozen=True)
class Place:
    """Whose camera it is; the same in every manifest."""

    store: str
    device: str
    zone: str
    camera: str
    recorder: str


class Recording:
    """A clip from its first key frame on. `new_id` makes ids of now; `clock_at` the device's pair at a
    time."""

    def __init__(
        self,
        clips: Clips,
        place: Place,
        first: Packet,
        window: Window,
        to_unix_ms: Callable[[float], int],
        new_id: Callable[[], UUID],
        clock_at: Callable[[float], Clock],
    ) -> None:
        sets = mp4.sets_of(first.data) if first.stream.extradata[:1] != b"\1" else mp4.ParameterSets((), ())
        sets = sets or mp4.sets_of(first.stream.extradata)
        if not sets:
            raise ValueError("The stream's first key frame has no parameter sets.")
        self.stream = first.stream
        self._first = first
        self._to_unix_ms = to_unix_ms
        self._waiting: list[Packet] = []
        self._number = 0
        self._shift_ms = 0
        self._last_came_s = first.came_s
        head = Head(
            clip=new_id(),
            event=new_id(),
            store=place.store,
            device=place.device,
            zone=place.zone,
            camera=place.camera,
            recorder=place.recorder,
            codec="h264",
            width=first.stream.width,
            height=first.stream.height,
            treatment="encoded" if first.stream.treatment == "encoded" else "none",
            masks=first.stream.masks,
            clock=clock_at(first.came_s),
            began_ms=first.wall_ms,
        )
        self._draft = Draft(head, self._wish(window))
        self._folder = clips.begin(head.clip)
        self._journal = (self._folder / JOURNAL).open("ab", buffering=0)
        self._video = (self._folder / VIDEO).open("ab", buffering=0)
        self._hash = sha256()
        self._bytes = 0
        self._say(head, self._draft.wish)
        os.fsync(self._journal.fileno())
        sync(self._folder)
        self._append(mp4.header(head.width, head.height, sets), (), ())

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def clip(self) -> UUID:
        return self._draft.head.clip

    def wish(self, window: Window) -> None:
        """The clip is to hold more."""
        self._say(self._wish(window))

    def note(self, text: str) -> None:
        """A whole sentence for the manifest."""
        self._say(Note(text[:300]))

    def takes(self, packet: Packet) -> bool:
        """Whether the packet can stand in this file."""
        full = len(self._draft.frames) + len(self._waiting) >= MAX_FRAMES
        return not full and (packet.stream is self.stream or packet.stream.joins(self.stream))

    def add(self, packet: Packet) -> None:
        """In decoding order. It is written with the next flush(), once the packet after it is known."""
        if packet.pts_us < self._first.pts_us:
            return  # shown before the first key frame and not to be decoded without what came before
        self._waiting.append(packet)

    def flush(self, last: bool = False) -> None:
        """Write what waits; the last packet waits for its length unless it is the `last`. OSError if the disk
        takes it not, and then what was written before stays good."""
        while going := self._next_part(last):
            self._write_part(going)
            self._waiting = self._waiting[going:]

    def _next_part(self, last: bool) -> int:
        """How many packets of those that wait are written together: no more than a group of pictures, so that
        a torn block costs no more either."""
        most = len(self._waiting) if last else len(self._waiting) - 1
        keys = (index for index in range(1, most) if self._waiting[index].key)
        return next(keys, max(0, most))

    def _write_part(self, going: int) -> None:
        samples: list[mp4.Sample] = []
        frames: list[tuple[int, int]] = []
        keys: list[int] = []
        notes: list[str] = []
        for index, packet in enumerate(self._waiting[:going]):
            after = self._waiting[index + 1] if index + 1 < len(self._waiting) else None
            samples.append(self._sample(packet, after))
            frames.append((self._shown_ms(packet), self._wall_ms(packet, frames)))
            if packet.key:
                keys.append(len(self._draft.frames) + index)
            if after is not None and (gap := after.came_s - packet.came_s) > GAP_S:
                notes.append(
                    f"For {gap:.1f} s, {frames[-1][0] / 1000:.1f} s into the clip, no pictures came."
                )
        self._number += 1
        self._append(mp4.fragment(self._number, samples), tuple(frames), tuple(keys))
        for text in notes:
            self.note(text)

    def sync(self) -> None:
        """What was written survives a power cut."""
        os.fdatasync(self._journal.fileno())
        os.fdatasync(self._video.fileno())

    def finish(self, clips: Clips, signer: Signer) -> Announcement | None:
        """Write, sign, sync, rename. None if there was no frame; then nothing stays."""
        self.flush(last=True)
        if not self._draft.frames:
            self.abandon()
            return None
        self._say(End())
        self._journal.close()
        os.fsync(self._video.fileno())
        self._video.close()
        return _close(clips, self._folder, self._draft, self._hash.hexdigest(), self._bytes, signer)

    def abandon(self) -> None:
        """Nothing was recorded: leave nothing."""
        self._journal.close()
        self._video.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def let_go(self) -> None:
        """Close the files as they are; recover() makes a clip of them."""
        for file in (self._journal, self._video):
            with contextlib.suppress(OSError):
                file.close()

    def _wish(self, window: Window) -> Wish:
        causes = tuple((trigger.cause, trigger.kind) for trigger in window.triggers)
        return Wish(causes, (self._to_unix_ms(window.start_s), self._to_unix_ms(window.end_s)))

    def _sample(self, packet: Packet, after: Packet | None) -> mp4.Sample:
        data = mp4.prefixed(packet.data, self.stream.extradata)
        held_us = self._first.pts_us - self._first.dts_us
        dts_us = packet.dts_us - self._first.dts_us
        duration_us = self._usual_us() if after is None else after.dts_us - packet.dts_us
        shown_us = packet.pts_us - self._first.dts_us - held_us
        return mp4.Sample(data, dts_us, shown_us, max(1, min(duration_us, 2**32 - 1)), packet.key)

    def _usual_us(self) -> int:
        return int(1_000_000 / (self.stream.frame_rate or 25))

    def _shown_ms(self, packet: Packet) -> int:
        return (packet.pts_us - self._first.pts_us) // 1000

    def _wall_ms(self, packet: Packet, before: list[tuple[int, int]]) -> int:
        """The wall clock at the frame, after the first. One that is set while the clip is recorded is counted
        on, with a note: a clip never seems to run backwards, nor to be longer than it is."""
        known = before or self._draft.frames
        last = known[-1][1] if known else 0
        counted_ms = last + max(0, int((packet.came_s - self._last_came_s) * 1000))
        wall_ms = packet.wall_ms - self._first.wall_ms + self._shift_ms
        if wall_ms < last or wall_ms - counted_ms > JUMP_S * 1000:
            set_s = (wall_ms - counted_ms) / 1000
            self._shift_ms += counted_ms - wall_ms
            wall_ms = counted_ms
            if abs(set_s) > JUMP_S:
                way = "back" if set_s < 0 else "forward"
                self.note(
                    f"The clock was set {way} by {abs(set_s):.1f} s, {self._shown_ms(packet) / 1000:.1f} s "
                    "into the clip; the times after it are counted on."
                )
        self._last_came_s = packet.came_s
        return wall_ms

    def _append(self, data: bytes, frames: tuple[tuple[int, int], ...], keys: tuple[int, ...]) -> None:
        self._say(Part(len(data), zlib.crc32(data), frames, keys))
        _write(self._video.fileno(), data)
        self._hash.update(data)
        self._bytes += len(data)

    def _say(self, *lines: Line) -> None:
        _write(self._journal.fileno(), b"".join(drafts.encode(line) for line in lines))
        for line in lines:
            self._draft.put(line)


def recover(clips: Clips, folder: Path, signer: Signer) -> Announcement | None:
    """Close what a kill or a full disk left in `folder`; None, and nothing stays, if that is no frame at
    all."""
    try:
        lines = drafts.decode((folder / JOURNAL).read_bytes())
    except FileNotFoundError:
        lines = []
    digest, size, good = sha256(), 0, 0
    known = drafts.draft_of(lines)
    video = folder / VIDEO
    if known is not None and video.exists():
        with video.open("rb") as file:
            for part in known.parts:
                data = file.read(part.bytes)
                if len(data) != part.bytes or zlib.crc32(data) != part.crc:
                    break
                digest.update(data)
                size, good = size + len(data), good + 1
    kept = _cut(lines, good)
    found = drafts.draft_of(kept)
    if found is None or not found.frames:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    if video.stat().st_size != size:
        os.truncate(video, size)
    with video.open("rb") as file:
        os.fsync(file.fileno())
    return _close(clips, folder, found, digest.hexdigest(), size, signer)


def _cut(lines: list[Line], parts: int) -> list[Line]:
    """The lines without the parts that the video does not have, and then without an end either."""
    kept: list[Line] = []
    for line in lines:
        if isinstance(line, Part):
            parts -= 1
            if parts < 0:
                return kept
        kept.append(line)
    return kept


def _close(clips: Clips, folder: Path, draft: Draft, digest: str, size: int, signer: Signer) -> Announcement:
    written = manifests.encode(drafts.manifest_of(draft, digest, size))
    signature = signer.sign(manifests.to_sign(written))
    head, last_ms = draft.head, draft.frames[-1][1]
    content = ClipRecorded(
        clip=head.clip,
        cause=draft.wish.causes[0][0],
        started_at=drafts.at(head.began_ms),
        ended_at=drafts.at(head.began_ms + last_ms),
        bytes=size,
        sha256=digest,
        manifest_sha256=sha256(written).hexdigest(),
        signature=signature,
        codec=head.codec,
        width=head.width,
        height=head.height,
        causes=[cause for cause, _ in draft.wish.causes] if len(draft.wish.causes) > 1 else [],
    )
    ended = Clock(head.clock.synced, head.clock.boot, head.clock.monotonic_ms + draft.frames[-1][0])
    about = Announcement(
        head.event, content, draft.wish.causes, ended, head.began_ms + last_ms, not draft.ended
    )
    for name, data in (
        (MANIFEST, written),
        (SIGNATURE, signature.encode()),
        (EVENT, msgspec.json.encode(about)),
    ):
        _write_synced(folder / name, data)
    sync(folder)
    clips.finish(folder)
    return about


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _write(number: int, data: bytes) -> None:
    """All of it: a disk that is nearly full takes only a part at first."""
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]
