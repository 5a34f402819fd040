"""Pipes inside the containers, which are Linux whatever the host is."""

from __future__ import annotations

import contextlib
import fcntl

__all__ = ["widen"]

_PIPE_BYTES = 1 << 20


def widen(*descriptors: int) -> None:
    """Ask for pipes of a megabyte, so that a frame of a table needs few wake-ups.

    A system that refuses (its budget for pipes is used up, or it is no pipe) is slower, not wrong.
    """
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
