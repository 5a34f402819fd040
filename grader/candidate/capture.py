"""What a test of a submission printed, bounded."""

from __future__ import annotations

__all__ = ["Capture"]

_NOTICE = 80  # room for the line that says how much was left out


class Capture:
    """Keeps the first and last part of what a test printed, and drops the middle.

    Args:
        limit: most bytes that are kept.
    """

    def __init__(self, limit: int) -> None:
        self._half = max((limit - _NOTICE) // 2, 1)
        self._first = bytearray()
        self._last = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        """Take what was printed next."""
        room = self._half - len(self._first)
        if room > 0:
            self._first += data[:room]
            data = data[room:]
        self._last += data
        if len(self._last) > self._half:
            cut = len(self._last) - self._half
            self._dropped += cut
            del self._last[:cut]

    def take(self) -> bytes:
        """What is kept, with a line that says how much is missing."""
        middle = f"\n[… {self._dropped} bytes left out …]\n".encode() if self._dropped else b""
        return bytes(self._first) + middle + bytes(self._last)
