"""One clock for all packets: the source's own times, put where the packets came. Pure.

A source's clock may begin anywhere, jump, run backwards when a file begins again, or stand still. What comes
out rises strictly and never stays far from the time of arrival, so that a clip's length is true.
"""

from dataclasses import replace

from kiosk.camera.source import Packet

# More than a network holds back, less than a clip's length may be wrong by in the long run.
STRAY_US = 2_000_000


class Timeline:
    """One for the life of the camera's process; put() takes packets in decoding order."""

    def __init__(self) -> None:
        self._offset_us: int | None = None
        self._last_us: int | None = None
        self._came_dts_us: int | None = None

    def begin(self) -> None:
        """A stream was opened: its clock has nothing to do with the last one's."""
        self._offset_us = None

    def put(self, packet: Packet) -> Packet:
        """The same packet with its times in microseconds of the monotonic clock."""
        came_us = int(packet.came_s * 1_000_000)
        if self._came_dts_us is not None and packet.dts_us <= self._came_dts_us:
            self._offset_us = None
        self._came_dts_us = packet.dts_us
        if self._offset_us is None or abs(packet.dts_us + self._offset_us - came_us) > STRAY_US:
            self._offset_us = came_us - packet.dts_us
        dts_us = packet.dts_us + self._offset_us
        if self._last_us is not None and dts_us <= self._last_us:
            dts_us = self._last_us + 1
        self._last_us = dts_us
        shown_us = max(0, min(packet.pts_us - packet.dts_us, STRAY_US))
        return replace(packet, dts_us=dts_us, pts_us=dts_us + shown_us)
