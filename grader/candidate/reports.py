"""The supervisor's end of the socket over which a test's process reports what it runs."""

from __future__ import annotations

import contextlib
import os
import socket

from grader.candidate.audit import LOADED, REPORT_BYTES

__all__ = ["LARGEST", "Reports", "report_sockets"]

_MOST = 40  # kept of a test; a submission has fewer files
_MOST_READ = 4000
LARGEST = 1 << 15
_UNREADABLE = "what is no report came over the channel of reports\t"


def report_sockets() -> tuple[int, int]:
    """Descriptors of the supervisor's end and of the other one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return ours.detach(), theirs.detach()


class Reports:
    """What was reported in one test: kinds and places, each once, bounded."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._read = 0

    def drain(self, fd: int) -> bool:
        """Take what has come; False where nobody can send any more."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(fd, REPORT_BYTES + 1):
                self._add(data)
            return False
        return True

    def _add(self, data: bytes) -> None:
        self._read += 1
        text = data.decode("utf-8", "replace")
        if len(data) > REPORT_BYTES or text.count("\t") != 1 or self._read > _MOST_READ:
            text = _UNREADABLE
        # what accuses is never crowded out by names of files
        if len(self._found) < (_MOST if text.startswith(LOADED) else 2 * _MOST):
            self._found.setdefault(text)
        elif text.startswith(LOADED):
            self._found.setdefault(_UNREADABLE)

    def take(self) -> list[list[str]]:
        """``[kind, place]`` of each report, in order."""
        return [text.split("\t") for text in self._found]
