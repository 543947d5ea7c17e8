"""Decides what is written: triggers in, clips out. One thread, which the camera never waits for."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from broker.events import Clock
from broker.signing import Signer
from kiosk.camera.clips import Announcement, Clips
from kiosk.camera.feed import has_parameters
from kiosk.camera.losses import Lose, Why
from kiosk.camera.recording import Place, Recording, recover
from kiosk.camera.ring import Ring
from kiosk.camera.room import fits, make_room
from kiosk.camera.source import Packet
from kiosk.camera.window import Reach, Trigger, Window, place

log = logging.getLogger(__name__)

PART_S = 0.5
SYNC_S = 2.0
TOLD_S = 600.0
RETRY_S = 30.0
_SOON_S = 0.003
_REMEMBERED = 1024


@dataclass(frozen=True)
class Limits:
    """How far footage reaches and what the card may hold."""

    reach: Reach
    clips_bytes: int
    floor_bytes: int


@dataclass
class _Open:
    """A window and the clip that fills it, which begins when there is a first picture for it."""

    window: Window
    cursor: int | None = None
    recording: Recording | None = None
    notes: list[str] = field(default_factory=list)
    flushed_s: float = 0.0
    synced_s: float = 0.0
    why: Why = "blind"  # if there will be no clip
    made: bool = False


class Recorder:
    """See the module. `finished` is called for each clip once it is whole on the disk, `lost` for each cause
    that there is no clip of, and for each clip that leaves the card before the store has it."""

    def __init__(
        self,
        clips: Clips,
        ring: Ring,
        signer: Signer,
        whose: Place,
        limits: Limits,
        clock_at: Callable[[float], Clock],
        to_unix_ms: Callable[[float], int],
        new_id: Callable[[], UUID],
        finished: Callable[[Announcement], None],
        lost: Lose = lambda why, clip, cause: None,
    ) -> None:
        self._clips = clips
        self._ring = ring
        self._signer = signer
        self._whose = whose
        self._limits = limits
        self._clock_at = clock_at
        self._to_unix_ms = to_unix_ms
        self._new_id = new_id
        self._finished = finished
        self._lost = lost
        self._filmed: set[UUID] = set()  # causes of the clips that were on the card at the start
        self._open: list[_Open] = []
        self._done: OrderedDict[UUID, None] = OrderedDict()
        self._told: dict[str, float] = {}
        self._retry_s = float("inf")

    def begin(self, now_s: float) -> None:
        """Close what a kill left behind, and learn what there is already."""
        for clip in self._clips.all():
            self._filmed.update(cause for cause, _ in clip.about.causes)
            if not clip.about.interrupted:
                # The rest of an interrupted clip's footage is still wanted.
                self._remember(cause for cause, _ in clip.about.causes)
        self._recover(now_s)

    def faults(self, now_s: float) -> list[str]:
        """Sentences for the manager."""
        for text in [text for text, until_s in self._told.items() if until_s < now_s]:
            del self._told[text]
        return list(self._told)

    def happened(self, triggers: Iterable[Trigger], now_s: float) -> None:
        """What is known already changes nothing."""
        open_causes = {cause for one in self._open for cause in one.window.causes}
        for trigger in sorted(triggers, key=lambda t: t.at_s):
            if trigger.cause in self._done or trigger.cause in open_causes:
                continue
            given, window = place((one.window for one in self._open), trigger, self._limits.reach, now_s)
            if given is None:
                self._open.append(_Open(window, why="late" if now_s >= window.end_s else "blind"))
                continue
            one = next(one for one in self._open if one.window is given)
            one.window = window
            if one.recording is not None:
                self._guarded(one, partial(one.recording.wish, window), now_s)

    def due_at(self, now_s: float) -> float | None:
        """When turn() has something to do next; None while nothing happens."""
        times = [min(one.window.end_s + _SOON_S, now_s + PART_S) for one in self._open]
        if self._retry_s != float("inf"):
            times.append(self._retry_s)
        return min(times, default=None)

    def turn(self, now_s: float) -> None:
        """Write what came, finish what is over."""
        for one in list(self._open):
            self._guarded(one, partial(self._write, one, now_s), now_s)
            if now_s >= one.window.end_s and one in self._open:
                self._guarded(one, partial(self._end, one, now_s), now_s)
        if now_s >= self._retry_s:
            self._retry_s = float("inf")
            self._recover(now_s)

    def end(self, now_s: float) -> None:
        """The program ends: what is being written becomes a clip that was interrupted."""
        for one in list(self._open):
            self._guarded(one, partial(self._write, one, now_s), now_s)
            if one.recording is not None:
                one.recording.let_go()
        self._open.clear()
        self._recover(now_s)

    def _write(self, one: _Open, now_s: float) -> None:
        if one.cursor is None:
            one.cursor = self._ring.begin_at(one.window.start_s)
        if one.cursor is None:
            return
        first, packets = self._ring.since(one.cursor)
        if one.recording is not None and first > one.cursor:
            one.recording.note(f"{first - one.cursor} pictures are missing: the card was too slow.")
            # What follows cannot be decoded before the next key frame.
            while packets and not packets[0].key:
                first, packets = first + 1, packets[1:]
        one.cursor = first
        for packet in packets:
            if packet.came_s > one.window.end_s:
                break
            one.cursor += 1
            self._put(one, packet, now_s)
        if one.recording is not None:
            one.recording.flush()
            if now_s - one.synced_s >= SYNC_S:
                one.synced_s = now_s
                one.recording.sync()

    def _put(self, one: _Open, packet: Packet, now_s: float) -> None:
        if one.recording is not None and not one.recording.takes(packet):
            one.recording.note("The camera's picture changed its format; another clip goes on.")
            if not packet.key:
                return
            self._close(one)
        if one.recording is None:
            if not packet.key or not has_parameters(packet) or not self._make_room(one, now_s):
                return
            one.recording = Recording(
                self._clips,
                self._whose,
                packet,
                one.window,
                self._to_unix_ms,
                self._new_id,
                self._clock_at,
            )
            one.synced_s = now_s
            late_s = packet.came_s - max(one.window.start_s, 0.0)
            if late_s > 0.5:
                one.recording.note(
                    f"The clip begins {late_s:.1f} s later than wanted: there was nothing before."
                )
        one.recording.add(packet)

    def _end(self, one: _Open, now_s: float) -> None:
        self._close(one)
        self._open.remove(one)
        self._remember(one.window.causes)
        if not one.made:
            self._tell("The camera had no picture of something that happened; there is no clip of it.", now_s)
            self._say_lost(one)

    def _say_lost(self, one: _Open) -> None:
        for cause in one.window.causes:
            if cause not in self._filmed:
                self._lost(one.why, None, cause)

    def _close(self, one: _Open) -> None:
        recording, one.recording = one.recording, None
        if recording is not None and (made := recording.finish(self._clips, self._signer)) is not None:
            one.made = True
            self._finished(made)

    def _guarded(self, one: _Open, act: Callable[[], object], now_s: float) -> None:
        """A disk that takes nothing costs a part of a clip, and never the program."""
        try:
            act()
        except OSError as error:
            log.error("A clip cannot be written: %s.", error)
            self._tell(f"A clip could not be written to its end: {error.strerror or error}.", now_s)
            recording, one.recording = one.recording, None
            if recording is not None:
                recording.let_go()
            elif not one.made:
                one.why = "unwritten"
                self._say_lost(one)
            if one in self._open:
                self._open.remove(one)
            self._remember(one.window.causes)
            self._retry_s = now_s + RETRY_S

    def _recover(self, now_s: float) -> None:
        writing = {one.recording.folder for one in self._open if one.recording is not None}
        for folder in self._clips.parts():
            if folder in writing:
                continue
            try:
                made = recover(self._clips, folder, self._signer)
            except OSError as error:
                log.error("An interrupted clip cannot be closed yet: %s.", error)
                self._tell(f"An interrupted clip cannot be closed: {error.strerror or error}.", now_s)
                self._retry_s = now_s + RETRY_S
            else:
                if made is not None:
                    self._finished(made)

    def _make_room(self, one: _Open, now_s: float) -> bool:
        """Whether the clip may begin. As much must be free as it will take at the ring's pace."""
        pace = self._ring.bytes / max(1.0, self._ring.seconds)
        coming = int(pace * (one.window.end_s - one.window.start_s)) + 1_000_000
        limits, free = self._limits, self._clips.free_bytes()
        if fits(self._clips.held_bytes(), free, limits.clips_bytes, limits.floor_bytes, coming):
            # Only a full card costs a look at all its clips.
            return True
        clips = self._clips.all()
        room = make_room(clips, free, limits.clips_bytes, limits.floor_bytes, coming)
        for clip in room.leave:
            self._clips.delete(clip)
        went = [clip.about.content for clip in clips if clip.id in room.leave and not clip.sealed]
        for content in went:
            self._lost("full", content.clip, content.cause)
        if number := len(went):
            self._tell(
                f"The card was full: {number} clip{'s' * (number > 1)} of no security request went.", now_s
            )
        if not room.enough:
            self._tell("The card is full of clips that must be kept; take them to the store.", now_s)
        fits_in = room.enough or (one.window.spared and room.enough_for_spared)
        if not fits_in:
            one.why = "full"
        return fits_in

    def _tell(self, sentence: str, now_s: float) -> None:
        self._told[sentence[:200]] = now_s + TOLD_S

    def _remember(self, causes: Iterable[UUID]) -> None:
        for cause in causes:
            self._done[cause] = None
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
