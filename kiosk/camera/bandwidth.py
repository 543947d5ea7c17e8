"""How fast clips may leave a kiosk: a token bucket. Pure."""


class Bandwidth:
    """At most `rate_bytes_s` over any time, after a burst of `burst_bytes`; a rate of 0 is no limit."""

    def __init__(self, rate_bytes_s: float, burst_bytes: int, now_s: float) -> None:
        self._rate, self._burst = rate_bytes_s, float(burst_bytes)
        self._left, self._at_s = float(burst_bytes), now_s

    def wait_s(self, size_bytes: int, now_s: float) -> float:
        """Take `size_bytes`; how long to wait before they are sent."""
        if not self._rate:
            return 0.0
        passed_s = max(0.0, now_s - self._at_s)
        self._left = min(self._burst, self._left + passed_s * self._rate) - size_bytes
        self._at_s = now_s
        return max(0.0, -self._left / self._rate)
