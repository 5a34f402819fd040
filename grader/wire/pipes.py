"""Pipes inside the containers, which are Linux whatever the host is."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import time

__all__ = ["IDLE_SECONDS", "be_killed_first", "read_exact", "set_dumpable", "widen", "write_all"]

_PIPE_BYTES = 1 << 20
_PR_SET_DUMPABLE = 4
# A container that hears nothing for so long ends itself: its host is gone, and the engine with it.
IDLE_SECONDS = 3600.0


def widen(*descriptors: int) -> None:
    """Ask for pipes of a megabyte, so that a frame of a table needs few wake-ups.

    A system that refuses (its budget for pipes is used up, or it is no pipe) is slower, not wrong.
    """
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def read_exact(descriptor: int, size: int, *, deadline: float | None = None) -> bytes | None:
    """Read ``size`` bytes from a blocking pipe.

    Args:
        descriptor: the pipe.
        size: how many bytes.
        deadline: absolute, ``time.monotonic`` seconds; None waits for ever.

    Returns:
        The bytes, or None when the pipe or the time ends first.
    """
    parts: list[bytes] = []
    while size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                return None
        part = os.read(descriptor, min(size, _PIPE_BYTES))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data`` to a blocking pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def set_dumpable(*, value: bool) -> None:
    """Let other processes of this user look into this one's memory, or not.

    Raises:
        OSError: the system refuses.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, int(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) failed")


def be_killed_first() -> None:
    """Let this process be killed before others of its container where memory runs out."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")
