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
_SLEEPING = "S"  # as proc(5) names the states; what ends is not asleep


_UNSURE: dict[str, tuple[str, ...]] = {"": ("unsure",)}  # no state in which anything sleeps


def _threads(own: int) -> dict[str, tuple[str, ...]]:
    """State and counts of switches of each thread but `own`.

    A thread that ends meanwhile was running, and may have begun another; then the list of threads
    may also be cut short. Both are told as a state in which nobody sleeps.
    """
    found = {}
    names = os.listdir(_TASKS)  # noqa: PTH208 - many times in a row
    for name in names:
        try:
            with open(f"{_TASKS}/{name}/status", "rb") as file:  # noqa: PTH123 - the same
                lines = file.read().decode("ascii", "replace").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return _UNSURE
        told = dict(line.partition(":")[::2] for line in lines)
        if int(told["Threads"]) != len(names):
            return _UNSURE
        if int(name) != own:
            found[name] = tuple(
                told[key].strip()
                for key in ("State", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
            )
    return found


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
    before = _threads(own)
    if busy() or any(state[0][:1] not in _SLEEPING for state in before.values()):
        return False
    time.sleep(_BETWEEN)
    return not busy() and _threads(own) == before


def wait_until_quiet(busy: Callable[[], bool], *, cpu_seconds: float, seconds: float) -> bool:
    """Wait until all is quiet; returns whether it is.

    Args:
        busy: as for `is_quiet`.
        cpu_seconds: of this process, after which it is taken for one that never rests. On a machine
            under load it gets them late, so this tells more than a clock.
        seconds: the most that it waits.
    """
    end, cpu_end = time.monotonic() + seconds, time.process_time() + cpu_seconds
    while not is_quiet(busy):
        if time.monotonic() >= end or time.process_time() >= cpu_end:
            return False
        time.sleep(_BETWEEN)
    return True
