"""Whether anything in this process can run before something outside of it happens.

Each thread is looked at twice, as the kernel sees it. When all of them sleep both times and none
has been switched to in between, none ran in between, and none was about to: a thread that another
one wakes, or that gets the interpreter's lock, is runnable from that moment on, whether or not a
processor is free for it. A thread that waits for a clock sleeps as well: time is something outside.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_quiet", "wait_until_quiet"]

_TASKS = "/proc/self/task"
_BETWEEN = 0.0005  # seconds; the interpreter's lock is free meanwhile
_STATUS_BYTES = 1 << 16
_SLEEPING = b"S"  # as proc(5) names the states; what ends is not asleep


def _asleep(own: int) -> dict[str, bytes] | None:
    """Counts of switches of each thread but `own`; None where one of them is not asleep.

    A thread that ends meanwhile was running, and may have begun another; then the list of threads
    may also be cut short. Both count as not asleep.
    """
    found = {}
    names = os.listdir(_TASKS)  # noqa: PTH208 - many times in a row
    for name in names:
        try:
            with open(f"{_TASKS}/{name}/status", "rb", buffering=0) as file:  # noqa: PTH123 - the same
                status = file.read(_STATUS_BYTES)
        except (FileNotFoundError, ProcessLookupError):
            return None
        if int(_value(status, b"\nThreads:")) != len(names):
            return None
        if int(name) != own:
            if not _value(status, b"\nState:").startswith(_SLEEPING):
                return None
            found[name] = status[status.index(b"\nvoluntary_ctxt_switches:") :]
    return found


def _value(status: bytes, key: bytes) -> bytes:
    start = status.index(key) + len(key)
    return status[start : status.index(b"\n", start)].strip()


def is_quiet(busy: Callable[[], bool]) -> bool:
    """Look twice.

    Args:
        busy: whether something is under way that sleeps and goes on by itself.

    Raises:
        RuntimeError: the system does not show its threads; only Linux does.
    """
    if sys.platform != "linux":
        raise RuntimeError("services are judged on Linux only; grade it in the sandbox")
    own = threading.get_native_id()
    before = _asleep(own)
    if busy() or before is None:
        return False
    time.sleep(_BETWEEN)
    return not busy() and _asleep(own) == before


def wait_until_quiet(busy: Callable[[], bool], *, cpu_seconds: float, seconds: float) -> bool:
    """Wait until all is quiet; returns whether it is.

    Args:
        busy: as for `is_quiet`.
        cpu_seconds: of this process, after which it is taken for one that never rests. On a machine
            under load it gets them late, so this tells more than a clock.
        seconds: the most that it waits.
    """
    end, cpu_end = time.monotonic() + seconds, time.process_time() + cpu_seconds
    begun = time.monotonic()
    while not is_quiet(busy):
        now = time.monotonic()
        if now >= end or time.process_time() >= cpu_end:
            return False
        time.sleep(max(_BETWEEN, now - begun))  # to look takes no more than half of the time
        begun = time.monotonic()
    return True
