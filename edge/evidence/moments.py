"""When the pictures of a working copy were taken, and which of them stand as stills. Pure."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta

from broker.manifest import Manifest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_STILLS = 12
STILLS_EVERY_MS = 10_000
MOST_RATE, USUAL_RATE = 30, 25


class Moments:
    """The wall clock of one clip's pictures, by its manifest."""

    def __init__(self, manifest: Manifest) -> None:
        frames = sorted(manifest.footage.frames)
        self._times_ms = [time - frames[0][0] for time, _ in frames]
        self._walls_ms = [wall for _, wall in frames]
        self._started_at = manifest.started_at

    def after_ms(self, time_ms: float) -> int:
        """The wall clock, in ms after the first picture, of the one that is shown `time_ms` after it. One
        that the manifest does not name came as long after the last named one as the video says."""
        # The video counts in microseconds, the manifest in whole milliseconds.
        place = max(0, bisect_right(self._times_ms, time_ms + 1) - 1)
        beyond = time_ms - self._times_ms[place]
        return self._walls_ms[place] + (round(beyond) if beyond > 1 else 0)

    def at(self, after_ms: int) -> datetime:
        return self._started_at + timedelta(milliseconds=after_ms)

    def rate(self, told: float | None) -> int:
        """Whole pictures a second for the copy, 1 to MOST_RATE. `told` is what the video says of itself."""
        length_ms = self._times_ms[-1]
        found = (len(self._times_ms) - 1) * 1000 / length_ms if length_ms else told or USUAL_RATE
        return min(MOST_RATE, max(1, round(found)))


def trigger_ms(manifest: Manifest) -> int | None:
    """When the first of its causes was raised, in ms after the first picture, both by the kiosk's clock; None
    if that is not within the clip, or not in the cause's id."""
    started_ms = (manifest.started_at - _EPOCH) / timedelta(milliseconds=1)
    for cause in manifest.causes:
        # A UUIDv7 begins with 48 bits of Unix milliseconds (RFC 9562, 5.7), more than a calendar has.
        after_ms = round((cause.int >> 80) - started_ms)
        if cause.version == 7 and 0 <= after_ms <= _length_ms(manifest):
            return after_ms
    return None


def still_times(manifest: Manifest) -> list[int]:
    """In ms after the first picture, rising, MOST_STILLS at most: the trigger, and each ten seconds or, of a
    longer clip, each twenty, thirty, …"""
    trigger, step, length_ms = trigger_ms(manifest), STILLS_EVERY_MS, _length_ms(manifest)
    while length_ms >= step * (MOST_STILLS - 1):
        step += STILLS_EVERY_MS
    return sorted({*range(0, length_ms + 1, step), *([] if trigger is None else [trigger])})


def _length_ms(manifest: Manifest) -> int:
    return max(0, round((manifest.ended_at - manifest.started_at) / timedelta(milliseconds=1)))
